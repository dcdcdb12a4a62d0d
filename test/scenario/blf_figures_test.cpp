// test/scenario/blf_figures_test.cpp - lamps: calls, the presence server and watchers, message by message;
// outages, restarts and kill -9 (RFC 3903, RFC 4235)
#include "test/support/blf_place.h"

#include <csignal>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

// --- with the real presence server ---------------------------------------------------------------

namespace {

const std::string presence_modules = "loadmodule \"presence.so\"\nloadmodule \"presence_dialoginfo.so\"\n";
const std::string presence_requests =
    "\tif (method == \"PUBLISH\") {\n\t\tif (t_newtran()) handle_publish();\n\t\texit;\n\t}\n"
    "\tif (method == \"SUBSCRIBE\") {\n\t\tif (t_newtran()) "
    "handle_subscribe();\n\t\texit;\n\t}\n";

int number_of(const SipText& notify) { return std::atoi(notify.header("CSeq").c_str()); }

// Proxy and presence server in one.
void figure_one(const std::string& params)
{
    TempDir folder;
    const std::uint16_t port = free_port();
    Desk desk{port}, own{port};
    Phone alice{port, "alice"}, bob{port, "bob"};
    RunningServer server{
        folder.write("blf.cfg", proxy(presence_modules,
                                      params + "modparam(\"pua_dialoginfo\", \"terminated_lifetime\", 1)\n",
                                      presence_requests)),
        [&] {
            auto options = at_port(port);
            options.defines["LOOP"] = "\"sip:127.0.0.1:" + std::to_string(port) + "\"";
            return options;
        }()};
    const SipText ok = desk.subscribe("bob", "lamp-1");
    INFO(server.log());
    REQUIRE(ok);
    CHECK(ok.header("Expires") == "600");
    CHECK(!desk.to_tag.empty());
    CHECK(!desk.contact.empty());
    const SipText idle = desk.notify();
    INFO(desk.peer.log());
    CHECK_THAT(idle.header("Subscription-State"), StartsWith("active;expires="));
    CHECK(attribute(idle.body().substr(idle.body().find("<dialog-info")), "version") == "0");
    CHECK_THAT(idle.body(), !Contains("<dialog "));
    REQUIRE(own.subscribe("alice", "lamp-2"));
    CHECK(own.notify());
    const auto version = [](const SipText& notify) {
        const std::string body = notify.body();
        const auto at = body.find("<dialog-info");
        return at == std::string::npos ? "" : attribute(body.substr(at), "version");
    };

    PhoneCall call{alice, bob, "fig-1"};
    call.begin();
    CHECK(state_in(own.notify().body()) == "trying");
    CHECK(desk.peer.hears_nothing());

    call.ring();
    const SipText early = desk.notify();
    INFO(early.text);
    CHECK(number_of(early) == number_of(idle) + 1);
    CHECK(version(early) == "1");
    CHECK(state_in(early.body()) == "early");
    CHECK(attribute(early.body(), "direction") == "recipient");
    CHECK(attribute(early.body(), "call-id") == "fig-1");
    CHECK(attribute(early.body(), "local-tag") == call.bob_tag);
    CHECK(attribute(early.body(), "remote-tag") == "a");
    CHECK(state_in(own.notify().body()) == "early");

    call.pick_up();
    const SipText confirmed = desk.notify();
    CHECK(version(confirmed) == "2");
    CHECK(state_in(confirmed.body()) == "confirmed");
    CHECK(id_in(confirmed.body()) == id_in(early.body()));
    CHECK(attribute(confirmed.body(), "local-tag") == call.bob_tag);
    CHECK(state_in(own.notify().body()) == "confirmed");

    call.hang_up();
    const SipText ended = desk.notify();
    CHECK(version(ended) == "3");
    CHECK(state_in(ended.body()) == "terminated");
    CHECK(attribute(ended.body(), "event") == "remote-bye");
    CHECK(state_in(own.notify().body()) == "terminated");

    CHECK(desk.peer.hears_nothing(1500)); // the terminated state went, which is no news
    CHECK(desk.refresh() == 200);
    const SipText again = desk.notify();
    CHECK(version(again) == "4");
    CHECK_THAT(again.body(), !Contains("<dialog "));
    CHECK(wait_until([&] { return server.counted("pua.publications") == 0; }));
}

} // namespace

SCENARIO("figure 1: a lamp follows a call, all in one process", "[blf][figures]") { figure_one(""); }

SCENARIO("figure 1: a lamp follows a call, published by SIP to ourselves", "[blf][figures]")
{
    figure_one("modparam(\"pua\", \"mode\", \"sip\")\nmodparam(\"pua\", \"outbound_proxy\", LOOP)\n");
}

