// modules/acc/rows_test.cpp - rows in a real SQLite file, and a database that is away, refuses or comes back
#include "modules/acc/acc.h"
#include "modules/db_unixodbc/test_support.h"
#include "modules/pv/pv.h"
#include "test/support/fake_tm.h"
#include "test/support/run_script.h"

#include <atomic>
#include <optional>

using namespace sipyard;
using namespace sipyard::test;

namespace {

struct Bench {
    explicit Bench(std::string_view params = "")
    {
        const auto opened = driver.open(*db::Url::parse(url));
        REQUIRE(opened);
        database = *opened;
        host.set_database(url, *database);
        host.offer<db::Driver>(driver);
        host.offer<tm::Api>(tm);
        const bool loaded =
            fixture.load(format("loadmodule \"pv.so\"\nloadmodule \"acc.so\"\nmodparam(\"acc\", \"db_url\", "
                                "\"{}\")\nmodparam(\"acc\", \"db_flag\", 3)\n"
                                "modparam(\"acc\", \"db_missed_flag\", 4)\n{}\nrequest_route {{ $avp(n) = 7; "
                                "$avp(src) = \"a1\"; $avp(src) = \"a2\"; $avp(dst) = \"b2\";\n"
                                "acc_db_request(\"404 Not here\", \"acc\"); return $rc; }}\n",
                                url, params));
        INFO(fixture.errors());
        REQUIRE(loaded);
    }
    std::vector<std::vector<std::string>> rows(std::string sql)
    {
        const auto got = database->read(std::move(sql));
        INFO(why(got));
        REQUIRE(got);
        std::vector<std::vector<std::string>> out;
        for (const auto& row : got->rows) {
            out.emplace_back();
            for (const auto& cell : row)
                out.back().push_back(cell.is_null() ? "<null>" : cell.print());
        }
        return out;
    }
    FakeHost host{{.workers = 1, .threshold = log::Level::err, .system_clock = true}};
    test::TempDir folder;
    const std::string url = "sqlite://" + folder.path() + "/test.db";
    db_unixodbc::OdbcDriver driver{host.runtime(), host.journal()};
    db::Database* database = nullptr;
    FakeTm tm;
    ScriptFixture fixture{host, {erase(pv::Pv::manifest()), erase(acc::Acc::manifest())}};
};

// A database that keeps what it is given, or says what the test wants.
class ToyDatabase final : public db::Database {
public:
    Result<std::optional<std::uint64_t>> freshness() override { return std::optional<std::uint64_t>{}; }
    db::Dialect dialect() const override { return db::Dialect::other; }
    const db::Url& url() const override { return url_; }
    Stats stats() const override { return {}; }

    std::atomic<std::optional<ErrorKind>>
        trouble{};             // every job fails with it; the writer's fiber may be at work meanwhile
    std::string refused_value; // a row that holds it is refused
    std::vector<std::string> stored;
    int jobs = 0;

protected:
    Result<void> run_job(Access, db::Work<void> work, Duration) override
    {
        ++jobs;
        if (const std::optional<ErrorKind> kind = trouble)
            return Error{*kind, "trouble"};
        Link link{*this};
        auto done = work(link);
        if (done)
            stored.insert(stored.end(), link.rows.begin(), link.rows.end());
        return done;
    }

private:
    struct Link final : db::Connection {
        explicit Link(ToyDatabase& d) : database{d} {}
        Result<db::Rows> run(std::string_view, const std::vector<db::Value>& values) override
        {
            if (!database.refused_value.empty() && values[0].print() == database.refused_value)
                return Error{ErrorKind::constraint, "not this one"};
            rows.push_back(values[0].print());
            return db::Rows{};
        }
        db::Dialect dialect() const override { return db::Dialect::other; }
        ToyDatabase& database;
        std::vector<std::string> rows;
    };
    const db::Url url_ = *db::Url::parse("mysql://u:secret@h/d");
};

const acc::RowShape shape{{"x"}, {.name = "t", .columns = {{"x"}}}};
acc::Row row(std::string value) { return {&shape, "t", {db::Value{std::move(value)}}}; }

} // namespace

TEST_CASE("a row has Kamailio's columns, and the table is made when it is missing", "[acc]")
{
    Bench bench{"modparam(\"acc\", \"db_extra\", \"ua=$hdr(User-Agent);n=$avp(n);none=$avp(none)\")\n"
                "modparam(\"acc\", \"time_mode\", 1)\nmodparam(\"acc\", \"time_attr\", "
                "\"ts\")\nmodparam(\"acc\", \"time_exten\", \"us\")"};
    CHECK(bench.fixture.run().code == 1);
    const auto rows =
        bench.rows("SELECT method, from_tag, to_tag, callid, sip_code, sip_reason, n, none FROM acc");
    REQUIRE(rows.size() == 1);
    CHECK(rows[0][0] == "INVITE");
    CHECK(rows[0][4] == "404");
    CHECK(rows[0][5] == "Not here");
    CHECK(rows[0][6] == "7");
    CHECK(rows[0][7] == "");
    CHECK(bench.rows("SELECT count(*) FROM acc WHERE time LIKE '20__-__-__ __:__:__' AND ts > 1700000000 AND "
                     "us < 1000000")[0][0] == "1");
}

