// core/script/engine_test.cpp - control flow, return codes, routes, suspension, reload: spec/script 9, 10, 12
// and its traps
#include "core/script/engine.h"

#include "core/script/link_fakes.h"
#include "core/script/runtime_globals.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

using namespace sipyard;
using test::FakeHost;
using test::Messenger;
using test::ScriptFixture;

namespace {

struct Probed {
    FakeHost host;
    ScriptFixture script{host, {erase(script::Probe::manifest())}};
    bool load(std::string_view text) { return script.load(format("loadmodule \"probe.so\"\n{}\n", text)); }
    std::vector<std::string>& calls() { return static_cast<script::Probe*>(script.module("probe"))->calls; }
};

} // namespace

TEST_CASE("statements run as the language says", "[script]")
{
    const struct {
        const char* story;
        const char* body;
        const char* routes;
        const char* expected; // of $var(r)
    } rows[] = {
        {"if and else", "if ($var(zero)) $var(r)=1; else $var(r)=2;", "", "2"},
        {"switch over numbers falls through",
         "switch (2) { case 1: $var(r)=1; case 2: $var(r)=2; case 3: $var(r)=$var(r)+10; break;"
         " default: $var(r)=99; }",
         "", "12"},
        {"a label without a body shares the next", "switch (1) { case 1: case 2: $var(r)=5; break; }", "",
         "5"},
        {"default anywhere", "switch (9) { default: $var(r)=1; break; case 2: $var(r)=2; }", "", "1"},
        {"switch over texts, first match wins",
         "switch (\"abc\") { case /\"^a\": $var(r)=\"re\"; break; case \"abc\": $var(r)=\"t\"; }", "", "re"},
        {"trap 1: switch minds the case of texts",
         "switch (\"ABC\") { case \"abc\": $var(r)=1; break; default: $var(r)=2; }", "", "2"},
        {"trap 1: and of patterns",
         "switch (\"ABC\") { case /\"^abc\": $var(r)=1; break; default: $var(r)=2; }", "", "2"},
        {"switch over a call sees 0 or 1",
         "switch (code(5)) { case 5: $var(r)=5; break; case 1: $var(r)=1; break; }", "", "1"},
        {"break in a switch inside while leaves the switch only",
         "$var(i)=0; while ($var(i) < 3) { switch ($var(i)) { case 1: break; } $var(i) = $var(i) + 1; } "
         "$var(r)=$var(i);",
         "", "3"},
        {"break leaves while", "while (1) { $var(r) = $var(r) + 1; if ($var(r) == 4) break; }", "", "4"},
        {"a route returns a code", "$var(r) = route(X);", "route[X] { return -5; }", "-5"},
        {"return without a value is 1", "$var(r) = route(X);", "route[X] { return; }", "1"},
        {"trap 4: the last action's code leaks", "$var(r) = route(X);", "route[X] { code(-3); }", "-3"},
        {"a false if counts 1", "$var(r) = route(X);", "route[X] { code(-3); if (0 == 1) code(-1); }", "1"},
        {"an assignment counts 1", "$var(r) = route(X);", "route[X] { code(-3); $var(q) = 1; }", "1"},
        {"trap 21: break in a route gives 0 and the script goes on", "$var(r) = route(X);",
         "route[X] { break; }", "0"},
        {"return f() turns failure into 0 and ends", "$var(r) = 1; route(X); $var(r) = 2;",
         "route[X] { return code(-1); }", "1"},
        {"trap 4: return 0 ends the script", "$var(r) = 1; route(X); $var(r) = 2;", "route[X] { return 0; }",
         "1"},
        {"trap 4: a function's 0 ends the script", "$var(r) = 1; if (!code(0)) $var(r) = 3; $var(r) = 2;", "",
         "1"},
        {"exit ends from any depth", "$var(r) = 1; if (1 == 1) { route(X); } $var(r) = 2;",
         "route[X] { while (1) { exit; } }", "1"},
        {"$rc is the last function's code", "code(-4); $var(x) = 5; setflag(1); $var(r) = $rc;", "", "-4"},
        {"$rc survives into the branches", "if (code(-4)) { ; } else { $var(r) = $retcode; }", "", "-4"},
        {"a dynamic route", "$var(n) = \"X\"; $var(r) = route($var(n));", "route[X] { return 8; }", "8"},
        {"trap 26: a missing dynamic route keeps $rc", "code(6); route(\"no\" + $var(zero)); $var(r) = $rc;",
         "", "6"},
        {"a block as an operand", "$var(r) = { code(-9); };", "", "-9"},
        {"trap 9: a literal is not interpolated", "$var(r) = \"a $ru\";", "", "a $ru"},
        {"(...) of a name with dots", "$var(r) = $(ruri.user);", "", "bob"},
        {"a transformation", "$var(x) = \"a,b,c\"; $var(r) = $(var(x){s.select,1,,});", "", "b"},
        {"a chain of them", "$var(x) = \"a,bcd,e\"; $var(r) = $(var(x){s.select,1,,}{s.len});", "", "3"},
        {"an argument from a variable",
         "$var(i) = 2; $var(x) = \"a;b;c\"; $var(r) = $(var(x){s.select,$var(i),;});", "", "c"},
        {"null gives null for every op", "$var(r) = $(avp(none){s.len}) == $null;", "", "1"},
        {"int input becomes text", "$var(x) = 42; $var(r) = $(var(x){s.len});", "", "2"},
        {"a pattern with braces and a comma", "$var(x) = \"aaab\"; $var(r) = $(var(x){re.subst,/a{2,3}/x/});",
         "", "xb"},
        {"a variable cut from itself", "$var(r) = \"0049301\"; $var(r) = $(var(r){s.substr,2,0});", "",
         "49301"},
        {"an index", "$avp(x) = 1; $avp(x) = 2; $var(r) = $(avp(x)[1]);", "", "1"},
        {"trap 14: $null removes one value", "$avp(x) = 1; $avp(x) = 2; $avp(x) = $null; $var(r) = $avp(x);",
         "", "1"},
        {"a name from a variable", "$avp(bob) = 7; $var(r) = $avp($rU);", "", "7"},
        {"setflag", "setflag(3); if (isflagset(3)) $var(r) = 1;", "", "1"},
        {"resetflag", "setflag(3); resetflag(3); $var(r) = isflagset(3);", "", "-1"},
        {"rewritehost keeps the user", "rewritehost(\"other\"); $var(r) = $ru;", "", "sip:bob@other"},
        {"rewriteuser", "rewriteuser(\"eve\"); $var(r) = $ru;", "", "sip:eve@example.com"},
        {"prefix and strip", "prefix(\"00\"); strip(1); $var(r) = $ru;", "", "sip:0bob@example.com"},
        {"strip beyond the length", "strip(9); $var(r) = $ru;", "", "sip:example.com"},
        {"strip_tail", "strip_tail(1); $var(r) = $ru;", "", "sip:bo@example.com"},
        {"rewriteport", "rewriteport(\"5080\"); $var(r) = $ru;", "", "sip:bob@example.com:5080"},
        {"revert_uri", "rewriteuser(\"x\"); revert_uri(); $var(r) = $ru;", "", "sip:bob@example.com"},
        {"a select", "$var(r) = @from.uri.user;", "", "alice"},
        {"a select with an index from 1", "$var(r) = $sel(via[1].port);", "", "5070"},
        {"a custom global", "$var(r) = $sel(cfg_get.my.limit);", "", "30"},
        {"an instance of a custom global",
         "cfg_select(\"my\", 2); $var(r) = $sel(cfg_get.my.limit); cfg_reset(\"my\");", "", "50"},
        {"$def", "$var(r) = $def(WORD);", "", "\"hello\""},
        {"$defv is without quotes", "$var(r) = $defv(WORD);", "", "hello"},
        {"a refused assignment changes nothing", "$ru = 5; $var(r) = $ru;", "", "sip:bob@example.com"},
        {"a function writes a variable", "put(\"$var(r)\", \"hi\");", "", "hi"},
        {"and reads the one it writes",
         "$var(r) = \"longer than sixteen bytes\"; put($var(r), \"$var(r)!\", 1);", "",
         "longer than sixteen bytes!longer than sixteen bytes!"},
        {"a value read before a call stays",
         "$var(r) = \"x\"; $var(r) = $var(r) + (put(\"$var(r)\", \"yyyyyyyyyyyyyyyyyyyyy\") + 1);", "", "x2"},
    };
    Probed probed;
    for (const auto& row : rows) {
        INFO(row.story);
        const bool loaded = probed.load(format("#!define WORD \"hello\"\nmy.limit = 30\nmy[2].limit = 50\n"
                                               "request_route {{ $var(r)=0; $var(zero)=0;\n{}\n}}\n{}",
                                               row.body, row.routes));
        INFO(probed.script.errors());
        CHECK(loaded);
        if (loaded) {
            probed.script.run();
            CHECK(probed.script.value("$var(r)") == row.expected);
        }
    }
}

