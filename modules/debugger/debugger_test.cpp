// modules/debugger/debugger_test.cpp - the trace of a script, dumps of values and messages
#include "core/json/value.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"
#include "modules/debugger/debugger.h"
#include "modules/pv/pv.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <unistd.h>

using namespace sipyard;
using namespace sipyard::test;

namespace {

const char* const traced_script = R"s(
request_route {
    $var(i) = 1;
    if (pv_isset("$var(i)") && $var(i) == 1) {
        setflag(1);
    }
    route(A);
    return 7;
}
route[A] {
    pv_unset("$var(i)");
    return 1;
}
)s";

// The debugger's own object offers itself as the tracer, as the server's host would do.
struct Bench {
    explicit Bench(const debugger::Debugger::Settings& settings) : debugger{settings, host}
    {
        host.offer<ScriptTracer>(debugger);
        const bool loaded = fixture.load(std::string{"loadmodule \"pv.so\"\n"} + traced_script);
        INFO(fixture.errors());
        REQUIRE(loaded);
    }
    FakeHost host;
    debugger::Debugger debugger;
    ScriptFixture fixture{host, {erase(pv::Pv::manifest())}};
};

} // namespace

TEST_CASE("each action is traced with its place", "[debugger]")
{
    debugger::Debugger::Settings settings;
    settings.cfgtrace = true;
    settings.log_level_name = "exec";
    Bench bench{settings};
    CHECK(bench.fixture.run().code == 7);
    const LogLines& lines = bench.host.log_lines();
    INFO(lines.text());
    CHECK(lines.has(
        format("({}) exec: *** cfgtrace:dbg_cfg_trace(): request_route=[DEFAULT_ROUTE] c=[", ::getpid())));
    for (const char* part : {"l=4 a=63 n=assign", "l=5 a=16 n=if", "l=5 a=25 n=pv_isset",
                             "l=6 a=39 n=setflag", "l=8 a=5 n=route", "l=9 a=2 n=exit", "request_route=[A]",
                             "l=12 a=25 n=pv_unset", "l=13 a=2 n=exit"})
        CHECK(lines.has(part));
    CHECK(lines.count("cfgtrace") == 8);
}

TEST_CASE("tracing is switched by command", "[debugger]")
{
    Bench bench{{}};
    CHECK(bench.fixture.run().code == 7);
    CHECK(bench.host.log_lines().count("cfgtrace") == 0);
    const auto manifest = debugger::Debugger::manifest();
    const auto call = [&](std::string_view name, json::Value params) {
        for (const auto& command : manifest.commands)
            if (command.name == name)
                return command.run(&bench.debugger, params);
        return Result<json::Value>{Error{ErrorKind::not_found, "no such command"}};
    };
    CHECK(call("dbg.trace", json::Value::array({"on"})));
    CHECK(bench.fixture.run().code == 7);
    CHECK(bench.host.log_lines().count("cfgtrace") == 8);
    const auto list = call("dbg.ls", {});
    REQUIRE(list);
    CHECK((*list)[std::size_t{0}]["trace"].text() == "on");
    CHECK(call("dbg.trace", json::Value::array({"off"})));
    CHECK_FALSE(call("dbg.trace", json::Value::array({"maybe"})));
    CHECK_FALSE(call("dbg.trace", {}));
    bench.fixture.run();
    CHECK(bench.host.log_lines().count("cfgtrace") == 8);
}

TEST_CASE("what changed, line by line", "[debugger]")
{
    const struct {
        const char* before;
        const char* after;
        const char* expected;
    } rows[] = {
        {"a\r\nb\r\n", "a\r\nb\r\n", ""},
        {"a\r\nb\r\n", "a\r\n", "- b\n"},
        {"a\r\n", "a\r\nc\r\n", "c\n"},
        {"a\r\na\r\n", "a\r\n", "- a\n"},
        {"", "x\r\n", "x\n"},
    };
    for (const auto& row : rows)
        CHECK(debugger::line_changes(row.before, row.after) == row.expected);
}

TEST_CASE("values and the message are dumped", "[debugger]")
{
    FakeHost host;
    ScriptFixture fixture{host, {erase(pv::Pv::manifest()), erase(debugger::Debugger::manifest())}};
    const bool loaded = fixture.load(R"s(loadmodule "pv.so"
loadmodule "debugger.so"
request_route {
    $avp(more) = 2;
    $avp(more) = 3;
    $xavp(x=>a) = "hi";
    dbg_pv_dump(30, "L_ERR");
    dbg_sip_msg("L_ERR");
    dbg_breakpoint("1");
    if (dbg_pv_dump(30, "L_NONE") || dbg_sip_msg("loud")) return 2;
    return 1;
}
)s");
    INFO(fixture.errors());
    REQUIRE(loaded);
    Messenger message{host, sample_request("INVITE", "sip:bob@example.com", "X-Gone: tester\r\n")};
    message->edits().append_header(message->message(), "P-Hint: here\r\n");
    message->edits().remove(message->message(), *message->message().first("X-Gone"));
    CHECK(fixture.engine().run_request(*message).code == 1);
    INFO(host.log_lines().text());
    CHECK(host.log_lines().has(R"s("$avp(more)":[3,2])s"));
    CHECK(host.log_lines().has(R"s("$xavp(x)":[{"a":["hi"]}])s"));
    CHECK(host.log_lines().has("P-Hint: here"));
    CHECK(host.log_lines().has("- X-Gone: tester"));
    CHECK(host.log_lines().has("dbg_breakpoint() has no effect"));
}

TEST_CASE("what has no effect is told at the start", "[debugger]")
{
    debugger::Debugger::Settings settings;
    settings.cfgtest = 1;
    settings.mod_level = {"core=3"};
    FakeHost host;
    const debugger::Debugger made{settings, host};
    CHECK(host.log_lines().has("modparam cfgtest has no effect"));
    CHECK(host.log_lines().has("modparam mod_level has no effect"));
    CHECK_FALSE(host.log_lines().has("breakpoint"));
}
