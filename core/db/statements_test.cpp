// core/db/statements_test.cpp - SQL text made for each dialect, names and first words
#include "core/db/database.h"
#include "core/db/sql_text.h"
#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::db;

namespace {
Table sample()
{
    using Type = Column::Type;
    return {.name = "xcap",
            .columns = {{.name = "id", .type = Type::id},
                        {.name = "doc", .type = Type::blob},
                        {.name = "etag", .type = Type::varchar, .length = 128},
                        {.name = "source", .type = Type::integer, .fallback = "0"},
                        {.name = "note", .type = Type::text, .null = true}},
            .unique = {{"etag", "source"}},
            .indexes = {{"source"}}};
}
} // namespace

TEST_CASE("a table is created in each dialect", "[db]")
{
    const auto sqlite = create_statements(sample(), Dialect::sqlite);
    REQUIRE(sqlite.size() == 2);
    CHECK(sqlite[0] == "CREATE TABLE IF NOT EXISTS xcap (id INTEGER PRIMARY KEY NOT NULL, doc BLOB NOT NULL, "
                       "etag VARCHAR(128) NOT NULL, source INTEGER DEFAULT 0 NOT NULL, note TEXT, "
                       "CONSTRAINT xcap_etag_source_key UNIQUE (etag, source))");
    CHECK(sqlite[1] == "CREATE INDEX IF NOT EXISTS xcap_source_idx ON xcap (source)");
    CHECK(create_statements(sample(), Dialect::postgres)[0].find("doc BYTEA NOT NULL") != std::string::npos);
    const auto mysql = create_statements(sample(), Dialect::mysql);
    REQUIRE(mysql.size() == 1);
    CHECK(mysql[0].find("INDEX xcap_source_idx (source)) ENGINE=InnoDB") != std::string::npos);
}

TEST_CASE("an upsert sets every column that is no key", "[db]")
{
    CHECK(
        upsert_sql("t", {"k", "a", "b"}, {"k"}, Dialect::postgres) ==
        "INSERT INTO t (k, a, b) VALUES (?, ?, ?) ON CONFLICT (k) DO UPDATE SET a=excluded.a, b=excluded.b");
    CHECK(upsert_sql("t", {"k", "a"}, {"k"}, Dialect::mysql) ==
          "INSERT INTO t (k, a) VALUES (?, ?) ON DUPLICATE KEY UPDATE a=VALUES(a)");
    CHECK(upsert_sql("t", {"k"}, {"k"}, Dialect::sqlite) ==
          "INSERT INTO t (k) VALUES (?) ON CONFLICT (k) DO NOTHING");
    CHECK(upsert_sql("t", {"k"}, {"k"}, Dialect::mysql) ==
          "INSERT INTO t (k) VALUES (?) ON DUPLICATE KEY UPDATE k=k");
}

TEST_CASE("only plain names become SQL text", "[db]")
{
    for (const char* good : {"xcap", "kamailio.xcap", "_t1", "A"})
        CHECK(identifier(good).has_value());
    for (const char* bad :
         {"", "1t", "a b", "a;drop table b", "a.b.c", ".a", "a.", "a'", "a\"", "a-b", "\xc3\xa4"})
        CHECK_FALSE(identifier(bad).has_value());
}

TEST_CASE("the first word tells how a statement travels", "[db]")
{
    CHECK(only_reads("select 1"));
    CHECK(only_reads("  /* x */ -- y\n (SELECT a FROM b)"));
    CHECK_FALSE(only_reads("selection"));
    CHECK_FALSE(only_reads("WITH x AS (SELECT 1) DELETE FROM t"));
    CHECK_FALSE(only_reads("/* select"));
    CHECK_FALSE(only_reads(""));
    CHECK(controls_transaction(" ; Commit"));
    CHECK(controls_transaction("BEGIN IMMEDIATE"));
    CHECK_FALSE(controls_transaction("update t set commit=1"));
    CHECK_FALSE(controls_transaction("beginning"));
}

TEST_CASE("a column with a name that MySQL reserves is quoted there only", "[db]")
{
    Table table;
    table.name = "location";
    table.columns = {{"partition", Column::Type::integer}};
    CHECK(create_statements(table, Dialect::mysql).front().find("(`partition` INTEGER") != std::string::npos);
    CHECK(create_statements(table, Dialect::sqlite).front().find("(partition INTEGER") != std::string::npos);
    CHECK(upsert_sql("location", {"ruid", "partition"}, {"ruid"}, Dialect::mysql) ==
          "INSERT INTO location (ruid, `partition`) VALUES (?, ?) ON DUPLICATE KEY UPDATE "
          "`partition`=VALUES(`partition`)");
}

TEST_CASE("a value answers as number and as text", "[db]")
{
    CHECK(Value{"42"}.integer() == 42);
    CHECK(Value{"-9223372036854775808"}.integer() == INT64_MIN);
    CHECK(Value{"3.00"}.integer() == 3);
    CHECK(Value{"12abc"}.integer() == 0);
    CHECK(Value{"1e300"}.integer() == 0);
    CHECK(Value{Null{}}.integer() == 0);
    CHECK(Value{2.5}.integer() == 2);
    CHECK(Value{2.5}.print() == "2.5");
    CHECK(Value{"2.5"}.real() == 2.5);
    CHECK(Value{-7}.print() == "-7");
    CHECK(Value{Blob{"ab"}}.text() == "ab");
    CHECK(Value{7}.text().empty());
    CHECK(Value{Null{}}.print().empty());
    CHECK(Value{Null{}} != Value{""});
    CHECK(Value{Blob{"a"}} != Value{"a"});
}
