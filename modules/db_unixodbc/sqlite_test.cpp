// modules/db_unixodbc/sqlite_test.cpp - SQLite files: batches, locks, deadlines, freshness
#include "modules/db_unixodbc/odbc.h"
#include "modules/db_unixodbc/target.h"
#include "modules/db_unixodbc/test_support.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

namespace sipyard::db_unixodbc {

using db::Value;

namespace {

struct Sqlite {
    explicit Sqlite(DriverSettings settings = {})
        : server{settings}, database{server.open("sqlite://" + file)}
    {
    }
    void need(std::string sql, std::vector<Value> values = {})
    {
        const auto done = database.write(std::move(sql), std::move(values));
        INFO(why(done));
        REQUIRE(done);
    }
    std::int64_t number(std::string sql)
    {
        const auto rows = database.read(std::move(sql));
        INFO(why(rows));
        REQUIRE(rows);
        REQUIRE(rows->size() == 1);
        return (*rows)[0][0].integer();
    }
    test::TempDir folder;
    std::string file = folder.path() + "/test.db";
    Server server;
    db::Database& database;
};

// Another process's connection, as far as SQLite can tell.
struct Other {
    explicit Other(const std::string& file)
    {
        const auto target = Target::of(*db::Url::parse("sqlite://" + file));
        REQUIRE(connection.open(target->connection_string, db::Dialect::sqlite, std::chrono::seconds{3}));
    }
    void run(std::string_view sql)
    {
        const auto statement = odbc::Statement::make(connection);
        REQUIRE(statement);
        const auto done = (*statement)->execute(sql);
        INFO(sql << ": " << why(done));
        REQUIRE(done);
        std::vector<char> scratch;
        REQUIRE((*statement)->fetch(scratch));
    }
    odbc::Connection connection;
};

} // namespace

TEST_CASE("a missing file is created, a missing folder is named", "[db_unixodbc]")
{
    Sqlite sqlite;
    CHECK_FALSE(std::filesystem::exists(sqlite.file));
    sqlite.need("CREATE TABLE t (n INTEGER)");
    CHECK(std::filesystem::exists(sqlite.file));
    CHECK(sqlite.number("PRAGMA synchronous") == 1);

    auto& nowhere = sqlite.server.open("sqlite://" + sqlite.folder.path() + "/no/where.db");
    const auto failed = nowhere.write("CREATE TABLE t (n INTEGER)");
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind == ErrorKind::io);
    CHECK(failed.error().text.find("/no does not exist") != std::string::npos);
    REQUIRE_FALSE(nowhere.read("SELECT 1"));

    std::ofstream{sqlite.folder.path() + "/text.db"} << std::string(5000, 'x');
    CHECK_FALSE(sqlite.server.open("sqlite://" + sqlite.folder.path() + "/text.db").read("SELECT * FROM t"));
}

TEST_CASE("the same file is one database, however it is written", "[db_unixodbc]")
{
    Sqlite sqlite;
    CHECK(&sqlite.database ==
          &sqlite.server.open("sqlite:///" + sqlite.folder.path() + "/../" +
                              sqlite.folder.path().substr(sqlite.folder.path().rfind('/') + 1) +
                              "/./test.db"));
    CHECK(&sqlite.database != &sqlite.server.open("sqlite://" + sqlite.folder.path() + "/other.db"));
    auto& full = sqlite.server.open("sqlite://" + sqlite.folder.path() + "/full.db?sync=full");
    const auto level = full.transaction<std::int64_t>([](db::Connection& connection) -> Result<std::int64_t> {
        TRY(const auto rows, connection.run("PRAGMA synchronous"));
        return rows[0][0].integer();
    });
    REQUIRE(level);
    CHECK(*level == 2);
}

TEST_CASE("many fibers' writes share transactions", "[db_unixodbc]")
{
    Sqlite sqlite;
    sqlite.need("CREATE TABLE t (n INTEGER UNIQUE, s TEXT)");
    const auto before = sqlite.database.stats();
    std::atomic<int> good{0};
    sqlite.server.fibers(1000, [&](int i) {
        const auto done = sqlite.database.write("INSERT INTO t VALUES (?, ?)",
                                                {Value{i}, Value{"text " + std::to_string(i)}});
        good += done && done->affected == 1 ? 1 : 0;
    });
    CHECK(good == 1000);
    CHECK(sqlite.number("SELECT count(*) FROM t") == 1000);
    const auto stats = sqlite.database.stats();
    CHECK(stats.writes - before.writes == 1000);
    CHECK(stats.batches - before.batches < 500);
    CHECK(stats.queued == 0);
}

