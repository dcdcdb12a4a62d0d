// modules/sqlops/sqlops_test.cpp - SQL in a script against a real SQLite file
#include "modules/db_unixodbc/test_support.h"
#include "modules/pv/pv.h"
#include "modules/sqlops/sqlops.h"
#include "test/support/run_script.h"

#include <thread>

using namespace sipyard;
using namespace sipyard::test;
using sqlops::ResultKey;

namespace {

struct Bench {
    Bench()
    {
        const auto parsed = db::Url::parse(url);
        REQUIRE(parsed);
        const auto opened = driver.open(*parsed);
        REQUIRE(opened);
        database = *opened;
        host.set_database(url, *database);
        host.offer<db::Driver>(driver);
        need("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, note TEXT, weight DOUBLE)");
        need("INSERT INTO t VALUES (1, 'bob', NULL, 2.5), (2, 'alice', '', 3)");
    }
    void need(std::string sql)
    {
        const auto done = database->write(std::move(sql));
        INFO(why(done));
        REQUIRE(done);
    }
    // Runs the statements in request_route and returns the code.
    int run(const std::string& statements)
    {
        const bool loaded = fixture.load(
            "loadmodule \"pv.so\"\nloadmodule \"sqlops.so\"\nmodparam(\"sqlops\", \"sqlcon\", \"ca=>" + url +
            "\")\nrequest_route {\n" + statements + "\n}\n");
        INFO(fixture.errors());
        REQUIRE(loaded);
        return fixture.run().code;
    }

    FakeHost host{{.workers = 1, .threshold = log::Level::err, .system_clock = true}};
    test::TempDir folder;
    const std::string url = "sqlite://" + folder.path() + "/test.db";
    db_unixodbc::OdbcDriver driver{host.runtime(), host.journal()};
    db::Database* database = nullptr;
    ScriptFixture fixture{host, {erase(pv::Pv::manifest()), erase(sqlops::SqlOps::manifest())}};
};

} // namespace

TEST_CASE("the key of a result is read", "[sqlops]")
{
    const auto cell = ResultKey::parse(" ra => [ 2 , 3 ] ");
    REQUIRE(cell);
    CHECK(cell->name == "ra");
    CHECK(cell->part == ResultKey::Part::cell);
    CHECK(cell->row == 2);
    CHECK(cell->column == 3);
    CHECK(ResultKey::parse("ra=>colname[1]")->part == ResultKey::Part::colname);
    CHECK(ResultKey::parse("ra=>rows")->part == ResultKey::Part::rows);
    CHECK(ResultKey::parse("ra=>[-1,0]")->row == -1);
    for (const char* bad : {"", "ra", "=>rows", "ra=>", "ra=>rowz", "ra=>[1]", "ra=>[1,2", "ra=>[x,1]",
                            "ra=>colname", "ra=>colname[]", "ra=>[1,]", "ra=>[99999999999999999999,0]"})
        CHECK_FALSE(ResultKey::parse(bad).has_value());
}

TEST_CASE("sql_query's return code tells what became of the statement", "[sqlops]")
{
    const struct {
        const char* story;
        const char* call;
        int code;
    } rows[] = {
        {"rows that are kept", R"script(sql_query("ca", "select * from t", "ra"))script", 1},
        {"no row", R"script(sql_query("ca", "select * from t where id = 9", "ra"))script", 2},
        {"rows nobody wants", R"script(sql_query("ca", "select * from t"))script", 3},
        {"a change", R"script(sql_query("ca", "update t set note = 'x' where id = 1"))script", 2},
        {"an error", R"script(sql_query("ca", "selekt"))script", -1},
        {"an unknown connection", R"script(sql_query("cb", "select 1", "ra"))script", -1},
        {"a transaction of its own is refused", R"script(sql_query("ca", "begin"))script", -1},
    };
    Bench bench;
    for (const auto& row : rows) {
        INFO(row.story);
        bench.run(std::string{"$var(r) = "} + row.call + ";");
        CHECK(bench.fixture.value("$var(r)") == std::to_string(row.code));
    }
}

