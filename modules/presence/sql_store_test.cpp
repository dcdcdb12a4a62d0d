// modules/presence/sql_store_test.cpp - rows in real databases: restarts, locks, outages, order
#include "modules/presence/sql_store.h"

#include "modules/db_unixodbc/odbc.h"
#include "modules/db_unixodbc/target.h"
#include "modules/db_unixodbc/test_support.h"
#include "modules/presence/store_schema.h"
#include "test/support/sql_server.h"
#include "test/support/temp_dir.h"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <thread>

using namespace sipyard;
using namespace sipyard::presence;
using db::Value;
using test::TempDir;

namespace {

constexpr std::int64_t now = 1'800'000'000;
constexpr std::int64_t never = -1;

// A loaded machine is no slow database.
SqlStore::Settings patient()
{
    SqlStore::Settings settings;
    settings.commit_timeout = std::chrono::seconds{60};
    return settings;
}

// A server process as far as the database can tell: a driver and workers of its own.
struct Process {
    Process(const std::string& url, SqlStore::Settings settings = patient())
        : database{server.open(url)}, store{std::in_place,
                                            database,
                                            std::move(settings),
                                            server.runtime,
                                            log::Logger{server.journal, "presence"},
                                            [this](auto name, auto about) -> Counter& {
                                                return counters
                                                    .try_emplace(std::string{name}, "presence",
                                                                 std::string{name}, std::string{about})
                                                    .first->second;
                                            }}
    {
    }
    ~Process() { store.reset(); }
    void on_fiber(const std::function<void()>& f) { server.runtime.run_on_fiber(f); }
    bool change(StoreChange change)
    {
        bool written = false;
        on_fiber([&] { written = store->change(std::move(change)); });
        return written;
    }
    bool flush()
    {
        bool all = false;
        on_fiber([&] { all = store->flush(); });
        return all;
    }
    std::int64_t counted(const std::string& name) { return counters.at("store_" + name).value(); }

