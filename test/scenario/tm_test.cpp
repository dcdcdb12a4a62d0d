// test/scenario/tm_test.cpp - a stateful proxy over real sockets: calls, forks, failures, cancels,
// retransmissions
#include "core/base/format.h"
#include "test/support/catch.h"
#include "test/support/sip_peer.h"

namespace sipyard::test {

namespace {

// Timers small enough for a test, large enough for a busy machine.
std::string config(const std::string& routes, const std::string& params = {})
{
    return R"cfg(
debug=2
listen=udp:127.0.0.1:PORT
listen=tcp:127.0.0.1:PORT
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "corex.so"
loadmodule "kex.so"
modparam("tm", "fr_timer", 1500)
modparam("tm", "retr_timer1", 300)
modparam("tm", "wt_timer", 1000)
)cfg" + params +
           routes;
}

const std::string plain = R"cfg(
request_route {
    if (is_method("CANCEL")) { t_relay(); exit; }
    if ($hdr(X-To) != $null) { $du = $hdr(X-To); }
    t_relay();
}
)cfg";

struct Call {
    explicit Call(const std::string& routes, const std::string& params = {})
        : server{folder.write("tm.cfg", config(routes, params)), {.defines = {}, .workers = 2, .debug = 2}},
          caller{server.port(), "alice"}, callee{server.port(), "bob"}, other{server.port(), "carol"}
    {
    }
    SipText invite(const std::string& headers = {})
    {
        return caller.request({.method = "INVITE", .ruri = callee.uri(), .headers = headers});
    }
    TempDir folder;
    RunningServer server;
    SipPeer caller, callee, other;
};

} // namespace

SCENARIO("a call passes", "[tm]")
{
    Call call{plain};
    const SipText invite = call.invite();
    CHECK(call.caller.expect(100).start_line() == "SIP/2.0 100 trying -- your call is important to us");
    const SipText seen = call.callee.expect("INVITE");
    REQUIRE(seen);
    CHECK(seen.count("Via") == 2);
    CHECK(seen.branch().rfind("z9hG4bK", 0) == 0);
    call.callee.reply(seen, 180, "Ringing");
    const SipText ringing = call.caller.expect(180);
    CHECK(ringing.count("Via") == 1);
    call.callee.reply(seen, 200, "OK");
    const SipText ok = call.caller.expect(200);
    REQUIRE(ok);
    call.caller.ack(invite, ok);
    CHECK(call.callee.expect("ACK"));
    const SipText bye = call.caller.request({.method = "BYE",
                                             .ruri = call.callee.uri(),
                                             .call_id = invite.header("Call-ID"),
                                             .to_tag = "x",
                                             .cseq = 2});
    const SipText bye_seen = call.callee.expect("BYE");
    REQUIRE(bye_seen);
    call.callee.reply(bye_seen, 200, "OK");
    CHECK(call.caller.expect(200));
    // What comes again is answered from memory.
    call.caller.send(bye.text);
    CHECK(call.caller.expect(200));
    CHECK(call.callee.hears_nothing());
    CHECK(call.server.log().find("call: INVITE Call-ID=") != std::string::npos);
}

SCENARIO("a busy callee", "[tm]")
{
    Call call{plain};
    const SipText invite = call.invite();
    const SipText seen = call.callee.expect("INVITE");
    REQUIRE(seen);
    call.callee.reply(seen, 486, "Busy Here");
    const SipText ack = call.callee.expect("ACK");
    REQUIRE(ack);
    CHECK(ack.branch() == seen.branch());
    const SipText busy = call.caller.expect(486);
    REQUIRE(busy);
    CHECK(call.caller.expect(486)); // until it is acknowledged (timer G)
    call.caller.ack(invite, busy);
    CHECK(call.callee.hears_nothing(400));     // the ACK ends here
    call.callee.reply(seen, 486, "Busy Here"); // our ACK was lost
    CHECK(call.callee.expect("ACK"));
}

SCENARIO("requests are sent again until somebody answers", "[tm]")
{
    Call call{plain};
    call.invite();
    const SipText first = call.callee.expect("INVITE");
    const SipText second = call.callee.expect("INVITE");
    REQUIRE(second);
    CHECK(first.text == second.text);
    // Nobody ever answers: 408, made here.
    CHECK(call.caller.expect(408).start_line() == "SIP/2.0 408 Request Timeout");
}