SCENARIO("figure 2: the presence server is another one, and is restarted", "[blf][figures]")
{
    TempDir folder;
    const std::uint16_t port = free_port(), presence_port = free_port();
    Desk desk{port};
    Phone alice{port, "alice"}, bob{port, "bob"};
    const std::string presence_config = folder.write(
        "s.cfg",
        "auto_aliases=no\nalias=\"example.com\"\nlisten=udp:127.0.0.1:PORT\nloadmodule \"pv.so\"\nloadmodule "
        "\"siputils.so\"\nloadmodule \"sl.so\"\nloadmodule \"tm.so\"\nloadmodule \"rr.so\"\n" +
            presence_modules + "request_route {\n" + presence_requests +
            "\tsl_send_reply(\"405\", \"Not here\");\n}\n");
    const std::string s = "sip:127.0.0.1:" + std::to_string(presence_port);
    auto presence = std::make_unique<RunningServer>(presence_config, at_port(presence_port));
    RunningServer server{
        folder.write(
            "p.cfg",
            proxy("", "modparam(\"pua\", \"outbound_proxy\", \"" + s + "\")\n",
                  "\tif (method == \"SUBSCRIBE\" && !has_totag()) {\n\t\trecord_route();\n\t\t$du = \"" + s +
                      "\";\n\t\tt_relay();\n\t\texit;\n\t}\n")),
        at_port(port)};
    REQUIRE(desk.subscribe("bob", "lamp-3"));
    CHECK_THAT(desk.route, Contains(std::to_string(port)));
    const SipText idle = desk.notify();
    CHECK_THAT(idle.start_line(), StartsWith("NOTIFY " + desk.peer.uri()));
    CHECK(idle.count("Via") == 2); // by way of the proxy
    PhoneCall call{alice, bob, "fig-2"};
    call.begin();
    call.ring();
    CHECK(state_in(desk.notify().body()) == "early");

    WHEN("nothing happens to it")
    {
        call.pick_up();
        CHECK(state_in(desk.notify().body()) == "confirmed");
        CHECK(desk.refresh() == 200);
        CHECK(desk.notify());
        call.hang_up();
        CHECK(state_in(desk.until("terminated").body()) == "terminated");
    }
    WHEN("it is restarted with an empty memory while bob's phone rings")
    {
        presence->stop();
        presence.reset();
        presence = std::make_unique<RunningServer>(presence_config, at_port(presence_port));
        call.pick_up(); // 412, then at once an initial PUBLISH
        CHECK(desk.refresh() == 481);
        Desk anew{port};
        REQUIRE(anew.subscribe("bob", "lamp-4"));
        CHECK(state_in(anew.until("confirmed").body()) == "confirmed");
        call.hang_up();
        CHECK(state_in(anew.until("terminated").body()) == "terminated");
    }
    WHEN("it cannot be reached when bob answers")
    {
        presence->stop();
        presence.reset();
        call.pick_up();
        CHECK(wait_until([&] { return server.counted("pua.failed") >= 1; }, 40'000));
        presence = std::make_unique<RunningServer>(presence_config, at_port(presence_port));
        Desk anew{port};
        REQUIRE(anew.subscribe("bob", "lamp-5"));
        bool early = false;
        SipText shown;
        do { // early is never sent again
            shown = anew.notify(20'000);
            early = early || state_in(shown.body()) == "early";
        } while (shown && state_in(shown.body()) != "confirmed");
        CHECK(state_in(shown.body()) == "confirmed");
        CHECK_FALSE(early);
        call.hang_up();
        CHECK(state_in(anew.until("terminated").body()) == "terminated");
    }
}

// --- kill -9 -------------------------------------------------------------------------------------

namespace {

std::string with_databases(const std::string& modules)
{
    std::string params = "modparam(\"dialog\", \"db_mode\", 1)\n";
    for (const char* const module : {"dialog", "pua"})
        params += std::string{"modparam(\""} + module + "\", \"db_url\", DBURL)\n";
    if (!modules.empty())
        params += "modparam(\"presence\", \"db_url\", DBURL)\n";
    return params;
}

std::map<std::string, std::string> process_defines(const TempDir& folder, std::uint16_t port)
{
    return {{"PORT", std::to_string(port)}, {"DBURL", "\"sqlite://" + folder.file("blf.db") + "\""}};
}

} // namespace

SCENARIO("kill -9 during a call: the lamp goes out when it ends", "[blf][kill]")
{
    TempDir folder;
    const std::uint16_t port = free_port();
    Desk desk{port};
    Phone alice{port, "alice"}, bob{port, "bob"};
    ServerProcess server{folder.write("blf.cfg", proxy("loadmodule \"db_sqlite.so\"\n" + presence_modules,
                                                       with_databases("presence"), presence_requests)),
                         process_defines(folder, port)};
    INFO(server.output());
    REQUIRE(desk.subscribe("bob", "lamp-6"));
    CHECK(desk.notify());
    PhoneCall call{alice, bob, "kill-1"};
    call.begin();
    call.ring();
    CHECK(state_in(desk.notify().body()) == "early");
    WHEN("it rings: the lamp goes out")
    {
        REQUIRE(wait_until([&] {
            return sqlite(folder.file("blf.db"), "SELECT count(*) FROM pua WHERE etag <> ''") == "2\n";
        }));
        server.kill(SIGKILL);
        server.wait();
        server.start();
        INFO(server.output());
        SipText shown;
        do
            shown = desk.notify();
        while (shown && state_in(shown.body()) == "early"); // as it was, when the server is back
        INFO(server.output() << server.rpc("pua.list"));
        REQUIRE(shown);
        CHECK_THAT(shown.body(), !Contains("<dialog "));
    }
    WHEN("it was answered")
    {
        call.pick_up();
        const SipText confirmed = desk.until("confirmed");
        CHECK(state_in(confirmed.body()) == "confirmed");
        REQUIRE(wait_until([&] {
            return sqlite(folder.file("blf.db"),
                          "SELECT count(*) FROM dialog_vars, dialog WHERE dialog_key = "
                          "'dialoginfo' AND state = 4") == "1\n";
        }));
        server.kill(SIGKILL);
        server.wait();
        server.start();
        INFO(server.output());
        call.hang_up();
        const SipText ended = desk.until("terminated");
        INFO(desk.peer.log());
        CHECK(state_in(ended.body()) == "terminated");
        CHECK(id_in(ended.body()) == id_in(confirmed.body()));
        CHECK(attribute(ended.body(), "event") == "remote-bye");
    }
}

SCENARIO("kill -9 of a proxy whose presence server is elsewhere", "[blf][kill]")
{
    TempDir folder;
    const std::uint16_t port = free_port();
    PresencePeer presence{port};
    Phone alice{port, "alice"}, bob{port, "bob"};
    ServerProcess server{
        folder.write("blf.cfg",
                     proxy("loadmodule \"db_sqlite.so\"\n",
                           with_databases("") + "modparam(\"pua\", \"outbound_proxy\", \"sip:127.0.0.1:" +
                               std::to_string(presence.peer.port()) + "\")\n")),
        process_defines(folder, port)};
    INFO(server.output());
    PhoneCall call{alice, bob, "kill-2"};
    call.begin();
    CHECK(state_in(presence.next("alice").body()) == "trying");
    call.ring();
    CHECK(state_in(presence.next("alice").body()) == "early");
    CHECK(state_in(presence.next("bob").body()) == "early");
    const auto stored = [&](const std::string& what, const std::string& count) {
        return wait_until(
            [&] { return sqlite(folder.file("blf.db"), "SELECT count(*) FROM " + what) == count + "\n"; });
    };
    WHEN("it rings: what was lit is taken back")
    {
        REQUIRE(stored("pua WHERE etag <> ''", "2"));
        server.kill(SIGKILL);
        server.wait();
        server.start();
        INFO(server.output());
        const SipText gone = presence.next("bob");
        CHECK(gone.header("Expires") == "0");
        CHECK(gone.count("SIP-If-Match") == 1);
        CHECK(presence.next("alice").header("Expires") == "0");
        CHECK(stored("pua", "0"));
    }
    WHEN("the call is answered: it goes on under its tags, and ends")
    {
        call.pick_up();
        CHECK(state_in(presence.next("bob").body()) == "confirmed");
        CHECK(state_in(presence.next("alice").body()) == "confirmed");
        REQUIRE(stored("dialog_vars, dialog WHERE dialog_key = 'dialoginfo' AND state = 4", "1"));
        REQUIRE(stored("pua WHERE etag IN ('E4', 'E5')", "2"));
        server.kill(SIGKILL);
        server.wait();
        server.start();
        INFO(server.output());
        const SipText again = presence.next("bob");
        CHECK(state_in(again.body()) == "confirmed");
        CHECK(again.count("SIP-If-Match") == 1);
        CHECK(state_in(presence.next("alice").body()) == "confirmed");
        call.hang_up();
        const SipText ended = presence.next("bob");
        CHECK(state_in(ended.body()) == "terminated");
        CHECK(ended.count("SIP-If-Match") == 1);
        CHECK(id_in(ended.body()) == id_in(again.body()));
        CHECK(attribute(ended.body(), "local-tag") == call.bob_tag);
    }
}
