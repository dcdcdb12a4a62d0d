// modules/presence_reginfo/package_test.cpp - what a watcher is told of publications and of the location
// table
#include "modules/presence_reginfo/package.h"

#include "modules/presence_reginfo/reginfo.h"
#include "test/support/catch.h"
#include "test/support/fake_host.h"

#include <algorithm>
#include <map>
#include <set>

using namespace sipyard;
using namespace sipyard::presence_reginfo;

namespace {

constexpr std::string_view bob = "sip:bob@example.com";
constexpr std::int64_t start = 1'767'225'600; // of the movable clock

// A location table of a few contacts.
class Table final : public usrloc::Api {
public:
    struct Row {
        std::string aor, uri, ruid;
        std::int64_t expires = 0;
        int q = -1;
        std::uint32_t cseq = 1;
    };
    std::vector<Row> rows;
    bool domains = true, announced = false, away = false;
    int lookups = 0;
    std::function<void()> during; // once, within the next lookup

    Result<bool> lookup(std::string_view domain, std::string_view aor, usrloc::Reader& reader) override
    {
        ++lookups;
        if (away)
            return Error{ErrorKind::lost, "away"};
        std::vector<usrloc::ContactView> views;
        const auto copy = rows; // as it is now, whatever happens during the call
        for (const Row& row : copy)
            if (row.aor == aor && domain == "location") {
                usrloc::ContactView view;
                view.aor = row.aor;
                view.contact = row.uri;
                view.ruid = row.ruid;
                view.call_id = row.ruid == "1" ? "call-1" : "call";
                view.expires = row.expires;
                view.q = row.q;
                view.cseq = row.cseq;
                views.push_back(view);
            }
        if (during)
            std::exchange(during, nullptr)();
        if (!views.empty())
            reader.read(views);
        return !views.empty();
    }
    Result<void> change(std::string_view, std::string_view, Storage, usrloc::Writer&) override { return {}; }
    Result<bool> lookup_ruid(std::string_view, std::string_view, usrloc::Reader&) override { return false; }
    Result<void> remove_ruid(std::string_view, std::string_view) override { return {}; }
    Result<void> for_each(std::string_view, std::uint32_t, usrloc::Reader&) override { return {}; }
    const usrloc::ContactView* match(std::span<const usrloc::ContactView>,
                                     const usrloc::ContactView&) const override
    {
        return nullptr;
    }
    bool uses_domain() const override { return domains; }
    std::uint32_t nat_flag() const override { return 0; }
    std::int64_t cseq_delay() const override { return 20; }
    std::string_view attributes_name() const override { return {}; }
    const net::Listener* listener(std::string_view) const override { return nullptr; }
    void announce_changes() override { announced = true; }
    void add_expiry_hook(usrloc::ExpiryHook&) override {}
};

// The presence server around the package, with one watcher of each resource that is in `watched`.
class Server final : public presence::Api {
public:
    explicit Server(Settings settings = {}, bool with_table = true)
        : local{table, "location", *this, clock, {}}, package{settings, clock, with_table ? &local : nullptr}
    {
    }
    void add(presence::EventPackage&) override {}
    presence::EventPackage* find(std::string_view) override { return &package; }
    Result<std::string> presentity_of(std::string_view uri, const presence::Traits&) const override
    {
        return std::string{uri};
    }
    Result<void> publish(const presence::LocalPublication&) override { return {}; }
    void resource_changed(std::string_view event, std::string_view presentity) override
    {
        CHECK(event == "reg");
        if (watched.contains(std::string{presentity}))
            merge(presentity);
    }
    void rules_changed(std::string_view, std::string_view) override {}
    void terminate(std::string_view, std::string_view, std::string_view, std::uint32_t) override {}
    presence::CompositePtr composite(std::string_view, std::string_view) override { return {}; }
    std::vector<presence::SubscriptionInfo> subscriptions(std::string_view,
                                                          std::string_view presentity) override
    {
        return std::vector<presence::SubscriptionInfo>(watched.count(std::string{presentity}));
    }

