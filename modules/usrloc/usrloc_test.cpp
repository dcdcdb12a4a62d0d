// modules/usrloc/usrloc_test.cpp - the location store: order, matching, expiry, events, many fibers at one
// address of record
#include "modules/usrloc/usrloc.h"
#include "modules/usrloc/store_test.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <malloc.h>
#include <set>

using namespace sipyard;
using namespace sipyard::usrloc;
using test::FakeHost;

TEST_CASE("which binding a Contact means", "[usrloc]")
{
    const auto view = [](std::string_view contact, std::string_view call_id = "c", std::string_view path = {},
                         std::string_view instance = {}, std::uint32_t reg_id = 0) {
        ContactView v;
        v.contact = contact;
        v.call_id = call_id;
        v.path = path;
        v.instance = instance;
        v.reg_id = reg_id;
        return v;
    };
    const std::vector<ContactView> there{view("sip:a@192.0.2.1:5070", "c1", "<sip:p1;lr>"),
                                         view("sip:a@192.0.2.2", "c2"),
                                         view("sip:d@192.0.2.3", "c3", {}, "<urn:uuid:1>"),
                                         view("sip:e@192.0.2.4", "c4", {}, "<urn:uuid:2>", 1),
                                         view("sip:e@192.0.2.4", "c5", {}, "<urn:uuid:2>", 2)};
    const struct {
        const char* story;
        Matching how;
        ContactView wanted;
        int expected; // index, -1: none
    } rows[] = {
        {"the same text", Matching::contact, view("sip:a@192.0.2.2"), 1},
        {"the scheme's and host's letter case", Matching::contact, view("SIP:a@192.0.2.2"), 1},
        {"the user's counts", Matching::contact, view("sip:A@192.0.2.2"), -1},
        {"an unknown parameter on one side", Matching::contact, view("sip:a@192.0.2.2;ob"), 1},
        {"transport on one side does not", Matching::contact, view("sip:a@192.0.2.2;transport=tcp"), -1},
        {"a port that is only meant", Matching::contact, view("sip:a@192.0.2.2:5060"), -1},
        {"the Call-ID counts", Matching::contact_and_call_id, view("sip:a@192.0.2.2", "c9"), -1},
        {"both", Matching::contact_and_call_id, view("sip:a@192.0.2.2", "c2"), 1},
        {"the Path counts", Matching::contact_and_path, view("sip:a@192.0.2.1:5070", "c1", "<sip:p2;lr>"),
         -1},
        {"both", Matching::contact_and_path, view("sip:a@192.0.2.1:5070", "c9", "<sip:p1;lr>"), 0},
        {"only the Call-ID", Matching::call_id, view("sip:else@192.0.2.9", "c2"), 1},
        {"a device that moved", Matching::contact, view("sip:d@192.0.2.99", "c", {}, "<urn:uuid:1>"), 2},
        {"another device with that URI", Matching::contact, view("sip:d@192.0.2.3", "c", {}, "<urn:uuid:9>"),
         -1},
        {"its first flow", Matching::contact, view("sip:e@192.0.2.4", "c", {}, "<urn:uuid:2>", 1), 3},
        {"its second", Matching::contact, view("sip:e@192.0.2.99", "c", {}, "<urn:uuid:2>", 2), 4},
        {"a third is new", Matching::contact, view("sip:e@192.0.2.4", "c", {}, "<urn:uuid:2>", 3), -1},
        {"no URI at all", Matching::contact, view("nonsense"), -1},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const ContactView* const found = usrloc::match(there, row.wanted, row.how);
        CHECK((found ? static_cast<int>(found - there.data()) : -1) == row.expected);
    }
}

TEST_CASE("contacts come best first", "[usrloc]")
{
    const struct {
        const char* story;
        bool newest_first;
        const char* expected;
    } rows[] = {{"by q, then as they came", false, "sip:c@h sip:b@h sip:d@h sip:a@h"},
                {"newest first", true, "sip:d@h sip:c@h sip:b@h sip:a@h"}};
    for (const auto& row : rows) {
        INFO(row.story);
        FakeHost host;
        Settings settings;
        settings.desc_time_order = row.newest_first;
        Usrloc store{settings, host};
        put(store, "alice", "sip:a@h", 60, 100);
        put(store, "alice", "sip:b@h", 60, 500);
        put(store, "alice", "sip:c@h", 60, 900);
        put(store, "alice", "sip:d@h", 60, 500);
        CHECK(contacts(store, "alice") == row.expected);
        put(store, "alice", "sip:a@h", 60, 1000); // a refresh moves it
        CHECK(contacts(store, "alice").starts_with("sip:a@h"));
        CHECK(contacts(store, "bob").empty());
    }
}