TEST_CASE("a result is looked at by row, column and name", "[sqlops]")
{
    Bench bench;
    bench.run(R"script(
        sql_query("ca", "select id, name, note, weight from t order by id", "ra");
        $var(i) = 1;
        $var(a) = $dbr(ra=>rows);
        $var(b) = $dbr(ra=>cols);
        $var(c) = $dbr(ra=>[0,1]) + "," + $dbr(ra=>[$var(i),1]) + "," + $dbr(ra=>[0,3]);
        $var(d) = $dbr(ra=>[$var(i),0]) + 40;
        $var(e) = $dbr(ra=>colname[$var(i)]);
        if ($dbr(ra=>[0,2]) == $null) { $var(f) = "null"; }
        if ($dbr(ra=>[1,2]) != $null && $dbr(ra=>[1,2]) == "") { $var(g) = "empty"; }
        if ($dbr(ra=>[7,0]) == $null && $dbr(ra=>[0,7]) == $null && $dbr(ra=>[-1,0]) == $null) { $var(h) = "outside"; }
        sql_result_free("ra");
        $var(j) = $dbr(ra=>rows);
        sql_query("ca", "select 1", "rb");
        sql_query("ca", "selekt", "rb");
        $var(k) = $dbr(rb=>rows);
    )script");
    const struct {
        const char* variable;
        const char* value;
    } rows[] = {
        {"$var(a)", "2"},    {"$var(b)", "4"},    {"$var(c)", "bob,alice,2.5"}, {"$var(d)", "42"},
        {"$var(e)", "name"}, {"$var(f)", "null"}, {"$var(g)", "empty"},         {"$var(h)", "outside"},
        {"$var(j)", "0"},    {"$var(k)", "0"},
    };
    for (const auto& row : rows) {
        INFO(row.variable);
        CHECK(bench.fixture.value(row.variable) == row.value);
    }
}

TEST_CASE("rows become xavps and variables", "[sqlops]")
{
    Bench bench;
    bench.run(R"script(
        $var(r) = sql_xquery("ca", "select id, name, note from t order by id", "ra");
        $var(a) = $xavp(ra=>name) + $xavp(ra[1]=>name) + $xavp(ra[1]=>id);
        if ($xavp(ra[0]=>note) == $null) { $var(b) = "null"; }
        $var(s) = sql_pvquery("ca", "select name, id, note from t order by id", "$var(n), $avp(id);$avp(note)");
        $var(c) = $var(n) + $avp(id) + $(avp(id)[1]);
        if ($avp(note) == "") { $var(d) = "only the empty one"; }
        $var(t) = sql_pvquery("ca", "select 1, 2", "$var(n)");
        $var(u) = sql_pvquery("ca", "select 1 where 1 = 0", "$var(n)");
        sql_query("ca", "update t set note = 'y'");
        $var(rows) = $sqlrows(ca);
    )script");
    const struct {
        const char* variable;
        const char* value;
    } rows[] = {
        {"$var(r)", "1"},  {"$var(a)", "bobalice2"}, {"$var(b)", "null"},
        {"$var(s)", "1"},  {"$var(c)", "bob12"},     {"$var(d)", "only the empty one"},
        {"$var(t)", "-1"}, {"$var(u)", "2"},         {"$var(rows)", "2"},
    };
    for (const auto& row : rows) {
        INFO(row.variable);
        CHECK(bench.fixture.value(row.variable) == row.value);
    }
}

TEST_CASE("a statement may run while the script goes on", "[sqlops]")
{
    Bench bench;
    bench.run(
        R"script($var(r) = sql_query_async("ca", "insert into t values (7, 'carol', null, 1)");)script");
    CHECK(bench.fixture.value("$var(r)") == "1");
    bench.host.start_workers();
    while (bench.database->read("select * from t where id = 7").value_or({}).empty())
        std::this_thread::yield();
}
