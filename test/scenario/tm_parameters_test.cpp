// test/scenario/tm_parameters_test.cpp - tm's timers and modes one by one, as a caller and a callee see them
#include "test/support/catch.h"
#include "test/support/sip_peer.h"

#include <chrono>

namespace sipyard::test {

namespace {

struct Bench {
    explicit Bench(const std::string& params, const std::string& routes = relay)
        : server{folder.write(
                     "p.cfg",
                     "debug=2\nlisten=udp:127.0.0.1:PORT\nlisten=tcp:127.0.0.1:PORT\n"
                     "loadmodule \"tm.so\"\nloadmodule \"tmx.so\"\nloadmodule \"sl.so\"\nloadmodule "
                     "\"pv.so\"\n"
                     "loadmodule \"xlog.so\"\nloadmodule \"textops.so\"\nloadmodule \"kex.so\"\n"
                     "modparam(\"tm\", \"retr_timer1\", 300)\nmodparam(\"tm\", \"wt_timer\", 500)\n" +
                         params + routes),
                 {.defines = {}, .workers = 2, .debug = 2}},
          caller{server.port(), "alice"}, callee{server.port(), "bob"}, other{server.port(), "carol"}
    {
    }
    static inline const std::string relay = "request_route { t_relay(); }\n";
    SipText invite(const std::string& headers = {})
    {
        return caller.request({.method = "INVITE", .ruri = callee.uri(), .headers = headers});
    }
    bool logged(const std::string& text) { return server.log().find(text) != std::string::npos; }

