// modules/db_unixodbc/databases.h - the two kinds of database: a server with some connections, an SQLite file
#pragma once

#include "core/db/database.h"
#include "core/task/runtime.h"
#include "modules/db_unixodbc/driver.h"
#include "modules/db_unixodbc/freshness.h"
#include "modules/db_unixodbc/wal_index.h"
#include "modules/db_unixodbc/line.h"
#include "modules/db_unixodbc/sqlite_writer.h"

#include <atomic>
#include <memory>

namespace sipyard::db_unixodbc {

class OdbcDatabase : public db::Database {
public:
    explicit OdbcDatabase(std::shared_ptr<Common> common) : common_{std::move(common)} {}
    ~OdbcDatabase() override { common_->watchdog->stop(); }
    db::Dialect dialect() const override { return common_->target.dialect; }
    const db::Url& url() const override { return common_->target.url; }

protected:
    CallPtr make_call(Access access, db::Work<void> work, Duration deadline) const;
    Stats counted() const;
    const std::shared_ptr<Common> common_; // see Common
};

// PostgreSQL, MariaDB and what a DSN names: one line for everything.
class ServerDatabase final : public OdbcDatabase {
public:
    ServerDatabase(Target target, task::Runtime& runtime, log::Logger log, const DriverSettings& settings);
    Result<std::optional<std::uint64_t>> freshness() override { return std::optional<std::uint64_t>{}; }
    Stats stats() const override;

protected:
    Result<void> run_job(Access access, db::Work<void> work, Duration deadline) override;

private:
    std::shared_ptr<Line> line_; // see Line
};

// An SQLite file: readers beside one writer, and a line of its own for looking whether it has changed.
class SqliteDatabase final : public OdbcDatabase {
public:
    SqliteDatabase(Target target, task::Runtime& runtime, log::Logger log, const DriverSettings& settings);
    Result<std::optional<std::uint64_t>> freshness() override;
    Stats stats() const override;

protected:
    Result<void> run_job(Access access, db::Work<void> work, Duration deadline) override;

private:
    std::shared_ptr<Line> reads_, writes_, looks_; // see Line
    std::shared_ptr<SqliteWriter> writer_;         // shared with its drains
    std::shared_ptr<Freshness> freshness_;         // shared with its looks
    WalIndex wal_index_;
    std::atomic<bool> looked_{false}; // a connection of ours holds the file's index in being
};

} // namespace sipyard::db_unixodbc
