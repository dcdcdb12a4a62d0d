// modules/db_unixodbc/sqlite_writer.cpp - gathering, batching, waiting for the lock, falling back to single
// writes
#include "modules/db_unixodbc/sqlite_writer.h"

#include <algorithm>
#include <thread>

namespace sipyard::db_unixodbc {
namespace {

constexpr Duration slack = std::chrono::seconds{1};  // later calls that a drain takes along
constexpr auto pause = std::chrono::milliseconds{5}; // SQLite may say "busy" without having waited
constexpr Duration patience =
    std::chrono::seconds{2}; // past a drain's deadline; the pool's own is one second

} // namespace

Result<void> SqliteWriter::enqueue(const CallPtr& call)
{
    std::unique_lock lock{mutex_};
    if (queue_.size() >= limit_)
        return Error{ErrorKind::overloaded, "too many writes wait for the database"};
    queue_.push_back(call);
    if (!draining_)
        schedule(lock);
    return {};
}

std::size_t SqliteWriter::queued() const
{
    const std::lock_guard lock{mutex_};
    return queue_.size();
}

void SqliteWriter::look_after(Instant now)
{
    std::unique_lock lock{mutex_};
    if (!draining_ || now < give_up_)
        return;
    draining_ = false;
    if (!queue_.empty())
        schedule(lock);
}

// The drain's deadline is the last one of those that wait: a thread that is stuck longer is lost.
void SqliteWriter::schedule(std::unique_lock<std::mutex>& lock)
{
    Instant last = queue_.front()->deadline;
    for (std::size_t i = 0; i < std::min(queue_.size(), most_in_batch); ++i)
        last = std::max(last, queue_[i]->deadline);
    const Drain next{++drains_, last + slack};
    draining_ = true;
    give_up_ = next.deadline + patience;
    lock.unlock();
    const auto self = shared_from_this();
    const auto accepted =
        line_->pool.submit([self, next](task::PoolThread& thread) { self->drain(thread, next); },
                           next.deadline, [self, next](task::PoolThread&) { self->finished(next); });
    lock.lock();
    if (accepted || drains_ != next.number)
        return;
    draining_ = false;
    const auto refused = std::exchange(queue_, {});
    lock.unlock();
    for (const auto& call : refused)
        finish(call, accepted.error());
    lock.lock();
}

void SqliteWriter::drain(task::PoolThread& thread, Drain drain)
{
    std::vector<CallPtr> calls;
    {
        const std::lock_guard lock{mutex_};
        if (drain.number != drains_)
            return; // given up as stuck before it began
        while (!queue_.empty() && calls.size() < most_in_batch &&
               queue_.front()->deadline <= drain.deadline) {
            calls.push_back(std::move(queue_.front()));
            queue_.pop_front();
        }
    }
    run_batch(line_->session(thread), std::move(calls));
    finished(drain);
}

void SqliteWriter::finished(Drain drain)
{
    std::unique_lock lock{mutex_};
    if (drain.number != drains_)
        return;
    draining_ = false;
    if (!queue_.empty())
        schedule(lock);
}

void SqliteWriter::finish(const CallPtr& call, Result<void> result)
{
    if (call->probe)
        line_->account(result);
    call->finish(std::move(result));
}

// Those whose asker has gone never reach the driver; with the breaker open only its probe goes on.
void SqliteWriter::drop_late(std::vector<CallPtr>& calls)
{
    const Instant now = line_->common->clock.now();
    const bool open = line_->breaker.is_open();
    std::erase_if(calls, [&](const CallPtr& call) {
        const bool late = call->deadline <= now, refused = open && !call->probe;
        if (late || refused)
            finish(call, late ? no_answer() : broken());
        return late || refused;
    });
}

// BEGIN IMMEDIATE, again while somebody else has the lock. False when nobody is left to write for.
bool SqliteWriter::begin(Session& session, std::vector<CallPtr>& calls)
{
    for (;;) {
        drop_late(calls);
        if (calls.empty())
            return false;
        // The driver waits at most 100 ms for the lock; the watchdog is for a disk that hangs.
        session.set_deadline((*std::max_element(calls.begin(), calls.end(), [](const auto& a, const auto& b) {
                                 return a->deadline < b->deadline;
                             }))->deadline);
        const auto begun = session.begin();
        if (begun) {
            drop_late(calls); // it may have waited
            if (!calls.empty())
                return true;
            session.roll_back();
            return false;
        }
        if (begun.error().kind == ErrorKind::busy) {
            std::this_thread::sleep_for(pause);
            continue;
        }
        if (begun.error().kind == ErrorKind::timeout)
            continue; // interrupted at the last deadline: drop_late ends it
        if (begun.error().kind != ErrorKind::io)
            session.drop();
        for (const auto& call : calls)
            finish(call, begun.error());
        calls.clear();
        return false;
    }
}

void SqliteWriter::run_batch(Session& session, std::vector<CallPtr> calls)
{
    if (calls.size() > 1) {
        if (!begin(session, calls))
            return;
        if (calls.size() > 1 && run_together(session, calls))
            return;
        session.roll_back();
    }
    for (const auto& call : calls)
        run_alone(session, call);
}

// Within the transaction begun. True when it is committed and everybody has the answer.
bool SqliteWriter::run_together(Session& session, std::vector<CallPtr>& calls)
{
    std::vector<Result<void>> results;
    results.reserve(calls.size());
    for (const auto& call : calls) {
        // A statement that fails undoes itself, so only longer work needs a savepoint.
        const bool several = call->kind == Call::Kind::transaction;
        session.set_deadline(call->deadline);
        if (several && !session.run_plain("SAVEPOINT one"))
            return false;
        auto result = run_work(session, *call);
        session.set_deadline(line_->common->clock.now() + slack); // for cleaning up
        if (several && !result && !session.run_plain("ROLLBACK TO one"))
            return false; // SQLite has rolled back everything
        if (several && !session.run_plain("RELEASE one"))
            return false;
        // An interrupted or OR ROLLBACK statement takes the whole transaction along: then BEGIN is possible
        // again.
        if (!result && (!session.connected() || session.run_plain("BEGIN")))
            return false;
        results.push_back(std::move(result));
    }
    if (!commit(session))
        return false;
    line_->common->batches.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < calls.size(); ++i)
        finish(calls[i], std::move(results[i]));
    return true;
}