SCENARIO("the caller hangs up", "[tm]")
{
    const std::string routes = R"cfg(
request_route {
    if (is_method("CANCEL")) { xlog("L_INFO", "check $rc\n"); if (t_check_trans()) t_relay(); exit; }
    t_on_failure("F");
    t_relay();
}
failure_route[F] { if (t_is_canceled()) xlog("L_INFO", "canceled with $T_reply_code\n"); }
)cfg";
    GIVEN("a callee that rings")
    {
        Call call{routes};
        const SipText invite = call.invite();
        const SipText seen = call.callee.expect("INVITE");
        REQUIRE(seen);
        call.callee.reply(seen, 180);
        CHECK(call.caller.expect(180));
        call.caller.cancel(invite, "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n");
        CHECK(call.caller.expect(200).start_line() == "SIP/2.0 200 canceling");
        const SipText cancel = call.callee.expect("CANCEL");
        REQUIRE(cancel);
        CHECK(cancel.branch() == seen.branch());
        CHECK(cancel.header("CSeq") == "1 CANCEL");
        CHECK(cancel.header("Reason") == "SIP;cause=200;text=\"Call completed elsewhere\"");
        call.callee.reply(cancel, 200);
        call.callee.reply(seen, 487, "Request Terminated");
        CHECK(call.callee.expect("ACK"));
        const SipText ended = call.caller.expect(487);
        REQUIRE(ended);
        call.caller.ack(invite, ended);
        CHECK(call.server.log().find("canceled with 487") != std::string::npos);
        call.caller.cancel(invite); // once more: from memory
        CHECK(call.caller.expect(200).start_line() == "SIP/2.0 200 canceling");
    }
    GIVEN("a callee that has said nothing yet")
    {
        Call call{routes};
        const SipText invite = call.invite();
        const SipText seen = call.callee.expect("INVITE");
        REQUIRE(seen);
        call.caller.cancel(invite);
        CHECK(call.caller.expect(200));
        const SipText ended = call.caller.expect(487);
        REQUIRE(ended);
        call.caller.ack(invite, ended);
        call.callee.reply(seen, 180); // it rings after all
        const SipText cancel = call.callee.expect("CANCEL");
        REQUIRE(cancel);
        call.callee.reply(cancel, 200);
        call.callee.reply(seen, 487);
        CHECK(call.callee.expect("ACK"));
    }
    GIVEN("a call that is answered already")
    {
        Call call{routes};
        const SipText invite = call.invite();
        const SipText seen = call.callee.expect("INVITE");
        REQUIRE(seen);
        call.callee.reply(seen, 200);
        CHECK(call.caller.expect(200));
        call.caller.cancel(invite);
        CHECK(call.caller.expect(200).start_line() == "SIP/2.0 200 ok -- no more pending branches");
        CHECK(call.callee.hears_nothing());
    }
}

