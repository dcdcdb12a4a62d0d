// modules/usrloc/storage_test.cpp - each db_mode on a real SQLite file: what a second server on the same file
// finds
#include "modules/usrloc/store_test.h"
#include "test/support/catch.h"
#include "test/support/fake_host.h"
#include "test/support/sqlite_file.h"

using namespace sipyard;
using namespace sipyard::usrloc;

namespace {

using Folder = test::SqliteFile;

// The driver has workers and a clock of its own; the store's clock is moved by the test.
struct Server {
    Server(const Folder& file, Settings settings) : driver{file}
    {
        settings.db_url = file.url();
        host.set_database("", driver.database);
        store = std::make_unique<Usrloc>(settings, host);
    }
    ~Server()
    {
        store.reset();
        driver.stop();
    }
    std::string sql(const std::string& text) { return driver.rows(text); }
    test::SqliteDriver driver;
    db::Database& database = driver.database;
    test::FakeHost host;
    std::unique_ptr<Usrloc> store;
};

Settings mode(int db_mode, bool use_domain = false, int expires_type = 0)
{
    Settings settings;
    settings.db_mode = db_mode;
    settings.use_domain = use_domain;
    settings.expires_type = expires_type;
    return settings;
}

} // namespace

TEST_CASE("what another server on the same database finds", "[usrloc][db]")
{
    const struct {
        const char* story;
        int db_mode, expires_type;
        bool use_domain, flush;
        const char* expected;
    } rows[] = {
        {"write-through: at once", 1, 0, false, false, "sip:b@192.0.2.2 sip:a@192.0.2.1:5070"},
        {"write-through with domains and BIGINT times", 1, 1, true, false,
         "sip:b@192.0.2.2 sip:a@192.0.2.1:5070"},
        {"write-back: not before a flush", 2, 0, false, false, ""},
        {"write-back: after it", 2, 0, false, true, "sip:b@192.0.2.2 sip:a@192.0.2.1:5070"},
        {"database only", 3, 0, false, false, "sip:b@192.0.2.2 sip:a@192.0.2.1:5070"},
        {"database only with domains", 3, 1, true, false, "sip:b@192.0.2.2 sip:a@192.0.2.1:5070"},
        {"loaded and never written", 4, 0, false, true, ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Folder folder;
        const Settings settings = mode(row.db_mode, row.use_domain, row.expires_type);
        const std::string aor = row.use_domain ? "alice@example.com" : "alice";
        Server first{folder, settings};
        put(*first.store, aor, "sip:a@192.0.2.1:5070", 3600, 500);
        put(*first.store, aor, "sip:gone@192.0.2.3", 3600, 100);
        REQUIRE(first.store->remove_ruid("location", [&] {
            Names all;
            must(first.store->lookup("location", aor, all));
            return all.ruids.back();
        }()));
        put(*first.store, aor, "sip:b@192.0.2.2", 0, 1000);
        CHECK(contacts(*first.store, aor) == "sip:b@192.0.2.2 sip:a@192.0.2.1:5070");
        if (row.flush)
            REQUIRE(first.store->flush());
        Server second{folder, settings};
        CHECK(contacts(*second.store, aor) == row.expected);
        if (*row.expected == 0)
            continue;
        // The fields came over.
        struct Check final : Reader {
            void read(std::span<const ContactView> c) override
            {
                CHECK(c[0].expires == 0);
                CHECK(c[1].expires == start_of_clock + 3600);
                CHECK(c[1].last_modified == start_of_clock);
                CHECK(c[1].q == 500);
                CHECK(c[1].cseq == 1);
                CHECK(c[1].call_id == "c");
                CHECK(c[1].user_agent == "a phone of a test 1.2.3");
                CHECK(c[1].methods == all_methods);
            }
        } check;
        REQUIRE(*second.store->lookup("location", aor, check));
        CHECK(ruid_of(*second.store, aor) == ruid_of(*first.store, aor));
        CHECK(second.sql("SELECT username, domain, contact, q FROM location ORDER BY contact") ==
              (row.use_domain
                   ? "alice|example.com|sip:a@192.0.2.1:5070|0.5 alice|example.com|sip:b@192.0.2.2|1"
                   : "alice||sip:a@192.0.2.1:5070|0.5 alice||sip:b@192.0.2.2|1"));
    }
}

TEST_CASE("expired rows leave the table", "[usrloc][db]")
{
    for (const int db_mode : {1, 2, 3}) {
        INFO("db_mode " << db_mode);
        Folder folder;
        Server server{folder, mode(db_mode, false, 1)};
        put(*server.store, "alice", "sip:a@h", 60);
        put(*server.store, "bob", "sip:b@h", 600);
        put(*server.store, "ever", "sip:c@h", 0);
        REQUIRE(server.store->flush());
        CHECK(server.sql("SELECT COUNT(*) FROM location") == "3");
        server.host.movable_clock().jump(std::chrono::seconds{61});
        server.store->expire();
        REQUIRE(server.store->flush());
        if (db_mode == 3)
            REQUIRE(server.store->clean());
        CHECK(server.sql("SELECT contact FROM location ORDER BY contact") == "sip:b@h sip:c@h");
    }
}

TEST_CASE("what is over at the start is not loaded, and leaves", "[usrloc][db]")
{
    Folder folder;
    {
        Server server{folder, mode(1, false, 1)};
        put(*server.store, "alice", "sip:a@h", 60);
        (void)server.sql("SELECT 1");
        must(server.database.write("UPDATE location SET expires = 1000000000"));
    }
    Server again{folder, mode(1, false, 1)};
    CHECK(contacts(*again.store, "alice").empty());
    CHECK(again.sql("SELECT COUNT(*) FROM location") == "0");
}

TEST_CASE("a database that refuses leaves memory as it was", "[usrloc][db]")
{
    for (const int db_mode : {1, 3}) {
        INFO("db_mode " << db_mode);
        Folder folder;
        Server server{folder, mode(db_mode)};
        put(*server.store, "alice", "sip:a@h", 60);
        must(server.database.write("ALTER TABLE location RENAME TO elsewhere"));
        CHECK_FALSE(try_put(*server.store, "alice", "sip:b@h", 60));
        must(server.database.write("ALTER TABLE elsewhere RENAME TO location"));
        CHECK(contacts(*server.store, "alice") == "sip:a@h");
        put(*server.store, "alice", "sip:b@h", 60);
        CHECK(contacts(*server.store, "alice") == "sip:a@h sip:b@h");
    }
}

TEST_CASE("write-back goes on after a failed flush", "[usrloc][db]")
{
    Folder folder;
    Server server{folder, mode(2)};
    put(*server.store, "alice", "sip:a@h", 60);
    put(*server.store, "bob", "sip:b@h", 60);
    REQUIRE(server.store->flush());
    put(*server.store, "alice", "sip:a2@h", 60);
    REQUIRE(server.store->remove_ruid("location", ruid_of(*server.store, "bob")));
    must(server.database.write("ALTER TABLE location RENAME TO elsewhere"));
    CHECK_FALSE(server.store->flush());
    must(server.database.write("ALTER TABLE elsewhere RENAME TO location"));
    REQUIRE(server.store->flush());
    CHECK(server.sql("SELECT contact FROM location ORDER BY contact") == "sip:a2@h sip:a@h");
}

TEST_CASE("many rows are loaded page by page", "[usrloc][db]")
{
    Folder folder;
    {
        Server server{folder, mode(2)};
        for (int i = 0; i < 700; ++i)
            put(*server.store, format("user{}", i), "sip:a@h", 3600);
        REQUIRE(server.store->flush());
    }
    Settings settings = mode(1);
    settings.fetch_rows = 100;
    Server again{folder, settings};
    Names all;
    REQUIRE(again.store->for_each("location", 0, all));
    CHECK(all.list.size() == 700);
}

TEST_CASE("how many the database knows", "[usrloc][db]")
{
    Folder folder;
    Server server{folder, mode(1)};
    put(*server.store, "alice", "sip:a@h", 60);
    put(*server.store, "alice", "sip:b@h", 600);
    put(*server.store, "ever", "sip:c@h", 0);
    server.host.movable_clock().jump(std::chrono::seconds{61}); // no timer runs here
    const auto run = [&](std::string_view name) -> std::string {
        for (const auto& command : Usrloc::manifest().commands)
            if (command.name == name)
                return must(command.run(server.store.get(), json::Value::array({"location"}))).dump();
        return {};
    };
    CHECK(run("ul.db_users") == R"({"Users":2})");
    CHECK(run("ul.db_contacts") == R"({"Contacts":2})");
    CHECK(run("ul.db_expired_contacts") == R"({"Contacts":1})");
}

TEST_CASE("table names that are none", "[usrloc][db]")
{
    Folder folder;
    Server server{folder, mode(1)};
    for (const char* bad : {"", "location; DROP TABLE location", "a b", "x'"})
        CHECK_FALSE(try_put(*server.store, "alice", "sip:a@h", 60, -1, "c", bad));
    CHECK(try_put(*server.store, "alice", "sip:a@h", 60, -1, "c", "others"));
    CHECK(server.sql("SELECT COUNT(*) FROM others") == "1");
}