    void subscribe(std::string_view presentity = bob)
    {
        presence::SubscribeView view{};
        view.presentity = presentity;
        package.prepare(view);
        watched.emplace(presentity);
        merge(presentity);
    }
    std::string publish(const std::string& who, std::string_view inside, bool hard = false,
                        bool partial = false)
    {
        const std::string text = "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='0' state='" +
                                 std::string{partial ? "partial" : "full"} + "'>" + std::string{inside} +
                                 "</reginfo>";
        auto& p = publications[who];
        auto read = package.parse({bob, reginfo_type, text, p.document});
        if (const auto* const refusal = std::get_if<presence::Refusal>(&read))
            return std::to_string(refusal->code) + " " + refusal->reason;
        p.document = std::get<presence::DocumentPtr>(read);
        p.commit = ++commits;
        p.hard_state = hard;
        merge(bob);
        return {};
    }
    void remove(const std::string& who)
    {
        publications.erase(who);
        merge(bob);
    }
    void merge(std::string_view presentity)
    {
        std::vector<presence::Publication> all;
        for (const auto& [who, publication] : publications)
            all.push_back(publication);
        const auto composite = package.merge(presentity, all, nullptr);
        const auto now = package.render(presentity, *composite, {});
        auto& before = last[std::string{presentity}];
        if (presence::is_news(before, now)) {
            ++notifies;
            before = now;
        }
    }
    // "active: sip:a (registered) sip:b (expired!)": the last document that was worth a NOTIFY; ! has ended
    std::string told(std::string_view presentity = bob)
    {
        const auto body = last[std::string{presentity}];
        REQUIRE(body);
        const auto all = parse_reginfo(body->before + "0" + body->after, clock.unix_seconds(), {});
        INFO(body->before << "0" << body->after << why(all));
        REQUIRE(all);
        std::string text;
        for (const auto& one : *all) {
            text += (text.empty() ? "" : "; ") + (one.aor == bob ? std::string{} : one.aor + " ") +
                    std::string{to_text(state_of(one))};
            for (const auto& c : one.contacts)
                text += " " + c.uri + " (" + std::string{to_text(c.event)} +
                        (c.state == ContactState::terminated ? "!)" : ")");
        }
        return text;
    }

    // --- what happens in the table, and is announced
    void tell(usrloc::What what, const Table::Row& row, std::string domain = "location")
    {
        usrloc::ContactChanged event;
        event.what = what;
        event.domain = std::move(domain);
        event.aor = row.aor;
        event.contact = row.uri;
        event.ruid = row.ruid;
        event.expires = row.expires;
        event.cseq = row.cseq;
        local.changed(event);
    }
    void insert(Table::Row row)
    {
        table.rows.push_back(row);
        tell(usrloc::What::inserted, row);
    }
    void update(const std::string& ruid, std::int64_t expires)
    {
        for (auto& row : table.rows)
            if (row.ruid == ruid) {
                row.expires = expires;
                ++row.cseq;
                tell(usrloc::What::updated, Table::Row{row});
            }
    }
    void drop(const std::string& ruid, usrloc::What what)
    {
        const auto found =
            std::find_if(table.rows.begin(), table.rows.end(), [&](auto& r) { return r.ruid == ruid; });
        REQUIRE(found != table.rows.end());
        const auto row = *found;
        table.rows.erase(found);
        tell(what, row);
    }

    MovableClock clock;
    Table table;
    LocalContacts local;
    RegPackage package;
    std::set<std::string> watched;
    std::map<std::string, presence::Publication> publications;
    std::map<std::string, presence::BodyPtr> last;
    std::uint64_t commits = 0;
    int notifies = 0;
};

std::string registration(std::string_view contacts, std::string_view aor = bob)
{
    return "<registration aor='" + std::string{aor} + "' id='x' state='active'>" + std::string{contacts} +
           "</registration>";
}
std::string contact(std::string_view id, std::string_view host, std::string_view event = "registered",
                    std::string_view more = "")
{
    const bool over = event == "expired" || event == "unregistered";
    return "<contact id='" + std::string{id} + "' state='" + (over ? "terminated" : "active") + "' event='" +
           std::string{event} + "' " + std::string{more} + "><uri>sip:" + std::string{host} +
           "</uri></contact>";
}
Settings aggregating()
{
    Settings settings;
    settings.aggregate_presentities = true;
    return settings;
}

} // namespace

TEST_CASE("a user who has never registered is in state init", "[presence_reginfo]")
{
    Server server{{}, false};
    server.subscribe();
    CHECK(server.told() == "init");
    const auto body = server.last[std::string{bob}];
    CHECK(body->content_type == "application/reginfo+xml");
    CHECK(body->has_version);
    CHECK(server.package.render_blocked(bob, {})->after == body->after);
}