    TempDir folder;
    RunningServer server;
    SipPeer caller, callee, other;
};

std::string tm(const std::string& name, int value)
{
    return "modparam(\"tm\", \"" + name + "\", " + std::to_string(value) + ")\n";
}
std::string tm(const std::string& name, const std::string& value)
{
    return "modparam(\"tm\", \"" + name + "\", \"" + value + "\")\n";
}

} // namespace

SCENARIO("fr_timer_avp and fr_inv_timer_avp: a request's own timers, in seconds", "[tm][parameters]")
{
    // The common timers are far longer than the test would wait.
    const std::string params = tm("fr_timer", 60'000) + tm("fr_inv_timer", 60'000) +
                               tm("fr_timer_avp", "$avp(fr)") + tm("fr_inv_timer_avp", "$avp(fr_inv)");
    GIVEN("a callee that says nothing")
    {
        Bench bench{params, "request_route { $avp(fr) = 1; t_relay(); }\n"};
        bench.invite();
        CHECK(bench.callee.expect("INVITE"));
        CHECK(bench.caller.expect(408));
    }
    GIVEN("a callee that rings and never answers")
    {
        Bench bench{params, "request_route { $avp(fr_inv) = 1; t_relay(); }\n"};
        bench.invite();
        const SipText seen = bench.callee.expect("INVITE");
        REQUIRE(seen);
        bench.callee.reply(seen, 180);
        const SipText cancel = bench.callee.expect("CANCEL"); // timer C (RFC 3261 16.8)
        REQUIRE(cancel);
        CHECK(bench.caller.expect(408)); // whatever becomes of the CANCEL
        bench.callee.reply(cancel, 200);
        bench.callee.reply(seen, 487);
        CHECK(bench.callee.expect("ACK"));
    }
    GIVEN("AVPs that are not set")
    {
        Bench bench{params};
        bench.invite();
        CHECK(bench.callee.expect("INVITE"));
        CHECK(bench.caller.expect(100));
        CHECK(bench.caller.hears_nothing(1500));
    }
}

SCENARIO("noisy_ctimer=0: a lone INVITE nobody ever answered ends in silence", "[tm][parameters]")
{
    const struct {
        const char* story;
        int noisy;
        const char* route;
        bool told;
    } rows[] = {
        {"told by default", 1, "request_route { t_relay(); }\n", true},
        {"told nothing", 0, "request_route { t_relay(); }\n", false},
        {"a failure route wants to know", 0,
         "request_route { t_on_failure(\"F\"); t_relay(); }\nfailure_route[F] { xlog(\"L_INFO\", "
         "\"failed\\n\"); }\n",
         true},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Bench bench{tm("fr_timer", 700) + tm("noisy_ctimer", row.noisy), row.route};
        bench.invite();
        CHECK(bench.callee.expect("INVITE"));
        CHECK(bench.caller.expect(100));
        if (row.told)
            CHECK(bench.caller.expect(408));
        else
            CHECK(bench.caller.hears_nothing(1500));
    }
}

SCENARIO("failure_exec_mode: a branch that cannot be sent is the failure route's business",
         "[tm][parameters]")
{
    // Nothing is sent to a stream that is not there when the script forbids to connect.
    const std::string route = "request_route { t_on_failure(\"F\"); set_forward_no_connect();\n"
                              "  $du = \"sip:127.0.0.1:9;transport=tcp\";\n"
                              "  if (!t_relay()) xlog(\"L_INFO\", \"relay failed\\n\"); }\n"
                              "failure_route[F] { xlog(\"L_INFO\", \"failure route $T_reply_code\\n\");\n"
                              "  t_reply(\"480\", \"Nobody\"); }\n";
    GIVEN("0, the default")
    {
        Bench bench{"", route};
        bench.invite();
        CHECK(bench.caller.expect(477));
        CHECK(wait_until([&] { return bench.logged("relay failed"); }));
        CHECK_FALSE(bench.logged("failure route"));
    }
    GIVEN("1")
    {
        Bench bench{tm("failure_exec_mode", 1), route};
        bench.invite();
        CHECK(bench.caller.expect(480));
        CHECK(bench.logged("failure route 503"));
        CHECK_FALSE(bench.logged("relay failed"));
    }
}

SCENARIO("t_set_max_lifetime ends what would ring on", "[tm][parameters]")
{
    Bench bench{tm("fr_timer", 60'000) + tm("fr_inv_timer", 60'000),
                "request_route { t_set_max_lifetime(\"900\", \"700\"); t_relay(); }\n"};
    GIVEN("an INVITE that rings")
    {
        bench.invite();
        const SipText seen = bench.callee.expect("INVITE");
        REQUIRE(seen);
        bench.callee.reply(seen, 180);
        CHECK(bench.caller.expect(180));
        CHECK(bench.callee.expect("CANCEL"));
        CHECK(bench.caller.expect(408));
    }
    GIVEN("another request")
    {
        bench.caller.request({.method = "OPTIONS", .ruri = bench.callee.uri()});
        CHECK(bench.callee.expect("OPTIONS"));
        CHECK(bench.caller.expect(408));
    }
}

SCENARIO("unmatched_cancel: a CANCEL of no INVITE", "[tm][parameters]")
{
    const auto cancel = [](Bench& bench) {
        return bench.caller.request({.method = "CANCEL", .ruri = bench.callee.uri()});
    };
    GIVEN("0: forwarded with a transaction")
    {
        Bench bench{tm("fr_timer", 900)};
        cancel(bench);
        CHECK(bench.callee.expect("CANCEL"));
        CHECK(bench.callee.expect("CANCEL")); // sent again
        CHECK(bench.caller.expect(408));
    }
    GIVEN("1: forwarded without one")
    {
        Bench bench{tm("unmatched_cancel", 1)};
        cancel(bench);
        CHECK(bench.callee.expect("CANCEL"));
        CHECK(bench.callee.hears_nothing(800));
        CHECK(bench.caller.hears_nothing(0));
    }
    GIVEN("2: dropped")
    {
        Bench bench{tm("unmatched_cancel", 2)};
        cancel(bench);
        CHECK(bench.callee.hears_nothing(500));
        CHECK(bench.caller.hears_nothing(0));
    }
}

SCENARIO("cancel_b_method: a branch that has said nothing when the caller gives up", "[tm][parameters]")
{
    const auto given_up = [](Bench& bench) {
        const SipText invite = bench.invite();
        const SipText seen = bench.callee.expect("INVITE");
        REQUIRE(seen);
        bench.caller.cancel(invite);
        CHECK(bench.caller.expect(200));
        return seen;
    };
    GIVEN("0: it is not asked again, and cancelled should it ring")
    {
        Bench bench{tm("cancel_b_method", 0)};
        const SipText seen = given_up(bench);
        CHECK(bench.caller.expect(487));
        while (bench.callee.receive(50)) // one that was on its way
            ;
        CHECK(bench.callee.hears_nothing(1500));
        bench.callee.reply(seen, 180);
        CHECK(bench.callee.expect("CANCEL"));
    }
    GIVEN("1, the default: it is asked again")
    {
        Bench bench{""};
        given_up(bench);
        CHECK(bench.caller.expect(487));
        while (bench.callee.receive(50))
            ;
        CHECK(bench.callee.expect("INVITE"));
    }
    GIVEN("2: its CANCEL leaves at once")
    {
        Bench bench{tm("cancel_b_method", 2)};
        const SipText seen = given_up(bench);
        const SipText cancel = bench.callee.expect("CANCEL");
        REQUIRE(cancel);
        CHECK(cancel.branch() == seen.branch());
        bench.callee.reply(cancel, 200);
        bench.callee.reply(seen, 487);
        CHECK(bench.caller.expect(487));
    }
}

SCENARIO("a request neither relayed nor answered does not stay", "[tm][parameters]")
{
    // Its lifetime is a minute; the script that forgot it ends it, as Kamailio does.
    const std::string route =
        "request_route {\n"
        "  if ($hdr(X-What) == \"relay\") { t_newtran(); t_relay(); exit; }\n"
        "  if ($hdr(X-What) == \"answer\") { t_newtran(); t_reply(\"200\", \"Here\"); exit; }\n"
        "  if ($hdr(X-What) == \"ring\") { t_newtran(); t_reply(\"183\", \"Wait\"); exit; }\n"
        "  if ($hdr(X-What) == \"release\") { t_newtran(); t_release(); exit; }\n"
        "  t_newtran();\n}\n";
    const struct {
        const char* what;
        bool warned;
    } rows[] = {{"forget", true}, {"relay", false}, {"answer", false}, {"ring", false}, {"release", false}};
    for (const auto& row : rows) {
        INFO(row.what);
        Bench bench{tm("max_noninv_lifetime", 60'000) + tm("fr_timer", 60'000), route};
        const SipText asked = bench.caller.request({.method = "OPTIONS",
                                                    .ruri = bench.callee.uri(),
                                                    .headers = std::string{"X-What: "} + row.what + "\r\n"});
        const auto warned = [&] {
            return bench.logged("neither relayed nor answered nor released the transaction of the OPTIONS");
        };
        if (!row.warned) {
            CHECK(wait_until([&] { return bench.server.counted("tmx.UAS_transactions") == 1; }));
            bench.caller.hears_nothing(100);
            CHECK_FALSE(warned());
            continue;
        }
        CHECK(wait_until(warned));
        bench.caller.send(asked.text); // absorbed, or made anew once the wait for stragglers is over
        CHECK(wait_until(
            [&] { return bench.server.rpc("tm.stats").find("\"current\":0") != std::string::npos; }));
        CHECK(bench.caller.hears_nothing(0));
    }
}

} // namespace sipyard::test
