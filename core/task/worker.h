// core/task/worker.h - a worker thread: epoll loop, timer wheel, inbox and the fibers it runs (DESIGN 3)
#pragma once

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/function.h"
#include "core/base/result.h"
#include "core/log/log.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sipyard::task {

using Job = Function<void()>;

class Fiber;
class Runtime;
class Wheel;
class Worker;

// A file descriptor in the worker's epoll. Made, changed and destroyed on its worker only. The callback gets
// the epoll event mask and runs on the loop, never on a fiber. It may destroy any watch of its worker, itself
// included. After Runtime::stop() whoever owns it may destroy it, as long as the runtime lives.
class Watch {
public:
    Watch(Worker& worker, int fd, std::uint32_t events, Function<void(std::uint32_t)> on_event);
    ~Watch(); // leaves the epoll; does not close the descriptor
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    void change(std::uint32_t events);
    int fd() const;

private:
    friend class Worker;
    struct Entry;
    Entry* entry_; // owned by the worker, which frees it after the batch of events in hand
};

// A timer of one worker; the callback runs on the loop, never before its deadline, earlier deadlines first.
// Used on its worker only. Destruction cancels, also inside the callback.
class Timer {
public:
    Timer(Worker& worker, Job on_time);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    void arm(Instant when); // replaces an earlier deadline; never runs inside the call
    void arm_in(Duration delay);
    void cancel();
    bool armed() const;

private:
    friend class Wheel;
    Worker& worker_;
    Job on_time_;
    Instant when_{};
    Timer* next_ = nullptr;  // in its wheel slot
    Timer** link_ = nullptr; // who points here; null when not armed
};

class Worker {
public:
    static Worker* current(); // of the calling thread, null elsewhere

    std::size_t index() const;
    Runtime& runtime();
    const Clock& clock() const;
    Instant now() const; // the clock read at most once per loop turn; good for timers

    // Thread-safe; never refused. The job runs on the loop, not on a fiber.
    void post(Job job);
    // Thread-safe. Starts a fiber that runs the job: at once when called on this worker's loop, else from its
    // inbox. New work may be refused (overloaded: fiber limit or 4,096 queued; stopping); jobs already
    // accepted are not.
    Result<void> spawn(Job job);
    // As spawn, but never refused: for continuations of accepted work (timers, strand jobs, events).
    void spawn_always(Job job);

    // Called before each wait; returns how long the loop may sleep at most. For foreign loops nested in ours.
    using BeforeWait = Function<Duration()>;
    std::uint64_t add_before_wait(BeforeWait hook); // on this worker
    void remove_before_wait(std::uint64_t id);

    struct Stats {
        std::uint64_t turns, jobs, fibers_started, fibers_refused, suspensions;
        std::size_t fibers_live, queued;
    };
    Stats stats() const; // thread-safe, approximate

    struct Parts; // for this room only
    Parts& parts() { return *parts_; }

private:
    friend class Runtime;
    explicit Worker(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;

public:
    ~Worker();
};

} // namespace sipyard::task