SCENARIO("several branches", "[tm]")
{
    const std::string routes = R"cfg(
request_route {
    if (is_method("CANCEL|ACK")) { t_relay(); exit; }
    append_hf("X-All: yes\r\n");
    append_branch($hdr(X-Other));
    t_on_branch("B");
    t_on_reply("R");
    t_relay();
    append_hf("X-Late: yes\r\n");
}
branch_route[B] {
    append_hf("X-Branch: $T_branch_idx\r\n");
    xlog("L_INFO", "branch $T_branch_idx to $ru\n");
}
onreply_route[R] { xlog("L_INFO", "onreply $T_branch_idx $rs\n"); }
)cfg";
    Call call{routes};
    const SipText invite = call.invite("X-Other: " + call.other.uri() + "\r\n");
    const SipText bob = call.callee.expect("INVITE"), carol = call.other.expect("INVITE");
    REQUIRE(bob);
    REQUIRE(carol);
    CHECK(bob.ruri() == call.callee.uri());
    CHECK(carol.ruri() == call.other.uri());
    for (const SipText* seen :
         {&bob, &carol}) { // edits of the request route: all branches; of the branch route: one
        CHECK(seen->header("X-All") == "yes");
        CHECK(seen->count("X-Branch") == 1);
        CHECK(seen->count("X-Late") == 0);
    }
    CHECK(bob.header("X-Branch") == "0");
    CHECK(carol.header("X-Branch") == "1");
    WHEN("one answers")
    {
        call.callee.reply(bob, 180);
        call.other.reply(carol, 180);
        CHECK(call.caller.expect(180));
        call.other.reply(carol, 200);
        const SipText ok = call.caller.expect(200);
        REQUIRE(ok);
        THEN("the other is cancelled, and its 2xx in spite of that still passes")
        {
            const SipText cancel = call.callee.expect("CANCEL");
            REQUIRE(cancel);
            CHECK(cancel.header("Reason") == "SIP;cause=200;text=\"Call completed elsewhere\"");
            call.callee.reply(bob, 200);
            CHECK(call.caller.expect(200).header("Contact") == "<" + call.callee.uri() + ">");
        }
    }
    WHEN("both want a password")
    {
        call.callee.reply(bob, 401, "Unauthorized",
                          "WWW-Authenticate: Digest realm=\"bob\", nonce=\"1\"\r\n");
        CHECK(call.callee.expect("ACK"));
        call.other.reply(carol, 407, "Proxy Authentication Required",
                         "Proxy-Authenticate: Digest realm=\"carol\", nonce=\"2\"\r\n");
        const SipText both = call.caller.expect(401);
        REQUIRE(both);
        CHECK(both.header("WWW-Authenticate").find("bob") != std::string::npos);
        CHECK(both.header("Proxy-Authenticate").find("carol") != std::string::npos);
    }
    WHEN("one declines for everybody")
    {
        call.callee.reply(bob, 180);
        CHECK(call.caller.expect(180));
        call.other.reply(carol, 603, "Decline");
        const SipText cancel = call.callee.expect("CANCEL");
        REQUIRE(cancel);
        CHECK(cancel.header("Reason") == "SIP;cause=603");
        call.callee.reply(bob, 487);
        CHECK(call.caller.expect(603));
    }
    WHEN("one is overloaded and the other busy")
    {
        call.callee.reply(bob, 503);
        call.other.reply(carol, 486);
        CHECK(call.caller.expect(486));
    }
    WHEN("both are overloaded")
    {
        call.callee.reply(bob, 503, "Service Unavailable");
        call.other.reply(carol, 503, "Service Unavailable");
        CHECK(call.caller.expect(500).start_line() == "SIP/2.0 500 Service Unavailable");
    }
}

SCENARIO("a failure route tries another place", "[tm]")
{
    // Trap 15: the R-URI is that of the transaction's creation; what is to change is changed again.
    const std::string routes = R"cfg(
request_route {
    if (is_method("CANCEL|ACK")) { t_relay(); exit; }
    append_hf("X-First: yes\r\n");
    $avp(seen) = "kept";
    setflag(3);
    t_on_branch("B");
    t_on_failure("F");
    t_relay();
}
branch_route[B] { append_hf("X-Branch: $rU\r\n"); $ru = $ru + ";branch=1"; setflag(4); }
failure_route[F] {
    xlog("L_INFO", "failed $T_reply_code ru $ru rs [$rs] avp $avp(seen) rpl $T_rpl($rs)\n");
    if (isflagset(3) && isflagset(4)) xlog("L_INFO", "flags are there\n");
    if (t_check_status("48[0-9]")) xlog("L_INFO", "status matches\n");
    if (t_branch_timeout()) xlog("L_INFO", "timed out\n");
    if (t_is_failure_route()) xlog("L_INFO", "is failure\n");
    append_hf("X-Second: yes\r\n");
    $ru = $hdr(X-Other);
    t_on_failure("G");
    t_relay();
}
failure_route[G] {
    xlog("L_INFO", "again $T_reply_code\n");
    if ($T_reply_code == 480) t_reply("404", "Nobody $rU");
}
)cfg";
    Call call{routes};
    const SipText invite = call.invite("X-Other: " + call.other.uri() + "\r\n");
    const SipText bob = call.callee.expect("INVITE");
    REQUIRE(bob);
    CHECK(bob.ruri() == call.callee.uri() + ";branch=1");
    WHEN("the first is busy and the second answers")
    {
        call.callee.reply(bob, 486);
        CHECK(call.callee.expect("ACK"));
        const SipText carol = call.other.expect("INVITE");
        REQUIRE(carol);
        CHECK(carol.ruri() == call.other.uri() + ";branch=1"); // the branch route stays armed
        CHECK(carol.header("X-First") == "yes");
        CHECK(carol.header("X-Second") == "yes");
        CHECK(carol.count("X-Branch") == 1); // that of the first branch is not there
        call.other.reply(carol, 200);
        CHECK(call.caller.expect(200));
        const std::string log = call.server.log();
        CHECK(log.find("failed 486 ru " + call.callee.uri() + " rs [<null>] avp kept rpl 486") !=
              std::string::npos);
        CHECK(log.find("flags are there") != std::string::npos);
        CHECK(log.find("status matches") != std::string::npos);
        CHECK(log.find("is failure") != std::string::npos);
        CHECK(log.find("timed out") == std::string::npos);
    }
    WHEN("both fail")
    {
        call.callee.reply(bob, 486);
        const SipText carol = call.other.expect("INVITE");
        REQUIRE(carol);
        THEN("the script's own reply goes up, its reason as written (trap 23)")
        {
            call.other.reply(carol, 480);
            CHECK(call.caller.expect(404).start_line() == "SIP/2.0 404 Nobody $rU");
        }
        THEN("or the second one's: earlier replies are dropped (failure_reply_mode 3)")
        {
            call.other.reply(carol, 500, "Second");
            CHECK(call.caller.expect(500).start_line() == "SIP/2.0 500 Second");
        }
    }
    WHEN("the first does not answer at all")
    {
        const SipText carol = call.other.expect("INVITE");
        REQUIRE(carol);
        call.other.reply(carol, 200);
        CHECK(call.caller.expect(200));
        CHECK(call.server.log().find("timed out") != std::string::npos);
        CHECK(call.server.log().find("failed 408") != std::string::npos);
    }
}

