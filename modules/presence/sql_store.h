// modules/presence/sql_store.h - publications and subscriptions in Kamailio's tables, through a queue
#pragma once

#include "core/db/database.h"
#include "core/log/log.h"
#include "core/module/counter.h"
#include "core/task/runtime.h"
#include "modules/presence/store.h"
#include "modules/presence/store_queue.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::presence {

class StoreLane;

// Memory is the truth and the database its copy (spec presence 3.3, 5.2): while the database is slow or away
// changes wait in memory, bounded, one for each row, and are written when it is back. Rows it refuses (a text
// too long for its column) are counted and dropped. Thread-safe.
class SqlStore final : public Store {
public:
    struct Settings {
        StoreMode publications = StoreMode::through;  // publ_db_mode
        StoreMode subscriptions = StoreMode::through; // subs_db_mode
        std::string presentity_table = "presentity", active_watchers_table = "active_watchers",
                    watchers_table = "watchers", version_table = "version";
        bool check_version = true;
        Duration commit_timeout = std::chrono::milliseconds{500}; // db_commit_timeout
        Duration update_period = std::chrono::seconds{5};         // db_update_period
        Duration retry_period = std::chrono::seconds{1};          // between attempts while it is away
        Duration clean_period = std::chrono::hours{1};            // expired rows are deleted
        Duration flush_timeout = std::chrono::seconds{10};
        std::size_t page = 500; // rows read at once at start
        StoreQueue::Limits limits;
    };
    // Makes or finds a statistic: [&host](name, about) -> Counter& { return host.counter("presence", ...); }
    using MakeCounter = std::function<Counter&(std::string_view name, std::string_view about)>;

    // Throws StartupError for a table name that is none. Nothing is asked of the database yet.
    SqlStore(db::Database& database, Settings settings, task::Runtime& runtime, log::Logger log,
             const MakeCounter& counter);
    // Not on a fiber. What waits and was not flushed is lost. Waits for a write under way.
    ~SqlStore() override;

    // Makes missing tables in the embedded database, compares versions. Error unsupported: a table is another
    // version's, the server should not start. Other errors: the database is away; it is tried again at the
    // next use. On a fiber, or in a thread.
    Result<void> prepare();
    // For Host::add_table: presentity, active_watchers, watchers.
    static std::vector<db::Table> tables(const Settings& settings);

    bool change(StoreChange change) override;
    bool change_all(std::vector<StoreChange> changes, Wait wait) override;
    Result<void> publications(std::int64_t now, Function<void(std::vector<StoredPublication>&&)> f) override;
    Result<void> subscriptions(std::int64_t now,
                               Function<void(std::vector<StoredSubscription>&&)> f) override;
    bool flush() override;
    std::size_t waiting() const override;

    // Deletes rows that have expired at `now`; one statement for each table. By itself every clean_period.
    Result<void> clean(std::int64_t now);

private:
    db::Database& database_;
    const Settings settings_;
    const Clock& clock_;
    std::atomic<bool> ready_{false}; // the tables have been looked at
    const std::unique_ptr<StoreLane> publications_, subscriptions_;
};

} // namespace sipyard::presence
