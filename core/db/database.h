// core/db/database.h - one database URL as fibers see it: ask and be suspended, never block a worker (DESIGN
// 7)
#pragma once

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/db/url.h"
#include "core/db/value.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sipyard::db {

enum class Dialect : unsigned char { sqlite, postgres, mysql, other };
std::string_view to_text(Dialect dialect);

// A connection inside a job, on a database thread. Statements are prepared once per connection and kept by
// their text, so use constant SQL with ? for values. Errors: unique constraint busy lost timeout syntax
// other.
class Connection {
public:
    virtual ~Connection() = default;
    virtual Result<Rows> run(std::string_view sql, const std::vector<Value>& values = {}) = 0;
    virtual Dialect dialect() const = 0;
};

// Work on a connection. It owns its data: it may run on another thread after the asker has given up, and a
// write may run twice (a batch that failed is repeated singly), so it must not have effects beside the
// database and its result.
template <class T>
using Work = std::function<Result<T>(Connection&)>;

inline constexpr Duration default_read_deadline = std::chrono::seconds{5};
inline constexpr Duration default_write_deadline = std::chrono::seconds{10};

// Thread-safe. The calling fiber is suspended until the answer or the deadline (Error{timeout}); off a fiber
// the thread waits. Errors beside those of Connection: overloaded (queue full, or the circuit breaker is
// open: at once), stopping. A write is acknowledged after its commit; with SQLite many writes share one
// transaction.
class Database {
public:
    virtual ~Database() = default;

    // One statement that reads, or one that changes (Rows::affected counts). A read may run beside writes.
    Result<Rows> read(std::string sql, std::vector<Value> values = {},
                      Duration deadline = default_read_deadline);
    Result<Rows> write(std::string sql, std::vector<Value> values = {},
                       Duration deadline = default_write_deadline);

    // All of `work` in one transaction; an Error rolls it back, any error inside dooms all of it.
    template <class T>
    Result<T> transaction(Work<T> work, Duration deadline = default_write_deadline)
    {
        return answer_of<T>(Access::write, std::move(work), deadline);
    }

    // Changes whenever anybody (this process too) may have changed the database since; nothing where the
    // database cannot tell cheaply. One check serves every asker that arrived before it began (SQLite: PRAGMA
    // data_version).
    virtual Result<std::optional<std::uint64_t>> freshness() = 0;

    virtual Dialect dialect() const = 0;
    virtual const Url& url() const = 0;
    struct Stats {
        std::uint64_t reads = 0, writes = 0; // answered, well or not
        std::uint64_t batches = 0;           // commits that carried SQLite's writes
        std::uint64_t failures = 0, timeouts = 0, refused = 0, reconnects = 0;
        std::size_t queued = 0, lost_threads = 0;
        bool breaker_open = false;
    };
    virtual Stats stats() const = 0;

protected:
    enum class Access : unsigned char { read, statement, write };
    // Contract of transaction() for Access::write. No transaction is needed around Access::read, nor around
    // Access::statement: a change that is one statement and commits by itself.
    virtual Result<void> run_job(Access access, Work<void> work, Duration deadline) = 0;

private:
    template <class T>
    Result<T> answer_of(Access access, Work<T> work, Duration deadline)
    {
        if constexpr (std::is_void_v<T>) {
            return run_job(access, std::move(work), deadline);
        } else {
            auto answer =
                std::make_shared<std::optional<T>>(); // shared by the job and the asker, who may leave first
            const auto status = run_job(
                access,
                [work = std::move(work), answer](Connection& connection) -> Result<void> {
                    auto got = work(connection);
                    if (!got)
                        return got.error();
                    answer->emplace(std::move(*got));
                    return {};
                },
                deadline);
            if (!status)
                return status.error();
            return std::move(**answer);
        }
    }
};

// The service a driver module offers: opens databases by URL. One Database per URL and process.
struct Driver {
    static constexpr std::string_view name = "db";
    virtual ~Driver() = default;
    virtual bool serves(const Url& url) const = 0;
    // Does not connect: the first use does, and reports. The reference lives as long as the driver.
    virtual Result<Database*> open(const Url& url) = 0;
};

// --- the SQL all dialects share, with Kamailio's table and column names --------------------------

// A table's columns for `CREATE TABLE` in each dialect.
struct Column {
    enum class Type : unsigned char { id, integer, bigint, varchar, text, blob, datetime, real };
    std::string name;
    Type type = Type::varchar;
    int length = 64;
    bool null = false;
    std::string fallback = {}; // DEFAULT as SQL, empty for none
};
struct Table {
    std::string name;
    int version = 0; // in table `version`; 0: no row
    std::vector<Column> columns = {};
    std::vector<std::vector<std::string>> unique = {}, indexes = {};
};
std::vector<std::string> create_statements(const Table& table, Dialect dialect);

// Creates the table (and its version row) when it is missing; says whether it did.
Result<bool> create_if_missing(Database& database, const Table& table);
// The version stored for the table; nothing when there is no row.
Result<std::optional<int>> table_version(Database& database, std::string_view version_table,
                                         std::string_view table);

// "INSERT ... ON CONFLICT(keys) DO UPDATE" or the dialect's own form; values in the order of `columns`.
std::string upsert_sql(std::string_view table, const std::vector<std::string>& columns,
                       const std::vector<std::string>& keys, Dialect dialect);
// An identifier from a modparam that goes into SQL text: letters, digits, _ and one dot only.
Result<std::string> identifier(std::string_view text);

} // namespace sipyard::db
