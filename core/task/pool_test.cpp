// core/task/pool_test.cpp - blocking(): answers, exceptions, deadlines, overload, threads that never come
// back
#include "core/task/pool.h"

#include "core/task/task_test_support.h"
#include "test/support/catch.h"
#include "test/support/movable_clock.h"

#include <atomic>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace sipyard::task {
namespace {

// What one pool job has to wait for, and what it says before.
struct Gate {
    Event entered, open;
};
const auto stuck = [](std::shared_ptr<Gate> gate) {
    gate->entered.signal();
    gate->open.wait();
    return 1;
};

void wait_until(const std::function<bool()>& condition)
{
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!condition() && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    CHECK(condition());
}

} // namespace

TEST_CASE("blocking reads like a call", "[task]")
{
    Bench bench;
    Pool& pool = bench.runtime.pool();
    const auto tests = [&] {
        CHECK(blocking(
                  pool, 10s, [](int a, std::string b) { return b + std::to_string(a); }, 7, std::string{"x"})
                  .value() == "x7");
        CHECK(blocking(
                  pool, 10s, [](PoolThread& thread, int a) { return static_cast<int>(thread.index < 4) + a; },
                  1)
                  .value() == 2);
        CHECK(blocking(
                  pool, 10s, [](std::unique_ptr<int> moved) { return *moved; }, std::make_unique<int>(5))
                  .value() == 5);
        const Result<void> nothing = blocking(pool, 10s, [] {});
        CHECK(nothing);
        const Result<int> failed = blocking(pool, 10s, []() -> Result<int> {
            return Error{ErrorKind::busy, "locked"};
        });
        REQUIRE(!failed);
        CHECK(failed.error().kind == ErrorKind::busy);
        CHECK_THROWS_WITH(blocking(pool, 10s, []() -> int { throw std::runtime_error{"in the driver"}; }),
                          "in the driver");
        CHECK(blocking(pool, 10s, [] {
                  return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
              }).value() >= 5);
    };
    SECTION("on a fiber") { bench.runtime.run_on_fiber(tests); }
    SECTION("in a thread") { tests(); }
}

TEST_CASE("at the deadline the caller goes on and a late result is dropped", "[task]")
{
    MovableClock clock;
    Bench bench{{.workers = 1}, &clock};
    const auto gate = std::make_shared<Gate>();
    std::optional<Result<int>> answer;
    Event answered;
    bench.runtime.worker(0).spawn_always([&] {
        answer = blocking(bench.runtime.pool(), 2s, stuck, gate);
        answered.signal();
    });
    gate->entered.wait();
    clock.jump(1999ms);
    bench.runtime.wake_all();
    bench.runtime.on_every_worker([](Worker&) {});
    CHECK(!answered.signalled());
    clock.jump(1ms);
    bench.runtime.wake_all();
    answered.wait();
    REQUIRE(!*answer);
    CHECK(answer->error().kind == ErrorKind::timeout);
    gate->open.signal();
    MovableClock::settle({&bench.runtime});
    CHECK(bench.runtime.pool().stats().done == 1);
}

TEST_CASE("a full queue refuses, and what waited too long is dropped unrun", "[task]")
{
    MovableClock clock;
    Bench bench{{.workers = 1}, &clock};
    Pool& pool = bench.runtime.make_pool({.name = "small", .threads = 1, .queue_limit = 2});
    const auto gate = std::make_shared<Gate>();
    std::atomic<int> ran{0}, dropped{0};
    const auto count = [](std::atomic<int>& n) { return [&n](PoolThread&) { ++n; }; };
    REQUIRE(pool.submit([gate](PoolThread&) { stuck(gate); }, never));
    gate->entered.wait();
    REQUIRE(pool.submit(count(ran), clock.now() + 1s, count(dropped)));
    REQUIRE(pool.submit(count(ran), clock.now() + 1h, count(dropped)));
    const auto refused = pool.submit(count(ran), never, count(dropped));
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::overloaded);
    CHECK(pool.stats().queued == 2);
    clock.jump(1s);
    gate->open.signal();
    MovableClock::settle({&bench.runtime});
    CHECK(ran == 1);
    CHECK(dropped == 1);
    const auto stats = pool.stats();
    CHECK(stats.done == 2);
    CHECK(stats.expired == 1);
    CHECK(stats.refused == 1);
}

