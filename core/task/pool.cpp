// core/task/pool.cpp - pool threads, their queue, and giving up on those stuck in a foreign call
#include "core/task/pool.h"

#include "core/task/runtime.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <sys/resource.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace sipyard::task {
namespace {

constexpr Duration probe_interval = 1s;

} // namespace

struct Pool::Parts : std::enable_shared_from_this<Pool::Parts> {
    struct Task {
        PoolJob job, dropped;
        Instant deadline;
    };
    // One of our threads. It owns itself while it runs; we keep it until it has ended or is lost.
    struct Thread {
        PoolThread kept;
        std::thread handle;
        bool running = false;
        bool lost = false;
        Instant give_up{}; // while running
    };

    Parts(Settings its_settings, const Clock& its_clock, log::Logger its_log)
        : settings{std::move(its_settings)}, clock{its_clock}, log{its_log}
    {
    }

    // All under the mutex.
    Instant watch(Instant now);
    void start_missing();
    bool admits(Instant now);
    std::vector<std::thread> ended() { return std::exchange(finished, {}); }

    void serve(const std::shared_ptr<Thread>& me);

    const Settings settings;
    const Clock& clock;
    const log::Logger log;
    mutable std::mutex mutex;
    std::condition_variable work, gone;
    std::deque<Task> queue;
    std::vector<std::shared_ptr<Thread>> threads; // without the lost ones
    std::vector<std::thread> finished;            // to be joined
    std::size_t idle = 0, running = 0, lost = 0, next_index = 0;
    bool open_circuit = false, stopping = false;
    Instant last_probe{INT64_MIN / 2};
    std::atomic<std::int64_t> next_watch{INT64_MAX}; // no later than the earliest give_up
    std::uint64_t submitted = 0, done = 0, refused = 0, expired = 0;
};

Instant Pool::Parts::watch(Instant now)
{
    Instant next = never;
    for (std::size_t i = 0; i < threads.size();) {
        Thread& thread = *threads[i];
        if (!thread.running || thread.give_up > now) {
            if (thread.running)
                next = std::min(next, thread.give_up);
            ++i;
            continue;
        }
        thread.lost = true;
        thread.handle.detach();
        --running;
        ++lost;
        log.error("{}: a thread is stuck in a call and given up ({} so far)", settings.name, lost);
        threads.erase(threads.begin() + static_cast<std::ptrdiff_t>(i));
        if (lost >= settings.max_lost && !open_circuit) {
            open_circuit = true;
            last_probe = now;
            log.error("{}: too many threads lost, jobs are refused", settings.name);
        }
    }
    start_missing();
    next_watch.store(next.ns);
    return next;
}

void Pool::Parts::start_missing()
{
    while (idle < queue.size() && threads.size() < settings.threads && lost <= settings.max_lost &&
           !stopping) {
        auto thread = std::make_shared<Thread>();
        thread->kept.index = next_index++;
        try {
            thread->handle = std::thread{[parts = shared_from_this(), thread] { parts->serve(thread); }};
        } catch (const std::system_error& failure) {
            log.error("{}: cannot start a thread: {}", settings.name, std::string_view{failure.what()});
            return;
        }
        threads.push_back(std::move(thread));
        ++idle; // it will be, and must not be started twice for one job
    }
}

bool Pool::Parts::admits(Instant now)
{
    if (queue.size() >= settings.queue_limit)
        return false;
    if (!open_circuit)
        return true;
    if (now - last_probe < probe_interval)
        return false;
    last_probe = now;
    return true;
}

void Pool::Parts::serve(const std::shared_ptr<Thread>& me)
{
    pthread_setname_np(pthread_self(), settings.name.substr(0, 15).c_str());
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), settings.nice); // Linux: of this thread alone
    std::unique_lock<std::mutex> lock{mutex};
    for (;;) {
        work.wait(lock, [this] { return stopping || !queue.empty(); });
        if (queue.empty())
            break;
        Task task = std::move(queue.front());
        queue.pop_front();
        const Instant now = clock.now();
        const Instant deadline = task.deadline;
        const bool late = stopping || deadline <= now;
        --idle;
        ++running;
        me->running = true;
        me->give_up =
            late || deadline.ns > never.ns - settings.patience.count() ? never : deadline + settings.patience;
        if (me->give_up.ns < next_watch.load())
            next_watch.store(me->give_up.ns);
        lock.unlock();
        try {
            if (!late)
                task.job(me->kept);
            else if (task.dropped)
                task.dropped(me->kept);
        } catch (const std::exception& thrown) {
            log.error("{}: a job ended with an exception: {}", settings.name,
                      std::string_view{thrown.what()});
        } catch (...) {
            log.error("{}: a job ended with an exception of unknown type", settings.name);
        }
        task = {}; // its captures end before the job counts as done
        lock.lock();
        ++(late ? expired : done);
        if (me->lost) { // back after all; its place has been taken
            --lost;
            lock.unlock();
            me->kept.local.reset();
            return;
        }
        me->running = false;
        --running;
        ++idle;
        if (!late && open_circuit && clock.now() <= deadline) {
            open_circuit = false;
            log.warn("{}: jobs are taken again", settings.name);
        }
    }
    lock.unlock();
    me->kept.local.reset();
    lock.lock();
    --idle;
    finished.push_back(std::move(me->handle));
    std::erase(threads, me);
    gone.notify_all();
}