TEST_CASE("one bad write in a batch hurts nobody else", "[db_unixodbc]")
{
    Sqlite sqlite;
    sqlite.need("CREATE TABLE t (n INTEGER UNIQUE)");
    std::atomic<int> good{0}, unique{0}, undone{0};
    sqlite.server.fibers(600, [&](int i) {
        if (i % 3 == 0) { // the same number from many: one wins
            const auto done = sqlite.database.write("INSERT INTO t VALUES (-1)");
            good += done.has_value();
            unique += !done && done.error().kind == ErrorKind::unique;
        } else if (i % 3 == 1) {
            good += sqlite.database.write("INSERT INTO t VALUES (?)", {Value{i}}).has_value();
        } else { // inserts, then fails: its insert must not stay
            const auto done =
                sqlite.database.transaction<int>([i](db::Connection& connection) -> Result<int> {
                    TRY(const auto first, connection.run("INSERT INTO t VALUES (?)", {Value{100'000 + i}}));
                    return Error{ErrorKind::other, std::string{"changed my mind"}};
                });
            undone += !done && done.error().text == "changed my mind";
        }
    });
    CHECK(good == 201);
    CHECK(unique == 199);
    CHECK(undone == 200);
    CHECK(sqlite.number("SELECT count(*) FROM t") == 201);
    CHECK(sqlite.number("SELECT count(*) FROM t WHERE n >= 100000") == 0);
}

TEST_CASE("a swallowed error still dooms its transaction", "[db_unixodbc]")
{
    Sqlite sqlite;
    sqlite.need("CREATE TABLE t (n INTEGER UNIQUE)");
    const auto done = sqlite.database.transaction<int>([](db::Connection& connection) -> Result<int> {
        (void)connection.run("INSERT INTO t VALUES (1)");
        (void)connection.run("INSERT INTO t VALUES (1)");
        const auto third = connection.run("INSERT INTO t VALUES (2)");
        return third ? 1 : 0;
    });
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == ErrorKind::unique);
    CHECK(sqlite.number("SELECT count(*) FROM t") == 0);
}

TEST_CASE("another connection's lock costs latency only", "[db_unixodbc]")
{
    Sqlite sqlite;
    sqlite.need("CREATE TABLE t (n INTEGER)");
    Other other{sqlite.file};
    other.run("BEGIN IMMEDIATE");
    other.run("INSERT INTO t VALUES (-1)");
    bool read_meanwhile = false;
    std::ptrdiff_t threads = 0;
    std::thread opener{[&] {
        // 5,000 fibers wait meanwhile on a handful of threads, and readers are not disturbed.
        while (sqlite.database.stats().queued < 4'000)
            std::this_thread::yield();
        const auto rows = sqlite.database.read("SELECT count(*) FROM t");
        read_meanwhile = rows && (*rows)[0][0] == Value{0};
        threads = std::distance(std::filesystem::directory_iterator{"/proc/self/task"}, {});
        other.run("COMMIT");
    }};
    std::atomic<int> good{0};
    sqlite.server.fibers(5'000, [&](int i) {
        good += sqlite.database.write("INSERT INTO t VALUES (?)", {Value{i}}, std::chrono::seconds{60})
                    .has_value();
    });
    opener.join();
    CHECK(good == 5'000);
    CHECK(read_meanwhile);
    CHECK(threads < 20);
    CHECK(sqlite.number("SELECT count(*) FROM t") == 5'001);
    CHECK(sqlite.database.stats().failures == 0);
}

TEST_CASE("a write that waited too long is not written later", "[db_unixodbc]")
{
    Sqlite sqlite;
    sqlite.need("CREATE TABLE t (n INTEGER)");
    Other other{sqlite.file};
    other.run("BEGIN IMMEDIATE");
    const auto start = std::chrono::steady_clock::now();
    const auto late = sqlite.database.write("INSERT INTO t VALUES (1)", {}, std::chrono::milliseconds{150});
    REQUIRE_FALSE(late);
    CHECK(late.error().kind == ErrorKind::timeout);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{3});
    other.run("COMMIT");
    sqlite.need("INSERT INTO t VALUES (2)");
    CHECK(sqlite.number("SELECT sum(n) FROM t") == 2);
    CHECK(sqlite.database.stats().timeouts == 1);
}

TEST_CASE("after five timeouts nobody waits, until a probe gets through", "[db_unixodbc]")
{
    Sqlite sqlite;
    sqlite.need("CREATE TABLE t (n INTEGER)");
    Other other{sqlite.file};
    other.run("BEGIN IMMEDIATE");
    std::atomic<int> good{0};
    sqlite.server.fibers(8, [&](int) {
        good +=
            sqlite.database.write("INSERT INTO t VALUES (1)", {}, std::chrono::milliseconds{100}).has_value();
    });
    CHECK(good == 0);
    CHECK(sqlite.database.stats().breaker_open);
    const auto refused = sqlite.database.write("INSERT INTO t VALUES (1)");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::overloaded);
    CHECK(sqlite.database.read("SELECT 1").has_value()); // reads have a breaker of their own
    CHECK(sqlite.database.stats().refused >= 1);
    other.run("COMMIT");
    while (sqlite.database.stats().breaker_open)
        std::this_thread::yield();
    sqlite.need("INSERT INTO t VALUES (2)");
    CHECK(sqlite.number("SELECT sum(n) FROM t") == 2);
    CHECK(sqlite.server.lines.find("answers again") != std::string::npos);
}

TEST_CASE("a full queue refuses at once", "[db_unixodbc]")
{
    Sqlite sqlite{{.threads = 2, .queue_limit = 10}};
    sqlite.need("CREATE TABLE t (n INTEGER)");
    Other other{sqlite.file};
    other.run("BEGIN IMMEDIATE");
    std::atomic<int> good{0}, refused{0};
    std::thread opener{[&] {
        while (refused < 20)
            std::this_thread::yield();
        other.run("COMMIT");
    }};
    sqlite.server.fibers(60, [&](int i) {
        const auto done =
            sqlite.database.write("INSERT INTO t VALUES (?)", {Value{i}}, std::chrono::seconds{60});
        good += done.has_value();
        refused += !done && done.error().kind == ErrorKind::overloaded;
    });
    opener.join();
    CHECK(good + refused == 60);
    CHECK(sqlite.number("SELECT count(*) FROM t") == good);
}

TEST_CASE("a statement that runs for ever is stopped, and its batch goes on", "[db_unixodbc]")
{
    constexpr const char* endless =
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
    Sqlite sqlite;
    sqlite.need("CREATE TABLE t (n INTEGER)");
    const auto start = std::chrono::steady_clock::now();
    const auto read = sqlite.database.read(endless, {}, std::chrono::milliseconds{200});
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::timeout);
    std::atomic<int> good{0}, timed_out{0};
    sqlite.server.fibers(50, [&](int i) {
        if (i == 25) {
            const auto done = sqlite.database.write(std::string{"INSERT INTO t "} + endless, {},
                                                    std::chrono::milliseconds{300});
            timed_out += !done && done.error().kind == ErrorKind::timeout;
        } else {
            good += sqlite.database.write("INSERT INTO t VALUES (?)", {Value{i}}).has_value();
        }
    });
    CHECK(timed_out == 1);
    CHECK(good == 49);
    CHECK(sqlite.number("SELECT count(*) FROM t") == 49);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{20});
    CHECK(sqlite.database.stats().lost_threads == 0);
}

TEST_CASE("freshness changes with every commit, and only then", "[db_unixodbc]")
{
    Sqlite sqlite;
    sqlite.need("CREATE TABLE t (n INTEGER)");
    const auto version = [&] {
        const auto fresh = sqlite.database.freshness();
        INFO(why(fresh));
        REQUIRE(fresh);
        REQUIRE(fresh->has_value());
        return **fresh;
    };
    const auto first = version();
    CHECK(version() == first);
    sqlite.number("SELECT count(*) FROM t");
    CHECK(version() == first);
    sqlite.need("INSERT INTO t VALUES (1)");
    const auto second = version();
    CHECK(second != first);
    Other other{sqlite.file};
    other.run("INSERT INTO t VALUES (2)");
    CHECK(version() != second);
    const auto third = version();
    std::mutex guard;
    std::set<std::uint64_t> seen;
    sqlite.server.fibers(500, [&](int) {
        const auto fresh = sqlite.database.freshness();
        const std::lock_guard lock{guard};
        seen.insert(fresh && *fresh ? **fresh : 0);
    });
    CHECK(seen == std::set<std::uint64_t>{third});
}

TEST_CASE("a statement that takes longer than latency_limit_db is named in the log", "[db_unixodbc]")
{
    const struct {
        const char* story;
        Duration limit;
        const char* sql;
        bool reported;
    } rows[] = {
        {"no limit", Duration{0}, "SELECT 1 AS without_limit", false},
        {"below it", std::chrono::hours{1}, "SELECT 1 AS quick", false},
        {"above it", std::chrono::nanoseconds{1}, "SELECT 1 AS slow", true},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Sqlite sqlite{{.slow = row.limit, .slow_level = log::Level::warn}};
        CHECK(sqlite.number(row.sql) == 1);
        INFO(sqlite.server.lines);
        CHECK((sqlite.server.lines.find("query execution too long [") != std::string::npos) == row.reported);
        CHECK((sqlite.server.lines.find(format("us] for [{}]", row.sql)) != std::string::npos) ==
              row.reported);
        CHECK((sqlite.server.lines.find("WARNING") != std::string::npos) == row.reported);
    }
}

TEST_CASE("readers cannot write, and transactions belong to the layer", "[db_unixodbc]")
{
    Sqlite sqlite;
    sqlite.need("CREATE TABLE t (n INTEGER)");
    sqlite.need("CREATE TABLE u (n INTEGER UNIQUE)");
    sqlite.need("INSERT INTO u VALUES (1)");
    CHECK_FALSE(sqlite.database.read("INSERT INTO t VALUES (1)"));
    for (const char* sql : {"COMMIT", " begin", "/* x */ ROLLBACK", "savepoint a"}) {
        const auto refused = sqlite.database.write(sql);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind == ErrorKind::unsupported);
    }
    CHECK(sqlite.number("SELECT count(*) FROM t") == 0);
    // A second statement in the same text is not run, so it cannot end the batch either.
    std::atomic<int> good{0};
    sqlite.server.fibers(200, [&](int i) {
        if (i % 50 == 20)
            (void)sqlite.database.write("INSERT INTO t VALUES (-1); COMMIT; INSERT INTO t VALUES (-2)");
        else if (i % 50 == 30)
            (void)sqlite.database.write("INSERT OR ROLLBACK INTO u VALUES (1)");
        else
            good += sqlite.database.write("INSERT INTO t VALUES (?)", {Value{i}}).has_value();
    });
    CHECK(good == 192);
    CHECK(sqlite.number("SELECT count(*) FROM t WHERE n >= 0") == 192);
    CHECK(sqlite.number("SELECT count(*) FROM t WHERE n = -2") == 0);
}

