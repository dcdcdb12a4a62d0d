// test/scenario/dialog_test.cpp - calls that the server follows: states over RPC, ended from here, timed out,
// kept over a restart
#include "test/support/catch.h"
#include "test/support/running_server.h"
#include "test/support/sip_peer.h"

#include <csignal>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::string following(const std::string& params = {}, const std::string& before = {})
{
    return "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\n"
           "loadmodule \"pv.so\"\nloadmodule \"siputils.so\"\nloadmodule \"sl.so\"\nloadmodule "
           "\"tm.so\"\nloadmodule \"rr.so\"\n"
           "loadmodule \"xlog.so\"\n" +
           before + "loadmodule \"dialog.so\"\n" + params +
           "modparam(\"dialog\", \"profiles_no_value\", \"calls\")\n"
           "request_route {\n"
           "\tif (has_totag()) {\n\t\tif (loose_route()) t_relay();\n\t\texit;\n\t}\n"
           "\tif (method == \"CANCEL\") {\n\t\tt_relay();\n\t\texit;\n\t}\n"
           "\trecord_route();\n\t$dlg_ctx(timeout_bye) = 1;\n\tdlg_manage();\n\t$dlg_var(who) = \"alice\";\n"
           "\tset_dlg_profile(\"calls\");\n\tt_relay();\n}\n"
           "event_route[dialog:start] { xlog(\"L_ERR\", \"began $ci\\n\"); }\n"
           "event_route[dialog:end] { xlog(\"L_ERR\", \"ended $ci $dlg_var(who)\\n\"); }\n"
           "event_route[dialog:failed] { xlog(\"L_ERR\", \"failed $ci\\n\"); }\n";
}

struct Phone {
    explicit Phone(std::uint16_t server) : udp{server} {}
    std::string contact() const { return "sip:phone@127.0.0.1:" + std::to_string(udp.port()); }
    void request(const std::string& method, const std::string& uri, int number, const std::string& call,
                 const std::string& from_tag, const std::string& to_tag, const std::string& route = {})
    {
        udp.send(method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" + std::to_string(udp.port()) +
                 ";branch=z9hG4bK" + call + method + std::to_string(number) +
                 "\r\nFrom: <sip:x@example.org>;tag=" + from_tag + "\r\nTo: <sip:y@example.org>" +
                 (to_tag.empty() ? "" : ";tag=" + to_tag) + "\r\nCall-ID: " + call +
                 "\r\nCSeq: " + std::to_string(number) + " " + method + "\r\nContact: <" + contact() +
                 ">\r\nMax-Forwards: 70\r\n" + route + "Content-Length: 0\r\n\r\n");
    }
    void reply(const std::string& asked, const std::string& status)
    {
        udp.send(reply_text(asked, status, "B", "Contact: <" + contact() + ">\r\n"));
    }
    // The next message that begins so; others (100, retransmissions) are passed over.
    std::string until(const std::string& begin)
    {
        for (int n = 0; n < 20; ++n)
            if (const std::string message = udp.receive(); message.starts_with(begin) || message.empty())
                return message;
        return {};
    }
    UdpClient udp;
};

// Alice calls bob and the call is answered. The Route header of requests within it.
std::string call(Phone& alice, Phone& bob, const std::string& id)
{
    alice.request("INVITE", bob.contact(), 1, id, "A", "");
    const std::string invite = bob.until("INVITE");
    REQUIRE_THAT(invite, Contains(";did="));
    bob.reply(invite, "180 Ringing");
    REQUIRE_THAT(alice.until("SIP/2.0 180"), StartsWith("SIP/2.0 180"));
    bob.reply(invite, "200 OK");
    const std::string answer = alice.until("SIP/2.0 200");
    REQUIRE_THAT(answer, StartsWith("SIP/2.0 200"));
    const std::string route = header_lines("Route", header_values(answer, "Record-Route"));
    alice.request("ACK", bob.contact(), 1, id, "A", "B", route);
    REQUIRE_THAT(bob.until("ACK"), StartsWith("ACK"));
    return route;
}