TEST_CASE("publications make one document", "[presence_reginfo]")
{
    Server server{aggregating(), false};
    server.subscribe();
    CHECK(server.publish("a", registration(contact("1", "a@1"))).empty());
    CHECK(server
              .publish("b", registration(contact("2", "b@2")) +
                                registration(contact("9", "joe@9"), "sip:joe@example.com"))
              .empty());
    CHECK(server.told() == "active sip:a@1 (registered) sip:b@2 (registered); sip:joe@example.com active "
                           "sip:joe@9 (registered)");
    server.notifies = 0;
    CHECK(server.publish("a", registration(contact("1", "a@1"))).empty()); // the same again
    CHECK(
        server.publish("a", registration(contact("1", "a@1", "refreshed", "expires='60' cseq='4'"))).empty());
    CHECK(server.notifies == 0);
    CHECK(server.publish("a", registration(contact("1", "a@1", "shortened", "expires='9'"))).empty());
    CHECK(server.notifies == 1);
    // The newest knows best about a contact of one id.
    CHECK(server.publish("b", registration(contact("1", "a@1", "expired"))).empty());
    CHECK(server.told() == "terminated sip:a@1 (expired!)");
    server.remove("b");
    CHECK(server.told() == "active sip:a@1 (shortened)");
    server.remove("a");
    CHECK(server.told() == "init");
    CHECK(server.publish("a", "<registration/>").starts_with("400 Malformed body: line "));
}

TEST_CASE("without aggregation the newest publication is shown", "[presence_reginfo]")
{
    Server server{{}, false};
    server.subscribe();
    CHECK(server.publish("a", registration(contact("1", "a@1"))).empty());
    CHECK(server.publish("b", registration(contact("2", "b@2"))).empty());
    CHECK(server.told() == "active sip:b@2 (registered)");
    CHECK(server.publish("a", registration(contact("3", "a@3")), false, true).empty()); // partial, of its own
    CHECK(server.told() == "active sip:a@1 (registered) sip:a@3 (registered)");
    CHECK(server.publish("h", registration(contact("7", "h@7")), true).empty()); // hard state
    CHECK(server.told() == "active sip:a@1 (registered) sip:a@3 (registered)");
    server.remove("a");
    server.remove("b");
    CHECK(server.told() == "active sip:h@7 (registered)");
}

TEST_CASE("that a contact has ended is told once", "[presence_reginfo]")
{
    Server server{aggregating(), false};
    server.subscribe();
    CHECK(server.publish("a", registration(contact("1", "a@1") + contact("2", "a@2"))).empty());
    CHECK(server.publish("a", registration(contact("1", "a@1") + contact("2", "a@2", "expired"))).empty());
    CHECK(server.told() == "active sip:a@1 (registered) sip:a@2 (expired!)");
    server.notifies = 0;
    CHECK(server.publish("a", registration(contact("1", "a@1"))).empty()); // it leaves the document
    CHECK(server.notifies == 0);
    CHECK(server.publish("a", registration(contact("1", "a@1", "unregistered"))).empty());
    CHECK(server.notifies == 1);
    CHECK(server.told() == "terminated sip:a@1 (unregistered!)");
    server.remove("a");
    CHECK(server.notifies == 1); // init or terminated: not registered
}

TEST_CASE("refreshed contacts are news where that is wanted", "[presence_reginfo]")
{
    auto settings = aggregating();
    settings.reg_notify_refresh = true;
    Server server{settings, false};
    server.subscribe();
    CHECK(server.publish("a", registration(contact("1", "a@1"))).empty());
    server.notifies = 0;
    CHECK(
        server.publish("a", registration(contact("1", "a@1", "refreshed", "expires='60' cseq='4'"))).empty());
    CHECK(server.notifies == 1);
}

