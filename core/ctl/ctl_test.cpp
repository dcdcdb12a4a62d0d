// core/ctl/ctl_test.cpp - words to calls, answers to tables
#include "core/ctl/command_line.h"
#include "core/ctl/ladder.h"
#include "core/ctl/table.h"
#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::ctl;

TEST_CASE("words become an RPC call", "[ctl]")
{
    const struct {
        const char* story;
        std::vector<std::string> words;
        const char* method;
        const char* params;
    } rows[] = {
        {"one word", {"uptime"}, "core.uptime", "[]"},
        {"two words", {"log", "level"}, "core.log_level", "[]"},
        {"a number is a number", {"log", "level", "3"}, "core.log_level", "[3]"},
        {"a text that looks like one", {"htable", "dump", "s:7"}, "htable.dump", "[\"7\"]"},
        {"the longer shortcut wins", {"db", "stats"}, "db.stats", "[]"},
        {"a name of digits stays one", {"trace", "007"}, "core.trace", "[\"007\"]"},
        {"the calls", {"calls"}, "tm.calls", "[]"},
        {"one word that has a longer form", {"blocklist"}, "dns.blocklist", "[]"},
        {"that longer form", {"blocklist", "forget"}, "dns.blocklist_forget", "[]"},
        {"any command by its name", {"rpc", "core.echo", "a", "-1"}, "core.echo", "[\"a\",-1]"},
        {"a dot is enough", {"core.echo"}, "core.echo", "[]"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto call = parse_call(row.words);
        REQUIRE(call);
        CHECK(call->method == row.method);
        CHECK(call->params.dump() == row.params);
    }
}

TEST_CASE("a misspelt command is explained", "[ctl]")
{
    const auto call = parse_call({"uptme"});
    REQUIRE(!call);
    CHECK(call.error().text == "'uptme' is no command; did you mean 'uptime'?");
    CHECK(!parse_call({}));
    CHECK(!parse_call({"rpc"}));
}

TEST_CASE("answers become tables", "[ctl]")
{
    const struct {
        const char* story;
        const char* json;
        const char* table;
    } rows[] = {
        {"a list of objects", R"([{"name":"a","n":1},{"name":"bcd","n":22}])",
         "name  n\n----  --\na     1\nbcd   22\n"},
        {"an object", R"({"up":5,"since":"now"})", "up     5\nsince  now\n"},
        {"plain values", R"(["x","y"])", "x\ny\n"},
        {"nothing", "[]", "(none)\n"},
        {"no escape sequence reaches the terminal", "\"a\\u001b[2Jb\"", "a.[2Jb\n"},
        {"objects with different members", R"([{"a":true},{"b":null}])", "a    b\n---  -\nyes\n\n"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto value = json::parse(row.json);
        REQUIRE(value);
        CHECK(to_table(*value) == row.table);
    }
}

TEST_CASE("the completion script knows every first word", "[ctl]")
{
    const std::string script = bash_completion();
    for (const Shortcut& shortcut : shortcuts())
        CHECK(script.find(std::string{shortcut.words.substr(0, shortcut.words.find(' '))}) !=
              std::string::npos);
}

TEST_CASE("a call is drawn as a ladder", "[ctl]")
{
    const auto trace = json::parse(R"({"call_id":"c1","start":"2026-11-21T17:07:57Z","messages":[
        {"us":0,"way":"in","peer":"udp:192.0.2.1:5060","method":"INVITE","cseq":1,"status":0},
        {"us":400,"way":"out","peer":"udp:192.0.2.1:5060","method":"INVITE","cseq":1,"status":100},
        {"us":1250000,"way":"out","peer":"tcp:192.0.2.2:5060","method":"INVITE","cseq":1,"status":0},
        {"us":1300000,"way":"out","peer":"udp:192.0.2.3:5080","method":"INVITE","cseq":1,"status":0},
        {"us":2000000,"way":"in","peer":"udp:192.0.2.3:5080","method":"INVITE","cseq":1,"status":200}]})");
    REQUIRE(trace);
    const std::string expected =
        "call c1\n"
        "began 2026-11-21T17:07:57Z\n"
        "\n"
        "            udp:192.0.2.1:5060            sipyard           tcp:192.0.2.2:5060      "
        "udp:192.0.2.3:5080\n"
        "                     |                       |                       |                       |\n"
        "+   0.000 s          |------ INVITE (1) ---->|                       |                       |\n"
        "+   0.000 s          |<--- 100 INVITE (1) ---|                       |                       |\n"
        "+   1.250 s          |                       |------ INVITE (1) ---->|                       |\n"
        "+   1.300 s          |                       |------ INVITE (1) ---------------------------->|\n"
        "+   2.000 s          |                       |<--- 200 INVITE (1) ---------------------------|\n";
    CHECK(to_ladder(*trace) == expected);
}

TEST_CASE("a ladder takes what a server may answer", "[ctl]")
{
    CHECK(to_ladder(*json::parse(R"({"call_id":"x","messages":[]})")) ==
          "nothing is known about the call x\n");
    CHECK(to_ladder(json::Value{}).find("nothing is known") == 0);
    // Our own request: we stand on the left. No escape sequence reaches the terminal.
    const std::string own = to_ladder(*json::parse(
        R"({"call_id":"a\u001b[2J","messages":[{"us":-5,"way":"out","peer":"udp:1","method":"\u0007","cseq":1,"status":0}]})"));
    CHECK(own.find('\x1b') == std::string::npos);
    CHECK(own.find('\x07') == std::string::npos);
    CHECK(own.find("|----") != std::string::npos);
    // More peers than columns: the last one is shared.
    json::Value trace = json::Value::object(), messages = json::Value::array();
    for (int i = 0; i < 12; ++i)
        messages.add(json::Value::object()
                         .set("us", i)
                         .set("way", i == 0 ? "in" : "out")
                         .set("peer", "udp:10.0.0." + std::to_string(i))
                         .set("method", "INVITE")
                         .set("cseq", 1)
                         .set("status", 0));
    trace.set("call_id", "forked").set("messages", std::move(messages));
    const std::string crowd = to_ladder(trace);
    CHECK(crowd.find("others") != std::string::npos);
    CHECK(crowd.find("INVITE (1) udp:10.0.0.11") != std::string::npos);
}
