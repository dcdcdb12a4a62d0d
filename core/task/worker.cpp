// core/task/worker.cpp - the loop: sleep, events, inbox, timers, fibers; and the doors other threads knock at
#include "core/task/worker.h"

#include "core/task/fiber.h"
#include "core/task/worker_parts.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace sipyard::task {
namespace {

thread_local Worker* this_worker = nullptr;

void count(std::atomic<std::uint64_t>& counter) // written by one thread only
{
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

} // namespace

void set_current_worker(Worker* worker) { this_worker = worker; }

void Shared::fiber_ended()
{
    if (fibers.fetch_sub(1) == 1 && draining.load()) {
        const std::lock_guard<std::mutex> lock{mutex};
        no_fibers.notify_all();
    }
}

Worker::Parts::Parts(Runtime& its_runtime, Shared& its_shared, std::size_t its_index)
    : runtime{its_runtime}, shared{its_shared}, index{its_index}, run_job{[this](Job& job) { protect(job); }}
{
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr; // null: the inbox
    if (epoll_fd < 0 || wake_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) != 0)
        throw StartupError{std::string{"worker: cannot make an event loop: "} + std::strerror(errno)};
}

Worker::Parts::~Parts()
{
    // What was posted after the loop had ended is dropped; its destructors may post again.
    for (std::vector<Item> rest;; rest.clear()) {
        {
            const std::lock_guard<std::mutex> lock{inbox_mutex};
            rest.swap(inbox);
        }
        if (rest.empty())
            break;
    }
    jobs.clear();
    hooks.clear();
    bury();
    close(wake_fd);
    close(epoll_fd);
}

template <class F>
void Worker::Parts::protect(F&& f)
{
    try {
        f();
    } catch (const std::exception& thrown) {
        shared.log.error("a job ended with an exception: {}", std::string_view{thrown.what()});
    } catch (...) {
        shared.log.error("a job ended with an exception of unknown type");
    }
}
template void Worker::Parts::protect<Job&>(Job&);

Instant Worker::Parts::now()
{
    if (!running.load(std::memory_order_relaxed))
        return shared.clock.now();
    if (!now_known) {
        now_ = shared.clock.now();
        now_known = true;
    }
    return now_;
}

bool Worker::Parts::on_loop() const
{
    return this_worker == self && current == nullptr && running.load(std::memory_order_relaxed);
}

void Worker::Parts::check_thread() const
{
    assert((!running.load(std::memory_order_relaxed) || this_worker == self) &&
           "this belongs to another worker");
}

void Worker::Parts::run()
{
    this_worker = self;
    begin_side(loop_side);
    running.store(true);
    while (!leaving.load() || ready_first || !jobs.empty() || inbox_size.load() != 0)
        turn();
    running.store(false);
    this_worker = nullptr;
}

void Worker::Parts::turn()
{
    constexpr int most_events = 64;
    epoll_event events[most_events];
    const int timeout = prepare_wait();
    const int events_seen = epoll_wait(epoll_fd, events, most_events, timeout);
    idle.store(false);
    now_known = false;
    if (events_seen > 0)
        dispatch(events, events_seen);
    drain_inbox();
    if (!wheel.empty())
        wheel.advance(now(), run_job);
    run_ready();
}