TEST_CASE("the location table is a source", "[presence_reginfo]")
{
    Server server;
    server.table.rows = {{"bob@example.com", "sip:bob@1", "1", start + 600, 500, 7},
                         {"joe@example.com", "sip:joe@9", "9", start + 600}};
    server.subscribe();
    CHECK(server.told() == "active sip:bob@1 (registered)");
    CHECK(server.last[std::string{bob}]->after.find(
              "expires=\"600\" q=\"0.5\" callid=\"call-1\" cseq=\"7\"") != std::string::npos);
    server.insert({"bob@example.com", "sip:bob@2", "2", start + 600});
    CHECK(server.told() == "active sip:bob@1 (registered) sip:bob@2 (registered)");
    server.notifies = 0;
    server.update("1", start + 900);
    CHECK(server.notifies == 0);
    server.update("1", start + 60);
    CHECK(server.notifies == 1);
    CHECK(server.told() == "active sip:bob@1 (shortened) sip:bob@2 (registered)");
    server.drop("2", usrloc::What::expired);
    CHECK(server.told() == "active sip:bob@1 (shortened) sip:bob@2 (expired!)");
    server.drop("1", usrloc::What::deleted);
    CHECK(server.told() == "terminated sip:bob@1 (unregistered!) sip:bob@2 (expired!)");
    server.clock.jump(std::chrono::seconds{LocalContacts::ended_for});
    server.notifies = 0;
    server.merge(bob);
    CHECK(server.notifies == 0); // they leave silently
    server.subscribe("sip:eve@example.com");
    CHECK(server.notifies == 1);
    // A publication of another server joins in.
    server.insert({"bob@example.com", "sip:bob@3", "3", 0});
    CHECK(server.publish("a", registration(contact("x", "a@1"))).empty());
    CHECK(server.told() == "active sip:bob@3 (registered) sip:a@1 (registered)");
}

TEST_CASE("users nobody watches cost nothing", "[presence_reginfo]")
{
    Server server;
    server.subscribe();
    const int before = server.table.lookups;
    server.insert({"joe@example.com", "sip:joe@9", "9", 0});
    server.tell(usrloc::What::inserted, {"bob@example.com", "sip:bob@1", "1"}, "another table");
    CHECK(server.table.lookups == before);
    CHECK(server.local.watched() == 1);
    CHECK(server.told() == "init");
}

TEST_CASE("an older answer of the table does not replace a newer one", "[presence_reginfo]")
{
    Server server;
    server.table.rows = {{"bob@example.com", "sip:bob@1", "1"}};
    server.table.during = [&] { server.drop("1", usrloc::What::deleted); }; // while it is being looked up
    server.subscribe();
    CHECK(server.told() == "terminated sip:bob@1 (unregistered!)");
}

TEST_CASE("a location table without domains", "[presence_reginfo]")
{
    Server server;
    server.table.domains = false;
    server.subscribe("sip:bob@a.example");
    server.subscribe("sip:bob@b.example");
    server.insert({"bob", "sip:bob@1", "1"});
    CHECK(server.told("sip:bob@a.example") == "sip:bob@a.example active sip:bob@1 (registered)");
    CHECK(server.told("sip:bob@b.example") == "sip:bob@b.example active sip:bob@1 (registered)");
    CHECK(server.local.watched() == 1);
}

TEST_CASE("a subscription that survived a restart sees the table", "[presence_reginfo]")
{
    test::FakeHost host;
    Server server;
    server.table.rows = {{"bob@example.com", "sip:bob@1", "1"}};
    server.watched.emplace(bob);
    host.on_fiber([&] {
        server.merge(bob); // no SUBSCRIBE, so nobody has looked yet
        CHECK(server.told() == "init");
    });
    host.advance({});
    CHECK(server.told() == "active sip:bob@1 (registered)");
    // While the table is away nobody asks in a loop.
    Server other;
    other.table.away = true;
    other.watched.emplace(bob);
    host.on_fiber([&] { other.merge(bob); });
    host.advance({});
    CHECK(other.table.lookups == 1);
    CHECK(other.told() == "init");
}

TEST_CASE("who is not watched any more is forgotten", "[presence_reginfo]")
{
    test::FakeHost host;
    Server server;
    host.on_fiber([&] {
        server.subscribe();
        server.subscribe("sip:joe@example.com");
    });
    CHECK(server.local.watched() == 2);
    server.watched.erase(std::string{bob});
    server.clock.jump(std::chrono::minutes{11});
    host.on_fiber([&] { server.subscribe("sip:eve@example.com"); });
    host.advance({});
    CHECK(server.local.watched() == 2);
    server.insert({"joe@example.com", "sip:joe@9", "9"});
    CHECK(server.told("sip:joe@example.com") == "sip:joe@example.com active sip:joe@9 (registered)");
}

TEST_CASE("settings that contradict each other", "[presence_reginfo]")
{
    MovableClock clock;
    for (const auto& bad : {Settings{.default_expires = 0}, Settings{.min_expires = 4000},
                            Settings{.min_expires = 100, .max_expires = 99}})
        CHECK_THROWS_AS((RegPackage{bad, clock, nullptr}), StartupError);
    CHECK(RegPackage{{}, clock, nullptr}.traits().name == "reg");
}
