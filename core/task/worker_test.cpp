// core/task/worker_test.cpp - the loop: watches, hooks before the wait, posts from other threads, exceptions
#include "core/task/worker.h"

#include "core/task/per_worker.h"
#include "core/task/task_test_support.h"
#include "test/support/catch.h"
#include "test/support/movable_clock.h"

#include <array>
#include <atomic>
#include <optional>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace sipyard::task {
namespace {

struct Bell { // a descriptor that is readable after ring()
    Bell() : fd{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {}
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;
    ~Bell() { close(fd); }
    void ring() const { [[maybe_unused]] const int failed = eventfd_write(fd, 1); }
    bool hush() const
    {
        eventfd_t rings = 0;
        return eventfd_read(fd, &rings) == 0;
    }
    int fd;
};

} // namespace

TEST_CASE("a watch may destroy itself and the others of its batch", "[task]")
{
    MovableClock clock;
    Bench bench{{.workers = 1}, &clock};
    std::array<Bell, 10> bells;
    std::array<std::optional<Watch>, 10> watches;
    int calls = 0;
    bench.runtime.on_every_worker([&](Worker& worker) {
        for (std::size_t i = 0; i < bells.size(); ++i) {
            bells[i].ring();
            watches[i].emplace(worker, bells[i].fd, EPOLLIN,
                               [&, kept = std::make_shared<int>(7)](std::uint32_t events) {
                                   ++calls;
                                   CHECK((events & EPOLLIN) != 0);
                                   for (auto& watch : watches)
                                       watch.reset();
                                   CHECK(*kept == 7); // our captures live until the batch ends
                               });
        }
    });
    MovableClock::settle({&bench.runtime});
    CHECK(calls == 1);
}

TEST_CASE("a watch can be changed, and its descriptor watched anew", "[task]")
{
    MovableClock clock;
    Bench bench{{.workers = 1}, &clock};
    Bell bell;
    std::optional<Watch> watch;
    int calls = 0;
    const auto listen = [&](Worker& worker) {
        watch.emplace(worker, bell.fd, EPOLLIN, [&](std::uint32_t) {
            ++calls;
            bell.hush();
        });
    };
    bench.runtime.on_every_worker(listen);
    bell.ring();
    MovableClock::settle({&bench.runtime}); // a ready descriptor is not quiet
    CHECK(calls == 1);
    bench.runtime.on_every_worker([&](Worker&) { watch->change(0); });
    bell.ring();
    MovableClock::settle({&bench.runtime});
    CHECK(calls == 1);
    bench.runtime.on_every_worker([&](Worker& worker) {
        watch.reset();
        listen(worker);
        CHECK(watch->fd() == bell.fd);
    });
    MovableClock::settle({&bench.runtime});
    CHECK(calls == 2);
    bench.runtime.stop(1s);
    watch.reset(); // the loop has ended, the runtime lives
}

TEST_CASE("hooks before the wait may remove themselves and ask for another turn", "[task]")
{
    MovableClock clock;
    Bench bench{{.workers = 1}, &clock};
    int first = 0, second = 0;
    std::uint64_t first_id = 0;
    bench.runtime.on_every_worker([&](Worker& worker) {
        first_id = worker.add_before_wait([&]() -> Duration {
            if (++first == 5)
                Worker::current()->remove_before_wait(first_id);
            return 0s;
        });
        worker.add_before_wait([&]() -> Duration {
            ++second;
            return 1h;
        });
    });
    MovableClock::settle({&bench.runtime});
    CHECK(first == 5);
    CHECK(second >= 5);
}

TEST_CASE("posts of several threads all arrive, those of one thread in order", "[task]")
{
    Bench bench{{.workers = 2}};
    constexpr int each = 5'000;
    std::array<std::vector<int>, 3> seen;
    std::vector<std::thread> threads;
    for (auto& list : seen) {
        threads.emplace_back([&] {
            for (int i = 0; i < each; ++i)
                bench.runtime.worker(1).post([&list, i] { list.push_back(i); });
        });
    }
    for (auto& thread : threads)
        thread.join();
    bench.runtime.on_every_worker([](Worker&) {});
    for (const auto& list : seen) {
        CHECK(list.size() == each);
        CHECK(std::is_sorted(list.begin(), list.end()));
    }
}

TEST_CASE("an exception ends the callback, not the worker", "[task]")
{
    Bench bench;
    bench.runtime.worker(0).post([] { throw std::runtime_error{"from a post"}; });
    bool alive = false;
    bench.runtime.on_every_worker([&](Worker&) { alive = true; });
    CHECK(alive);
    CHECK(bench.logged("from a post"));
}

TEST_CASE("each worker has its own value", "[task]")
{
    Bench bench{{.workers = 2}};
    PerWorker<int> counts{bench.runtime};
    bench.runtime.on_every_worker(
        [&](Worker& worker) { counts.with([&](int& n) { n = static_cast<int>(worker.index()) + 1; }); });
    counts.with([](int& n) { n = 100; });
    int sum = 0;
    counts.each([&](int n) { sum += n; });
    CHECK(sum == 103);
}

} // namespace sipyard::task