TEST_CASE("while stops after max_while_loops and the script carries on", "[script]") // trap 20
{
    Probed probed;
    REQUIRE(
        probed.load("request_route { $var(i)=0; while (1) { $var(i) = $var(i) + 1; } $var(after) = 1; }"));
    probed.script.run();
    CHECK(probed.script.value("$var(i)") == "100");
    CHECK(probed.script.value("$var(after)") == "1");
    CHECK(probed.host.log_lines().has("runaway while"));
    CHECK(probed.host.log_lines().has("more than 100 loops"));
}

TEST_CASE("a long loop over variables takes no memory from the request", "[script]")
{
    Probed probed;
    REQUIRE(probed.load(
        "max_while_loops=0\nrequest_route { $var(i)=0; while ($var(i) < 20000) {"
        " $var(s) = \"some text that is not short \" + $var(i) + \".\"; $var(i) = $var(i) + 1; } }"));
    Messenger message{probed.host, test::sample_request()};
    const auto before = message->arena().bytes_used();
    probed.script.engine().run_request(*message);
    CHECK(probed.script.value("$var(i)") == "20000");
    CHECK(message->arena().bytes_used() - before < 1000);
}

TEST_CASE("a string that doubles does not grow for ever", "[script]")
{
    Probed probed;
    REQUIRE(probed.load("request_route { $var(s)=\"0123456789\"; while (1) { $var(s) = $var(s) + $var(s); } "
                        "$var(n) = strlen($var(s)); }"));
    probed.script.run();
    CHECK(std::stoll(probed.script.value("$var(n)")) <= 4 * 1024 * 1024);
}

