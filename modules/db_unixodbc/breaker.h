// modules/db_unixodbc/breaker.h - a circuit breaker: after enough failures in a row nobody waits for a dead
// database
#pragma once

#include "core/base/clock.h"

#include <atomic>
#include <cstdint>

namespace sipyard::db_unixodbc {

// Thread-safe, no lock. Opens after `limit` answers in a row that were lost or too late; while it is open
// calls fail at once and one probe a second tests the database. The first good answer closes it.
class Breaker {
public:
    static constexpr int limit = 5;
    static constexpr Duration probe_every = std::chrono::seconds{1};

    bool is_open() const { return open_.load(std::memory_order_relaxed); }
    // True when this answer changed the state: worth a log line.
    bool succeeded()
    {
        if (failures_.load(std::memory_order_relaxed) != 0)
            failures_.store(0, std::memory_order_relaxed);
        return is_open() && open_.exchange(false);
    }
    bool failed(Instant now)
    {
        if (failures_.fetch_add(1, std::memory_order_relaxed) + 1 < limit || is_open())
            return false;
        last_probe_.store(now.ns);
        return !open_.exchange(true);
    }
    // True once a second while open: the caller sends the probe.
    bool takes_probe(Instant now)
    {
        auto last = last_probe_.load();
        return is_open() && now.ns - last >= probe_every.count() &&
               last_probe_.compare_exchange_strong(last, now.ns);
    }

private:
    std::atomic<bool> open_{false};
    std::atomic<int> failures_{0};
    std::atomic<std::int64_t> last_probe_{0};
};

} // namespace sipyard::db_unixodbc
