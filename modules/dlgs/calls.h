// modules/dlgs/calls.h - calls counted without transactions: a table by Call-ID, states, tags (pure but for
// its locks)
#pragma once

#include "core/base/guarded.h"
#include "core/base/regex.h"
#include "core/base/result.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sipyard::dlgs {

// Kamailio's numbers.
enum class State : unsigned char { none, init, progress, answered, confirmed, terminated, notanswered };
constexpr std::size_t state_count = 7;
constexpr bool is_ongoing(State state) { return state >= State::init && state <= State::confirmed; }

// About 400 bytes and the texts.
struct Call {
    std::string src, dst, data, ruid, call_id, from_tag, to_tag;
    std::int64_t init = 0, answer = 0, changed = 0; // seconds since 1970; changed: when it got its state
    State state = State::init;
    std::vector<std::string> tags;
};

enum class Event : unsigned char { provisional, answered, refused, ack, bye, cancel };
// The state after the event; the same when it means nothing.
State next(State state, Event event);

// Which calls: `field` is src, dst, data or any; `op` eq, ne, re, sw or fm (a shell's pattern).
class Filter {
public:
    static Result<Filter> make(std::string_view field, std::string_view op, std::string_view value);
    bool takes(const Call& call) const;

private:
    enum class Field : unsigned char { any, src, dst, data };
    enum class Op : unsigned char { eq, ne, re, sw, fm };
    Field field_ = Field::any;
    Op op_ = Op::eq;
    std::string value_;
    std::optional<Regex> pattern_;
};

// Seconds a call stays in each kind of state.
struct Lifetimes {
    std::int64_t init = 180, active = 10'800, finish = 10;
};

// Thread-safe: each slot has its lock. One call per Call-ID: later attempts with the same one are not
// counted.
class Calls {
public:
    using Counts = std::array<std::uint64_t, state_count>;
    static constexpr std::size_t most_tags = 64; // of one call

    Calls(std::size_t slots, std::size_t most);
    // False when the Call-ID is there already, or the table is full.
    bool add(Call call);
    bool has(std::string_view call_id) const;
    // Applies the event; a reply's To tag is kept. False when there is no such call. Of a BYE or ACK the tags
    // must fit.
    bool apply(std::string_view call_id, std::string_view from_tag, std::string_view to_tag, Event event,
               std::int64_t now);
    std::optional<Call> find(std::string_view call_id) const;
    bool add_tag(std::string_view call_id, std::string_view tag);
    bool remove_tag(std::string_view call_id, std::string_view tag);

    std::size_t count(const Filter& filter) const;              // ongoing ones
    std::size_t count_tags(std::string_view tag) const;         // ongoing ones that carry it
    void each(const std::function<bool(const Call&)>& f) const; // without a lock while f runs
    void sweep(const Lifetimes& lifetimes, std::int64_t now);
    Counts active() const; // of those that are here
    Counts final() const;  // of all that ever got that state
    std::size_t size() const { return size_.load(std::memory_order_relaxed); }

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using Slot = std::unordered_map<std::string, Call, Hash, std::equal_to<>>;
    Guarded<Slot>& slot(std::string_view call_id) const { return slots_[Hash{}(call_id)&mask_]; }
    void entered(State state)
    {
        final_[static_cast<std::size_t>(state)].fetch_add(1, std::memory_order_relaxed);
    }

    const std::size_t mask_, most_;
    std::unique_ptr<Guarded<Slot>[]> slots_;
    std::atomic<std::size_t> size_{0};
    std::array<std::atomic<std::uint64_t>, state_count> final_{};
};

} // namespace sipyard::dlgs