TEST_CASE("a contact is gone when its time is over", "[usrloc]")
{
    FakeHost host;
    Usrloc store{{}, host};
    struct Hook final : ExpiryHook {
        std::vector<std::string> gone;
        bool wants() const override { return true; }
        void expired(std::string_view domain, const ContactView& c) override
        {
            gone.push_back(format("{} {} {}", domain, c.aor, c.contact));
        }
    } hook;
    store.add_expiry_hook(hook);
    store.announce_changes();
    for (int i = 0; i < 50; ++i)
        put(store, format("user{}", i), "sip:a@h", 10 + i);
    put(store, "ever", "sip:a@h", 0);
    put(store, "user0", "sip:a@h", 1000); // a refresh
    host.movable_clock().jump(std::chrono::seconds{9});
    store.expire();
    CHECK(hook.gone.empty());
    host.movable_clock().jump(std::chrono::seconds{2}); // 11
    store.expire();
    CHECK(hook.gone == std::vector<std::string>{"location user1 sip:a@h"});
    CHECK(contacts(store, "user1").empty());
    CHECK(contacts(store, "user0") == "sip:a@h");
    host.movable_clock().jump(std::chrono::seconds{100});
    store.expire();
    CHECK(hook.gone.size() == 49);
    CHECK(host.counted("usrloc", "location_contacts") == 2);
    CHECK(host.counted("usrloc", "location_expires") == 49);
    host.movable_clock().jump(std::chrono::hours{24 * 365});
    store.expire();
    CHECK(contacts(store, "ever") == "sip:a@h");
    const auto events = host.announced<ContactChanged>();
    CHECK(std::ranges::count(events, What::expired, [](const auto& e) { return e->what; }) == 50);
    CHECK(std::ranges::count(events, What::updated, [](const auto& e) { return e->what; }) == 1);
    CHECK(std::ranges::count(events, What::inserted, [](const auto& e) { return e->what; }) == 51);
}

TEST_CASE("nobody listens: nothing is announced", "[usrloc]")
{
    FakeHost host;
    Usrloc store{{}, host};
    put(store, "alice", "sip:a@h", 60);
    CHECK(host.announced<ContactChanged>().empty());
}

TEST_CASE("all or nothing", "[usrloc]")
{
    FakeHost host;
    Settings settings;
    settings.max_stored = 3;
    Usrloc store{settings, host};
    struct Two final : Writer {
        Result<void> plan(std::span<const ContactView>, std::vector<Change>& changes) override
        {
            ContactView view;
            view.call_id = "c";
            for (const char* uri : {"sip:1@h", "sip:2@h"}) {
                view.contact = uri;
                changes.push_back({Change::Step::insert, 0, view});
            }
            return {};
        }
    } two;
    REQUIRE(store.change("location", "alice", Api::Storage::as_configured, two));
    const auto refused = store.change("location", "bob", Api::Storage::as_configured, two);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::overloaded);
    CHECK(contacts(store, "bob").empty());
    CHECK(contacts(store, "alice") == "sip:1@h sip:2@h");
    const std::string long_text(70'000, 'x');
    CHECK_FALSE(try_put(store, "carol", "sip:" + long_text, 60));
    CHECK(contacts(store, "carol").empty());
}

TEST_CASE("a contact grows, shrinks and keeps its id", "[usrloc]")
{
    FakeHost host;
    Usrloc store{{}, host};
    put(store, "alice", "sip:a@h", 60, -1, "short");
    const std::string ruid = ruid_of(store, "alice");
    for (const std::size_t size : {500u, 3u, 1500u, 2000u, 1u}) {
        put(store, "alice", "sip:a@h", 60, -1, std::string(size, 'c'));
        CHECK(ruid_of(store, "alice") == ruid);
        Names one;
        REQUIRE(*store.lookup_ruid("location", ruid, one));
        CHECK(one.call_ids == std::vector<std::string>{std::string(size, 'c')});
    }
    REQUIRE(store.remove_ruid("location", ruid));
    CHECK(contacts(store, "alice").empty());
    CHECK(store.remove_ruid("location", ruid).error().kind == ErrorKind::not_found);
}

