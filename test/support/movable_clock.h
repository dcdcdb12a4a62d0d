// test/support/movable_clock.h - a clock that moves when the test says so
#pragma once

#include "core/base/clock.h"
#include "core/task/runtime.h"

#include <atomic>
#include <initializer_list>

namespace sipyard {

// Thread-safe. Starts far beyond any real monotonic clock, so a deadline of it never passes for a thread that
// waits in real time; the wall clock starts at 2026-01-01 00:00:00 UTC.
class MovableClock final : public Clock {
public:
    Instant now() const override { return {ns_.load()}; }
    std::int64_t unix_ns() const override { return 1'767'225'600'000'000'000 + ns_.load() - start; }

    // From deadline to deadline up to d from now; before, between and after the runtimes come to rest. Called
    // by the test's thread, not by a fiber. Throws when they do not come to rest within a minute.
    void advance(task::Runtime& runtime, Duration d) { advance({&runtime}, d); }
    void advance(std::initializer_list<task::Runtime*> runtimes, Duration d);
    static void settle(std::initializer_list<task::Runtime*> runtimes); // waits until all are quiet

    // Moves at once and waits for nobody, for tests in which a job is stuck; then Runtime::wake_all() tells
    // the workers.
    void jump(Duration d) { ns_.fetch_add(d.count()); }

private:
    static constexpr std::int64_t start = 1'000'000'000'000'000'000;
    std::atomic<std::int64_t> ns_{start};
};

} // namespace sipyard