SCENARIO("replies and the script (trap 6)", "[tm]")
{
    const std::string routes = R"cfg(
request_route {
    if (is_method("CANCEL|ACK")) { t_relay(); exit; }
    if ($rU == "drop") t_on_branch("D");
    if ($rU == "some") { append_branch($hdr(X-Other)); t_on_branch("S"); }
    t_on_reply("R");
    $var(rc) = t_relay();
    xlog("L_INFO", "rc $var(rc)\n");
}
branch_route[D] { drop; }
branch_route[S] { if ($rU == "some") drop; xlog("L_INFO", "left $T_branch_idx\n"); }
onreply_route[R] { append_hf("X-Seen: $T_req($rU)\r\n"); drop; }
)cfg";
    Call call{routes};
    GIVEN("a dropped provisional and a dropped final reply")
    {
        call.invite();
        const SipText bob = call.callee.expect("INVITE");
        REQUIRE(bob);
        call.callee.reply(bob, 180);
        call.callee.reply(bob, 200);
        CHECK(call.caller.receive().status() == 100);
        const SipText next = call.caller.receive();
        CHECK(next.status() == 200); // not the 180
        CHECK(next.header("X-Seen") == "bob");
    }
    GIVEN("a branch route that drops the only branch")
    {
        call.caller.request(
            {.method = "INVITE", .ruri = "sip:drop@127.0.0.1:" + std::to_string(call.callee.port())});
        CHECK(call.caller.expect(500).start_line() ==
              "SIP/2.0 500 I'm terribly sorry, server error occurred (6/TM)");
        CHECK(wait_until([&] { return call.server.log().find("rc -6") != std::string::npos; }));
        CHECK(call.callee.hears_nothing());
    }
    GIVEN("a branch route that drops one of two: its number is the next one's")
    {
        call.caller.request({.method = "INVITE",
                             .ruri = "sip:some@127.0.0.1:" + std::to_string(call.callee.port()),
                             .headers = "X-Other: " + call.other.uri() + "\r\n"});
        CHECK(call.other.expect("INVITE"));
        CHECK(call.callee.hears_nothing());
        CHECK(call.server.log().find("left 0") != std::string::npos);
    }
}

