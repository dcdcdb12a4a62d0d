// core/task/strand_test.cpp - one at a time, first come first served, bounded, also while a job is suspended
#include "core/task/strand.h"

#include "core/task/task_test_support.h"
#include "test/support/catch.h"
#include "test/support/movable_clock.h"

#include <atomic>
#include <thread>

namespace sipyard::task {

TEST_CASE("jobs of a strand never overlap, on two workers and while suspended", "[task]")
{
    Bench bench{{.workers = 2}};
    Strand strand;
    constexpr int fibers = 50, rounds = 20;
    int inside = 0, total = 0; // guarded by the strand alone
    bool overlap = false;
    std::atomic<int> left{fibers};
    Event done;
    for (int f = 0; f < fibers; ++f) {
        bench.runtime.worker(static_cast<std::size_t>(f) % 2).spawn_always([&, f] {
            for (int i = 0; i < rounds; ++i) {
                const auto ran = strand.run([&] {
                    overlap |= ++inside != 1;
                    if ((f + i) % 3 == 0)
                        yield();
                    ++total;
                    --inside;
                });
                if (!ran)
                    overlap = true;
            }
            if (--left == 0)
                done.signal();
        });
    }
    done.wait();
    CHECK(!overlap);
    CHECK(total == fibers * rounds);
    CHECK(strand.idle());
}

TEST_CASE("posts keep their order whoever holds the strand", "[task]")
{
    MovableClock clock;
    Bench bench{{.workers = 2}, &clock};
    Strand strand;
    std::vector<int> order;
    bench.runtime.worker(0).spawn_always([&] {
        (void)strand.run([&] {
            sleep_until(clock.now() + 1s);
            order.push_back(-1);
        });
    });
    MovableClock::settle({&bench.runtime});
    for (int i = 0; i < 100; ++i) {
        bench.runtime.worker(static_cast<std::size_t>(i) % 2).spawn_always([&, i] {
            CHECK(strand.post([&, i] {
                if (i % 7 == 0)
                    yield();
                order.push_back(i);
            }));
        });
        MovableClock::settle({&bench.runtime});
    }
    CHECK(order.empty());
    clock.advance(bench.runtime, 1s);
    REQUIRE(order.size() == 101);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("a full strand refuses", "[task]")
{
    MovableClock clock;
    Bench bench{{.workers = 1}, &clock};
    Strand strand{2};
    int ran = 0;
    std::vector<ErrorKind> refused;
    bench.runtime.worker(0).spawn_always([&] { (void)strand.run([&] { sleep_until(clock.now() + 1s); }); });
    for (int i = 0; i < 4; ++i) {
        bench.runtime.worker(0).spawn_always([&, i] {
            const auto answer = i % 2 ? strand.post([&] { ++ran; }) : strand.run([&] { ++ran; });
            if (!answer)
                refused.push_back(answer.error().kind);
        });
    }
    clock.advance(bench.runtime, 2s);
    CHECK(ran == 2);
    CHECK(refused == std::vector<ErrorKind>{ErrorKind::overloaded, ErrorKind::overloaded});
    CHECK(strand.idle());
}

TEST_CASE("an exception gives the strand back", "[task]")
{
    Bench bench;
    Strand strand;
    bench.runtime.run_on_fiber([&] {
        CHECK_THROWS_AS(strand.run([] { throw std::runtime_error{"inside"}; }), std::runtime_error);
        const auto value = strand.run([] { return 7; });
        CHECK(value.value() == 7);
    });
    CHECK(strand.idle());
}

TEST_CASE("threads that are no workers share strands with fibers", "[task]")
{
    Bench bench{{.workers = 2}};
    Strand strand;
    int total = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 500; ++i)
                (void)strand.run([&] { ++total; });
        });
    }
    for (int i = 0; i < 500; ++i) {
        bench.runtime.worker(static_cast<std::size_t>(i) % 2).spawn_always([&] {
            (void)strand.run([&] { ++total; });
        });
        CHECK(strand.post([&] { ++total; }));
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(bench.runtime.drain(30s));
    CHECK(strand.run([&] { return total; }).value() == 2000);

    Strand alone; // no runtime at all: a post within a job runs after it
    std::vector<int> order;
    CHECK(alone.post([&] {
        CHECK(alone.post([&] { order.push_back(2); }));
        order.push_back(1);
    }));
    CHECK(order == std::vector<int>{1, 2});
}

} // namespace sipyard::task
