// modules/presence/store_lane.h - the way of one table's changes into the database: one transaction at a time
//
//     change ─┐           ┌ BEGIN
//     change ─┼─▶ queue ─▶│ a statement for each row    then everyone who waits is told
//     change ─┘           └ COMMIT
//
// While a batch commits the next one gathers, so many callers share a commit on every database. One fiber
// writes at a time, which keeps the order; it ends when nothing is left.
#pragma once

#include "core/base/guarded.h"
#include "core/log/log.h"
#include "core/module/counter.h"
#include "core/task/runtime.h"
#include "modules/presence/store_queue.h"
#include "modules/presence/store_schema.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sipyard::presence {

// What the lanes of a store have in common.
struct LaneSettings {
    Duration commit_timeout, update_period, retry_period, clean_period;
    StoreQueue::Limits limits;
};
struct LaneCounters {
    Counter &rows, &batches, &late, &coalesced, &lost, &refused, &outages;
};

class StoreLane {
public:
    // `prepare` is asked before each transaction. Everything outlives the lane.
    StoreLane(std::string table, StoreMode mode, StoreStatements sql, const LaneSettings& settings,
              db::Database& database, task::Runtime& runtime, log::Logger log, LaneCounters counters,
              std::function<Result<void>()> prepare);
    ~StoreLane(); // not on a fiber; waits for the transaction under way
    StoreLane(const StoreLane&) = delete;
    StoreLane& operator=(const StoreLane&) = delete;

    // Contract of Store::change_all().
    bool add(std::vector<StoreChange> changes, Store::Wait wait);
    bool flush(Instant deadline);
    std::size_t waiting() const;
    // Deletes rows that have expired at `now`.
    Result<void> clean(std::int64_t now);
    StoreMode mode() const { return mode_; }
    const StoreStatements& statements() const { return *sql_; }

private:
    struct State {
        explicit State(StoreQueue::Limits limits) : queue{limits} {}
        StoreQueue queue;
        bool draining = false;  // a fiber writes, or is about to
        bool away = false;      // the last transaction failed; the timer tries again
        bool behind = false;    // somebody has waited in vain: nobody does until a transaction is through
        bool alarmed = false;   // of this outage
        bool armed = false;     // the timer
        bool clean_due = false; // expired rows are to be deleted
        bool stopping = false;
        std::uint64_t refused = 0;     // rows
        std::vector<task::Event> idle; // told when the writing fiber ends
    };
    using Batch = std::vector<StoreQueue::Flight>;
    struct Timers;

    void start_drain();
    void drain();
    void on_time();
    void arm(State& state, Duration delay);
    Result<void> write(const Batch& batch, Careful careful);
    void landed(const Batch& batch);
    void stay(Batch::const_iterator from, const Batch& batch, const Error& why);
    bool one_by_one(const Batch& batch);
    void refuse(const StoreQueue::Flight& flight, const Error& why);
    void note_refusal(const Error& why);
    bool alarm(State& state);
    void complain(std::string_view why, std::size_t waiting) const;

    const std::string table_;
    const StoreMode mode_;
    const std::shared_ptr<const StoreStatements> sql_; // shared with jobs, which may outlive us
    const LaneSettings settings_;
    db::Database& database_;
    task::Runtime& runtime_;
    const log::Logger log_;
    const LaneCounters counters_;
    const std::function<Result<void>()> prepare_;
    Guarded<State> state_;
    std::unique_ptr<Timers> timers_; // made and destroyed on worker 0
};

} // namespace sipyard::presence