TEST_CASE("a value that is not there may be NULL, and each leg is a row", "[acc]")
{
    Bench bench{
        "modparam(\"acc\", \"db_extra\", \"none=$avp(none)\")\nmodparam(\"acc\", \"acc_extra_nullable\", 1)\n"
        "modparam(\"acc\", \"multi_leg_info\", \"src=$avp(src);dst=$avp(dst)\")"};
    CHECK(bench.fixture.run().code == 1);
    const auto rows = bench.rows("SELECT none, src, dst FROM acc ORDER BY id");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0] == std::vector<std::string>{"<null>", "a2", "b2"}); // the newest leg first
    CHECK(rows[1] == std::vector<std::string>{"<null>", "a1", "<null>"});
}

TEST_CASE("flags choose the table", "[acc]")
{
    Bench bench{"modparam(\"acc\", \"db_table_missed_calls\", \"missed_$rm\")"};
    Messenger request{bench.host, sample_request()};
    request->flags = 1 << 3 | 1 << 4;
    bench.tm.begin_watching(*request);
    bench.tm.happen(tm::Moment::failure, *request, {486, "Busy", nullptr, "tt"});
    bench.tm.happen(tm::Moment::reply_out, *request, {200, "OK", nullptr, "tt"});
    CHECK(bench.rows("SELECT sip_code, to_tag FROM missed_INVITE") ==
          std::vector<std::vector<std::string>>{{"486", "tt"}});
    CHECK(bench.rows("SELECT sip_code FROM acc") == std::vector<std::vector<std::string>>{{"200"}});
}

TEST_CASE("a database that is away delays nobody and loses nothing", "[acc]")
{
    FakeHost host;
    ToyDatabase database;
    database.trouble = std::optional{ErrorKind::lost};
    acc::RowWriter writer{host, database, 5};
    int accepted = 0;
    host.on_fiber([&] {
        for (int i = 0; i < 8; ++i)
            accepted += writer.put(row(std::to_string(i))) ? 1 : 0;
    });
    CHECK(accepted >= 5); // the writer may hold some in hand
    CHECK(accepted <= 8);
    host.advance(1s);
    CHECK(database.stored.empty());
    const int tried = database.jobs;
    CHECK(tried >= 2);
    database.trouble = std::optional<ErrorKind>{};
    host.advance(20s);
    CHECK(database.stored.size() == static_cast<std::size_t>(accepted));
    CHECK(database.stored.front() == "0");
    CHECK(writer.dropped() == 8 - accepted);
    CHECK(writer.written() == accepted);
    host.runtime().stop(1s);
}

TEST_CASE("a bad row takes no other along", "[acc]")
{
    FakeHost host;
    ToyDatabase database;
    database.refused_value = "2";
    database.trouble = std::optional{ErrorKind::lost};
    acc::RowWriter writer{host, database, 100};
    host.on_fiber([&] {
        for (int i = 0; i < 5; ++i)
            (void)writer.put(row(std::to_string(i)));
    });
    database.trouble = std::optional<ErrorKind>{};
    host.advance(20s);
    CHECK(database.stored == std::vector<std::string>{"0", "1", "3", "4"});
    CHECK(writer.dropped() == 1);
    CHECK(host.log_lines().has("row lost (not this one): t: x=2"));
    host.runtime().stop(1s);
}

TEST_CASE("at the end what cannot be stored is in the log", "[acc]")
{
    FakeHost host;
    ToyDatabase database;
    database.trouble = std::optional{ErrorKind::timeout};
    {
        acc::RowWriter writer{host, database, 100};
        host.on_fiber([&] { (void)writer.put(row("kept")); });
        host.on_fiber([&] { writer.flush(); });
        CHECK(writer.queued() == 1);
        host.runtime().stop(1s);
    }
    CHECK(host.log_lines().has("x=kept"));
    CHECK_FALSE(host.log_lines().has("secret"));
}

TEST_CASE("at the end what can be stored is stored", "[acc]")
{
    FakeHost host;
    ToyDatabase database;
    database.trouble = std::optional{ErrorKind::lost};
    acc::RowWriter writer{host, database, 100};
    host.on_fiber([&] { (void)writer.put(row("late")); });
    database.trouble = std::optional<ErrorKind>{};
    host.on_fiber([&] { writer.flush(); });
    CHECK(database.stored == std::vector<std::string>{"late"});
    CHECK(writer.dropped() == 0);
    host.runtime().stop(1s);
}
