// core/task/fiber_test.cpp - fibers: exceptions across switches, many of them, waits, hooks, admission, the
// end
#include "core/task/fiber.h"

#include "core/task/task_test_support.h"
#include "test/support/catch.h"
#include "test/support/movable_clock.h"

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

namespace sipyard::task {
namespace {

std::size_t resident_bytes()
{
    std::ifstream statm{"/proc/self/statm"};
    std::size_t size = 0, resident = 0;
    statm >> size >> resident;
    return resident * static_cast<std::size_t>(getpagesize());
}

} // namespace

TEST_CASE("a throw in one fiber leaves the catch block of a suspended one alone", "[task]")
{
    Bench bench;
    Event go, a_done, b_done;
    std::string a_saw, b_saw;
    int a_in_flight = -1;
    bench.runtime.worker(0).post([&] {
        Worker& worker = *Worker::current();
        worker.spawn_always([&] {
            try {
                throw std::runtime_error{"of A"};
            } catch (const std::runtime_error&) {
                go.wait();
                try {
                    throw; // rethrows what A is handling, not what B threw meanwhile
                } catch (const std::exception& again) {
                    a_saw = again.what();
                }
                a_in_flight = std::uncaught_exceptions();
            }
            a_done.signal();
        });
        worker.spawn_always([&] {
            try {
                CHECK(std::current_exception() == nullptr);
                throw std::logic_error{"of B"};
            } catch (const std::logic_error& seen) {
                go.signal();
                yield(); // A runs and ends its handler inside ours
                b_saw = seen.what();
                CHECK(std::current_exception() != nullptr);
            }
            b_done.signal();
        });
    });
    a_done.wait();
    b_done.wait();
    CHECK(a_saw == "of A");
    CHECK(b_saw == "of B");
    CHECK(a_in_flight == 0);
}

TEST_CASE("what leaves a job is logged at the fiber's root", "[task]")
{
    Bench bench;
    REQUIRE(bench.runtime.worker(0).spawn([] { throw std::runtime_error{"nobody caught me"}; }));
    int after = 0;
    bench.runtime.run_on_fiber([&] { after = 1; });
    CHECK(after == 1);
    CHECK(bench.logged("nobody caught me"));
    CHECK_THROWS_WITH(bench.runtime.run_on_fiber([] { throw std::runtime_error{"for the caller"}; }),
                      "for the caller");
}

TEST_CASE("thousands of suspended fibers, at most 16 KiB resident each", "[task]")
{
    Bench bench{{.workers = 1, .max_queued = 20'000}};
    std::atomic<std::size_t> waiting{0}, ended{0};
    std::vector<Event> go(many_fibers);
    Event all_wait, all_done;
    const std::size_t before = resident_bytes();
    for (std::size_t i = 0; i < many_fibers; ++i) {
        REQUIRE(bench.runtime.worker(0).spawn([&, i] {
            char* const scratch = Fiber::current()->arena().array<char>(2000);
            std::fill_n(scratch, 2000, static_cast<char>(i));
            if (++waiting == many_fibers)
                all_wait.signal();
            go[i].wait();
            CHECK(scratch[1999] == static_cast<char>(i));
            if (++ended == many_fibers)
                all_done.signal();
        }));
    }
    all_wait.wait();
    const std::size_t each = (resident_bytes() - before) / many_fibers;
    INFO("bytes a fiber: " << each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(each <= 16 * 1024);
#endif
    CHECK(bench.runtime.worker(0).stats().fibers_live == many_fibers);
    for (const Event& event : go)
        event.signal();
    all_done.wait();
    CHECK(ended == many_fibers);
}

TEST_CASE("an event meets its waiter in any order", "[task]")
{
    MovableClock clock;
    Bench bench{{.workers = 2}, &clock};
    SECTION("signalled first")
    {
        const Event event;
        event.signal();
        event.signal();
        bool got = false;
        bench.runtime.run_on_fiber([&] { got = event.wait(clock.now()); });
        CHECK(got);
        CHECK(event.wait());
    }
    SECTION("the deadline passes, then comes a late signal")
    {
        const Event event;
        int got = -1;
        REQUIRE(bench.runtime.worker(0).spawn([&] { got = event.wait(clock.now() + 100ms); }));
        clock.advance(bench.runtime, 99ms);
        CHECK(got == -1);
        clock.advance(bench.runtime, 1ms);
        CHECK(got == 0);
        event.signal();
        clock.advance(bench.runtime, 1s);
        CHECK(event.signalled());
    }
    SECTION("from the other worker, many times")
    {
        std::atomic<int> met{0};
        for (int i = 0; i < 300; ++i) {
            const Event event;
            bench.runtime.worker(0).spawn_always([&met, event] { met += event.wait(); });
            bench.runtime.worker(1).spawn_always([event] { event.signal(); });
        }
        clock.advance(bench.runtime, 1ms);
        CHECK(met == 300);
    }
    SECTION("signals race with deadlines")
    {
        std::atomic<int> ended{0};
        for (int i = 0; i < 300; ++i) {
            const Event event;
            bench.runtime.worker(0).spawn_always([&ended, &clock, event] {
                event.wait(clock.now() + 1ms);
                ++ended;
            });
            bench.runtime.worker(1).spawn_always([event, &clock] {
                sleep_until(clock.now() + 1ms);
                event.signal();
            });
        }
        clock.advance(bench.runtime, 10ms);
        CHECK(ended == 300);
    }
}

TEST_CASE("a suspension tells the hook, and yield lets others run", "[task]")
{
    struct Hook final : SuspendHook {
        void suspending() override { story += "out "; }
        void resumed() override { story += "in "; }
        std::string story;
    } hook;
    Bench bench;
    Event done;
    bench.runtime.worker(0).post([&] {
        Worker::current()->spawn_always([&] {
            Fiber::current()->set_hook(&hook);
            yield();
            hook.story += "on ";
            CHECK(Fiber::current()->set_hook(nullptr) == &hook);
            yield();
            done.signal();
        });
        hook.story += "other ";
    });
    done.wait();
    CHECK(hook.story == "out other in on ");
}

TEST_CASE("a spawn runs at once on its loop and later from a fiber", "[task]")
{
    Bench bench;
    std::string story;
    Event done;
    bench.runtime.worker(0).post([&] {
        story += "loop ";
        Worker::current()->spawn_always([&] {
            story += "first ";
            Worker::current()->spawn_always([&] {
                story += "inner ";
                done.signal();
            });
            story += "first-ends ";
        });
        story += "loop-ends ";
    });
    done.wait();
    CHECK(story == "loop first first-ends loop-ends inner ");
}

TEST_CASE("new work is refused beyond the limits, accepted work never", "[task]")
{
    Bench bench{{.workers = 2, .max_fibers = 3}};
    Event go[3];
    for (std::size_t i = 0; i < 3; ++i)
        REQUIRE(bench.runtime.worker(i % 2).spawn([event = go[i]] { event.wait(); }));
    const auto refused = bench.runtime.worker(1).spawn([] {});
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::overloaded);
    CHECK(bench.runtime.worker(1).stats().fibers_refused == 1);
    Event ran;
    bench.runtime.worker(1).spawn_always([&] { ran.signal(); });
    ran.wait();
    for (const Event& event : go)
        event.signal();
    CHECK(bench.runtime.drain(10s));
    const auto late = bench.runtime.worker(0).spawn([] {});
    REQUIRE(!late);
    CHECK(late.error().kind == ErrorKind::stopping);
}

TEST_CASE("stop ends every wait, so that everything unwinds", "[task]")
{
    Bench bench{{.workers = 2}};
    std::atomic<int> unwound{0}, timed_out{0}, waiting{0};
    Strand strand;
    Event all;
    const auto arrived = [&] {
        if (++waiting == 10)
            all.signal();
    };
    struct Counter {
        std::atomic<int>& count;
        ~Counter() { ++count; }
    };
    for (std::size_t i = 0; i < 8; ++i) {
        bench.runtime.worker(i % 2).spawn_always([&] {
            const Counter counter{unwound};
            arrived();
            if (!Event{}.wait())
                ++timed_out;
            sleep_until(Instant{INT64_MAX - 1}); // no new wait begins
        });
    }
    for (std::size_t i = 0; i < 2; ++i) {
        bench.runtime.worker(i).spawn_always([&] {
            const Counter counter{unwound};
            arrived();
            (void)strand.run([] { Event{}.wait(); });
        });
    }
    all.wait();
    CHECK(bench.runtime.stop(10s));
    CHECK(unwound == 10);
    CHECK(timed_out == 8);
    CHECK(strand.idle());
    int inline_runs = 0;
    bench.runtime.on_every_worker([&](Worker& worker) { inline_runs += Worker::current() == &worker; });
    CHECK(inline_runs == 2);
}

} // namespace sipyard::task
