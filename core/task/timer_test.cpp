// core/task/timer_test.cpp - the wheel: order, exactness, cancelling in callbacks, far deadlines, the movable
// clock
#include "core/task/wheel.h"

#include "core/task/task_test_support.h"
#include "test/support/catch.h"
#include "test/support/movable_clock.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <random>

namespace sipyard::task {
namespace {

// Timers of worker 0, used on its loop while the test waits.
struct Timers {
    Timers() : bench{{.workers = 1}, &clock} {}
    template <class F>
    void on_loop(F f)
    {
        bench.runtime.on_every_worker([&](Worker& worker) { f(worker); });
    }
    MovableClock clock;
    Bench bench;
};

} // namespace

TEST_CASE("timers run when due, in the order of their deadlines", "[task]")
{
    const struct {
        const char* story;
        std::vector<std::int64_t> delays_us;
    } rows[] = {
        {"one", {1'000}},
        {"within one millisecond", {300, 100, 200, 100}},
        {"across levels of the wheel", {70'000'000, 65'000, 5'000'000, 64'000, 63'000, 1, 0}},
        {"an hour, a day, a year", {31'536'000'000'000, 3'600'000'000, 86'400'000'000, 500}},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Timers t;
        std::vector<std::unique_ptr<Timer>> timers;
        std::vector<std::pair<std::int64_t, std::int64_t>> seen; // wanted, real
        const Instant start = t.clock.now();
        t.on_loop([&](Worker& worker) {
            for (const auto delay : row.delays_us) {
                timers.push_back(std::make_unique<Timer>(worker, [&, delay] {
                    seen.emplace_back(delay, (t.clock.now() - start).count() / 1000);
                }));
                timers.back()->arm(start + std::chrono::microseconds{delay});
            }
        });
        t.clock.advance(t.bench.runtime, std::chrono::microseconds{
                                             *std::max_element(row.delays_us.begin(), row.delays_us.end())});
        CHECK(seen.size() == row.delays_us.size());
        CHECK(std::is_sorted(seen.begin(), seen.end()));
        for (const auto& [wanted, real] : seen)
            CHECK(wanted == real);
        t.on_loop([&](Worker&) { timers.clear(); });
    }
}

TEST_CASE("callbacks may re-arm, cancel and destroy timers, their own included", "[task]")
{
    Timers t;
    std::string story;
    std::optional<Timer> every, victim, suicide, twin;
    t.on_loop([&](Worker& worker) {
        const Instant now = worker.now();
        every.emplace(worker, [&] {
            story += "tick ";
            if (std::count(story.begin(), story.end(), 'k') < 3)
                every->arm_in(10ms);
        });
        victim.emplace(worker, [&] { story += "never "; });
        twin.emplace(worker, [&] { story += "never "; });
        suicide.emplace(worker, [&] {
            victim->cancel();
            twin.reset();
            suicide.reset();
            story += "gone ";
        });
        every->arm(now + 10ms);
        suicide->arm(now + 5ms);
        victim->arm(now + 5ms); // due in the same batch, after the one that cancels it
        twin->arm(now + 5ms);
    });
    t.clock.advance(t.bench.runtime, 1s);
    CHECK(story == "gone tick tick tick ");
    CHECK(!victim->armed());
    t.on_loop([&](Worker&) {
        every.reset();
        victim.reset();
    });
}

TEST_CASE("a timer re-armed into the past runs in a later turn, not inside the call", "[task]")
{
    Timers t;
    int runs = 0;
    std::optional<Timer> timer;
    t.on_loop([&](Worker& worker) {
        timer.emplace(worker, [&] {
            if (++runs < 50)
                timer->arm(Instant{0});
        });
        timer->arm(Instant{0});
        CHECK(runs == 0);
        timer->arm_in(1h); // replaced
        timer->arm_in(1ms);
    });
    t.clock.advance(t.bench.runtime, 1ms);
    CHECK(runs == 50);
    CHECK(t.bench.runtime.next_deadline() == never);
    t.on_loop([&](Worker&) { timer.reset(); });
}

TEST_CASE("the wheel agrees with a sorted list", "[task]")
{
    Timers t;
    std::mt19937 random{4711};
    struct Entry {
        std::unique_ptr<Timer> timer;
        std::optional<Instant> wanted;
    };
    std::vector<Entry> entries(200);
    std::size_t ran = 0, wrong = 0;
    const auto arm = [&](Entry& entry) {
        // Every magnitude from a microsecond to twelve days.
        const auto delay = std::int64_t{1} << (10 + random() % 41);
        entry.wanted = t.clock.now() + Duration{delay + static_cast<std::int64_t>(random() % 1'000'000)};
        entry.timer->arm(*entry.wanted);
    };
    t.on_loop([&](Worker& worker) {
        for (Entry& entry : entries) {
            entry.timer = std::make_unique<Timer>(worker, [&] {
                ++ran;
                wrong += entry.wanted != t.clock.now();
                entry.wanted.reset();
                Entry& other = entries[random() % entries.size()];
                if (random() % 4 == 0) {
                    other.timer->cancel();
                    other.wanted.reset();
                } else {
                    arm(other);
                }
            });
            arm(entry);
        }
    });
    for (int i = 0; i < 30; ++i) {
        t.clock.advance(t.bench.runtime, Duration{std::int64_t{1} << (20 + i % 22)});
        Instant first = never;
        t.on_loop([&](Worker&) {
            for (const Entry& entry : entries) {
                CHECK(entry.wanted.has_value() == entry.timer->armed());
                if (entry.wanted)
                    first = std::min(first, *entry.wanted);
            }
        });
        MovableClock::settle({&t.bench.runtime});
        CHECK(t.bench.runtime.next_deadline() == first);
        if (first != never)
            CHECK(first > t.clock.now());
    }
    CHECK(ran > 200);
    CHECK(wrong == 0);
    t.on_loop([&](Worker&) { entries.clear(); });
}

TEST_CASE("real time does not leak into a runtime with a movable clock", "[task]")
{
    Timers t;
    bool rang = false;
    REQUIRE(t.bench.runtime.worker(0).spawn([&] {
        sleep_until(t.clock.now() + 1ms);
        rang = true;
    }));
    MovableClock::settle({&t.bench.runtime});
    const auto turns = t.bench.runtime.worker(0).stats().turns;
    const auto end = std::chrono::steady_clock::now() + 20ms;
    while (std::chrono::steady_clock::now() < end)
        ;
    CHECK(!rang);
    CHECK(t.bench.runtime.worker(0).stats().turns == turns);
    t.clock.advance(t.bench.runtime, 1ms);
    CHECK(rang);
}

TEST_CASE("with the system's clock a fiber sleeps at least as long as it asked", "[task]")
{
    Bench bench;
    for (const Duration wanted : {Duration{1us}, Duration{900us}, Duration{3ms}}) {
        Duration slept{};
        bench.runtime.run_on_fiber([&] {
            const Instant start = bench.runtime.clock().now();
            sleep_until(start + wanted);
            slept = bench.runtime.clock().now() - start;
        });
        CHECK(slept >= wanted);
        CHECK(slept < wanted + 5s);
    }
}

} // namespace sipyard::task