    db_unixodbc::Server server;
    db::Database& database;
    std::map<std::string, Counter> counters;
    std::optional<SqlStore> store;
};

// A database of each kind, empty.
struct Place {
    explicit Place(const std::string& kind)
    {
        if (kind == "postgres")
            sql.emplace(SqlServer::Kind::postgres);
        else if (kind == "mysql")
            sql.emplace(SqlServer::Kind::mysql);
        url = sql ? sql->url() : "sqlite://" + folder.file("presence.db");
        db_unixodbc::Server server;
        for (const auto& table : SqlStore::tables({})) {
            const auto made = db::create_if_missing(server.open(url), table);
            INFO(why(made));
            REQUIRE(made);
        }
    }
    TempDir folder;
    std::optional<SqlServer> sql;
    std::string url;
};

// Another process's connection to an SQLite file that holds the lock.
struct Lock {
    explicit Lock(const Place& place)
    {
        const auto target = db_unixodbc::Target::of(*db::Url::parse(place.url));
        REQUIRE(connection.open(target->connection_string, db::Dialect::sqlite, std::chrono::seconds{3}));
        run("BEGIN IMMEDIATE");
    }
    void release() { run("ROLLBACK"); }
    void run(std::string_view sql)
    {
        const auto statement = db_unixodbc::odbc::Statement::make(connection);
        REQUIRE(statement);
        REQUIRE((*statement)->execute(sql));
    }
    db_unixodbc::odbc::Connection connection;
};

StoredPublication publication(std::string etag, std::string body = "<dialog-info/>", std::string user = "bob")
{
    StoredPublication p;
    p.user = std::move(user);
    p.domain = "example.com";
    p.event = "dialog";
    p.etag = std::move(etag);
    p.body = std::move(body);
    p.expires = now + 3600;
    p.received = now;
    return p;
}
StoredSubscription subscription(std::string call_id, std::uint32_t version = 0)
{
    StoredSubscription s;
    s.presentity = "sip:bob@example.com";
    s.watcher_user = "desk";
    s.watcher_domain = "example.com";
    s.to_user = "bob";
    s.to_domain = "example.com";
    s.from_user = "desk";
    s.from_domain = "example.com";
    s.event = "dialog";
    s.to_tag = "ours";
    s.from_tag = "theirs";
    s.call_id = std::move(call_id);
    s.contact = "sip:desk@192.0.2.1:5060";
    s.local_contact = "sip:192.0.2.9";
    s.socket = "udp:192.0.2.9:5060";
    s.local_cseq = 128;
    s.version = version;
    s.expires = now + 3600;
    return s;
}
DropPublication gone(const StoredPublication& p) { return {p.user, p.domain, p.event, p.etag}; }

std::vector<StoredPublication> publications(Process& process, std::int64_t at = now)
{
    std::vector<StoredPublication> all;
    process.on_fiber([&] {
        const auto read = process.store->publications(at, [&](std::vector<StoredPublication>&& piece) {
            for (auto& one : piece)
                all.push_back(std::move(one));
        });
        INFO(why(read));
        CHECK(read);
    });
    return all;
}
std::vector<StoredSubscription> subscriptions(Process& process, std::int64_t at = now)
{
    std::vector<StoredSubscription> all;
    process.on_fiber([&] {
        const auto read = process.store->subscriptions(at, [&](std::vector<StoredSubscription>&& piece) {
            for (auto& one : piece)
                all.push_back(std::move(one));
        });
        INFO(why(read));
        CHECK(read);
    });
    return all;
}
// "e2 e5": what another server would find.
std::string tags(const std::string& url)
{
    Process fresh{url};
    std::vector<std::string> found;
    for (const auto& one : publications(fresh))
        found.push_back(one.etag);
    std::sort(found.begin(), found.end());
    std::string all;
    for (const auto& tag : found)
        all += (all.empty() ? "" : " ") + tag;
    return all;
}

void rows_survive_a_restart(const Place& place)
{
    StoredPublication p = publication("e1");
    p.body.assign("\0\x01\xff<a>\r\n'\"", 11);
    p.sender = "sip:pbx@example.com";
    p.ruid = "node-1-1";
    p.priority = 7;
    StoredPublication hard = publication("hard", std::string(60'000, 'x'),
                                         "b\xc3\xb6"
                                         "b");
    hard.expires = never;
    hard.event = "of another server's package";
    StoredPublication over = publication("over");
    over.expires = now;
    StoredSubscription s = subscription("c1@192.0.2.1", 4'000'000'000);
    s.event_id = "id=7;shared";
    s.record_route = "<sip:192.0.2.7;lr>,<sip:192.0.2.8;lr>";
    s.reason = "probation";
    s.user_agent = "A phone 1.2 \xc3\xa4";
    s.remote_cseq = 2'147'483'647;
    s.local_cseq = 3'000'000'000;
    s.status = 2;
    s.flags = 0x80000001;
    StoredSubscription ended = subscription("c2");
    ended.expires = now - 1;
    {
        Process first{place.url};
        CHECK(first.change(PutPublication{p, {}}));
        CHECK(first.change(PutPublication{hard, {}}));
        CHECK(first.change(PutPublication{over, {}}));
        CHECK(first.change(PutSubscription{s}));
        CHECK(first.change(PutSubscription{ended}));
        CHECK(first.store->waiting() == 0);
        for (const char* tag : {"e2", "e3"}) { // refreshed twice
            const std::string old = std::exchange(p.etag, tag);
            ++p.expires;
            CHECK(first.change(PutPublication{p, old}));
        }
        s.version += 128;
        CHECK(first.change(PutSubscription{s}));
        CHECK(first.counted("rows") == 8);
        CHECK(first.counted("late") == 0);
    }
    SqlStore::Settings small = patient();
    small.page = 1;
    Process second{place.url, small};
    const auto found = publications(second);
    REQUIRE(found.size() == 2);
    CHECK(found[0].user == "bob");
    CHECK(found[0].domain == "example.com");
    CHECK(found[0].event == "dialog");
    CHECK(found[0].etag == "e3");
    CHECK(found[0].body == p.body);
    CHECK(found[0].sender == p.sender);
    CHECK(found[0].ruid == "node-1-1");
    CHECK(found[0].expires == p.expires);
    CHECK(found[0].received == now);
    CHECK(found[0].priority == 7);
    CHECK(found[1].etag == "hard");
    CHECK(found[1].user == hard.user);
    CHECK(found[1].body == hard.body);
    CHECK(found[1].expires == never);
    CHECK(found[1].event == hard.event);
    CHECK(found[1].ruid.empty());
    const auto watched = subscriptions(second);
    REQUIRE(watched.size() == 1);
    const auto& w = watched[0];
    CHECK(w.presentity == s.presentity);
    CHECK(w.watcher_user + "@" + w.watcher_domain == "desk@example.com");
    CHECK(w.to_user + "@" + w.to_domain == "bob@example.com");
    CHECK(w.from_user + "@" + w.from_domain == "desk@example.com");
    CHECK(w.event + ";" + w.event_id == "dialog;id=7;shared");
    CHECK(w.to_tag + w.from_tag + w.call_id == "ourstheirsc1@192.0.2.1");
    CHECK(w.contact == s.contact);
    CHECK(w.local_contact == s.local_contact);
    CHECK(w.record_route == s.record_route);
    CHECK(w.socket == s.socket);
    CHECK(w.user_agent == s.user_agent);
    CHECK(w.reason == s.reason);
    CHECK(w.local_cseq == s.local_cseq);
    CHECK(w.remote_cseq == s.remote_cseq);
    CHECK(w.version == s.version);
    CHECK(w.expires == s.expires);
    CHECK(w.status == 2);
    CHECK(w.flags == s.flags);
    // What had expired is gone from the tables, too.
    CHECK((*second.database.read("SELECT count(*) FROM presentity"))[0][0].integer() == 2);
    CHECK((*second.database.read("SELECT count(*) FROM active_watchers"))[0][0].integer() == 1);
    // The tag and the key still work.
    CHECK(second.change(gone(p)));
    CHECK(second.change(DropSubscription{s.call_id, s.to_tag, s.from_tag}));
    CHECK(publications(second).size() == 1);
    CHECK(subscriptions(second).empty());
    CHECK(publications(second, now + 1'000'000).size() == 1); // hard state does not expire
    CHECK(second.change(gone(hard)));
    CHECK((*second.database.read("SELECT count(*) FROM watchers"))[0][0].integer() == 0);
}

// A publication whose row is there under a tag that nobody remembers.
void a_row_in_the_way_is_replaced(const Place& place)
{
    Process process{place.url};
    auto p = publication("r1");
    p.ruid = "same";
    CHECK(process.change(PutPublication{p, {}}));
    p.etag = "r9";
    CHECK(process.change(PutPublication{p, "r8"}));
    p.etag = "r10";
    CHECK(process.change(PutPublication{p, {}}));
    CHECK(process.counted("refused") == 0);
    const auto found = publications(process);
    REQUIRE(std::count_if(found.begin(), found.end(), [](const auto& one) { return one.ruid == "same"; }) ==
            1);
    CHECK(found.back().etag == "r10");
    CHECK(process.change(gone(p)));
}

// Texts the columns have no room for: only their rows suffer, and those that are only for people are cut.
void unfit_rows_hurt_nobody(const Place& place)
{
    Process process{place.url};
    auto s = subscription("fits");
    s.user_agent = std::string(300, 'u') + "\xff";
    s.reason = std::string(63, 'r') + "\xc3\xa4\xc3\xa4";
    auto wide = subscription(std::string(256, 'c')), binary = subscription("b\xff");
    process.on_fiber([&] {
        CHECK(process.store->change_all({PutSubscription{wide}, PutSubscription{s}, PutSubscription{binary},
                                         PutPublication{publication("f1"), {}}},
                                        Store::Wait::yes));
    });
    CHECK(process.counted("refused") == 2);
    const auto found = subscriptions(process);
    REQUIRE(found.size() == 1);
    CHECK(found[0].call_id == "fits");
    CHECK(found[0].user_agent == std::string(255, 'u'));
    CHECK(found[0].reason == std::string(63, 'r') + "\xc3\xa4");
    CHECK(process.change(gone(publication("f1"))));
    CHECK(process.change(DropSubscription{"fits", "ours", "theirs"}));
}

// Every fiber changes its own rows again and again; with a short commit timeout many do not wait long enough.
void order_holds(const Place& place, StoreMode mode, Duration commit_timeout)
{
    SqlStore::Settings settings = patient();
    settings.publications = settings.subscriptions = mode;
    settings.commit_timeout = commit_timeout;
    settings.update_period = std::chrono::milliseconds{20};
    constexpr int fibers = 32, changes = 20;
    {
        Process process{place.url, settings};
        process.server.fibers(fibers, [&](int i) {
            const std::string me = std::to_string(i);
            std::string tag;
            for (int n = 0; n < changes; ++n) {
                const std::string next = me + "-" + std::to_string(n);
                auto p = publication(next, next, me);
                p.ruid = "ruid" + me;
                process.store->change(PutPublication{p, tag});
                process.store->change(PutSubscription{subscription(me, static_cast<std::uint32_t>(n))});
                tag = next;
            }
            if (i % 4 == 0) {
                process.store->change(gone(publication(tag, {}, me)));
                process.store->change(DropSubscription{me, "ours", "theirs"});
            }
        });
        CHECK(process.flush());
        CHECK(process.store->waiting() == 0);
        CHECK(process.counted("refused") == 0);
        CHECK(process.counted("lost") == 0);
    }
    Process second{place.url};
    const auto found = publications(second);
    CHECK(found.size() == fibers * 3 / 4);
    for (const auto& one : found) {
        CHECK(one.etag == one.user + "-" + std::to_string(changes - 1));
        CHECK(one.body == one.etag);
        CHECK(second.change(gone(one)));
    }
    const auto watched = subscriptions(second);
    CHECK(watched.size() == fibers * 3 / 4);
    for (const auto& one : watched) {
        CHECK(one.version == changes - 1);
        CHECK(second.change(DropSubscription{one.call_id, one.to_tag, one.from_tag}));
    }
}

void all(const Place& place)
{
    rows_survive_a_restart(place);
    a_row_in_the_way_is_replaced(place);
    order_holds(place, StoreMode::through, std::chrono::seconds{20});
    order_holds(place, StoreMode::through, std::chrono::microseconds{300});
    order_holds(place, StoreMode::back, {});
}

// The server crashes and comes back: nobody waits longer than he must, and nothing is lost.
void outlives_its_database(Place& place)
{
    SqlStore::Settings settings = patient();
    settings.commit_timeout = std::chrono::milliseconds{200};
    settings.retry_period = std::chrono::milliseconds{50};
    Process process{place.url, settings};
    (void)process.change(PutPublication{publication("o1"), {}}); // connecting may take longer than that
    CHECK(process.flush());
    const auto late = process.counted("late"), outages = process.counted("outages");
    place.sql->stop();
    CHECK_FALSE(process.change(PutPublication{publication("o2"), "o1"}));
    for (int i = 3; i < 200; ++i) {
        const auto start = std::chrono::steady_clock::now();
        const bool first = i == 3; // it may still wait, for the first attempt has not ended
        CHECK_FALSE(process.change(
            PutPublication{publication("o" + std::to_string(i)), "o" + std::to_string(i - 1)}));
        CHECK((first || std::chrono::steady_clock::now() - start < std::chrono::milliseconds{150}));
    }
    CHECK_FALSE(process.change(PutSubscription{subscription("during")}));
    CHECK(process.store->waiting() == 2);
    CHECK(process.counted("late") - late == 199);
    CHECK(process.counted("outages") - outages == 2); // of each table one
    place.sql->start();
    while (!process.flush()) {
    }
    CHECK(process.store->waiting() == 0);
    CHECK(tags(place.url).find("o199") != std::string::npos);
    CHECK(tags(place.url).find("o1 ") == std::string::npos);
    (void)process.change(PutPublication{publication("o200"), "o199"});
    (void)process.change(gone(publication("o200")));
    CHECK(process.flush());
    CHECK(tags(place.url).empty());
    CHECK(process.server.lines.find("presentity: the database takes changes again") != std::string::npos);
}

} // namespace

TEST_CASE("presence in SQLite", "[presence][db]")
{
    const Place place{"sqlite"};
    all(place);
}

TEST_CASE("presence in PostgreSQL", "[presence][db]")
{
    Place place{"postgres"};
    all(place);
    unfit_rows_hurt_nobody(place);
    outlives_its_database(place);
}

TEST_CASE("presence in MariaDB", "[presence][db]")
{
    Place place{"mysql"};
    all(place);
    unfit_rows_hurt_nobody(place);
    outlives_its_database(place);
}

TEST_CASE("a locked database costs the commit timeout once", "[presence][db]")
{
    const Place place{"sqlite"};
    SqlStore::Settings settings = patient();
    settings.commit_timeout = std::chrono::milliseconds{700};
    Process process{place.url, settings};
    CHECK(process.change(PutPublication{publication("e1"), {}}));
    Lock lock{place};
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(process.change(PutPublication{publication("e2"), "e1"})); // waits, in vain
    CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds{700});
    for (int i = 3; i <= 500; ++i) // nobody else does: these took minutes otherwise
        CHECK_FALSE(process.change(
            PutPublication{publication("e" + std::to_string(i)), "e" + std::to_string(i - 1)}));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{5});
    CHECK(process.counted("late") == 499);
    CHECK(process.counted("outages") == 1);
    CHECK(process.store->waiting() == 1);
    lock.release();
    CHECK(process.flush());
    CHECK(tags(place.url) == "e500");
    CHECK(process.change(PutPublication{publication("f1"), {}})); // and waiting is worth it again
    const auto first = process.server.lines.find("takes no changes");
    REQUIRE(first != std::string::npos);
    CHECK(process.server.lines.find("takes no changes", first + 1) == std::string::npos);
    CHECK(process.server.lines.find("takes changes again") != std::string::npos);
}

