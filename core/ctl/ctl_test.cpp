// core/ctl/ctl_test.cpp - words to calls, answers to tables
#include "core/ctl/command_line.h"
#include "core/ctl/table.h"
#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::ctl;

TEST_CASE("words become an RPC call", "[ctl]")
{
    const struct { const char* story; std::vector<std::string> words; const char* method; const char* params; } rows[] = {
        {"one word", {"uptime"}, "core.uptime", "[]"},
        {"two words", {"log", "level"}, "core.log_level", "[]"},
        {"a number is a number", {"log", "level", "3"}, "core.log_level", "[3]"},
        {"a text that looks like one", {"htable", "dump", "s:7"}, "htable.dump", "[\"7\"]"},
        {"the longer shortcut wins", {"db", "stats"}, "db.stats", "[]"},
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
    const struct { const char* story; const char* json; const char* table; } rows[] = {
        {"a list of objects", R"([{"name":"a","n":1},{"name":"bcd","n":22}])", "name  n\n----  --\na     1\nbcd   22\n"},
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
        CHECK(script.find(std::string{shortcut.words.substr(0, shortcut.words.find(' '))}) != std::string::npos);
}
