// modules/xcap_server/sql_store_test.cpp - the table in a real SQLite file, and many writers at once
#include "modules/xcap_server/sql_store.h"

#include "modules/db_unixodbc/driver.h"
#include "modules/xcap_server/engine.h"
#include "test/support/catch.h"

#include <deque>
#include <filesystem>
#include <stdlib.h>
#include <thread>

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

const std::string key = "/xcap-root/resource-lists/users/sip:alice@example.com/index";
const std::string text = "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"/>";

struct Folder {
    Folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "sipyard-xcap-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~Folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    db::Url url() const { return must(db::Url::parse("sqlite:///" + path + "/xcap.db")); }
    std::string path;
};

class Silent final : public log::Sink {
public:
    void write(log::Level, std::string_view) override {}
};

// A driver with workers of its own: two of them on one file are two processes, but for the address space.
struct Process {
    explicit Process(const Folder& folder) : database{*must(driver.open(folder.url()))} { runtime.start(); }
    ~Process() { runtime.stop(std::chrono::seconds{5}); }
    SystemClock clock;
    log::Journal journal{std::make_unique<Silent>()};
    task::Runtime runtime{{.workers = 1}, clock, journal};
    db_unixodbc::OdbcDriver driver{runtime, journal};
    db::Database& database;
    SqlStore store{database, "xcap", "version", SqlStore::VersionCheck::yes};
};

struct Writer { // an engine on a process's store
    Writer(Process& process, std::uint64_t random)
        : engine{{},
                 must(Usages::make({}, {})),
                 random,
                 {process.store,
                  process.clock,
                  statistics,
                  [&process](Duration pause) { task::sleep_until(process.clock.now() + pause); },
                  {}}}
    {
    }
    Answer put(Conditions conditions)
    {
        Arena arena;
        auto answer = engine.handle({Verb::put,
                                     key,
                                     {Caller::Trust::script, "sip:alice@example.com"},
                                     "application/resource-lists+xml",
                                     conditions,
                                     text},
                                    arena);
        return answer;
    }
    std::string etag()
    {
        Arena arena;
        return std::string{
            engine
                .handle({Verb::get, key, {Caller::Trust::script, "sip:alice@example.com"}, {}, {}, {}}, arena)
                .etag};
    }
    std::deque<Counter> counters;
    Statistics statistics{[this](std::string_view name, std::string_view about) -> Counter& {
        return counters.emplace_back("xcap_server", std::string{name}, std::string{about});
    }};
    Engine engine;
};

DocumentPtr document(std::string uri, std::string etag, std::string body = text)
{
    return std::make_shared<const Document>(
        Document{std::move(uri), "alice", "example.com", std::move(etag), std::move(body), 4});
}

// What N writers were answered, on fibers of both processes at once.
std::vector<int> race(std::vector<std::pair<Process*, Writer*>> sides, int each,
                      const std::function<Conditions()>& conditions)
{
    std::vector<int> codes(sides.size() * static_cast<std::size_t>(each));
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const auto [process, writer] = sides[i % sides.size()];
        threads.emplace_back([&, i, process = process, writer = writer] {
            process->runtime.run_on_fiber([&, i] { codes[i] = writer->put(conditions()).code; });
        });
    }
    for (auto& thread : threads)
        thread.join();
    return codes;
}

std::size_t count(const std::vector<int>& codes, int code)
{
    return static_cast<std::size_t>(std::count(codes.begin(), codes.end(), code));
}

} // namespace

