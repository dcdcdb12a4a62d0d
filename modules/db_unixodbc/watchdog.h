// modules/db_unixodbc/watchdog.h - cancels statements that run past their deadline, and looks after open
// breakers
#pragma once

#include "core/base/clock.h"

#include <functional>
#include <memory>
#include <mutex>

namespace sipyard::db_unixodbc {

// One thread per database, asleep while no statement runs: a cancel that hangs (a dead network) must not hold
// up other databases.
class Watchdog {
public:
    // Of one connection: does a statement run, and how is it stopped from another thread?
    class Slot {
    public:
        void begin(Instant deadline);
        void end();
        // Called at the deadline while the statement runs, again each `every`; an empty function: cannot be
        // stopped.
        void set_cancel(std::function<void()> cancel, Duration every);

    private:
        friend class Watchdog;
        // Held during the cancel, which may block, so that it never hits the next statement. No Guarded: only
        // database threads and the watchdog's own take it, never a worker.
        std::mutex mutex_;
        std::function<void()> cancel_;
        Duration every_{};
        Instant due_{};
        bool running_ = false;
    };
    // `tick` is called every 50 ms while statements run or it says that it wants to be called again.
    Watchdog(const Clock& clock, std::function<bool()> tick);
    ~Watchdog() { stop(); }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    // The slot's owner keeps it while its connection lives.
    std::shared_ptr<Slot> make_slot();
    void wake(); // cheap when the thread is awake
    void stop(); // waits two seconds at most for a cancel that hangs; afterwards nothing is watched

private:
    struct State;
    static void watch(const std::shared_ptr<State>& state);
    std::shared_ptr<State> state_; // shared with the thread, which may outlive us in a cancel that hangs
};

} // namespace sipyard::db_unixodbc