std::string field(const std::string& json, const std::string& name)
{
    const auto at = json.find("\"" + name + "\":");
    if (at == std::string::npos)
        return {};
    const auto begin = at + name.size() + 3;
    return json.substr(begin, json.find_first_of(",}", begin) - begin);
}

} // namespace

SCENARIO("a call is followed, and ended by its caller", "[dialog]")
{
    TempDir folder;
    RunningServer server{folder.write("d.cfg", following())};
    Phone alice{server.port()}, bob{server.port()};
    const std::string route = call(alice, bob, "call-1");
    CHECK(wait_until([&] { return field(server.rpc("dlg.list"), "state") == "4"; }));
    CHECK_THAT(server.rpc("dlg.list"),
               Contains("\"variables\":[{\"who\":\"alice\"}]") && Contains("\"profiles\":[\"calls\"]"));
    CHECK_THAT(server.log(), Contains("began call-1"));

    alice.request("BYE", bob.contact(), 2, "call-1", "A", "B", route);
    const std::string bye = bob.until("BYE");
    REQUIRE_THAT(bye, StartsWith("BYE " + bob.contact()));
    bob.reply(bye, "200 OK");
    CHECK_THAT(alice.until("SIP/2.0 200"), StartsWith("SIP/2.0 200"));
    CHECK_THAT(server.rpc("dlg.stats_active"), Contains("\"all\":0"));
    CHECK_THAT(server.log(), Contains("ended call-1 alice"));
}

SCENARIO("a call that is refused never was one", "[dialog]")
{
    TempDir folder;
    RunningServer server{folder.write("d.cfg", following())};
    Phone alice{server.port()}, bob{server.port()};
    alice.request("INVITE", bob.contact(), 1, "call-2", "A", "");
    bob.reply(bob.until("INVITE"), "486 Busy Here");
    CHECK_THAT(alice.until("SIP/2.0 486"), StartsWith("SIP/2.0 486"));
    alice.request("ACK", bob.contact(), 1, "call-2", "A", "B");
    CHECK(wait_until([&] { return server.log().find("failed call-2") != std::string::npos; }));
    CHECK(server.counted("dialog.failed_dialogs") == 1);
    CHECK(server.counted("dialog.active_dialogs") == 0);
}

SCENARIO("the operator ends a call", "[dialog]")
{
    TempDir folder;
    RunningServer server{folder.write("d.cfg", following())};
    Phone alice{server.port()}, bob{server.port()};
    (void)call(alice, bob, "call-3");
    REQUIRE(wait_until([&] { return field(server.rpc("dlg.list"), "state") == "4"; }));
    const std::string listed = server.rpc("dlg.list");
    server.rpc("dlg.end_dlg", "[" + field(listed, "h_entry") + "," + field(listed, "h_id") + "]");
    const std::string to_bob = bob.until("BYE"), to_alice = alice.until("BYE");
    REQUIRE_THAT(to_bob, StartsWith("BYE " + bob.contact()));
    CHECK_THAT(header_values(to_bob, "From").at(0), Contains("tag=A"));
    CHECK(header_values(to_bob, "CSeq").at(0) == "2 BYE");
    REQUIRE_THAT(to_alice, StartsWith("BYE " + alice.contact()));
    CHECK_THAT(header_values(to_alice, "To").at(0), Contains("tag=A"));
    bob.reply(to_bob, "200 OK");
    alice.reply(to_alice, "200 OK");
}

