// modules/dialog/table.cpp - all dialogs, found by id or by Call-ID and tags
#include "modules/dialog/table.h"

#include "core/base/text.h"

#include <algorithm>
#include <bit>

namespace sipyard::dialog {

namespace {

constexpr std::ptrdiff_t most_of_one_call = 64;

std::string reversed_hex(std::uint32_t number)
{
    std::string text;
    do {
        text += "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number != 0);
    return text;
}

bool read_reversed_hex(std::string_view text, std::uint32_t& number)
{
    if (text.empty() || text.size() > 8)
        return false;
    number = 0;
    for (std::size_t i = text.size(); i-- > 0;) {
        const int digit = hex_digit(text[i]);
        if (digit < 0)
            return false;
        number = (number << 4) | static_cast<std::uint32_t>(digit);
    }
    return true;
}

} // namespace

std::string cookie(std::uint32_t entry, std::uint32_t id)
{
    return reversed_hex(entry) + "." + reversed_hex(id);
}

bool read_cookie(std::string_view text, std::uint32_t& entry, std::uint32_t& id)
{
    const auto dot = text.find('.');
    return dot != std::string_view::npos && read_reversed_hex(text.substr(0, dot), entry) &&
           read_reversed_hex(text.substr(dot + 1), id);
}

Direction direction_of(const Dialog& dialog, std::string_view from_tag, std::string_view to_tag)
{
    const std::string &caller = dialog.caller.tag, &callee = dialog.callee.tag;
    // Until the answer any fork of the callee's may speak: its tag is not known yet.
    if (from_tag == caller &&
        (to_tag == callee || callee.empty() || (to_tag.empty() && dialog.state < State::confirmed_no_ack)))
        return Direction::downstream;
    if (!to_tag.empty() && to_tag == caller && (from_tag == callee || callee.empty()))
        return Direction::upstream;
    return Direction::none;
}

Table::Table(std::size_t slots, std::size_t most, std::uint32_t first, std::uint32_t step)
    : mask_{std::bit_ceil(std::clamp<std::size_t>(slots, 1, 65'536)) - 1}, most_{most},
      step_{std::max(step, 1u)}, table_{std::make_unique<Slot[]>(mask_ + 1)}, next_{first}
{
}

std::uint32_t Table::slot_of(std::string_view call_id) const
{
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(call_id)&mask_);
}

CallPtr Table::add(std::string_view call_id)
{
    if (size_.fetch_add(1, std::memory_order_relaxed) >= most_) {
        size_.fetch_sub(1, std::memory_order_relaxed);
        return nullptr;
    }
    const std::uint32_t entry = slot_of(call_id);
    std::uint32_t id = 0;
    while (id == 0) // signed columns of 32 bits hold it, and 0 is nobody
        id = next_.fetch_add(step_, std::memory_order_relaxed) & 0x7fffffff;
    const auto call = std::make_shared<Call>(entry, id, std::string{call_id});
    call->facts.with([&](Facts& facts) {
        facts.dialog.entry = call->entry;
        facts.dialog.id = call->id;
        facts.dialog.call_id = call->call_id;
    });
    const bool added = table_[entry].with([&](auto& list) {
        // Nobody calls himself that often: without a limit such INVITEs would make one slot as long as the
        // table.
        if (std::count_if(list.begin(), list.end(),
                          [&](const CallPtr& c) { return c->call_id == call_id; }) >= most_of_one_call)
            return false;
        list.push_back(call);
        return true;
    });
    if (!added)
        size_.fetch_sub(1, std::memory_order_relaxed);
    return added ? call : nullptr;
}

CallPtr Table::restore(std::uint32_t entry, std::uint32_t id, std::string_view call_id)
{
    // A table of another size wrote it: it is found by its Call-ID, and by the number it has here.
    const std::uint32_t slot = slot_of(call_id);
    auto call = std::make_shared<Call>(entry <= mask_ ? entry : slot, id, std::string{call_id});
    if (size_.fetch_add(1, std::memory_order_relaxed) >= most_) {
        size_.fetch_sub(1, std::memory_order_relaxed);
        return nullptr;
    }
    const auto put = [&](std::uint32_t at) {
        return table_[at].with([&](auto& list) {
            if (std::any_of(list.begin(), list.end(),
                            [&](const CallPtr& c) { return c->entry == call->entry && c->id == id; }))
                return false;
            list.push_back(call);
            return true;
        });
    };
    if (!put(call->entry)) {
        size_.fetch_sub(1, std::memory_order_relaxed);
        return nullptr;
    }
    if (call->entry != slot)
        (void)put(slot); // the cookie names the one slot, the Call-ID the other
    call->facts.with([&](Facts& facts) {
        facts.dialog.entry = call->entry;
        facts.dialog.id = id;
        facts.dialog.call_id = call->call_id;
    });
    return call;
}

bool Table::remove(const Call& call)
{
    bool removed = false;
    for (const std::uint32_t at : {call.entry, slot_of(call.call_id)})
        table_[at].with([&](auto& list) {
            const auto found =
                std::find_if(list.begin(), list.end(), [&](const CallPtr& c) { return c.get() == &call; });
            if (found == list.end())
                return;
            *found = std::move(list.back());
            list.pop_back();
            removed = true;
        });
    if (removed)
        size_.fetch_sub(1, std::memory_order_relaxed);
    return removed;
}

CallPtr Table::find(std::uint32_t entry, std::uint32_t id) const
{
    if (entry > mask_)
        return nullptr;
    return table_[entry].with([&](const auto& list) -> CallPtr {
        for (const CallPtr& call : list)
            if (call->id == id && call->entry == entry)
                return call;
        return nullptr;
    });
}

Table::Found Table::find(std::string_view call_id, std::string_view from_tag, std::string_view to_tag) const
{
    const auto candidates = table_[slot_of(call_id)].with([&](const auto& list) {
        std::vector<CallPtr> found;
        for (const CallPtr& call : list)
            if (call->call_id == call_id)
                found.push_back(call);
        return found;
    });
    Found over; // an ended one is found when there is no other: a late reply or retransmission
    for (const CallPtr& call : candidates) {
        const auto [direction, state] = call->facts.with([&](const Facts& facts) {
            return std::pair{direction_of(facts.dialog, from_tag, to_tag), facts.dialog.state};
        });
        if (direction == Direction::none)
            continue;
        if (state != State::deleted)
            return {call, direction};
        over = {call, direction};
    }
    return over;
}

CallPtr Table::find_call(std::string_view call_id, std::string_view caller_tag) const
{
    return table_[slot_of(call_id)].with([&](const auto& list) -> CallPtr {
        for (const CallPtr& call : list)
            if (call->call_id == call_id && (caller_tag.empty() || call->facts.with([&](const Facts& f) {
                    return f.dialog.caller.tag == caller_tag;
                })))
                return call;
        return nullptr;
    });
}

void Table::each(const std::function<bool(const CallPtr&)>& f) const
{
    for (std::size_t at = 0; at <= mask_; ++at) {
        const auto list = table_[at].with([](const auto& l) { return l; });
        for (const CallPtr& call : list)
            if ((call->entry == at) && !f(call)) // restored ones may stand in two slots
                return;
    }
}

} // namespace sipyard::dialog
