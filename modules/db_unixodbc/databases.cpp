// modules/db_unixodbc/databases.cpp - lines and pools of a database, probes for its breakers
#include "modules/db_unixodbc/databases.h"

#include <algorithm>

namespace sipyard::db_unixodbc {
namespace {

CallPtr probe(Instant now, Call::Kind kind)
{
    auto call = std::make_shared<Call>(); // shared by the watchdog's tick and the line
    call->probe = true;
    call->kind = kind;
    call->deadline = now + std::chrono::seconds{5};
    call->work = [kind](db::Connection& connection) -> Result<void> {
        if (kind == Call::Kind::transaction)
            return {}; // SQLite: getting the write lock is the test
        const auto rows = connection.run("SELECT 1");
        return rows ? Result<void>{} : Result<void>{rows.error()};
    };
    return call;
}

// For the watchdog: sends the probe when it is due. True while the breaker is open.
bool tend(const std::shared_ptr<Line>& line, Call::Kind kind, SqliteWriter* writer)
{
    const Instant now = line->common->clock.now();
    if (line->breaker.takes_probe(now)) {
        const auto call = probe(now, kind);
        if (auto sent = writer ? writer->enqueue(call) : send(line, call); !sent)
            line->account(sent);
    }
    return line->breaker.is_open();
}

task::Pool& pool(task::Runtime& runtime, std::string name, std::size_t threads,
                 const DriverSettings& settings)
{
    return runtime.make_pool({.name = std::move(name),
                              .threads = std::max<std::size_t>(threads, 1),
                              .queue_limit = settings.queue_limit});
}

} // namespace

CallPtr OdbcDatabase::make_call(Access access, db::Work<void> work, Duration deadline) const
{
    auto call = std::make_shared<Call>(); // shared by the asker and the thread
    call->work = std::move(work);
    call->kind = access == Access::read        ? Call::Kind::read
                 : access == Access::statement ? Call::Kind::statement
                                               : Call::Kind::transaction;
    call->deadline = common_->clock.now() + deadline;
    return call;
}

db::Database::Stats OdbcDatabase::counted() const
{
    Stats stats;
    stats.reads = common_->reads;
    stats.writes = common_->writes;
    stats.batches = common_->batches;
    stats.failures = common_->failures;
    stats.timeouts = common_->timeouts;
    stats.refused = common_->refused;
    stats.reconnects = common_->reconnects;
    return stats;
}

// --- servers -------------------------------------------------------------------------------------

ServerDatabase::ServerDatabase(Target target, task::Runtime& runtime, log::Logger log,
                               const DriverSettings& settings)
    : OdbcDatabase{std::make_shared<Common>(std::move(target), runtime.clock(), settings, log)},
      line_{std::make_shared<Line>(common_, pool(runtime, "db", settings.threads, settings),
                                   Session::Role::both, log)}
{
    common_->watchdog = std::make_unique<Watchdog>(common_->clock, [weak = std::weak_ptr<Line>{line_}] {
        const auto line = weak.lock();
        return line && tend(line, Call::Kind::read, nullptr);
    });
}

Result<void> ServerDatabase::run_job(Access access, db::Work<void> work, Duration deadline)
{
    return ask(line_, make_call(access, std::move(work), deadline));
}

db::Database::Stats ServerDatabase::stats() const
{
    auto stats = counted();
    const auto pooled = line_->pool.stats();
    stats.queued = pooled.queued;
    stats.lost_threads = pooled.lost;
    stats.breaker_open = line_->breaker.is_open();
    return stats;
}

// --- SQLite --------------------------------------------------------------------------------------

SqliteDatabase::SqliteDatabase(Target target, task::Runtime& runtime, log::Logger log,
                               const DriverSettings& settings)
    : OdbcDatabase{std::make_shared<Common>(std::move(target), runtime.clock(), settings, log)},
      reads_{std::make_shared<Line>(common_, pool(runtime, "db read", settings.threads / 2, settings),
                                    Session::Role::reader, log)},
      writes_{
          std::make_shared<Line>(common_, pool(runtime, "db write", 1, settings), Session::Role::both, log)},
      looks_{
          std::make_shared<Line>(common_, pool(runtime, "db look", 1, settings), Session::Role::reader, log)},
      writer_{std::make_shared<SqliteWriter>(writes_, settings.queue_limit)},
      freshness_{std::make_shared<Freshness>(looks_)}, wal_index_{common_->target.file}
{
    common_->watchdog = std::make_unique<Watchdog>(
        common_->clock, [reads = std::weak_ptr{reads_}, writes = std::weak_ptr{writes_},
                         looks = std::weak_ptr{looks_}, weak_writer = std::weak_ptr{writer_}] {
            bool again = false;
            for (const auto& weak : {reads, looks})
                if (const auto line = weak.lock())
                    again = tend(line, Call::Kind::read, nullptr) || again;
            const auto line = writes.lock();
            const auto writer = weak_writer.lock();
            if (line && writer) {
                writer->look_after(line->common->clock.now());
                again = tend(line, Call::Kind::transaction, writer.get()) || again;
            }
            return again;
        });
}

Result<void> SqliteDatabase::run_job(Access access, db::Work<void> work, Duration deadline)
{
    const auto call = make_call(access, std::move(work), deadline);
    if (access == Access::read)
        return ask(reads_, call);
    TRYV(writes_->admit());
    if (auto accepted = writer_->enqueue(call); !accepted) {
        common_->refused.fetch_add(1, std::memory_order_relaxed);
        return accepted;
    }
    return writes_->answer(*call);
}

Result<std::optional<std::uint64_t>> SqliteDatabase::freshness()
{
    // Once a connection of ours holds the file's index in being, the index tells at once. While it cannot (a
    // commit is being written, or there is no index) SQLite is asked.
    const auto glance = [this]() -> std::optional<std::uint64_t> {
        return looked_.load(std::memory_order_acquire) ? wal_index_.look() : std::nullopt;
    };
    if (const auto number = glance())
        return std::optional<std::uint64_t>{*number};
    TRY(const auto version, freshness_->ask(db::default_read_deadline));
    if (!looked_.exchange(true, std::memory_order_acq_rel))
        if (const auto number = glance())
            return std::optional<std::uint64_t>{*number};
    return std::optional<std::uint64_t>{version};
}

db::Database::Stats SqliteDatabase::stats() const
{
    auto stats = counted();
    stats.queued = writer_->queued();
    for (const auto& line : {reads_, writes_, looks_}) {
        const auto pooled = line->pool.stats();
        stats.queued += pooled.queued;
        stats.lost_threads += pooled.lost;
        stats.breaker_open = stats.breaker_open || line->breaker.is_open();
    }
    return stats;
}

} // namespace sipyard::db_unixodbc
