// modules/auth/replay.cpp - the sliding window of nonce counts
#include "modules/auth/replay.h"

#include <bit>

namespace sipyard::auth {

Replay::Replay(std::size_t size) : mask_{std::bit_ceil(size < shards ? shards : size) - 1}
{
    for (auto& shard : slots_)
        shard.with([&](std::vector<Slot>& slots) { slots.resize((mask_ + 1) / shards); });
}

Replay::Answer Replay::judge(const Slot& slot, std::uint64_t serial, std::uint32_t count)
{
    if (slot.serial > serial)
        return Answer::forgotten;
    if (slot.serial < serial || count > slot.highest)
        return Answer::fresh;
    const std::uint32_t behind = slot.highest - count;
    return behind >= window || (slot.seen >> behind & 1) != 0 ? Answer::reused : Answer::fresh;
}

Replay::Answer Replay::look(std::uint64_t serial, std::uint32_t count) const
{
    const std::size_t place = serial & mask_;
    return slots_[place % shards].with(
        [&](const std::vector<Slot>& slots) { return judge(slots[place / shards], serial, count); });
}

Replay::Answer Replay::use(std::uint64_t serial, std::uint32_t count)
{
    const std::size_t place = serial & mask_;
    return slots_[place % shards].with([&](std::vector<Slot>& slots) {
        Slot& slot = slots[place / shards];
        const Answer answer = judge(slot, serial, count);
        if (answer != Answer::fresh)
            return answer;
        if (slot.serial != serial) {
            slot = {serial, 1, count};
        } else if (count > slot.highest) {
            const std::uint32_t ahead = count - slot.highest;
            slot.seen = (ahead < window ? slot.seen << ahead : 0) | 1;
            slot.highest = count;
        } else {
            slot.seen |= std::uint64_t{1} << (slot.highest - count);
        }
        return answer;
    });
}

} // namespace sipyard::auth
