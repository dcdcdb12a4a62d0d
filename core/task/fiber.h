// core/task/fiber.h - a fiber: straight-line code that may wait without holding its worker (DESIGN 3)
#pragma once

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/task/worker.h"

#include <memory>

namespace sipyard::task {

// Asked just before its fiber leaves the worker to others, and after it is back: the script's $var table
// lives there.
class SuspendHook {
public:
    virtual void suspending() = 0;
    virtual void resumed() = 0;

protected:
    ~SuspendHook() = default;
};

// One message or job. Fibers never change worker and are resumed from the loop only. An exception that leaves
// the job is caught at the root and logged. No Guarded or PerWorker section may be open at a suspension
// (assert).
class Fiber {
public:
    static Fiber* current(); // null off a fiber: then blocking calls run inline
    Arena& arena();          // reset when the job ends
    Worker& worker();
    SuspendHook* set_hook(SuspendHook* hook); // returns the one before

    struct Parts;
    Parts& parts() { return *parts_; }

private:
    friend class Worker;
    Fiber() = default;
    Parts* parts_ = nullptr;
};

inline constexpr Instant never{INT64_MAX};

// A one-shot meeting point: one fiber waits, anybody signals, in either order. Off a fiber wait() blocks the
// thread. Copies share the event; the last one frees it, so a late signal() after a timeout is harmless.
class Event {
public:
    Event();
    void signal() const; // thread-safe; further signals do nothing
    bool wait(
        Instant deadline = never) const; // false: the deadline passed first; true at once if signalled before
    bool signalled() const;

private:
    struct State;
    std::shared_ptr<State> state_; // shared by the waiting fiber and whoever signals
};

void sleep_until(Instant when); // suspends the fiber; not for worker loops
void yield();                   // lets the worker's other work run, then goes on

} // namespace sipyard::task