TEST_CASE("a database in which Kamailio wrote is read as it is", "[db_unixodbc]")
{
    Sqlite sqlite;
    Other kamailio{sqlite.file}; // kamdbctl's table, a document stored as text in a BLOB column
    kamailio.run(
        "CREATE TABLE xcap (id INTEGER PRIMARY KEY NOT NULL, username VARCHAR(64) NOT NULL, doc BLOB NOT "
        "NULL, "
        "doc_type INTEGER NOT NULL, etag VARCHAR(128) NOT NULL, source_date TIMESTAMP WITHOUT TIME ZONE)");
    kamailio.run("INSERT INTO xcap VALUES (1, 'bob', '<x>\xc3\xa4</x>', 2, 'e1', '2024-01-02 03:04:05')");
    const auto rows = sqlite.database.read(
        "SELECT id, username, doc, source_date FROM xcap WHERE username = ?", {Value{"bob"}});
    INFO(why(rows));
    REQUIRE(rows);
    REQUIRE(rows->size() == 1);
    CHECK((*rows)[0][0] == Value{1});
    CHECK((*rows)[0][1] == Value{"bob"});
    CHECK((*rows)[0][2].text() == "<x>\xc3\xa4</x>");
    CHECK((*rows)[0][3].text() == "2024-01-02 03:04:05");
}

TEST_CASE("off a fiber the same calls wait in the thread", "[db_unixodbc]")
{
    Sqlite sqlite;
    sqlite.need("CREATE TABLE t (n INTEGER)");
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i)
                good += sqlite.database.write("INSERT INTO t VALUES (?)", {Value{t * 50 + i}}).has_value();
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(good == 200);
    CHECK(sqlite.number("SELECT count(DISTINCT n) FROM t") == 200);
}

} // namespace sipyard::db_unixodbc
