// core/task/runtime.h - the workers and pools of one server: made, started, drained and stopped together
#pragma once

#include "core/task/fiber.h"
#include "core/task/pool.h"
#include "core/task/strand.h"
#include "core/task/worker.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sipyard::task {

class Runtime {
public:
    struct Settings {
        std::size_t workers = 1;         // one per usable core
        std::size_t max_fibers = 16'384; // in all workers together
        std::size_t max_queued = 4'096;  // admission limit per worker
        std::size_t pool_threads = 4;
    };
    Runtime(Settings settings, const Clock& clock, log::Journal& journal);
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    void start(); // starts the worker threads
    bool started() const;
    // Refuses new work and waits until the fibers have ended; false when `grace` has passed first. Waits go
    // on.
    bool drain(Duration grace);
    // Ends all waits with a timeout result, lets fibers finish until `grace` has passed, then joins.
    // False when a pool thread is stuck in a foreign call.
    bool stop(Duration grace);
    bool stopping() const;

    std::size_t workers() const;
    Worker& worker(std::size_t index);
    Pool& pool();                             // the general pool
    Pool& cpu_lane();                         // one thread, for long computations (XML over 64 KiB)
    Pool& make_pool(Pool::Settings settings); // owned by the runtime, stopped with it
    const Clock& clock() const;
    log::Journal& journal();

    // Runs f on every worker's loop and waits for all (before start() and after stop(): in the caller, with
    // Worker::current() set). Not from a worker's loop.
    void on_every_worker(const std::function<void(Worker&)>& f);
    // Runs f on a fiber of some worker and waits for its end; for threads that are no workers (main, tests).
    // What it throws arrives in the caller. Before start() and after stop() it runs in the caller.
    void run_on_fiber(std::function<void()> f);

    // Nothing is runnable now: inboxes empty, no ready descriptor, no pool job, no due timer. Fibers may be
    // suspended.
    bool quiet();
    // Earliest deadline of any timer or job in hand, `never` without one. For the movable clock of the tests:
    // exact when quiet; with the system's clock no later than that.
    Instant next_deadline();
    void wake_all(); // the clock has been moved

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace sipyard::task
