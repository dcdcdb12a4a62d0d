// test/scenario/acc_test.cpp - what is accounted of a call that passes: directions, cancels, the call's
// record
#include "test/support/catch.h"
#include "test/support/sip_peer.h"

#include <cstdlib>

namespace sipyard::test {

namespace {

struct Call {
    explicit Call(const std::string& params)
        : server{folder.write("a.cfg",
                              "debug=2\nauto_aliases=no\nlisten=udp:127.0.0.1:PORT\n"
                              "loadmodule \"tm.so\"\nloadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule "
                              "\"rr.so\"\n"
                              "loadmodule \"siputils.so\"\nloadmodule \"dialog.so\"\nloadmodule \"acc.so\"\n"
                              "modparam(\"acc\", \"log_flag\", 1)\n" +
                                  params +
                                  "request_route {\n    setflag(1);\n"
                                  "    if (has_totag()) { loose_route(); t_relay(); exit; }\n"
                                  "    if (method == \"CANCEL\") { t_relay(); exit; }\n"
                                  "    record_route();\n    dlg_manage();\n    t_relay();\n}\n"),
                 {.defines = {}, .workers = 2, .debug = 2}},
          alice{server.port(), "alice"}, bob{server.port(), "bob"}
    {
    }
    bool accounted(const std::string& text)
    {
        return wait_until([&] { return server.log().find(text) != std::string::npos; }, 3000);
    }
    // alice calls, bob answers; returns the INVITE bob saw
    void talk()
    {
        invite = alice.request({.method = "INVITE", .ruri = bob.uri()});
        seen = bob.expect("INVITE");
        REQUIRE(seen);
        answer = bob.reply(seen, 200, "OK");
        const SipText ok = alice.expect(200);
        REQUIRE(ok);
        alice.ack(invite, ok);
        CHECK(bob.expect("ACK"));
    }
    static std::string tag(const std::string& value) { return value.substr(value.find(";tag=") + 5); }
    // bob hangs up
    void bye()
    {
        bob.request({.method = "BYE",
                     .ruri = alice.uri(),
                     .call_id = invite.header("Call-ID"),
                     .to_tag = tag(invite.header("From")),
                     .from_tag = tag(answer.header("To")),
                     .headers = "Route: " + seen.header("Record-Route") + "\r\n"});
        const SipText asked = alice.expect("BYE");
        REQUIRE(asked);
        alice.reply(asked, 200, "OK");
        CHECK(bob.expect(200));
    }

    TempDir folder;
    RunningServer server;
    SipPeer alice, bob;
    SipText invite, seen, answer;
};

} // namespace

SCENARIO("detect_direction: a request of the callee is told as the caller's dialog has it", "[acc]")
{
    for (const bool detect : {false, true}) {
        INFO(detect);
        Call call{detect ? "modparam(\"acc\", \"detect_direction\", 1)\n" : ""};
        call.talk();
        call.bye();
        const std::string callers = Call::tag(call.invite.header("From")),
                          callees = Call::tag(call.answer.header("To"));
        CHECK(call.accounted(";method=INVITE;from_tag=" + callers + ";to_tag=" + callees + ";"));
        CHECK(call.accounted(";method=BYE;from_tag=" + (detect ? callers : callees) +
                             ";to_tag=" + (detect ? callees : callers) + ";"));
    }
}

SCENARIO("report_cancels: a caller who gives up has a line for it", "[acc]")
{
    for (const bool report : {false, true}) {
        INFO(report);
        Call call{report ? "modparam(\"acc\", \"report_cancels\", 1)\n" : ""};
        call.invite = call.alice.request({.method = "INVITE", .ruri = call.bob.uri()});
        const SipText seen = call.bob.expect("INVITE");
        REQUIRE(seen);
        call.bob.reply(seen, 180);
        CHECK(call.alice.expect(180));
        call.alice.cancel(call.invite);
        const SipText cancel = call.bob.expect("CANCEL");
        REQUIRE(cancel);
        call.bob.reply(cancel, 200);
        call.bob.reply(seen, 487);
        CHECK(call.alice.expect(487));
        if (report)
            CHECK(call.accounted("ACC: transaction answered: timestamp="));
        CHECK((call.server.log().find(";method=CANCEL;") != std::string::npos) == report);
    }
}

SCENARIO("a call's record counts milliseconds", "[acc]")
{
    Call call{"modparam(\"acc\", \"cdr_enable\", 1)\n"};
    call.talk();
    call.bob.hears_nothing(150); // they talk
    call.bye();
    REQUIRE(call.accounted("; duration="));
    const std::string log = call.server.log();
    const double lasted = std::atof(log.c_str() + log.find("; duration=") + 11);
    CHECK(lasted > 0.1);
    CHECK(lasted < 30);
    CHECK(log.find(".", log.find("; duration=")) != std::string::npos);
}

} // namespace sipyard::test