TEST_CASE("what waits at the end is written at the next start or not at all", "[presence][db]")
{
    const Place place{"sqlite"};
    SqlStore::Settings settings = patient();
    settings.publications = settings.subscriptions = StoreMode::back;
    settings.update_period = std::chrono::hours{1};
    {
        Process process{place.url, settings};
        CHECK(process.change(PutPublication{publication("a"), {}}));
        CHECK(process.change(PutPublication{publication("b"), "a"}));
        CHECK(process.change(PutPublication{publication("short"), {}}));
        CHECK(process.change(gone(publication("short"))));
        CHECK(process.store->waiting() == 1);
        CHECK(tags(place.url).empty());
        CHECK(process.flush());
        CHECK(process.counted("rows") == 1);
        CHECK(process.counted("coalesced") == 2);
        CHECK(tags(place.url) == "b");
        CHECK(process.change(PutPublication{publication("never"), {}})); // and no flush
    }
    CHECK(tags(place.url) == "b");
    settings.update_period = std::chrono::milliseconds{1};
    Process process{place.url, settings};
    CHECK(process.change(PutPublication{publication("c"), "b"}));
    while (process.store->waiting() > 0) // by itself
        std::this_thread::yield();
    CHECK(tags(place.url) == "c");
}

TEST_CASE("nothing is written in mode memory", "[presence][db]")
{
    const Place place{"sqlite"};
    SqlStore::Settings settings = patient();
    settings.publications = StoreMode::memory;
    Process process{place.url, settings};
    CHECK(process.change(PutPublication{publication("a"), {}}));
    CHECK(process.change(PutSubscription{subscription("c")}));
    CHECK(process.flush());
    CHECK(process.store->waiting() == 0);
    CHECK(publications(process).empty());
    CHECK(subscriptions(process).size() == 1);
    CHECK(tags(place.url).empty());
}