TEST_CASE("recursion ends with an error, not with the stack", "[script]")
{
    Probed probed;
    REQUIRE(probed.load("request_route { $var(n)=0; route(R); $var(after)=1; }\n"
                        "route[R] { $var(n) = $var(n) + 1; if (1 == 1) { route(R); } }"));
    SECTION("in the caller's thread: the language's limit")
    {
        probed.script.run();
        CHECK(probed.script.value("$var(after)") == "1");
        CHECK(probed.script.value("$var(n)") == "128"); // 256 levels: a route and an if each
        CHECK(probed.host.log_lines().has("too many recursive levels"));
    }
    SECTION("on a fiber: whichever comes first")
    {
        probed.host.on_fiber([&] {
            probed.script.run();
            CHECK(probed.script.value("$var(after)") == "1");
        });
        CHECK(probed.host.log_lines().has("too many recursive levels"));
    }
}

TEST_CASE("a core reply_route decides about the reply", "[script]") // trap 5 and the table of spec/script 12
{
    const struct {
        const char* story;
        const char* body;
        bool dropped;
    } rows[] = {
        {"an ordinary end", "$var(x) = 1;", false},
        {"drop discards it", "drop;", true},
        {"exit does not", "exit;", false},
        {"exit after a failure does not", "code(-1); exit;", false},
        {"falling off the end with a failing function discards it", "code(-1);", true},
        {"return -1 too", "return -1;", true},
        {"return 0 too", "return 0;", true},
        {"a function that ends the script too", "code(0); $var(x) = 1;", true},
        {"break out of a switch does not", "switch ($var(x)) { default: break; }", false},
    };
    Probed probed;
    for (const auto& row : rows) {
        INFO(row.story);
        REQUIRE(probed.load(format("request_route {{ ; }}\nreply_route {{ {} }}", row.body)));
        Messenger reply{probed.host, test::sample_reply(), Route::core_reply};
        CHECK(probed.script.engine().run_reply(*reply).dropped == row.dropped);
    }
}

TEST_CASE("drop marks the request, and the status operand reads the code",
          "[script]") // trap 6 is told by the mark
{
    Probed probed;
    REQUIRE(probed.load(
        "request_route { ; }\nbranch_route[B] { drop; }\nonreply_route[R] { if (status == \"183\") drop; }\n"
        "event_route[probe:event] { $var(e) = 1; drop; }"));
    Messenger branch{probed.host, test::sample_request(), Route::branch};
    CHECK(probed.script.engine().run_route(Route::branch, "B", *branch));
    CHECK(branch->dropped);
    Messenger early{probed.host, test::sample_reply(183, "Progress"), Route::tm_reply};
    CHECK(probed.script.engine().run_route(Route::tm_reply, "R", *early));
    CHECK(early->dropped);
    Messenger final{probed.host, test::sample_reply(200, "OK"), Route::tm_reply};
    CHECK(probed.script.engine().run_route(Route::tm_reply, "R", *final));
    CHECK_FALSE(final->dropped);
    const auto missing = probed.script.engine().run_route(Route::failure, "nobody", *final);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == ErrorKind::not_found);
    CHECK(probed.script.engine().has_event("probe:event"));
    CHECK_FALSE(probed.script.engine().has_event("probe:other"));
}

