// modules/db_unixodbc/session.cpp - connecting, and the path of a statement through a connection
#include "modules/db_unixodbc/session.h"

#include "core/base/format.h"
#include "core/db/sql_text.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace sipyard::db_unixodbc {
namespace {

constexpr Duration rest =
    std::chrono::seconds{1}; // after which a server's connection is tested before a change

// SQLite's own words are "unable to open database file"; operators deserve the reason.
Result<void> openable(const std::string& file)
{
    std::error_code ignored;
    const auto folder = std::filesystem::path{file}.parent_path();
    if (!std::filesystem::exists(folder, ignored))
        return Error{ErrorKind::io, format("'{}': the directory {} does not exist", file, folder.string())};
    if (std::filesystem::is_directory(file, ignored))
        return Error{ErrorKind::io, format("'{}' is a directory, not a database file", file)};
    const bool there = std::filesystem::exists(file, ignored);
    if (::access(there ? file.c_str() : folder.c_str(), there ? R_OK : W_OK) != 0)
        return Error{ErrorKind::io, format("'{}': {}", file, std::generic_category().message(errno))};
    return {};
}

// Marks the statement as running for the watchdog.
class Running {
public:
    Running(Watchdog::Slot& slot, Watchdog& watchdog, Instant deadline) : slot_{slot}
    {
        slot_.begin(deadline);
        watchdog.wake();
    }
    ~Running() { slot_.end(); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

private:
    Watchdog::Slot& slot_;
};

} // namespace

void Session::set_deadline(Instant deadline)
{
    deadline_ = deadline;
    first_error_.reset();
}

void Session::drop()
{
    if (slot_)
        slot_->set_cancel({}, {});
    spare_.reset();
    direct_.reset();
    by_sql_.clear();
    kept_.clear();
    connection_.close();
}

Result<void> Session::connect_if_needed()
{
    if (connection_.is_open())
        return {};
    const auto& target = common_->target;
    if (target.dialect == db::Dialect::sqlite)
        TRYV(openable(target.file));
    TRYV(connection_.open(target.connection_string, target.dialect, target.login_timeout));
    if (!slot_)
        slot_ = common_->watchdog->make_slot();
    if (number_ != 0)
        common_->reconnects.fetch_add(1, std::memory_order_relaxed);
    number_ = common_->connections.fetch_add(1, std::memory_order_relaxed) + 1;
    last_used_ = common_->clock.now();
    if (const auto learned = learn_to_cancel(); !learned) {
        drop();
        return learned.error();
    }
    // A module that reads with a statement that changes is told so, instead of fighting with the writer.
    if (role_ == Role::reader && target.dialect == db::Dialect::sqlite)
        TRYV(run_plain("PRAGMA query_only=1"));
    return {};
}

// SQLCancel on the statement that runs is no way: the drivers of SQLite and MariaDB also close its cursor, in
// the watchdog's thread, under the hands of ours. SQLite's interrupts whatever its connection does, so a
// statement that never runs serves; servers are asked over a connection of its own.
Result<void> Session::learn_to_cancel()
{
    const auto& target = common_->target;
    if (target.dialect == db::Dialect::sqlite) {
        TRY(spare_, odbc::Statement::make(connection_));
        slot_->set_cancel([handle = spare_->handle()] { odbc::Statement::cancel(handle); }, {});
        return {};
    }
    const bool postgres = target.dialect == db::Dialect::postgres;
    if (!postgres && target.dialect != db::Dialect::mysql)
        return {};
    TRY(const auto rows, direct(postgres ? "SELECT pg_backend_pid()" : "SELECT CONNECTION_ID()"));
    if (rows.empty())
        return Error{ErrorKind::lost, "the server does not tell the number of the connection"};
    auto cancel = [common = std::weak_ptr{common_},
                   sql =
                       (postgres ? "SELECT pg_cancel_backend(" : "KILL QUERY (") + rows[0][0].print() + ")"] {
        const auto alive = common.lock();
        odbc::Connection other;
        if (!alive ||
            !other.open(alive->target.connection_string, alive->target.dialect, alive->target.login_timeout))
            return;
        if (const auto statement = odbc::Statement::make(other))
            (void)(*statement)->execute(sql);
    };
    slot_->set_cancel(std::move(cancel), std::chrono::seconds{1});
    return {};
}

Error Session::note(Error error)
{
    if (error.kind == ErrorKind::lost)
        drop();
    if (!first_error_)
        first_error_ = error;
    return error;
}

Result<db::Rows> Session::run(std::string_view sql, const std::vector<db::Value>& values)
{
    if (first_error_) // the transaction is doomed: what follows must not look as if it had worked
        return *first_error_;
    if (sql.find('\0') != std::string_view::npos)
        return note({ErrorKind::syntax, "a statement has no zero byte"});
    if (db::controls_transaction(sql))
        return note(
            {ErrorKind::unsupported,
             format("'{}': transactions are begun and ended by the database layer", sql.substr(0, 40))});
    if (const auto ready = connect_if_needed(); !ready)
        return note(ready.error());
    const Instant since = common_->slow > Duration{0} ? common_->clock.now() : Instant{};
    // Without values the text is often made on the spot, by a script: preparing it would push others out.
    auto rows = values.empty() ? direct(sql) : run_prepared(sql, values);
    if (common_->slow > Duration{0})
        report_slow(sql, since);
    return rows;
}

// The beginning is enough to know the statement by, and shows the least of what callers put into it.
void Session::report_slow(std::string_view sql, Instant since) const
{
    constexpr std::size_t shown = 80;
    const Duration took = common_->clock.now() - since;
    if (took >= common_->slow)
        common_->log.line(common_->slow_level, {},
                          format("alert - query execution too long [{} us] for [{}]",
                                 std::chrono::duration_cast<std::chrono::microseconds>(took).count(),
                                 sql.substr(0, shown)));
}

Result<db::Rows> Session::direct(std::string_view sql)
{
    if (!direct_) {
        auto made = odbc::Statement::make(connection_);
        if (!made)
            return note(made.error());
        direct_ = std::move(*made);
    }
    Result<db::Rows> rows = db::Rows{};
    {
        const Running running{*slot_, *common_->watchdog, deadline_};
        const auto done = direct_->execute(sql);
        rows = done ? direct_->fetch(scratch_) : Result<db::Rows>{done.error()};
    }
    last_used_ = common_->clock.now();
    if (!rows) {
        direct_.reset(); // a fresh handle has no leftovers of the failure
        return note(rows.error());
    }
    return rows;
}

Result<odbc::Statement*> Session::prepared(std::string_view sql)
{
    if (const auto found = by_sql_.find(sql); found != by_sql_.end()) {
        kept_.splice(kept_.begin(), kept_, found->second);
        return kept_.front().statement.get();
    }
    TRY(auto statement, odbc::Statement::make(connection_));
    TRYV(statement->prepare(sql));
    if (kept_.size() >= most_kept) {
        by_sql_.erase(kept_.back().sql);
        kept_.pop_back();
    }
    kept_.push_front({std::string{sql}, std::move(statement)});
    by_sql_.emplace(kept_.front().sql, kept_.begin());
    return kept_.front().statement.get();
}

void Session::forget(std::string_view sql)
{
    const auto found = by_sql_.find(sql);
    if (found == by_sql_.end())
        return;
    const auto kept = found->second;
    by_sql_.erase(found);
    kept_.erase(kept);
}

Result<db::Rows> Session::run_prepared(std::string_view sql, const std::vector<db::Value>& values)
{
    const auto statement = prepared(sql);
    if (!statement)
        return note(statement.error());
    Result<db::Rows> rows = db::Rows{};
    {
        const Running running{*slot_, *common_->watchdog, deadline_};
        auto done = (*statement)->bind(values);
        if (done)
            done = (*statement)->execute();
        rows = done ? (*statement)->fetch(scratch_) : Result<db::Rows>{done.error()};
    }
    last_used_ = common_->clock.now();
    if (!rows) {
        // A constraint says nothing against the statement; otherwise its plan may be stale (a changed table).
        const auto kind = rows.error().kind;
        if (kind == ErrorKind::unique || kind == ErrorKind::constraint || kind == ErrorKind::busy)
            (*statement)->close();
        else
            forget(sql);
        return note(rows.error());
    }
    return rows;
}

Result<void> Session::run_plain(std::string_view sql)
{
    TRYV(connect_if_needed());
    if (const auto rows = direct(sql); !rows) {
        first_error_.reset(); // the caller acts on it; the job's own errors are counted apart
        return rows.error();
    }
    return {};
}

Result<void> Session::begin()
{
    TRYV(connect_if_needed());
    if (dialect() == db::Dialect::other)
        return connection_.set_autocommit(false);
    return run_plain(dialect() == db::Dialect::sqlite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Result<void> Session::commit()
{
    if (!connection_.is_open())
        return Error{ErrorKind::lost, "the connection was lost before the commit"};
    if (dialect() != db::Dialect::other)
        return run_plain("COMMIT");
    TRYV(connection_.end_transaction(true));
    return connection_.set_autocommit(true);
}

void Session::roll_back()
{
    if (!connection_.is_open())
        return;
    // The job's deadline may be over; the rollback is given a second of its own.
    const auto deadline = deadline_;
    deadline_ = common_->clock.now() + std::chrono::seconds{1};
    auto done = Result<void>{};
    if (dialect() != db::Dialect::other) {
        done = run_plain("ROLLBACK");
    } else {
        done = connection_.end_transaction(false);
        if (done)
            done = connection_.set_autocommit(true);
    }
    deadline_ = deadline;
    if (!done)
        drop();
}

void Session::freshen()
{
    if (!connection_.is_open() || common_->clock.now() - last_used_ < rest)
        return;
    if (const auto alive = run_plain("SELECT 1"); !alive)
        drop();
}

} // namespace sipyard::db_unixodbc