TEST_CASE("fibers of several workers register one address of record", "[usrloc]")
{
    FakeHost host{{.workers = 3}};
    Usrloc store{{}, host};
    host.start_workers();
    constexpr int fibers = 60, rounds = 30;
    std::atomic<int> left{fibers};
    const task::Event done;
    for (int f = 0; f < fibers; ++f)
        host.runtime().worker(static_cast<std::size_t>(f % 3)).spawn_always([&, f] {
            for (int r = 0; r < rounds; ++r) {
                put(store, "alice", format("sip:{}@h", f % 20), 60, f % 7 * 100, format("call-{}-{}", f, r));
                if (r % 8 == 7)
                    (void)store.remove_ruid("location", ruid_of(store, "alice"));
                contacts(store, "alice");
                task::yield();
            }
            if (--left == 0)
                done.signal();
        });
    host.on_fiber([&] { done.wait(); });
    std::set<std::string> names;
    Names all;
    REQUIRE(store.for_each("location", 0, all));
    for (const auto& name : all.list)
        CHECK(names.insert(name).second); // each once
    CHECK(static_cast<std::int64_t>(names.size()) == host.counted("usrloc", "location_contacts"));
}

TEST_CASE("a hundred thousand contacts in 600 bytes each", "[usrloc]")
{
    FakeHost host;
    Usrloc store{{}, host};
    const auto before = ::mallinfo2();
    constexpr int users = 100'000;
    for (int i = 0; i < users; ++i)
        put(store, format("user{}@example.com", i), format("sip:user{}@192.0.2.7:5070;transport=udp", i),
            3600, -1, format("8a7f3c21-{}-5544@192.0.2.7", i));
    const auto after = ::mallinfo2();
    const double each = static_cast<double>(after.uordblks - before.uordblks) / users;
    INFO("bytes a contact: " << each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // their allocators count for themselves
    CHECK(each < 600);
    CHECK(each > 100);
#endif
    CHECK(host.counted("usrloc", "location_users") == users);
}

TEST_CASE("ul.* commands", "[usrloc]")
{
    FakeHost host;
    test::ScriptFixture fixture{host, {erase(Usrloc::manifest())}};
    REQUIRE(fixture.load("loadmodule \"usrloc.so\"\nmodparam(\"usrloc\", \"preload\", "
                         "\"location\")\nrequest_route { exit; }\n"));
    Usrloc& store = *static_cast<Usrloc*>(fixture.module("usrloc"));
    const auto run = [&](std::string_view name, const char* params) -> std::string {
        for (const auto& command : Usrloc::manifest().commands)
            if (command.name == name) {
                const auto answer = command.run(&store, must(json::parse(params)));
                return answer ? answer->dump() : "error: " + answer.error().text;
            }
        return "no such command";
    };
    CHECK(run("ul.lookup", R"(["location","zz"])") == "error: AOR not found in location table");
    CHECK(run("ul.lookup", R"(["nowhere","zz"])") == "error: Domain table not found");
    CHECK(run("ul.add", R"(["location","z","sip:z@192.0.2.1",100,0.5,"0",0,0,5951])") == "{}");
    CHECK(run("ul.add",
              R"(["location",1001,"sip:z@192.0.2.1","0","1","<sip:p;lr>",0,0,0,"sip:192.0.2.9:5060","."])") ==
          "{}");
    CHECK(run("ul.add", R"(["location","z","no uri",100,0.5,"0",0,0,5951])").starts_with("error: expected"));
    const std::string one = run("ul.lookup", R"(["location","z"])");
    for (const char* part :
         {R"("AoR":"z")", R"("Address":"sip:z@192.0.2.1")", R"("Expires":100)", R"("Q":0.5)",
          R"("Methods":5951)", R"("Path":"[not set]")", R"("State":"CS_NEW")", R"("Ruid":"uloc-)"})
        CHECK(one.find(part) != std::string::npos);
    const std::string number = run("ul.lookup", R"({"table":"location","aor":1001})");
    CHECK(number.find(R"("Expires":"permanent")") != std::string::npos);
    CHECK(number.find(R"("Received":"sip:192.0.2.9:5060")") != std::string::npos);
    CHECK(run("ul.dump", "[]").find(R"("AoR":"z")") != std::string::npos);
    CHECK(run("ul.show", "[]").find(R"("contact":"sip:z@192.0.2.1")") != std::string::npos);
    CHECK(run("ul.rm_contact", R"(["location","z","sip:y@192.0.2.1"])") == "error: Contact not found");
    CHECK(run("ul.rm_contact", R"(["location","z","sip:z@192.0.2.1"])") == "{}");
    CHECK(run("ul.rm", R"(["location",1001])") == "{}");
    CHECK(run("ul.show", "[]") == "[]");
    CHECK(run("ul.flush", "[]") == "{}");
    CHECK(run("ul.db_users", R"(["location"])") == "error: Command is not supported in db_mode=0");
}
