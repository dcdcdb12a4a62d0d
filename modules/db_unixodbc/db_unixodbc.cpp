// modules/db_unixodbc/db_unixodbc.cpp - databases over unixODBC: SQLite, PostgreSQL, MariaDB and any DSN
#include "core/json/value.h"
#include "core/module/module.h"
#include "modules/db_unixodbc/driver.h"

#include <algorithm>

namespace sipyard::db_unixodbc {

class DbUnixodbc final : public OdbcDriver {
public:
    struct Settings {
        int queue_limit = 10'000;
        int threads = 4;
        // Kamailio's parameters, of this module and of its sisters db_mysql, db_postgres and db_sqlite.
        // Accepted, so that their configurations load; the driver does these things by itself, or has no need
        // of them.
        int ping_interval = 300, auto_reconnect = 1, use_escape_common = 0, replace_query = 1,
            insert_delayed = 0, timeout_interval = 2, unsigned_type = 0, update_affected_found = 0,
            max_db_queries = 2, con_keepalive = 0, lockset = 4, opt_ssl_mode = 0;
        std::string quote_char, server_ssl_ca, journal_mode = "WAL";
    };
    static Manifest<DbUnixodbc> manifest();

    DbUnixodbc(const Settings& settings, Host& host)
        : OdbcDriver{host.runtime(),
                     host.journal(),
                     {.threads = static_cast<std::size_t>(std::max(settings.threads, 1)),
                      .queue_limit = static_cast<std::size_t>(std::max(settings.queue_limit, 1)),
                      .slow = std::chrono::microseconds{host.core().latency_limit_db},
                      .slow_level = static_cast<log::Level>(std::clamp(host.core().latency_log, -5, 3))}}
    {
    }

private:
    Result<json::Value> stats(const json::Value&);
};

Result<json::Value> DbUnixodbc::stats(const json::Value&)
{
    auto list = json::Value::array();
    for (const auto* database : databases()) {
        const auto now = database->stats();
        list.add(json::Value::object()
                     .set("url", database->url().safe_text())
                     .set("dialect", to_text(database->dialect()))
                     .set("reads", now.reads)
                     .set("writes", now.writes)
                     .set("batches", now.batches)
                     .set("failures", now.failures)
                     .set("timeouts", now.timeouts)
                     .set("refused", now.refused)
                     .set("reconnects", now.reconnects)
                     .set("queued", now.queued)
                     .set("lost_threads", now.lost_threads)
                     .set("breaker_open", now.breaker_open));
    }
    return list;
}

Manifest<DbUnixodbc> DbUnixodbc::manifest()
{
    using S = Settings;
    return {
        .name = "db_unixodbc",
        .about = "Databases over unixODBC: SQLite, PostgreSQL, MariaDB and any configured DSN",
        .offers = {offer_of<db::Driver, DbUnixodbc>()},
        .params =
            {param("queue_limit", &S::queue_limit, "Calls that may wait, per database"),
             param("threads", &S::threads, "Connections per database server; SQLite reads with half of them"),
             param("ping_interval", &S::ping_interval,
                   "Accepted: a rested connection is tested before a change"),
             param("auto_reconnect", &S::auto_reconnect,
                   "Accepted: lost connections are always opened again"),
             param("use_escape_common", &S::use_escape_common, "Accepted: values never become SQL text"),
             param("replace_query", &S::replace_query, "Accepted: replacing is an upsert in every dialect"),
             param("quote_char", &S::quote_char, "Accepted: names are never quoted"),
             param("insert_delayed", &S::insert_delayed, "db_mysql's, accepted"),
             param("timeout_interval", &S::timeout_interval,
                   "db_mysql's, accepted: every call has a deadline"),
             param("unsigned_type", &S::unsigned_type, "db_mysql's, accepted"),
             param("update_affected_found", &S::update_affected_found,
                   "db_mysql's, accepted: found rows are counted"),
             param("server_ssl_ca", &S::server_ssl_ca, "db_mysql's, accepted"),
             param("opt_ssl_mode", &S::opt_ssl_mode, "db_mysql's, accepted"),
             param("max_db_queries", &S::max_db_queries, "Accepted: how often a query is repeated is fixed"),
             param("con_keepalive", &S::con_keepalive, "db_postgres's, accepted: keepalives are always on"),
             param("lockset", &S::lockset, "db_postgres's, accepted"),
             param("journal_mode", &S::journal_mode, "db_sqlite's, accepted: the journal is always WAL")},
        .commands = {command("db.stats", &DbUnixodbc::stats,
                             "Calls, batches, failures and breaker of each database")},
    };
}

} // namespace sipyard::db_unixodbc
SIPYARD_MODULE(sipyard::db_unixodbc::DbUnixodbc)