Pool::Pool(Settings settings, const Clock& clock, log::Logger log)
    : parts_{std::make_shared<Parts>(std::move(settings), clock, log)}
{
}

Pool::~Pool() { stop(0s); }

Result<void> Pool::submit(PoolJob job, Instant deadline, PoolJob dropped)
{
    Parts& p = *parts_;
    const Instant now = p.clock.now();
    const std::lock_guard<std::mutex> lock{p.mutex};
    if (p.stopping)
        return Error{ErrorKind::stopping, p.settings.name + ": stopping"};
    if (p.next_watch.load() <= now.ns)
        p.watch(now);
    if (!p.admits(now)) {
        ++p.refused;
        return Error{ErrorKind::overloaded,
                     p.settings.name + (p.open_circuit ? ": threads lost" : ": queue full")};
    }
    ++p.submitted;
    p.queue.push_back({std::move(job), std::move(dropped), deadline});
    p.start_missing();
    if (p.threads.empty()) { // and none could be started
        p.queue.pop_back();
        ++p.refused;
        return Error{ErrorKind::overloaded, p.settings.name + ": no thread"};
    }
    p.work.notify_one();
    return {};
}

Pool::Stats Pool::stats() const
{
    const std::lock_guard<std::mutex> lock{parts_->mutex};
    const Parts& p = *parts_;
    return {p.queue.size(), p.running, p.lost, p.done, p.refused, p.expired};
}

bool Pool::quiet() const
{
    const std::lock_guard<std::mutex> lock{parts_->mutex};
    return parts_->queue.empty() && parts_->running == 0;
}

std::uint64_t Pool::activity() const
{
    const std::lock_guard<std::mutex> lock{parts_->mutex};
    return parts_->submitted + parts_->done + parts_->expired + parts_->lost;
}

Instant Pool::watch()
{
    Parts& p = *parts_;
    const std::int64_t next = p.next_watch.load();
    if (next == never.ns)
        return never;
    const Instant now = p.clock.now();
    if (next > now.ns)
        return {next};
    const std::lock_guard<std::mutex> lock{p.mutex};
    return p.watch(now);
}

Error Pool::unanswered() const
{
    const Worker* const worker = Worker::current();
    bool stopping = worker && const_cast<Worker*>(worker)->runtime().stopping();
    if (!stopping) {
        const std::lock_guard<std::mutex> lock{parts_->mutex};
        stopping = parts_->stopping;
    }
    if (stopping)
        return {ErrorKind::stopping, parts_->settings.name + ": stopping"};
    return {ErrorKind::timeout, parts_->settings.name + ": no answer within the deadline"};
}

bool Pool::stop(Duration deadline)
{
    Parts& p = *parts_;
    std::unique_lock<std::mutex> lock{p.mutex};
    p.stopping = true;
    // Those who wait for a queued job hear at once, busy threads or not.
    while (!p.queue.empty()) {
        Parts::Task task = std::move(p.queue.front());
        p.queue.pop_front();
        ++p.expired;
        lock.unlock();
        PoolThread nobody;
        if (task.dropped)
            task.dropped(nobody);
        task = {};
        lock.lock();
    }
    p.work.notify_all();
    // Idle threads end at once; only jobs in hand use up the deadline, in real time whatever the clock.
    const auto until = std::chrono::steady_clock::now() + deadline;
    while (p.threads.size() > p.running || (!p.threads.empty() && std::chrono::steady_clock::now() < until)) {
        if (p.running == 0)
            p.gone.wait(lock);
        else if (p.gone.wait_until(lock, until) == std::cv_status::timeout && p.threads.size() == p.running)
            break;
    }
    for (auto& thread : p.threads) {
        thread->lost = true;
        thread->handle.detach();
        --p.running;
        ++p.lost;
    }
    p.threads.clear();
    auto finished = p.ended();
    const bool clean = p.lost == 0;
    lock.unlock();
    for (std::thread& thread : finished)
        thread.join();
    return clean;
}

const Clock& Pool::clock() const { return parts_->clock; }

} // namespace sipyard::task
