// core/task/wheel.h - hierarchical timer wheel: arming and cancelling cost the same with ten timers or a
// million
#pragma once

#include "core/base/clock.h"
#include "core/base/function.h"
#include "core/task/worker.h"

#include <array>
#include <cstdint>

namespace sipyard::task {

// Eight levels of 64 slots. A tick is 2^20 ns (about 1 ms), so the top level reaches beyond Instant's range
// and there is no overflow list. A timer's level is given by the highest bit in which its tick differs from
// the current one: whatever is on a lower level is due before everything on a higher one. One thread.
class Wheel {
public:
    void arm(Timer& timer);
    void cancel(Timer& timer);
    void forget(Timer& timer); // the timer is being destroyed
    bool empty() const;

    // Runs everything due at `now` in the order of the deadlines. What a callback arms runs in a later call.
    void advance(Instant now, Function<void(Job&)>& run);

    Instant earliest() const;    // exact, walks one slot; `never` without a timer
    Instant sleep_until() const; // nothing is lost by sleeping so long; constant time

private:
    static constexpr unsigned bits = 6, slots = 1U << bits, levels = 8, tick_shift = 20;

    static std::uint64_t tick_of(Instant when);
    static void link(Timer*& head, Timer& timer);
    static Timer* sorted(Timer* list);
    static Timer* reversed(Timer* list);
    Timer* take(unsigned level, unsigned slot); // unlinks a whole slot, oldest first
    void place(Timer& timer);
    void append_due(Timer* list);
    std::uint64_t
    next_stop(unsigned& level) const; // first tick of the next slot in use after the current one

    std::uint64_t current_ = 0;
    std::int64_t current_min_ = INT64_MAX;     // earliest deadline in the current slot
    std::array<std::uint64_t, levels> used_{}; // a bit for each slot in use
    std::array<std::array<Timer*, slots>, levels> slot_{};
    Timer* due_ = nullptr; // being run
    Timer** due_tail_ = &due_;
    Timer* running_ = nullptr;
};

} // namespace sipyard::task
