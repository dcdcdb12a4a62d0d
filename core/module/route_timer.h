// core/module/route_timer.h - routes of the script that run again and again, never beside themselves
#pragma once

#include "core/log/log.h"
#include "core/module/counter.h"
#include "core/module/host.h"
#include "core/task/worker.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace sipyard {

// Made in a module's constructor, ended in its destructor. Each run is a fiber of `worker` with a local
// request of its own for every route; a run that is due while the one before goes on is skipped and counted.
class RouteTimer {
public:
    struct Settings {
        std::string name;                // for messages
        std::vector<std::string> routes; // route[...] blocks, in this order
        Duration interval{0};            // at least 1 ms
        std::size_t worker = 0;          // any number
    };
    RouteTimer(Host& host, log::Logger log, Settings settings, Counter& skipped);
    ~RouteTimer(); // not from a worker's loop
    RouteTimer(const RouteTimer&) = delete;
    RouteTimer& operator=(const RouteTimer&) = delete;

    void enable(bool on); // from any thread; the first run is one interval later
    bool enabled() const { return enabled_.load(std::memory_order_relaxed); }
    const std::string& name() const { return settings_.name; }

private:
    void due();
    void run();

    Host& host_;
    const log::Logger log_;
    const Settings settings_;
    Counter& skipped_;
    task::Worker& worker_;
    std::atomic<bool> enabled_{false}, running_{false}, missing_told_{false};
    Instant next_{}; // on worker_ only, as the timer
    std::unique_ptr<task::Timer> timer_;
};

} // namespace sipyard
