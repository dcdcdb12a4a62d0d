// modules/dlgs/calls.cpp - calls counted without transactions
#include "modules/dlgs/calls.h"

#include "core/base/format.h"
#include "core/base/from_text.h"

#include <algorithm>
#include <bit>
#include <fnmatch.h>

namespace sipyard::dlgs {

State next(State state, Event event)
{
    const bool pending = state == State::init || state == State::progress;
    switch (event) {
    case Event::provisional: return state == State::init ? State::progress : state;
    case Event::answered:
        return pending || state == State::notanswered ? State::answered : state; // serial forking goes on
    case Event::refused: return pending ? State::notanswered : state;
    case Event::cancel: return pending ? State::notanswered : state;
    case Event::ack: return state == State::answered ? State::confirmed : state;
    case Event::bye: return state == State::answered || state == State::confirmed ? State::terminated : state;
    }
    return state;
}

Result<Filter> Filter::make(std::string_view field, std::string_view op, std::string_view value)
{
    Filter filter;
    if (field == "src")
        filter.field_ = Field::src;
    else if (field == "dst")
        filter.field_ = Field::dst;
    else if (field == "data")
        filter.field_ = Field::data;
    else if (field != "any")
        return Error{ErrorKind::invalid,
                     format("'{}' is no field: src, dst, data or any was expected", field)};
    constexpr std::array<std::string_view, 5> ops{"eq", "ne", "re", "sw", "fm"};
    const auto found = std::find(ops.begin(), ops.end(), op);
    if (found == ops.end())
        return Error{ErrorKind::invalid,
                     format("'{}' is no operator: eq, ne, re, sw or fm was expected", op)};
    filter.op_ = static_cast<Op>(found - ops.begin());
    filter.value_ = value;
    if (filter.op_ == Op::re && filter.field_ != Field::any) {
        TRY(auto pattern, FromText<Regex>::parse(value));
        filter.pattern_ = std::move(pattern);
    }
    return filter;
}

bool Filter::takes(const Call& call) const
{
    if (field_ == Field::any)
        return true;
    const std::string& held = field_ == Field::src ? call.src : field_ == Field::dst ? call.dst : call.data;
    switch (op_) {
    case Op::eq: return held == value_;
    case Op::ne: return held != value_;
    case Op::re: return pattern_->matches(held);
    case Op::sw: return held.starts_with(value_);
    case Op::fm: return ::fnmatch(value_.c_str(), held.c_str(), 0) == 0;
    }
    return false;
}

Calls::Calls(std::size_t slots, std::size_t most)
    : mask_{std::bit_ceil(std::clamp<std::size_t>(slots, 1, 65'536)) - 1}, most_{most},
      slots_{std::make_unique<Guarded<Slot>[]>(mask_ + 1)}
{
}

bool Calls::add(Call call)
{
    if (size_.fetch_add(1, std::memory_order_relaxed) >= most_) {
        size_.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }
    const State state = call.state;
    const bool added = slot(call.call_id).with([&](Slot& s) {
        std::string key = call.call_id;
        return s.try_emplace(std::move(key), std::move(call)).second;
    });
    if (added)
        entered(state);
    else
        size_.fetch_sub(1, std::memory_order_relaxed);
    return added;
}

bool Calls::has(std::string_view call_id) const
{
    return slot(call_id).with([&](const Slot& s) { return s.contains(call_id); });
}

bool Calls::apply(std::string_view call_id, std::string_view from_tag, std::string_view to_tag, Event event,
                  std::int64_t now)
{
    std::optional<State> moved;
    const bool known = slot(call_id).with([&](Slot& s) {
        const auto found = s.find(call_id);
        if (found == s.end())
            return false;
        Call& call = found->second;
        const bool of_caller =
            from_tag == call.from_tag && (to_tag == call.to_tag || call.to_tag.empty() || to_tag.empty());
        const bool of_callee = to_tag == call.from_tag && (from_tag == call.to_tag || call.to_tag.empty());
        const bool in_dialog = event == Event::ack || event == Event::bye;
        // A reply of another fork than the one that answered, an ACK or BYE of another dialog: not this
        // call's.
        if (!of_caller && !(in_dialog && of_callee))
            return false;
        const State to = next(call.state, event);
        if (event == Event::answered && to != call.state) {
            call.to_tag = to_tag;
            call.answer = now;
        }
        if (to != call.state) {
            call.state = to;
            call.changed = now;
            moved = to;
        }
        return true;
    });
    if (moved)
        entered(*moved);
    return known;
}

std::optional<Call> Calls::find(std::string_view call_id) const
{
    return slot(call_id).with([&](const Slot& s) -> std::optional<Call> {
        const auto found = s.find(call_id);
        return found == s.end() ? std::optional<Call>{} : found->second;
    });
}

bool Calls::add_tag(std::string_view call_id, std::string_view tag)
{
    return slot(call_id).with([&](Slot& s) {
        const auto found = s.find(call_id);
        if (found == s.end() || found->second.tags.size() >= most_tags)
            return false;
        auto& tags = found->second.tags;
        if (std::find(tags.begin(), tags.end(), tag) == tags.end())
            tags.emplace_back(tag);
        return true;
    });
}

bool Calls::remove_tag(std::string_view call_id, std::string_view tag)
{
    return slot(call_id).with([&](Slot& s) {
        const auto found = s.find(call_id);
        return found != s.end() && std::erase(found->second.tags, tag) > 0;
    });
}

std::size_t Calls::count(const Filter& filter) const
{
    std::size_t number = 0;
    for (std::size_t i = 0; i <= mask_; ++i)
        slots_[i].with([&](const Slot& s) {
            for (const auto& [id, call] : s)
                number += is_ongoing(call.state) && filter.takes(call) ? 1 : 0;
        });
    return number;
}

std::size_t Calls::count_tags(std::string_view tag) const
{
    std::size_t number = 0;
    for (std::size_t i = 0; i <= mask_; ++i)
        slots_[i].with([&](const Slot& s) {
            for (const auto& [id, call] : s)
                number += is_ongoing(call.state) &&
                                  std::find(call.tags.begin(), call.tags.end(), tag) != call.tags.end()
                              ? 1
                              : 0;
        });
    return number;
}

void Calls::each(const std::function<bool(const Call&)>& f) const
{
    for (std::size_t i = 0; i <= mask_; ++i) {
        const auto calls = slots_[i].with([](const Slot& s) {
            std::vector<Call> copies;
            for (const auto& [id, call] : s)
                copies.push_back(call);
            return copies;
        });
        for (const Call& call : calls)
            if (!f(call))
                return;
    }
}

void Calls::sweep(const Lifetimes& lifetimes, std::int64_t now)
{
    for (std::size_t i = 0; i <= mask_; ++i) {
        const std::size_t removed = slots_[i].with([&](Slot& s) {
            return std::erase_if(s, [&](const auto& item) {
                const Call& call = item.second;
                const bool over = call.state == State::terminated || call.state == State::notanswered;
                // An answered call without its ACK is not active yet: what it waited so far counts.
                const std::int64_t lives = over                             ? lifetimes.finish
                                           : call.state == State::confirmed ? lifetimes.active
                                                                            : lifetimes.init;
                const std::int64_t since = over || call.state == State::confirmed ? call.changed : call.init;
                return since + lives <= now;
            });
        });
        size_.fetch_sub(removed, std::memory_order_relaxed);
    }
}

Calls::Counts Calls::active() const
{
    Counts counts{};
    for (std::size_t i = 0; i <= mask_; ++i)
        slots_[i].with([&](const Slot& s) {
            for (const auto& [id, call] : s)
                ++counts[static_cast<std::size_t>(call.state)];
        });
    return counts;
}

Calls::Counts Calls::final() const
{
    Counts counts{};
    for (std::size_t i = 0; i < state_count; ++i)
        counts[i] = final_[i].load(std::memory_order_relaxed);
    return counts;
}

} // namespace sipyard::dlgs