TEST_CASE("documents in a table", "[xcap_server][db]")
{
    const Folder folder;
    Process process{folder};
    SqlStore& store = process.store;
    const auto nothing = store.load(key);
    INFO(why(nothing));
    REQUIRE(nothing);
    CHECK(*nothing == nullptr);

    const std::string odd = text + std::string{"<!-- \xc3\xa4 ' \" % _ ? -->"} + std::string(200'000, ' ');
    const auto created =
        store.create({document(key, "e1", odd), Tree::users, key.substr(0, key.size() - 5), {}});
    INFO(why(created));
    REQUIRE(created);
    CHECK(*created == Created::done);
    CHECK(*store.create({document(key, "e2"), Tree::users, key.substr(0, key.size() - 5), {}}) ==
          Created::lost);

    const auto loaded = store.load(key);
    REQUIRE(loaded);
    REQUIRE(*loaded);
    CHECK((*loaded)->text == odd);
    CHECK((*loaded)->etag == "e1");
    CHECK((*loaded)->user == "alice");
    CHECK((*loaded)->domain == "example.com");
    CHECK((*loaded)->type == 4);

    const auto listed = store.list("alice", "example.com");
    REQUIRE(listed);
    REQUIRE(listed->size() == 1);
    CHECK((*listed)[0].size == odd.size());
    CHECK((*listed)[0].doc_uri == key);
    CHECK(store.list("alice", "example.org")->empty());

    CHECK(*store.replace(document(key, "e3"), "stale", {}) == Written::lost);
    CHECK(*store.replace(document(key, "e3"), "e1", {0, 10}) == Written::too_large);
    CHECK(*store.replace(document(key, "e3"), "e1", {0, text.size()}) == Written::done);
    CHECK((*store.head(key))->etag == "e3");

    // Names are data: neither wildcards nor quotes mean anything.
    for (const std::string& uri : {key + "%", key + "_", key + "'; DROP TABLE xcap; --"}) {
        INFO(uri);
        CHECK(*store.create({document(uri, "x"), Tree::users, key.substr(0, key.size() - 5), {}}) ==
              Created::done);
        CHECK((*store.load(uri))->doc_uri == uri);
    }
    CHECK(*store.create({document(key + "/below", "x"), Tree::users, key.substr(0, key.size() - 5), {}}) ==
          Created::parent_is_document);
    const std::string global = "/xcap-root/resource-lists/global/";
    CHECK(*store.create({document(global + "a/b", "x"), Tree::global, global, {}}) == Created::done);
    CHECK(*store.create({document(global + "a", "x"), Tree::global, global, {}}) == Created::holds_documents);

    CHECK(*store.remove(key, "alice", "example.com", "stale") == Written::lost);
    CHECK(*store.remove(key, "bob", "example.com", "e3") == Written::lost);
    CHECK(*store.remove(key, "alice", "example.com", "e3") == Written::done);
    CHECK_FALSE(store.head(key)->has_value());
}

TEST_CASE("the row is what Kamailio would have written", "[xcap_server][db]")
{
    const Folder folder;
    Process process{folder};
    Writer writer{process, 1};
    CHECK(writer.put({}).code == 201);
    const auto rows =
        process.database.read("SELECT username, domain, doc_type, source, port, doc_uri, doc FROM xcap");
    REQUIRE(rows);
    REQUIRE(rows->size() == 1);
    const auto& row = (*rows)[0];
    CHECK(row[0].text() == "alice");
    CHECK(row[1].text() == "example.com");
    CHECK(row[2].integer() == 4);
    CHECK(row[3].integer() == 0);
    CHECK(row[4].integer() == 0);
    CHECK(row[5].text() == key);
    CHECK(row[6].text() == text);
}

TEST_CASE("a table of another version is not touched", "[xcap_server][db]")
{
    const Folder folder;
    Process process{folder};
    REQUIRE(process.store.prepare());
    REQUIRE(process.database.write("UPDATE version SET table_version = 3 WHERE table_name = 'xcap'"));
    SqlStore second{process.database, "xcap", "version", SqlStore::VersionCheck::yes};
    const auto refused = second.prepare();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unsupported);
    CHECK_FALSE(second.load(key));
    SqlStore unchecked{process.database, "xcap", "version", SqlStore::VersionCheck::no};
    CHECK(unchecked.load(key));
}

TEST_CASE("many writers, one winner", "[xcap_server][db]")
{
    const Folder folder;
    Process one{folder}, two{folder};
    Writer first{one, 1}, second{two, 2};
    const auto sides = std::vector<std::pair<Process*, Writer*>>{{&one, &first}, {&two, &second}};

    SECTION("eight creators")
    {
        const auto codes = race(sides, 4, [] { return Conditions{{}, "*"}; });
        CHECK(count(codes, 201) == 1);
        CHECK(count(codes, 412) == 7);
    }
    SECTION("eight writers of the same version")
    {
        REQUIRE(first.put({}).code == 201);
        const std::string tag = '"' + second.etag() + '"';
        const auto codes = race(sides, 4, [&] { return Conditions{tag, {}}; });
        CHECK(count(codes, 200) == 1);
        CHECK(count(codes, 412) == 7);
    }
    SECTION("eight writers without conditions all get their turn")
    {
        const auto codes = race(sides, 4, [] { return Conditions{}; });
        CHECK(count(codes, 201) == 1);
        CHECK(count(codes, 200) == 7);
        CHECK(first.etag() == second.etag()); // and everybody reads the last one
    }
}