TEST_CASE("callers share commits", "[presence][db]")
{
    const Place place{"sqlite"};
    Process process{place.url};
    std::atomic<int> good{0};
    process.server.fibers(500, [&](int i) {
        good += process.store->change(PutPublication{publication("t" + std::to_string(i)), {}});
    });
    CHECK(good + process.counted("late") == 500);
    CHECK(process.flush());
    CHECK(process.counted("rows") == 500);
    CHECK(process.counted("batches") < 100);
}

TEST_CASE("a row the database refuses does not hold up the others", "[presence][db]")
{
    const Place place{"sqlite"};
    Process process{place.url};
    REQUIRE(process.database.write("CREATE TRIGGER no BEFORE INSERT ON presentity WHEN NEW.etag LIKE 'bad%' "
                                   "BEGIN SELECT RAISE(ABORT, 'not this one'); END"));
    process.on_fiber([&] {
        std::vector<StoreChange> changes;
        for (const char* tag : {"a", "bad1", "b", "bad2", "c"})
            changes.push_back(PutPublication{publication(tag), {}});
        CHECK_FALSE(process.store->change_all(std::move(changes), Store::Wait::yes)); // not all of them
        CHECK(process.store->change_all({PutPublication{publication("d"), {}}}, Store::Wait::no));
    });
    CHECK(process.flush());
    CHECK(tags(place.url) == "a b c d");
    CHECK(process.counted("refused") == 2);
    CHECK(process.change(PutPublication{publication("good"), "bad1"})); // its next state is welcome
    CHECK(tags(place.url) == "a b c d good");
}