int Worker::Parts::prepare_wait()
{
    turns.fetch_add(1);
    Duration sleep = Duration::max();
    // A hook may add and remove hooks, itself included.
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        const std::shared_ptr<Hook> hook = hooks[i];
        protect([&] { sleep = std::min(sleep, hook->call()); });
        if (i < hooks.size() && hooks[i] != hook)
            --i;
    }
    if (sleep.count() <= 0 || ready_first || (!jobs.empty() && !no_stack) || leaving.load())
        return 0;
    const Instant pools = shared.watch_pools ? shared.watch_pools() : never;
    const Instant timer = shared.real_time ? wheel.sleep_until() : wheel.earliest();
    next_deadline.store(timer.ns);
    // From here a post wakes us; what came before is seen here. (Both sides store, then load, in one total
    // order.)
    idle.store(true);
    if (inbox_size.load() != 0) {
        idle.store(false);
        return 0;
    }
    constexpr int retry_ms = 10; // until there is memory for a stack again
    const Instant clock = shared.clock.now();
    if (!shared.real_time)
        return timer <= clock ? 0 : no_stack ? retry_ms : -1;
    const Instant until = std::min(timer, pools);
    if (until == never && sleep == Duration::max())
        return no_stack ? retry_ms : -1;
    const std::int64_t left = std::clamp<std::int64_t>(std::min((until - clock).count(), sleep.count()), 0,
                                                       std::int64_t{3'600'000} * 1'000'000);
    const int ms =
        static_cast<int>((left + 999'999) / 1'000'000); // rounded up, else it would spin at the end
    return no_stack ? std::min(ms, retry_ms) : ms;
}

void Worker::Parts::dispatch(epoll_event* events, int seen)
{
    dispatching = true;
    for (int i = 0; i < seen; ++i) {
        if (events[i].data.ptr == nullptr) {
            std::uint64_t wakes = 0;
            [[maybe_unused]] const auto size = read(wake_fd, &wakes, sizeof wakes);
            continue;
        }
        auto& entry = *static_cast<Watch::Entry*>(events[i].data.ptr);
        const std::uint32_t mask = events[i].events;
        if (!entry.dead)
            protect([&] { entry.on_event(mask); });
    }
    dispatching = false;
    bury();
}

void Worker::Parts::bury()
{
    // A callback's captures may own further watches.
    while (!dead.empty()) {
        std::vector<std::unique_ptr<Watch::Entry>> batch;
        batch.swap(dead);
    }
}

bool Worker::Parts::drain_inbox()
{
    if (inbox_size.load(std::memory_order_acquire) == 0)
        return false;
    {
        const std::lock_guard<std::mutex> lock{inbox_mutex};
        inbox_batch.swap(inbox);
        inbox_size.store(0);
    }
    for (Item& item : inbox_batch) {
        count(jobs_done);
        if (item.resume)
            ready(*item.resume);
        else if (item.on_fiber)
            jobs.push_back(std::move(item.job));
        else
            protect(item.job);
    }
    inbox_batch.clear();
    return true;
}

void Worker::Parts::run_ready()
{
    // Only what is ready now: a fiber that yields lets the sockets speak first.
    Fiber::Parts* fiber = std::exchange(ready_first, nullptr);
    ready_last = nullptr;
    while (fiber) {
        Fiber::Parts* const next = std::exchange(fiber->next, nullptr);
        enter(*fiber);
        fiber = next;
    }
    if (jobs.empty())
        return;
    jobs_batch.swap(jobs);
    no_stack = false;
    std::size_t done = 0;
    for (; done < jobs_batch.size(); ++done) {
        if (!start(jobs_batch[done])) {
            no_stack = true;
            shared.log.error("no memory for another fiber, {} jobs wait", jobs_batch.size() - done);
            break;
        }
        queued.fetch_sub(1, std::memory_order_relaxed);
    }
    if (done < jobs_batch.size())
        jobs.insert(jobs.begin(),
                    std::make_move_iterator(jobs_batch.begin() + static_cast<std::ptrdiff_t>(done)),
                    std::make_move_iterator(jobs_batch.end()));
    jobs_batch.clear();
}

bool Worker::Parts::start(Job& job)
{
    Fiber::Parts* const fiber = fibers.take();
    if (!fiber)
        return false;
    fiber->worker = this;
    fiber->loop = &loop_side;
    fiber->job = std::move(job);
    live.store(live.load(std::memory_order_relaxed) + 1,
               std::memory_order_relaxed); // this thread alone writes
    count(started);
    enter(*fiber);
    return true;
}

void Worker::Parts::enter(Fiber::Parts& fiber)
{
    assert(current == nullptr && "fibers are entered from the loop only");
    current = &fiber;
    switch_sides(loop_side, fiber.side, false);
    current = nullptr;
    if (fiber.finished) {
        fibers.give_back(fiber);
        live.store(live.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
        shared.fiber_ended();
    }
}

void Worker::Parts::ready(Fiber::Parts& fiber)
{
    fiber.next = nullptr;
    (ready_last ? ready_last->next : ready_first) = &fiber;
    ready_last = &fiber;
}

void Worker::Parts::end_waits()
{
    for (Waiting* wait = waiting; wait != nullptr; wait = wait->next)
        wait->give_up();
}

void Worker::Parts::push(Item item)
{
    bool was_empty = false;
    {
        const std::lock_guard<std::mutex> lock{inbox_mutex};
        was_empty = inbox.empty();
        inbox.push_back(std::move(item));
        inbox_size.store(inbox.size());
    }
    if (was_empty && idle.load())
        wake();
}

void Worker::Parts::resume(Fiber::Parts& fiber)
{
    if (this_worker == self)
        ready(fiber);
    else
        push({{}, &fiber, false});
}

void Worker::Parts::wake()
{
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto size =
        write(wake_fd, &one, sizeof one); // EAGAIN: it is awake 2^64 times over
}

void Worker::Parts::leave()
{
    leaving.store(true);
    wake();
}

bool Worker::Parts::is_idle() const
{
    // An epoll descriptor is readable while one of its descriptors is ready, nested ones included.
    pollfd loop{epoll_fd, POLLIN, 0};
    return idle.load() && inbox_size.load() == 0 && next_deadline.load() > shared.clock.now().ns &&
           poll(&loop, 1, 0) == 0 && idle.load();
}

// --- Worker --------------------------------------------------------------------------------------

Worker::Worker(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} { parts_->self = this; }

Worker::~Worker() = default;

Worker* Worker::current() { return this_worker; }

std::size_t Worker::index() const { return parts_->index; }

Runtime& Worker::runtime() { return parts_->runtime; }

const Clock& Worker::clock() const { return parts_->shared.clock; }

Instant Worker::now() const { return parts_->now(); }

void Worker::post(Job job) { parts_->push({std::move(job), nullptr, false}); }

Result<void> Worker::spawn(Job job)
{
    Parts& p = *parts_;
    if (p.shared.draining.load(std::memory_order_relaxed))
        return Error{ErrorKind::stopping, "stopping"};
    if (p.queued.load(std::memory_order_relaxed) >= p.shared.max_queued ||
        p.shared.fibers.load(std::memory_order_relaxed) >= p.shared.max_fibers) {
        p.refused.fetch_add(1, std::memory_order_relaxed);
        return Error{ErrorKind::overloaded, "too many fibers"}; // short enough to need no heap
    }
    spawn_always(std::move(job));
    return {};
}

void Worker::spawn_always(Job job)
{
    Parts& p = *parts_;
    p.shared.fibers.fetch_add(1, std::memory_order_relaxed);
    if (p.on_loop() && p.start(job))
        return;
    p.queued.fetch_add(1, std::memory_order_relaxed);
    if (this_worker == this && p.running.load(std::memory_order_relaxed))
        p.jobs.push_back(std::move(job));
    else
        p.push({std::move(job), nullptr, true});
}

std::uint64_t Worker::add_before_wait(BeforeWait hook)
{
    parts_->check_thread();
    parts_->hooks.push_back(std::make_shared<Parts::Hook>(Parts::Hook{++parts_->last_hook, std::move(hook)}));
    return parts_->last_hook;
}

void Worker::remove_before_wait(std::uint64_t id)
{
    parts_->check_thread();
    std::erase_if(parts_->hooks, [&](const auto& hook) { return hook->id == id; });
}

Worker::Stats Worker::stats() const
{
    const auto read = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
    const Parts& p = *parts_;
    return {read(p.turns),       read(p.jobs_done), read(p.started), read(p.refused),
            read(p.suspensions), read(p.live),      read(p.queued)};
}

} // namespace sipyard::task
