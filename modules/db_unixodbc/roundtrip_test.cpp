// modules/db_unixodbc/roundtrip_test.cpp - the same table of promises kept by SQLite, PostgreSQL and MariaDB
#include "modules/db_unixodbc/test_support.h"
#include "test/support/sql_server.h"

#include <chrono>
#include <optional>
#include <thread>

namespace sipyard::db_unixodbc {

using db::Blob;
using db::Column;
using db::Null;
using db::Value;

namespace {

struct Bench {
    explicit Bench(const std::string& kind)
    {
        if (kind == "postgres")
            sql.emplace(SqlServer::Kind::postgres);
        else if (kind == "mysql")
            sql.emplace(SqlServer::Kind::mysql);
        database = &server.open(sql ? sql->url() : "sqlite://" + folder.path() + "/test.db");
    }
    db::Rows read(std::string text, std::vector<Value> values = {})
    {
        auto rows = database->read(std::move(text), std::move(values));
        INFO(why(rows));
        REQUIRE(rows);
        return *rows;
    }
    std::uint64_t write(std::string text, std::vector<Value> values = {})
    {
        auto rows = database->write(std::move(text), std::move(values));
        INFO(why(rows));
        REQUIRE(rows);
        return rows->affected;
    }
    test::TempDir folder;
    std::optional<SqlServer> sql;
    Server server;
    db::Database* database = nullptr;
};

db::Table table()
{
    using Type = Column::Type;
    return {.name = "things",
            .version = 3,
            .columns = {{.name = "id", .type = Type::id},
                        {.name = "k", .type = Type::varchar, .length = 64},
                        {.name = "n", .type = Type::bigint, .null = true},
                        {.name = "i", .type = Type::integer, .fallback = "7"},
                        {.name = "t", .type = Type::text, .null = true},
                        {.name = "b", .type = Type::blob, .null = true},
                        {.name = "d", .type = Type::datetime, .null = true},
                        {.name = "r", .type = Type::real, .null = true}},
            .unique = {{"k"}},
            .indexes = {{"n", "i"}}};
}

void values_survive(Bench& bench)
{
    const std::string every = [] { // all bytes
        std::string bytes;
        for (int i = 0; i < 256; ++i)
            bytes += static_cast<char>(i);
        return bytes;
    }();
    std::string megabyte(1 << 20, 'x');
    for (std::size_t i = 0; i < megabyte.size(); i += 997)
        megabyte[i] = static_cast<char>(i);
    const std::string long_text = [] {
        std::string text;
        while (text.size() < (1 << 20))
            text += "<entry uri=\"sip:b\xc3\xb6"
                    "b@example.com\">\xf0\x9f\x93\x9e</entry>\n";
        return text;
    }();
    const struct {
        const char* story;
        const char* column;
        Value value;
    } rows[] = {
        {"the largest integer", "n", Value{INT64_MAX}},
        {"the smallest integer", "n", Value{INT64_MIN}},
        {"zero", "n", Value{0}},
        {"no integer", "n", Value{Null{}}},
        {"a text", "t", Value{"sip:bob@example.com"}},
        {"an empty text is not null", "t", Value{""}},
        {"no text", "t", Value{Null{}}},
        {"letters of the world", "t", Value{"\xc3\xa4\xe4\xb8\xad\xf0\x9f\x93\x9e"}},
        {"what SQL and ODBC could misread", "t", Value{"'; drop table things; -- {x} ? \\ \" %"}},
        {"exactly at the inline limit", "t", Value{std::string(256, 'y')}},
        {"just above the inline limit", "t", Value{std::string(257, 'z')}},
        {"a long text", "t", Value{long_text}},
        {"a short text after a long one", "t", Value{"short"}},
        {"every byte", "b", Value{Blob{every}}},
        {"an empty blob is not null", "b", Value{Blob{""}}},
        {"no blob", "b", Value{Null{}}},
        {"a short blob", "b", Value{Blob{"short"}}},
        {"a longer one after it", "b", Value{Blob{"longer than short"}}},
        {"a shorter one again", "b", Value{Blob{"less"}}},
        {"exactly one piece", "b", Value{Blob{std::string(65'536, '\0')}}},
        {"a megabyte", "b", Value{Blob{megabyte}}},
        {"a date", "d", Value{"2026-01-02 03:04:05"}},
        {"no date", "d", Value{Null{}}},
        {"a real number", "r", Value{-2.5}},
        {"no real number", "r", Value{Null{}}},
    };
    int number = 0;
    for (const auto& row : rows) {
        INFO(row.story);
        const auto key = "key " + std::to_string(++number);
        CHECK(bench.write(std::string{"INSERT INTO things (k, "} + row.column + ") VALUES (?, ?)",
                          {Value{key}, row.value}) == 1);
        const auto back =
            bench.read(std::string{"SELECT "} + row.column + ", k, i FROM things WHERE k = ?", {Value{key}});
        REQUIRE(back.size() == 1);
        CHECK(back.columns == std::vector<std::string>{row.column, "k", "i"});
        CHECK((back[0][0] == row.value)); // not expanded: a megabyte tells nobody anything
        CHECK(back[0][1] == Value{key});
        CHECK(back[0][2] == Value{7});
    }
    CHECK(bench.read("SELECT count(*) FROM things")[0][0] == Value{number});
    CHECK(bench.read("SELECT k FROM things WHERE n = ?", {Value{"9223372036854775807"}}).size() == 1);
}

void errors_have_their_kind(Bench& bench)
{
    bench.write("INSERT INTO things (k) VALUES ('twice')");
    const struct {
        const char* story;
        const char* sql;
        std::vector<Value> values;
        ErrorKind kind;
    } rows[] = {
        {"the same key again", "INSERT INTO things (k) VALUES (?)", {Value{"twice"}}, ErrorKind::unique},
        {"the same key, without parameters",
         "INSERT INTO things (k) VALUES ('twice')",
         {},
         ErrorKind::unique},
        {"null where none may be",
         "INSERT INTO things (k) VALUES (?)",
         {Value{Null{}}},
         ErrorKind::constraint},
        {"no SQL", "INSURT INTO things (k) VALUES ('x')", {}, ErrorKind::syntax},
        {"no such table", "INSERT INTO thingies (k) VALUES (?)", {Value{"x"}}, ErrorKind::syntax},
        {"no such column", "INSERT INTO things (kk) VALUES (?)", {Value{"x"}}, ErrorKind::syntax},
    };
    for (const auto& row : rows) {
        for (int again = 0; again < 2; ++again) { // a failed statement must not harm its successor
            INFO(row.story);
            const auto done = bench.database->write(row.sql, row.values);
            REQUIRE_FALSE(done);
            INFO(why(done));
            CHECK(done.error().kind == row.kind);
        }
    }
    CHECK(bench.read("SELECT count(*) FROM things WHERE k = 'twice'")[0][0] == Value{1});
}

void upserts_and_counts(Bench& bench)
{
    const auto sql = db::upsert_sql("things", {"k", "n", "t"}, {"k"}, bench.database->dialect());
    bench.write(sql, {Value{"up"}, Value{1}, Value{"one"}});
    bench.write(sql, {Value{"up"}, Value{2}, Value{"two"}});
    const auto rows = bench.read("SELECT n, t FROM things WHERE k = 'up'");
    REQUIRE(rows.size() == 1);
    CHECK(rows[0] == std::vector<Value>{Value{2}, Value{"two"}});
    CHECK(bench.write("UPDATE things SET n = 2 WHERE k = 'up'") == 1); // the same value counts as found
    CHECK(bench.write("UPDATE things SET n = ? WHERE k = ? AND n = ?", {Value{3}, Value{"up"}, Value{99}}) ==
          0);
    CHECK(bench.write("UPDATE things SET n = ? WHERE k = ? AND n = ?", {Value{3}, Value{"up"}, Value{2}}) ==
          1);
    CHECK(bench.write("DELETE FROM things WHERE k = 'nobody'") == 0);
    CHECK(bench.read("SELECT n FROM things WHERE k = 'nobody'").empty());
    // Aggregates have the types a script expects.
    const auto sum = bench.read("SELECT count(*), max(n), k FROM things WHERE k = 'up' GROUP BY k");
    CHECK(sum[0][0] == Value{1});
    CHECK(sum[0][1] == Value{3});
}

void transactions_are_whole(Bench& bench)
{
    const auto insert = [](const char* key, bool fail) {
        return [key, fail](db::Connection& connection) -> Result<std::uint64_t> {
            TRY(const auto first, connection.run("INSERT INTO things (k, n) VALUES (?, 1)", {Value{key}}));
            TRY(const auto seen, connection.run("SELECT n FROM things WHERE k = ?", {Value{key}}));
            if (fail)
                return Error{ErrorKind::other, "no"};
            TRY(const auto second, connection.run("UPDATE things SET n = n + 1 WHERE k = ?", {Value{key}}));
            return second.affected + seen.size();
        };
    };
    const auto good = bench.database->transaction<std::uint64_t>(insert("tx1", false));
    INFO(why(good));
    REQUIRE(good);
    CHECK(*good == 2);
    CHECK_FALSE(bench.database->transaction<std::uint64_t>(insert("tx2", true)));
    CHECK_FALSE(bench.database->transaction<std::uint64_t>(insert("tx1", false))); // unique inside
    CHECK_FALSE(bench.database->transaction<int>([](db::Connection& connection) -> Result<int> {
        (void)connection.run("INSERT INTO things (k) VALUES ('tx3')");
        throw 1;
    }));
    CHECK(bench.read("SELECT n FROM things WHERE k LIKE 'tx%'").rows ==
          std::vector<std::vector<Value>>{{Value{2}}});
    // Counting up from many fibers loses nothing.
    std::atomic<int> done{0};
    bench.server.fibers(50, [&](int) {
        done +=
            bench.database
                ->transaction<int>([](db::Connection& connection) -> Result<int> {
                    TRY(const auto rows,
                        connection.run(
                            "SELECT n FROM things WHERE k = ?" +
                                std::string{connection.dialect() == db::Dialect::sqlite ? "" : " FOR UPDATE"},
                            {Value{"tx1"}}));
                    TRY(const auto changed, connection.run("UPDATE things SET n = ? WHERE k = ?",
                                                           {Value{rows[0][0].integer() + 1}, Value{"tx1"}}));
                    return 1;
                })
                .has_value();
    });
    CHECK(done == 50);
    CHECK(bench.read("SELECT n FROM things WHERE k = 'tx1'")[0][0] == Value{52});
}

void tables_appear_once(Bench& bench)
{
    CHECK(db::create_if_missing(*bench.database, table()).value_or(true) == false);
    CHECK(*db::table_version(*bench.database, "version", "things") == 3);
    CHECK_FALSE(db::table_version(*bench.database, "version", "others")->has_value());
    CHECK_FALSE(db::table_version(*bench.database, "version; x", "things").has_value());
}

void late_statements_are_stopped(Bench& bench, const char* slow)
{
    const auto start = std::chrono::steady_clock::now();
    const auto late = bench.database->read(slow, {}, std::chrono::milliseconds{300});
    REQUIRE_FALSE(late);
    CHECK(late.error().kind == ErrorKind::timeout);
    bench.server.fibers(8,
                        [&](int) { (void)bench.database->read("SELECT 1"); }); // every thread is free again
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{5});
    CHECK(bench.database->stats().lost_threads == 0);
}

void all(Bench& bench, const char* slow)
{
    const auto created = db::create_if_missing(*bench.database, table());
    INFO(why(created));
    REQUIRE(created);
    CHECK(*created);
    tables_appear_once(bench);
    values_survive(bench);
    errors_have_their_kind(bench);
    upserts_and_counts(bench);
    transactions_are_whole(bench);
    late_statements_are_stopped(bench, slow);
}

// The server crashes and comes back: reads go on by themselves, a dead server opens the breaker.
void outlives_its_server(Bench& bench)
{
    bench.server.fibers(8, [&](int) { (void)bench.database->read("SELECT 1"); }); // connections everywhere
    bench.sql->stop();
    for (int i = 0; i < 8; ++i)
        CHECK_FALSE(bench.database->read("SELECT 1"));
    CHECK(bench.database->stats().breaker_open);
    const auto start = std::chrono::steady_clock::now();
    const auto refused = bench.database->write("DELETE FROM things WHERE k = 'x'");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::overloaded);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::milliseconds{500});
    bench.sql->start();
    while (bench.database->stats().breaker_open)
        std::this_thread::yield();
    CHECK(bench.read("SELECT count(*) FROM things WHERE k = 'twice'")[0][0] == Value{1});
    // A short restart between two reads is not even noticed.
    bench.server.fibers(8, [&](int) { (void)bench.database->read("SELECT 1"); });
    bench.sql->stop();
    bench.sql->start();
    CHECK(bench.database->read("SELECT k FROM things WHERE k = ?", {Value{"twice"}}).has_value());
    CHECK(bench.database
              ->transaction<int>([](db::Connection& connection) -> Result<int> {
                  TRY(const auto rows, connection.run("INSERT INTO things (k) VALUES ('after')"));
                  return 1;
              })
              .has_value());
    CHECK(bench.database->stats().reconnects > 0);
}

} // namespace

TEST_CASE("SQLite keeps the promises of core/db", "[db_unixodbc]")
{
    Bench bench{"sqlite"};
    all(bench, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c");
}

TEST_CASE("PostgreSQL keeps the promises of core/db", "[db_unixodbc]")
{
    Bench bench{"postgres"};
    all(bench, "SELECT pg_sleep(30)");
    CHECK_FALSE(bench.database->freshness()->has_value());
    outlives_its_server(bench);
}

TEST_CASE("MariaDB keeps the promises of core/db", "[db_unixodbc]")
{
    Bench bench{"mysql"};
    all(bench, "SELECT SLEEP(30)");
    outlives_its_server(bench);
}

} // namespace sipyard::db_unixodbc