TEST_CASE("an event route that drops does not drop what called it", "[script]")
{
    Probed probed;
    REQUIRE(probed.load("request_route { event(); $var(after) = $var(e) + 1; }\nevent_route[probe:event] { "
                        "$var(e) = 1; drop; }"));
    Messenger message{probed.host, test::sample_request()};
    probed.script.engine().run_request(*message);
    CHECK(probed.script.value("$var(after)") == "2");
    CHECK_FALSE(message->dropped);
}

TEST_CASE("$var outlives the message, script flags do not", "[script]") // trap 7
{
    Probed probed;
    REQUIRE(probed.load("request_route { $var(n) = $var(n) + 1; }"));
    probed.script.run();
    probed.script.run();
    CHECK(probed.script.value("$var(n)") == "2");
    INFO("a reload finds variables by name");
    REQUIRE(probed.load("request_route { $var(other) = 1; $var(n) = $var(n) + 10; }"));
    probed.script.run();
    CHECK(probed.script.value("$var(n)") == "12");
}

TEST_CASE("arguments arrive as the function declares them", "[script]") // spec/script 13
{
    const struct {
        const char* story;
        const char* call;
        const char* expected;
    } rows[] = {
        {"an interpolated text", "note(\"to $rU!\")", "to bob!"},
        {"a dollar sign", "note(\"5$$\")", "5$"},
        {"a null inside a text is marked", "note(\"a $avp(none) b\")", "a <null> b"},
        {"a null after a transformation is nothing", "note(\"a$(avp(none){s.len})b\")", "ab"},
        {"a null alone is empty", "note(\"$avp(none)\")", ""},
        {"a value is not expanded again", "$var(x) = \"$rU\"; note($var(x))", "$rU"},
        {"an expression", "note(\"a\" + $rU)", "abob"},
        {"a number as text", "note(5 + 1)", "6"},
        {"trap 23: a literal stays as it is", "literal(\"Nope $rU\")", "Nope $rU"},
        {"the type of a variable in quotes", "$var(x) = 5; value_kind(\"$var(x)\")", "integer"},
        {"the type of null", "value_kind($avp(none))", "null"},
        {"the type of a text", "value_kind(\"$rU\")", "text"},
        {"parentheses end a name", "note(\"$(rU).\")", "bob."},
    };
    Probed probed;
    for (const auto& row : rows) {
        INFO(row.story);
        const bool loaded = probed.load(format("request_route {{ {}; }}", row.call));
        INFO(probed.script.errors());
        REQUIRE(loaded);
        probed.calls().clear();
        probed.script.run();
        REQUIRE(probed.calls().size() == 1);
        CHECK(probed.calls()[0] == row.expected);
    }
    REQUIRE(probed.load(
        "request_route { code(\"-5\"); $var(a) = $rc; $var(x) = \"-6\"; code(\"$var(x)\"); $var(b) = $rc;"
        " $var(x) = \"abc\"; code($var(x)); $var(c) = $rc; $var(d) = pick(\"^b.b$\", $rU); $var(e) = "
        "$half(8); }"));
    probed.script.run();
    CHECK(probed.script.value("$var(a)") == "-5");
    CHECK(probed.script.value("$var(b)") == "-6");
    CHECK(probed.script.value("$var(c)") == "-1");
    CHECK(probed.script.value("$var(d)") == "1");
    CHECK(probed.script.value("$var(e)") == "4");
    CHECK(probed.host.log_lines().has("expected an integer"));
}

TEST_CASE("a function that throws answers 500 and ends the script", "[script]")
{
    Probed probed;
    REQUIRE(probed.load("request_route { $var(r) = 1; if (1 == 1) { fail(); } $var(r) = 2; }"));
    probed.script.run();
    CHECK(probed.script.value("$var(r)") == "1");
    CHECK(probed.host.responder.last_code() == 500);
    CHECK(probed.host.log_lines().has("probe failed"));
    INFO("and the next message is none the worse");
    probed.script.run();
    CHECK(probed.host.responder.replies.size() == 2);
}