SCENARIO("answers made here", "[tm]")
{
    const std::string routes = R"cfg(
request_route {
    if (is_method("ACK")) { $var(a) = t_check_trans(); xlog("L_INFO", "ack $var(a)\n"); exit; }
    if ($rU == "host") { t_relay(); exit; }
    if ($rU == "bad") { $ru = "nonsense"; $var(r) = t_relay(); xlog("L_INFO", "rc $var(r)\n"); sl_send_reply("400", "Bad"); exit; }
    if (t_precheck_trans()) { t_check_trans(); exit; }
    $var(n) = t_newtran();
    xlog("L_INFO", "new $var(n)\n");
    append_to_reply("X-Mine: yes\r\n");
    t_reply("486", "Busy Here");
    if (t_reply("404", "Twice")) xlog("L_INFO", "two replies\n");
}
)cfg";
    Call call{routes};
    GIVEN("t_newtran and t_reply")
    {
        const SipText invite = call.invite();
        const SipText busy = call.caller.expect(486);
        REQUIRE(busy);
        CHECK(busy.header("X-Mine") == "yes");
        CHECK(busy.header("To").find(";tag=") != std::string::npos);
        call.caller.send(invite.text); // again: the same answer, the script is not asked
        const SipText again = call.caller.expect(486);
        CHECK(again.text == busy.text);
        call.caller.ack(invite, busy);
        CHECK(call.caller.hears_nothing(800)); // no more of them
        const std::string log = call.server.log();
        CHECK(log.find("new 1") == log.rfind("new 1"));
        CHECK(log.find("two replies") == std::string::npos);
    }
    GIVEN("a host that is not there")
    {
        call.caller.request({.method = "INVITE", .ruri = "sip:host@no.such.host.invalid"});
        CHECK(call.caller.expect(478).start_line() == "SIP/2.0 478 Unresolvable destination (478/TM)");
    }
    GIVEN("an R-URI that is none")
    {
        call.caller.request({.method = "INVITE", .ruri = "sip:bad@127.0.0.1"});
        CHECK(call.caller.expect(400));
        CHECK(call.server.log().find("rc -400") != std::string::npos);
    }
}

SCENARIO("the table is full", "[tm]")
{
    Call call{plain, "modparam(\"tm\", \"max_transactions\", 2)\n"};
    call.invite();
    call.invite();
    call.invite();
    const SipText refused = call.caller.expect(503);
    REQUIRE(refused);
    CHECK(refused.header("Retry-After") == "5");
    CHECK(call.server.counted("tm.refused") == 1);
}

SCENARIO("one source cannot fill the table", "[tm]")
{
    Call call{plain, "modparam(\"tm\", \"max_per_source\", 2)\n"};
    call.invite();
    call.invite();
    call.invite();
    const SipText refused = call.caller.expect(503);
    REQUIRE(refused);
    CHECK(refused.header("Retry-After") == "5");
    CHECK(call.server.counted("tm.refused_source") == 1);
    CHECK(call.server.counted("tm.refused") == 0);
}

SCENARIO("a transaction waits and goes on", "[tm][tmx]")
{
    const std::string routes = R"cfg(
request_route {
    if (is_method("ACK")) { t_relay(); exit; }
    if (is_method("OPTIONS")) {
        $var(r) = t_continue($shv(index), $shv(label), "ON");
        sl_send_reply("200", "continued $var(r)");
        exit;
    }
    $avp(x) = "kept";
    append_hf("X-Before: yes\r\n");
    if (t_suspend()) { $shv(index) = $T(id_index); $shv(label) = $T(id_label); exit; }
}
route[ON] { xlog("L_INFO", "on with $avp(x)\n"); append_hf("X-After: yes\r\n"); t_relay(); }
)cfg";
    Call call{routes};
    call.invite();
    CHECK(call.caller.expect(100));
    call.other.request({.method = "OPTIONS", .ruri = "sip:127.0.0.1"});
    CHECK(call.other.expect(200).start_line() == "SIP/2.0 200 continued 1");
    const SipText bob = call.callee.expect("INVITE");
    REQUIRE(bob);
    CHECK(bob.header("X-Before") == "yes");
    CHECK(bob.header("X-After") == "yes");
    call.callee.reply(bob, 200);
    CHECK(call.caller.expect(200));
    call.other.request({.method = "OPTIONS", .ruri = "sip:127.0.0.1"});
    CHECK(call.other.expect(200).start_line() == "SIP/2.0 200 continued -1");
}