TEST_CASE("tables of another version are left alone", "[presence][db]")
{
    const Place place{"sqlite"};
    {
        Process process{place.url};
        REQUIRE(process.store->prepare());
        REQUIRE(process.database.write(
            "UPDATE version SET table_version = 11 WHERE table_name = 'active_watchers'"));
    }
    Process process{place.url};
    const auto refused = process.store->prepare();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unsupported);
    CHECK(refused.error().text.find("active_watchers") != std::string::npos);
    process.on_fiber([&] {
        CHECK(process.store->change_all({PutPublication{publication("a"), {}}}, Store::Wait::no));
        CHECK_FALSE(process.store->flush());
    });
    CHECK(process.store->waiting() == 1); // whoever mends the table gets it
    SqlStore::Settings settings = patient();
    settings.check_version = false;
    Process unchecked{place.url, settings};
    CHECK(unchecked.change(PutPublication{publication("b"), {}}));
    settings.presentity_table = "x; DROP TABLE version";
    CHECK_THROWS_AS((Process{place.url, settings}), StartupError);
}

TEST_CASE("expired rows are deleted by themselves", "[presence][db]")
{
    const Place place{"sqlite"};
    SqlStore::Settings settings = patient();
    settings.clean_period = std::chrono::milliseconds{1};
    {
        Process process{place.url};
        auto old = publication("old"), young = publication("young"), hard = publication("hard");
        old.expires = 1'000'000'000;
        hard.expires = never;
        young.expires = 2'100'000'000;
        for (const auto& one : {old, young, hard})
            CHECK(process.change(PutPublication{one, {}}));
    }
    Process process{place.url, settings};
    while ((*process.database.read("SELECT count(*) FROM presentity"))[0][0].integer() > 2)
        std::this_thread::yield();
    CHECK(tags(place.url) == "hard young");
}
