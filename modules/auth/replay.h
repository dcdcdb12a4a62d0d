// modules/auth/replay.h - which nonce counts have been used, so that a request that was listened to cannot be
// sent again
#pragma once

#include "core/base/guarded.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sipyard::auth {

// A bounded table. The place of a nonce is its serial number modulo the size, and serial numbers rise: a
// newer nonce takes the place of an older one, which is stale from then on. So nothing is ever forgotten in
// favour of a replay, whatever the load; too small a table only costs a second challenge. Thread-safe.
class Replay {
public:
    // Counts that come out of order over several connections (RFC 7616 3.4: nc rises) are fine within this
    // distance.
    static constexpr std::uint32_t window = 64;

    explicit Replay(std::size_t size); // rounded up to a power of two; 24 bytes each

    enum class Answer : unsigned char { fresh, reused, forgotten };
    Answer look(std::uint64_t serial, std::uint32_t count) const; // without using it up
    Answer use(std::uint64_t serial, std::uint32_t count);        // `fresh` once for a count

    std::size_t size() const { return mask_ + 1; }

private:
    struct Slot {
        std::uint64_t serial = 0; // 0: none
        std::uint64_t seen = 0;   // bit n: count highest-n was used
        std::uint32_t highest = 0;
    };
    static constexpr std::size_t shards = 16;
    static Answer judge(const Slot& slot, std::uint64_t serial, std::uint32_t count);

    std::size_t mask_;
    std::array<Guarded<std::vector<Slot>>, shards> slots_; // a slot is in shard (place % shards)
};

} // namespace sipyard::auth
