// modules/db_unixodbc/sqlite_writer.h - the one writer of an SQLite file: many changes in one transaction
#pragma once

#include "modules/db_unixodbc/call.h"
#include "modules/db_unixodbc/line.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace sipyard::db_unixodbc {

// SQLite lets one connection write at a time, and waiting for the lock is expensive, so all writes of the
// process go through here:
//
//     fiber ─┐ Call            ┌ BEGIN IMMEDIATE
//     fiber ─┼──▶ queue ─────▶ │ SAVEPOINT, work, RELEASE   per job         then every fiber gets its answer
//     fiber ─┘   (bounded)     └ COMMIT
//
// While a batch commits, the next one gathers. A call that fails is rolled back to its savepoint and the
// others go on. When the batch fails as a whole (the disk is full, a statement was interrupted) its calls run
// again one by one. Another process's lock is waited for until the last deadline in the batch.
class SqliteWriter : public std::enable_shared_from_this<SqliteWriter> {
public:
    SqliteWriter(std::shared_ptr<Line> line, std::size_t limit) : line_{std::move(line)}, limit_{limit} {}

    // Thread-safe. Overloaded when the queue is full.
    Result<void> enqueue(const CallPtr& call);
    std::size_t queued() const;
    // Starts another drain when the one under way is stuck: its thread is lost.
    void look_after(Instant now);

private:
    static constexpr std::size_t most_in_batch = 512;
    struct Drain {
        std::uint64_t number;
        Instant deadline;
    };
    void schedule(std::unique_lock<std::mutex>& lock); // needs a queue that is not empty
    void drain(task::PoolThread& thread, Drain drain);
    void finished(Drain drain);
    void run_batch(Session& session, std::vector<CallPtr> calls);
    bool begin(Session& session, std::vector<CallPtr>& calls);
    bool run_together(Session& session, std::vector<CallPtr>& calls);
    void run_alone(Session& session, const CallPtr& call);
    bool run_statement(Session& session, const CallPtr& call);
    Result<void> commit(Session& session);
    void drop_late(std::vector<CallPtr>& calls);
    void finish(const CallPtr& call, Result<void> result);

    const std::shared_ptr<Line> line_; // see Line
    const std::size_t limit_;
    // Of what follows; held for a few instructions. No Guarded: schedule() lets go of it while it asks the
    // pool, and takes it again to see whether its drain is still the last one.
    mutable std::mutex mutex_;
    std::deque<CallPtr> queue_;
    bool draining_ = false;
    std::uint64_t drains_ = 0; // the number of the last one; an older one that returns is a lost one
    Instant give_up_{};        // when the drain under way counts as stuck
};

} // namespace sipyard::db_unixodbc