// A statement commits by itself: no BEGIN, no COMMIT. False near its deadline: while it waits for the lock in
// the driver it cannot be called back, so it might be written after its asker has gone.
bool SqliteWriter::run_statement(Session& session, const CallPtr& call)
{
    for (std::vector<CallPtr> only{call};;) {
        drop_late(only);
        if (only.empty())
            return true;
        session.set_deadline(call->deadline);
        if (session.remaining() < slack)
            return false;
        auto result = run_work(session, *call);
        if (!result && result.error().kind == ErrorKind::busy) {
            std::this_thread::sleep_for(pause);
            continue;
        }
        if (result)
            line_->common->batches.fetch_add(1, std::memory_order_relaxed);
        finish(call, std::move(result));
        return true;
    }
}

void SqliteWriter::run_alone(Session& session, const CallPtr& call)
{
    if (call->kind == Call::Kind::statement && run_statement(session, call))
        return;
    std::vector<CallPtr> only{call};
    if (!begin(session, only))
        return;
    session.set_deadline(call->deadline);
    auto result = run_work(session, *call);
    if (result)
        result = commit(session);
    if (result)
        line_->common->batches.fetch_add(1, std::memory_order_relaxed);
    else
        session.roll_back();
    finish(call, std::move(result));
}

// Without WAL (a file system that cannot share memory) a commit waits for readers.
Result<void> SqliteWriter::commit(Session& session)
{
    session.set_deadline(line_->common->clock.now() + slack);
    for (;;) {
        auto done = session.commit();
        if (done || done.error().kind != ErrorKind::busy || session.remaining() <= Duration{0})
            return done;
        std::this_thread::sleep_for(pause);
    }
}

} // namespace sipyard::db_unixodbc