TEST_CASE("a suspended script takes its variables along", "[script]")
{
    FakeHost::Options options;
    options.workers = 1;
    FakeHost host{options};
    ScriptFixture script{host, {erase(script::Probe::manifest())}};
    REQUIRE(
        script.load("loadmodule \"probe.so\"\nrequest_route { if (method == \"INVITE\") { $var(x) = "
                    "\"mine\"; sleep(1000);"
                    " $avp(seen) = $var(x); $var(x) = \"late\"; $var(r) = $avp(seen); note(\"$avp(seen)\"); }"
                    " else { $var(was) = $var(x); $var(x) = \"other\"; } }"));
    host.start_workers();
    task::Event ended;
    host.runtime().worker(0).spawn_always([&] {
        script.run(test::sample_request("INVITE"));
        ended.signal();
    });
    sipyard::MovableClock::settle({&host.runtime()});
    host.on_fiber([&] { script.run(test::sample_request("OPTIONS")); });
    host.on_fiber([&] {
        INFO("the other script found the copy that was left");
        CHECK(script.value("$var(was)") == "mine");
    });
    host.advance(std::chrono::seconds{2});
    CHECK(ended.signalled());
    host.on_fiber([&] {
        INFO("what the suspended one wrote afterwards is dropped with its table");
        CHECK(script.value("$var(x)") == "other");
        auto& calls = static_cast<script::Probe*>(script.module("probe"))->calls;
        REQUIRE(calls.size() == 1);
        CHECK(calls[0] == "mine");
    });
}

TEST_CASE("at most four programs live", "[script]")
{
    FakeHost host;
    ScriptFixture script{host, {erase(script::Probe::manifest())}};
    const auto text = [](int n) {
        return format("loadmodule \"probe.so\"\nrequest_route {{ $var(n) = {}; sleep(1000); note(\"{}\"); }}",
                      n, n);
    };
    host.start_workers();
    for (int n = 1; n <= 4; ++n) {
        REQUIRE(script.load(text(n)));
        REQUIRE(host.runtime().worker(0).spawn([&] { script.run(); }));
        sipyard::MovableClock::settle({&host.runtime()});
    }
    CHECK_FALSE(script.load(text(5)));
    CHECK(script.errors().find("still running") != std::string::npos);
    host.advance(std::chrono::seconds{2});
    INFO("each finished with its own program");
    auto& calls = static_cast<script::Probe*>(script.module("probe"))->calls;
    CHECK(calls == std::vector<std::string>{"1", "2", "3", "4"});
    CHECK(script.load(text(6)));
}

TEST_CASE("log_prefix and log()", "[script]")
{
    Probed probed;
    REQUIRE(probed.load("log_prefix=\"[$rU] \"\nrequest_route { log(0, \"plain $rU\"); log(\"quiet\"); }"));
    Messenger message{probed.host, test::sample_request()};
    probed.script.engine().run_request(*message);
    CHECK(probed.script.engine().log_prefix(*message) == "[bob] ");
    INFO(probed.host.log_lines().text());
    CHECK(probed.host.log_lines().has("[bob] "));
    CHECK(probed.host.log_lines().has("<script>: plain $rU"));
    CHECK_FALSE(probed.host.log_lines().has("quiet"));
}

TEST_CASE("custom globals change while running", "[script]")
{
    Probed probed;
    REQUIRE(probed.load("my.limit = 30 desc \"x\"\nmy.label = \"a\"\nrequest_route { $var(n) = "
                        "$sel(cfg_get.my.limit); $var(s) = @cfg_get.my.label; }"));
    const auto globals = probed.script.engine().globals();
    REQUIRE(globals);
    CHECK(globals->set("my", "limit", std::nullopt, std::int64_t{40}));
    CHECK(globals->set("my", "label", std::nullopt, std::string{"b"}));
    CHECK_FALSE(globals->set("my", "limit", std::nullopt, std::string{"text"}));
    CHECK_FALSE(globals->set("my", "nothing", std::nullopt, std::int64_t{1}));
    probed.script.run();
    CHECK(probed.script.value("$var(n)") == "40");
    CHECK(probed.script.value("$var(s)") == "b");
}

TEST_CASE("run_script is the short way", "[script]")
{
    CHECK(test::run_script("$var(a) = 1 + 2; $var(b) = \"x\";", {"$var(a)", "$var(b)"}) ==
          std::vector<std::string>{"3", "x"});
    CHECK_THROWS(test::run_script("$var(a) = $nosuch(b);", {"$var(a)"}));
}