SCENARIO("management commands", "[tm]")
{
    Call call{plain};
    const SipText invite = call.invite();
    const SipText bob = call.callee.expect("INVITE");
    REQUIRE(bob);
    call.callee.reply(bob, 180);
    CHECK(call.caller.expect(180));
    const std::string calls = call.server.rpc("tm.calls");
    INFO(calls);
    CHECK(calls.find(invite.header("Call-ID")) != std::string::npos);
    CHECK(call.server.rpc("tm.stats").find("\"current\":1") != std::string::npos);
    CHECK(call.server.rpc("tm.list").find("proceeding") != std::string::npos);
    call.server.rpc("tm.cancel", "[\"" + invite.header("Call-ID") + "\", 1]");
    CHECK(call.callee.expect("CANCEL"));
    call.callee.reply(bob, 487);
    CHECK(call.caller.expect(487));
    // A request of our own, and its answer.
    call.server.rpc("tm.t_uac_start",
                    "[\"OPTIONS\", \"" + call.callee.uri() + "\", \".\", \".\", \"X-Own: 1\\r\\n\", \"\"]");
    const SipText options = call.callee.expect("OPTIONS");
    REQUIRE(options);
    CHECK(options.header("X-Own") == "1");
    CHECK(options.count("Via") == 1);
    call.callee.reply(options, 200);
    CHECK(wait_until([&] { return call.server.counted("tmx.UAC_transactions") == 1; }));
}

SCENARIO("transactions are forgotten in time", "[tm]")
{
    Call call{plain};
    const SipText invite = call.invite();
    const SipText bob = call.callee.expect("INVITE");
    REQUIRE(bob);
    call.callee.reply(bob, 486);
    const SipText busy = call.caller.expect(486);
    REQUIRE(busy);
    call.caller.ack(invite, busy);
    CHECK(wait_until([&] { return call.server.rpc("tm.stats").find("\"current\":0") != std::string::npos; }));
}

SCENARIO("a caller over TCP", "[tm]")
{
    Call call{plain};
    SipPeer tcp{call.server.port(), "tina", SipPeer::Over::tcp};
    const SipText invite = tcp.request({.method = "INVITE", .ruri = call.callee.uri()});
    const SipText seen = call.callee.expect("INVITE");
    REQUIRE(seen);
    CHECK(seen.header("Via").find("SIP/2.0/UDP") == 0);
    CHECK(seen.header("Via", 1).find("SIP/2.0/TCP") == 0);
    call.callee.reply(seen, 486);
    const SipText busy = tcp.expect(486);
    REQUIRE(busy);
    tcp.ack(invite, busy);
    CHECK(call.callee.expect("ACK"));
    CHECK(call.callee.hears_nothing());
}

SCENARIO("contacts in the order of their q", "[tm]")
{
    // A branch without q is tried last; of one phone only one contact at a time.
    const std::string routes = R"cfg(
request_route {
    if (is_method("CANCEL|ACK")) { t_relay(); exit; }
    append_branch($hdr(X-Other), "0.5");
    append_branch("sip:last@127.0.0.1:9");
    if (!t_load_contacts()) xlog("L_INFO", "not loaded\n");
    t_next_contacts();
    t_on_failure("NEXT");
    t_relay();
}
failure_route[NEXT] {
    $var(n) = t_next_contacts();
    xlog("L_INFO", "next $var(n) is $rU\n");
    if ($var(n) > 0 && $rU != "last") { t_on_failure("NEXT"); t_relay(); }
}
)cfg";
    Call call{routes, "modparam(\"tm\", \"contacts_avp\", \"tm_contacts\")\nmodparam(\"tm\", "
                      "\"contact_flows_avp\", \"tm_flows\")\n"};
    call.invite("X-Other: " + call.other.uri() + "\r\n");
    const SipText first = call.callee.expect("INVITE");
    REQUIRE(first);
    CHECK(call.other.hears_nothing(150));
    call.callee.reply(first, 480);
    const SipText second = call.other.expect("INVITE");
    REQUIRE(second);
    call.other.reply(second, 481);
    CHECK(call.caller.expect(481));
    CHECK(call.server.log().find("next 1 is last") != std::string::npos);
}

