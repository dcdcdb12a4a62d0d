// core/task/runtime.cpp - workers and pools made, started, drained and stopped together
#include "core/task/runtime.h"

#include "core/task/worker_parts.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <mutex>
#include <pthread.h>

namespace sipyard::task {

struct Runtime::Parts {
    Parts(const Settings& its_settings, const Clock& clock, log::Journal& its_journal)
        : settings{its_settings}, journal{its_journal}, shared{clock, log::Logger{its_journal, "task"},
                                                               dynamic_cast<const SystemClock*>(&clock) !=
                                                                   nullptr,
                                                               its_settings.max_fibers,
                                                               its_settings.max_queued}
    {
    }
    std::vector<Pool*> all_pools()
    {
        const std::lock_guard<std::mutex> lock{mutex};
        std::vector<Pool*> all;
        for (const auto& pool : pools)
            all.push_back(pool.get());
        return all;
    }
    std::uint64_t activity()
    {
        std::uint64_t sum = 0;
        for (const auto& worker : workers)
            sum += worker->parts().activity();
        for (Pool* pool : all_pools())
            sum += pool->activity();
        return sum;
    }

    const Settings settings;
    log::Journal& journal;
    Shared shared;
    std::mutex mutex; // of the list of pools; it only grows
    std::vector<std::unique_ptr<Pool>> pools;
    Pool* general = nullptr;
    Pool* cpu = nullptr;
    std::vector<std::unique_ptr<Worker>> workers; // ends before the pools: what its fibers hold may use them
    std::atomic<bool> started{false}, stopped{false};
    std::atomic<std::size_t> turn{0};
};

Runtime::Runtime(Settings settings, const Clock& clock, log::Journal& journal)
    : parts_{std::make_unique<Parts>(settings, clock, journal)}
{
    Parts& p = *parts_;
    p.general = &make_pool({.name = "pool", .threads = settings.pool_threads});
    p.cpu = &make_pool({.name = "cpu", .threads = 1});
    p.shared.watch_pools = [&p] {
        Instant next = never;
        const std::lock_guard<std::mutex> lock{p.mutex};
        for (const auto& pool : p.pools)
            next = std::min(next, pool->watch());
        return next;
    };
    for (std::size_t i = 0; i < std::max<std::size_t>(settings.workers, 1); ++i)
        p.workers.emplace_back(new Worker{std::make_unique<Worker::Parts>(*this, p.shared, i)});
}

Runtime::~Runtime() { stop(1s); }

void Runtime::start()
{
    assert(!parts_->started.load());
    for (auto& worker : parts_->workers) {
        Worker::Parts& w = worker->parts();
        w.running.store(true); // from here on it is its thread's
        w.thread = std::thread{[&w] { w.run(); }};
        pthread_setname_np(w.thread.native_handle(), ("worker-" + std::to_string(w.index)).c_str());
    }
    parts_->started.store(true);
}

bool Runtime::started() const { return parts_->started.load(); }

bool Runtime::stopping() const { return parts_->shared.stopping.load(std::memory_order_relaxed); }

bool Runtime::drain(Duration grace)
{
    Shared& shared = parts_->shared;
    shared.draining.store(true);
    if (!parts_->started.load() || parts_->stopped.load())
        return true;
    std::unique_lock<std::mutex> lock{shared.mutex};
    return shared.no_fibers.wait_until(lock, std::chrono::steady_clock::now() + grace,
                                       [&shared] { return shared.fibers.load() == 0; });
}

bool Runtime::stop(Duration grace)
{
    Parts& p = *parts_;
    if (p.stopped.load())
        return true;
    const auto until = std::chrono::steady_clock::now() + grace;
    const auto left = [until] { return std::max<Duration>(until - std::chrono::steady_clock::now(), 0s); };
    p.shared.draining.store(true);
    p.shared.stopping.store(true);
    if (p.started.load()) {
        for (auto& worker : p.workers)
            worker->post([w = worker.get()] { w->parts().end_waits(); });
        if (!drain(grace))
            p.shared.log.error("stopping with {} fibers unfinished", p.shared.fibers.load());
    }
    bool clean = true;
    for (Pool* pool : p.all_pools())
        clean = pool->stop(left()) && clean;
    for (auto& worker : p.workers) {
        worker->parts().leave();
        if (worker->parts().thread.joinable())
            worker->parts().thread.join();
    }
    p.stopped.store(true);
    return clean;
}

std::size_t Runtime::workers() const { return parts_->workers.size(); }

Worker& Runtime::worker(std::size_t index) { return *parts_->workers.at(index); }

Pool& Runtime::pool() { return *parts_->general; }

Pool& Runtime::cpu_lane() { return *parts_->cpu; }

Pool& Runtime::make_pool(Pool::Settings settings)
{
    auto pool = std::make_unique<Pool>(std::move(settings), parts_->shared.clock, parts_->shared.log);
    const std::lock_guard<std::mutex> lock{parts_->mutex};
    parts_->pools.push_back(std::move(pool));
    return *parts_->pools.back();
}

const Clock& Runtime::clock() const { return parts_->shared.clock; }

log::Journal& Runtime::journal() { return parts_->journal; }

void Runtime::on_every_worker(const std::function<void(Worker&)>& f)
{
    Parts& p = *parts_;
    if (!p.started.load() || p.stopped.load()) {
        Worker* const before = Worker::current();
        for (auto& worker : p.workers) {
            set_current_worker(worker.get());
            f(*worker);
        }
        set_current_worker(before);
        return;
    }
    assert((!Worker::current() || Fiber::current()) && "a worker's loop must not wait for another");
    // Shared with the jobs: on a fiber the wait ends early when the runtime stops.
    struct Round {
        std::function<void(Worker&)> f;
        std::atomic<std::size_t> left;
        Event done;
        Round(const std::function<void(Worker&)>& its_f, std::size_t workers) : f{its_f}, left{workers} {}
    };
    const auto round = std::make_shared<Round>(f, p.workers.size());
    for (auto& worker : p.workers) {
        worker->post([round, w = worker.get()] {
            struct Done {
                Round& round;
                ~Done()
                {
                    if (round.left.fetch_sub(1) == 1)
                        round.done.signal();
                }
            } const done{*round};
            round->f(*w);
        });
    }
    round->done.wait();
}

void Runtime::run_on_fiber(std::function<void()> f)
{
    Parts& p = *parts_;
    if (Fiber::current() || !p.started.load() || p.stopped.load()) {
        f();
        return;
    }
    struct Errand {
        std::function<void()> f;
        std::exception_ptr thrown;
        Event done;
    };
    const auto errand = std::make_shared<Errand>(Errand{std::move(f), {}, {}});
    worker(p.turn.fetch_add(1) % workers()).spawn_always([errand] {
        try {
            errand->f();
        } catch (...) {
            errand->thrown = std::current_exception();
        }
        errand->f = {}; // its captures end before the caller goes on
        errand->done.signal();
    });
    errand->done.wait();
    if (errand->thrown)
        std::rethrow_exception(std::exchange(errand->thrown, nullptr));
}

bool Runtime::quiet()
{
    Parts& p = *parts_;
    if (!p.started.load() || p.stopped.load())
        return true;
    // Work may move behind our back from one we have not asked to one we have; then somebody's count has
    // changed.
    const std::uint64_t before = p.activity();
    for (auto& worker : p.workers)
        if (!worker->parts().is_idle())
            return false;
    for (Pool* pool : p.all_pools())
        if (!pool->quiet())
            return false;
    for (auto& worker : p.workers)
        if (!worker->parts().is_idle())
            return false;
    return p.activity() == before;
}

Instant Runtime::next_deadline()
{
    Instant next = parts_->shared.watch_pools();
    for (auto& worker : parts_->workers)
        next = std::min(next, Instant{worker->parts().next_deadline.load()});
    return next;
}

void Runtime::wake_all()
{
    for (auto& worker : parts_->workers)
        worker->parts().wake();
}

} // namespace sipyard::task