TEST_CASE("stuck threads are replaced, then jobs are refused but for a probe a second", "[task]")
{
    MovableClock clock;
    Bench bench{{.workers = 1}, &clock};
    Pool& pool = bench.runtime.make_pool({.name = "stuck", .threads = 1, .max_lost = 2, .patience = 1s});
    std::vector<std::shared_ptr<Gate>> gates;
    std::atomic<int> ended_locals{0};
    const auto lose_one = [&] {
        gates.push_back(std::make_shared<Gate>());
        const auto taken = pool.submit(
            [gate = gates.back(), &ended_locals](PoolThread& thread) {
                thread.local = std::shared_ptr<void>(nullptr, [&ended_locals](void*) { ++ended_locals; });
                stuck(gate);
            },
            clock.now() + 1s);
        REQUIRE(taken);
        gates.back()->entered.wait();
        clock.jump(2s);
        bench.runtime.wake_all();
    };
    const auto ping = [&] { return pool.submit([](PoolThread&) {}, clock.now() + 1s); };
    lose_one();
    wait_until([&] { return pool.stats().lost == 1; }); // a worker saw it, nobody submitted
    REQUIRE(ping());                                    // the replacement
    wait_until([&] { return pool.quiet(); });
    CHECK(pool.stats().done == 1);
    lose_one();
    wait_until([&] { return pool.stats().lost == 2; });
    const auto refused = ping();
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::overloaded);
    clock.jump(1s);
    REQUIRE(ping()); // the probe
    wait_until([&] { return pool.quiet() && pool.stats().done == 2; });
    CHECK(ping()); // it came back in time, so jobs are taken again
    wait_until([&] { return pool.quiet(); });
    CHECK(bench.logged("given up"));
    CHECK(ended_locals == 0);
    for (auto& gate : gates)
        gate->open.signal();
    wait_until([&] { return pool.stats().lost == 0 && ended_locals == 2; });
}

TEST_CASE("a queued job behind a stuck thread runs on the replacement", "[task]")
{
    MovableClock clock;
    Bench bench{{.workers = 1}, &clock};
    Pool& pool = bench.runtime.make_pool({.name = "one", .threads = 1});
    const auto gate = std::make_shared<Gate>();
    Event ran;
    REQUIRE(pool.submit([gate](PoolThread&) { stuck(gate); }, clock.now() + 1s));
    gate->entered.wait();
    REQUIRE(pool.submit([ran](PoolThread&) { ran.signal(); }, clock.now() + 1h));
    clock.jump(2s);
    bench.runtime.wake_all();
    ran.wait();
    CHECK(pool.stats().lost == 1);
    gate->open.signal();
    wait_until([&] { return pool.stats().lost == 0; });
}

TEST_CASE("stop tells those who wait, and whether a thread is stuck", "[task]")
{
    const auto gate = std::make_shared<Gate>();
    std::optional<Result<int>> busy, queued;
    Event ended;
    {
        Bench bench;
        Pool& pool = bench.runtime.make_pool({.name = "one", .threads = 1});
        std::atomic<int> left{2};
        const auto call = [&](std::optional<Result<int>>& into, std::shared_ptr<Gate> its_gate) {
            bench.runtime.worker(0).spawn_always([&, its_gate] {
                into = blocking(pool, 1h, stuck, its_gate);
                if (--left == 0)
                    ended.signal();
            });
        };
        call(busy, gate);
        gate->entered.wait();
        call(queued, std::make_shared<Gate>());
        bench.runtime.on_every_worker([](Worker&) {});
        CHECK(!bench.runtime.stop(50ms));
        ended.wait();
        CHECK(busy->error().kind == ErrorKind::stopping);
        CHECK(queued->error().kind == ErrorKind::stopping);
        const auto late = pool.submit([](PoolThread&) {}, never);
        REQUIRE(!late);
        CHECK(late.error().kind == ErrorKind::stopping);
    }
    gate->open.signal(); // the lost thread outlives the pool
}

} // namespace sipyard::task
