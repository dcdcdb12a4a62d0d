// modules/presence/sql_store.cpp - two tables, each with its lane; reading them at start in pieces
#include "modules/presence/sql_store.h"

#include "core/base/format.h"
#include "modules/presence/store_lane.h"
#include "modules/presence/store_schema.h"

#include <utility>

namespace sipyard::presence {
namespace {

SqlStore::Settings checked(SqlStore::Settings settings)
{
    for (std::string* name : {&settings.presentity_table, &settings.active_watchers_table,
                              &settings.watchers_table, &settings.version_table})
        *name = must(db::identifier(*name));
    return settings;
}

std::unique_ptr<StoreLane> lane(std::string table, StoreMode mode, StoreStatements sql,
                                const SqlStore::Settings& s, db::Database& database, task::Runtime& runtime,
                                log::Logger log, const SqlStore::MakeCounter& counter,
                                std::function<Result<void>()> prepare)
{
    const LaneSettings settings{s.commit_timeout, s.update_period, s.retry_period, s.clean_period, s.limits};
    const LaneCounters counters{
        counter("store_rows", "Rows written to the database, or deleted"),
        counter("store_batches", "Transactions they shared"),
        counter("store_late", "Requests answered before their change was in the database"),
        counter("store_coalesced",
                "Changes replaced by a later one of the same row before they were written"),
        counter("store_lost", "Changes crowded out of the full queue, never written"),
        counter("store_refused", "Rows the database refuses, kept in memory only"),
        counter("store_outages", "Times the database was away or too slow")};
    return std::make_unique<StoreLane>(std::move(table), mode, std::move(sql), settings, database, runtime,
                                       log, counters, std::move(prepare));
}

// Rows in the order of their ids, each page where the last one ended; nobody holds more than a page.
template <class Row, class Read>
Result<void> pages(db::Database& database, const std::string& select, std::size_t most, std::int64_t now,
                   Read row_of, Function<void(std::vector<Row>&&)>& f)
{
    const std::string sql = select + std::to_string(most);
    for (std::int64_t after = -1;;) { // SQLite's ids may begin at 0
        TRY(const auto rows, database.read(sql, {after, now}));
        if (rows.empty())
            return {};
        std::vector<Row> piece;
        piece.reserve(rows.size());
        for (const auto& row : rows.rows)
            piece.push_back(row_of(row));
        after = rows.rows.back().front().integer();
        f(std::move(piece));
        if (rows.size() < most)
            return {};
    }
}

} // namespace

SqlStore::SqlStore(db::Database& database, Settings settings, task::Runtime& runtime, log::Logger log,
                   const MakeCounter& counter)
    : database_{database}, settings_{checked(std::move(settings))}, clock_{runtime.clock()},
      publications_{lane(settings_.presentity_table, settings_.publications,
                         StoreStatements::for_publications(settings_.presentity_table, database.dialect()),
                         settings_, database, runtime, log, counter, [this] { return prepare(); })},
      subscriptions_{
          lane(settings_.active_watchers_table, settings_.subscriptions,
               StoreStatements::for_subscriptions(settings_.active_watchers_table, database.dialect()),
               settings_, database, runtime, log, counter, [this] { return prepare(); })}
{
}

SqlStore::~SqlStore() = default;

std::vector<db::Table> SqlStore::tables(const Settings& settings)
{
    return {presentity_table(settings.presentity_table),
            active_watchers_table(settings.active_watchers_table), watchers_table(settings.watchers_table)};
}

Result<void> SqlStore::prepare()
{
    if (ready_.load(std::memory_order_acquire))
        return {};
    for (const db::Table& table : tables(settings_)) {
        // Only the embedded default is made by us; elsewhere a missing table is the administrator's decision.
        if (database_.dialect() == db::Dialect::sqlite)
            TRYV(db::create_if_missing(database_, table));
        if (!settings_.check_version)
            continue;
        TRY(const auto version, db::table_version(database_, settings_.version_table, table.name));
        if (!version || *version != table.version)
            return Error{ErrorKind::unsupported,
                         format("table '{}' has version {}, version {} is needed", table.name,
                                version ? std::to_string(*version) : std::string{"(none)"}, table.version)};
    }
    ready_.store(true, std::memory_order_release);
    return {};
}

bool SqlStore::change(StoreChange change)
{
    std::vector<StoreChange> one;
    one.push_back(std::move(change));
    return change_all(std::move(one), Wait::yes);
}

bool SqlStore::change_all(std::vector<StoreChange> changes, Wait wait)
{
    std::vector<StoreChange> publications, subscriptions;
    for (StoreChange& change : changes) {
        const bool of_publication =
            std::holds_alternative<PutPublication>(change) || std::holds_alternative<DropPublication>(change);
        (of_publication ? publications : subscriptions).push_back(std::move(change));
    }
    const bool first = publications_->add(std::move(publications), wait);
    return subscriptions_->add(std::move(subscriptions), wait) && first;
}

Result<void> SqlStore::publications(std::int64_t now, Function<void(std::vector<StoredPublication>&&)> f)
{
    if (settings_.publications == StoreMode::memory)
        return {};
    TRYV(publications_->clean(now));
    return pages<StoredPublication>(database_, publications_->statements().page, settings_.page, now,
                                    publication_of, f);
}

Result<void> SqlStore::subscriptions(std::int64_t now, Function<void(std::vector<StoredSubscription>&&)> f)
{
    if (settings_.subscriptions == StoreMode::memory)
        return {};
    TRYV(subscriptions_->clean(now));
    return pages<StoredSubscription>(database_, subscriptions_->statements().page, settings_.page, now,
                                     subscription_of, f);
}

bool SqlStore::flush()
{
    const Instant deadline = clock_.now() + settings_.flush_timeout;
    const bool first = publications_->flush(deadline);
    return subscriptions_->flush(deadline) && first;
}

std::size_t SqlStore::waiting() const { return publications_->waiting() + subscriptions_->waiting(); }

Result<void> SqlStore::clean(std::int64_t now)
{
    TRYV(publications_->clean(now));
    return subscriptions_->clean(now);
}

} // namespace sipyard::presence