SCENARIO("a call is ended when its time is over", "[dialog]")
{
    TempDir folder;
    RunningServer server{folder.write("d.cfg", following("modparam(\"dialog\", \"default_timeout\", 1)\n"))};
    Phone alice{server.port()}, bob{server.port()};
    (void)call(alice, bob, "call-4");
    const std::string to_bob = bob.until("BYE"), to_alice = alice.until("BYE");
    CHECK_THAT(to_bob, StartsWith("BYE " + bob.contact()));
    CHECK_THAT(to_alice, StartsWith("BYE " + alice.contact()));
    CHECK(wait_until([&] { return server.counted("dialog.expired_dialogs") == 1; }));
}

SCENARIO("an answered call survives kill -9", "[dialog]")
{
    TempDir folder;
    const std::string config = folder.write(
        "d.cfg", following("modparam(\"dialog\", \"db_mode\", 1)\nmodparam(\"dialog\", \"db_url\", DBURL)\n",
                           "loadmodule \"db_sqlite.so\"\n"));
    ServerProcess server{config, {{"DBURL", "\"sqlite://" + folder.file("d.db") + "\""}}};
    Phone alice{server.port()}, bob{server.port()};
    const std::string route = call(alice, bob, "call-5");
    const bool stored =
        wait_until([&] { return sqlite(folder.file("d.db"), "SELECT state FROM dialog") == "4\n"; });
    INFO(server.output());
    REQUIRE(stored);
    server.kill(SIGKILL);
    server.wait();
    server.start();
    INFO(server.output());
    const std::string listed = server.rpc("dlg.list");
    CHECK(field(listed, "state") == "4");
    CHECK_THAT(listed, Contains("\"who\":\"alice\""));
    bob.request("BYE", alice.contact(), 1, "call-5", "B", "A", route);
    const std::string bye = alice.until("BYE");
    REQUIRE_THAT(bye, StartsWith("BYE " + alice.contact()));
    alice.reply(bye, "200 OK");
    CHECK_THAT(bob.until("SIP/2.0 200"), StartsWith("SIP/2.0 200"));
    CHECK(wait_until([&] { return sqlite(folder.file("d.db"), "SELECT count(*) FROM dialog") == "0\n"; }));
}

SCENARIO("db_mode 2 writes now and then, 3 when the server stops", "[dialog]")
{
    for (const int mode : {2, 3}) {
        INFO("db_mode " << mode);
        TempDir folder;
        const std::string config =
            folder.write("d.cfg", following("modparam(\"dialog\", \"db_mode\", " + std::to_string(mode) +
                                                ")\nmodparam(\"dialog\", \"db_update_period\", 1)\n"
                                                "modparam(\"dialog\", \"db_url\", DBURL)\n",
                                            "loadmodule \"db_sqlite.so\"\n"));
        ServerProcess server{config, {{"DBURL", "\"sqlite://" + folder.file("d.db") + "\""}}};
        const auto states = [&] { return sqlite(folder.file("d.db"), "SELECT state FROM dialog"); };
        Phone alice{server.port()}, bob{server.port()};
        const std::string route = call(alice, bob, "call-6");
        if (mode == 2) {
            CHECK(wait_until([&] { return states() == "4\n"; }));
        } else {
            REQUIRE(wait_until([&] { return field(server.rpc("dlg.list"), "state") == "4"; }));
            CHECK(bob.udp.receive(1500).empty()); // longer than the period of the other mode
            CHECK(states().empty());
        }
        server.kill(SIGTERM);
        CHECK(server.wait() == 0);
        CHECK(states() == "4\n");
        server.start();
        INFO(server.output());
        CHECK(field(server.rpc("dlg.list"), "state") == "4");
        bob.request("BYE", alice.contact(), 1, "call-6", "B", "A", route);
        const std::string bye = alice.until("BYE");
        REQUIRE_THAT(bye, StartsWith("BYE " + alice.contact()));
        alice.reply(bye, "200 OK");
        CHECK_THAT(bob.until("SIP/2.0 200"), StartsWith("SIP/2.0 200"));
        server.kill(SIGTERM); // what has ended by then is not kept
        CHECK(server.wait() == 0);
        CHECK(states().empty());
    }
}
