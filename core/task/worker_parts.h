// core/task/worker_parts.h - the inside of a worker, for this room only
#pragma once

#include "core/task/fiber_parts.h"
#include "core/task/wheel.h"
#include "core/task/worker.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

struct epoll_event;

namespace sipyard::task {

// What the workers of a runtime share.
struct Shared {
    const Clock& clock;
    log::Logger log;
    bool real_time; // false: the clock moves when a test says so, and no wait may depend on real time
    std::size_t max_fibers, max_queued;

    std::atomic<std::size_t> fibers{0}; // accepted and not ended, on all workers
    std::atomic<bool> draining{false};  // no new work
    std::atomic<bool> stopping{false};  // waits end at once
    std::mutex mutex{};
    std::condition_variable no_fibers{}; // while draining

    // Gives up pool threads that are stuck; returns when to ask again.
    std::function<Instant()> watch_pools{};

    void fiber_ended();
};

// A callback and its place in the epoll. Freed after the batch of events in hand, in which it may still
// occur.
struct Watch::Entry {
    Worker::Parts& worker;
    int fd;
    Function<void(std::uint32_t)> on_event;
    bool dead = false;
};

struct Worker::Parts {
    Parts(Runtime& its_runtime, Shared& its_shared, std::size_t its_index);
    ~Parts();

    // --- the loop (its own thread)
    void run(); // until leave() and nothing is left to do
    void turn();
    int prepare_wait(); // epoll's timeout in ms
    void dispatch(epoll_event* events, int count);
    bool drain_inbox();
    void run_ready();
    void bury();
    template <class F>
    void protect(F&& f); // an exception ends the callback, not the worker
    Instant now();
    bool on_loop() const; // the calling thread is in this worker's loop, on no fiber
    void check_thread() const;

    // --- fibers (its own thread)
    bool start(Job& job); // false: no memory for a stack; the job is untouched
    void enter(Fiber::Parts& fiber);
    void ready(Fiber::Parts& fiber); // it runs in one of the next turns
    void end_waits();

    // --- from any thread
    struct Item {
        Job job;
        Fiber::Parts* resume = nullptr;
        bool on_fiber = false;
    };
    void push(Item item);
    void resume(Fiber::Parts& fiber);
    void wake();
    void leave();
    bool is_idle() const; // asleep and nothing to wake it
    std::uint64_t activity() const { return turns.load(); }

    Runtime& runtime;
    Shared& shared;
    const std::size_t index;
    Worker* self = nullptr;
    std::thread thread;
    int epoll_fd = -1, wake_fd = -1;

    std::mutex inbox_mutex;
    std::vector<Item> inbox, inbox_batch;
    std::atomic<std::size_t> inbox_size{0};
    std::atomic<bool> idle{false};    // about to sleep or asleep: posts must wake it
    std::atomic<bool> running{false}; // the loop runs
    std::atomic<bool> leaving{false};
    std::atomic<std::int64_t> next_deadline{INT64_MAX}; // when it went to sleep

    Wheel wheel;
    Function<void(Job&)> run_job;
    Instant now_{};
    bool now_known = false;

    struct Hook {
        std::uint64_t id;
        BeforeWait call;
    };
    std::vector<std::shared_ptr<Hook>>
        hooks; // shared with the walk that is calling it, for it may remove itself
    std::uint64_t last_hook = 0;

    bool dispatching = false;
    std::vector<std::unique_ptr<Watch::Entry>> dead;

    FiberPool fibers;
    Side loop_side;
    Fiber::Parts* current = nullptr;
    Fiber::Parts* ready_first = nullptr;
    Fiber::Parts* ready_last = nullptr;
    std::vector<Job> jobs, jobs_batch; // to start on fibers
    Waiting* waiting = nullptr;
    bool no_stack = false; // a job waits for memory

    std::atomic<std::size_t> queued{0}, live{0};
    std::atomic<std::uint64_t> turns{0}, jobs_done{0}, started{0}, refused{0}, suspensions{0};
};

void set_current_worker(Worker* worker); // of the calling thread: start-up acts for each worker in turn

} // namespace sipyard::task