SCENARIO("a branch that failed is replaced before the others are done", "[tm]")
{
    const std::string routes = R"cfg(
request_route {
    if (is_method("CANCEL|ACK")) { t_relay(); exit; }
    t_on_branch_failure("flow");
    t_on_reply("R");
    t_relay();
}
onreply_route[R] { xlog("L_INFO", "reply $rs of $T_branch_idx\n"); }
event_route[tm:branch-failure:flow] {
    xlog("L_INFO", "branch failed $T_reply_code uri $T_branch(uri)\n");
    if (t_check_status("430")) { $ru = $hdr(X-Other); t_relay(); }
}
)cfg";
    Call call{routes};
    call.invite("X-Other: " + call.other.uri() + "\r\n");
    const SipText first = call.callee.expect("INVITE");
    REQUIRE(first);
    call.callee.reply(first, 430, "Flow Failed");
    CHECK(call.callee.expect("ACK"));
    const SipText second = call.other.expect("INVITE");
    REQUIRE(second);
    call.other.reply(second, 200);
    CHECK(call.caller.expect(200));
    const std::string log = call.server.log();
    CHECK(log.find("branch failed 430 uri " + call.callee.uri()) != std::string::npos);
    CHECK(log.find("reply 200 of 1") != std::string::npos);
}

SCENARIO("edits and flags between t_newtran and t_relay, saved edits", "[tm]")
{
    const std::string routes = R"cfg(
request_route {
    if (is_method("CANCEL|ACK")) { t_relay(); exit; }
    append_hf("X-One: 1\r\n");
    t_newtran();
    append_hf("X-Two: 2\r\n");
    if ($hdr(X-Save) != $null) t_save_lumps();
    append_hf("X-Three: 3\r\n");
    setflag(7);
    $ru = $hdr(X-Other);
    t_on_failure("F");
    t_on_reply("R");
    t_relay();
}
onreply_route[R] { if (isflagset(7)) xlog("L_INFO", "flag in reply\n"); }
failure_route[F] { xlog("L_INFO", "created with $rU\n"); $ru = $ou; append_hf("X-Four: 4\r\n"); t_relay(); }
)cfg";
    for (const bool saved : {false, true}) {
        Call call{routes};
        call.invite("X-Other: " + call.other.uri() + "\r\n" + (saved ? "X-Save: 1\r\n" : ""));
        const SipText first = call.other.expect("INVITE");
        REQUIRE(first);
        for (const char* name : {"X-One", "X-Two", "X-Three"})
            CHECK(first.count(name) == 1);
        call.other.reply(first, 404);
        const SipText second = call.callee.expect("INVITE");
        REQUIRE(second);
        CHECK(second.count("X-Two") == 1);
        CHECK(second.count("X-Three") == (saved ? 0 : 1));
        CHECK(second.count("X-Four") == 1);
        call.callee.reply(second, 200);
        CHECK(call.caller.expect(200));
        CHECK(call.server.log().find("created with bob") !=
              std::string::npos); // not what $ru was set to afterwards
        CHECK(call.server.log().find("flag in reply") != std::string::npos);
    }
}

SCENARIO("a copy whose answers nobody sees", "[tm]")
{
    const std::string routes = R"cfg(
request_route {
    if (is_method("CANCEL|ACK")) { t_relay(); exit; }
    t_replicate($hdr(X-Other));
    t_relay();
}
)cfg";
    Call call{routes};
    call.caller.request({.method = "MESSAGE",
                         .ruri = call.callee.uri(),
                         .headers = "X-Other: " + call.other.uri() + "\r\n",
                         .body = "hello"});
    const SipText copy = call.other.expect("MESSAGE"), original = call.callee.expect("MESSAGE");
    REQUIRE(copy);
    REQUIRE(original);
    call.other.reply(copy, 500);
    CHECK(call.caller.hears_nothing(150));
    call.callee.reply(original, 202);
    CHECK(call.caller.expect(202));
}

SCENARIO("the script holds a request back at the last moment", "[tm]")
{
    const std::string routes = R"cfg(
request_route {
    if (is_method("CANCEL|ACK")) { t_relay(); exit; }
    t_relay();
}
onsend_route { if ($rU == "bob") drop; }
)cfg";
    Call call{routes};
    call.invite();
    CHECK(call.caller.expect(477).start_line() ==
          "SIP/2.0 477 Unfortunately error on sending to next hop occurred (477/TM)");
    CHECK(call.callee.hears_nothing());
}

} // namespace sipyard::test
