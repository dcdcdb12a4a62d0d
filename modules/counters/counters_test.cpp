// modules/counters/counters_test.cpp - counters from the script and by command
#include "core/json/value.h"
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

extern "C" const sipyard::ModuleEntry* sipyard_module();

namespace sipyard::counters {

TEST_CASE("a script counts", "[counters]")
{
    test::FakeHost host;
    const AnyManifest manifest = sipyard_module()->manifest();
    test::ScriptFixture script{host, {manifest}};
    const bool loaded = script.load(
        "loadmodule \"counters.so\"\n"
        "modparam(\"counters\", \"script_counter\", \"foo\")\n"
        "modparam(\"counters\", \"script_counter\", \"test.bar: of the bar\")\n"
        "modparam(\"counters\", \"script_counter\", \"once said once\")\n"
        "request_route {\ncnt_inc(\"foo\"); cnt_inc(\"script.foo\"); cnt_add(\"test.bar\", 5); "
        "cnt_add(\"test.bar\", -2);\n"
        "cnt_inc(\"once\"); cnt_reset(\"once\");\nif (!cnt_inc(\"nope\")) cnt_inc(\"once\");\n}\n");
    INFO(script.errors());
    REQUIRE(loaded);
    script.run();
    CHECK(host.counted("script", "foo") == 2);
    CHECK(host.counted("test", "bar") == 3);
    CHECK(host.counted("script", "once") == 1);
    CHECK(host.log_lines().has("no counter 'nope'"));

    const struct {
        const char* command;
        const char* params;
        const char* expected;
    } rows[] = {
        {"cnt.get", R"(["test","bar"])", "3"},
        {"cnt.help", R"(["test","bar"])", R"("of the bar")"},
        {"cnt.help", R"(["script","foo"])", R"("custom script counter")"},
        {"cnt.get", R"(["test","foo"])", "! no counter test.foo"},
        {"cnt.get", "null", "! expected a group and the name of a counter"},
        {"cnt.var_list", R"(["test"])", R"(["bar"])"},
        {"cnt.grp_get_all", R"(["test"])", R"({"bar":3})"},
        {"cnt.reset", R"(["test","bar"])", R"("reset")"},
        {"cnt.get", R"({"group":"test","name":"bar"})", "0"},
        {"cnt.var_list", R"(["x"])", "! no group x"},
    };
    for (const auto& row : rows)
        for (const auto& command : manifest.commands)
            if (command.name == row.command) {
                INFO(row.command << " " << row.params);
                const auto answer = command.run(script.module("counters"), *json::parse(row.params));
                CHECK((answer ? answer->dump() : "! " + answer.error().text) == row.expected);
            }
}

TEST_CASE("declarations that cannot be meant stop the start", "[counters]")
{
    for (const char* text : {"", ".x", "a.", "x\")\nmodparam(\"counters\", \"script_counter\", \"script.x"}) {
        INFO(text);
        test::FakeHost host;
        test::ScriptFixture script{host, {sipyard_module()->manifest()}};
        CHECK_THROWS_AS(script.load(format(
                            "loadmodule \"counters.so\"\nmodparam(\"counters\", \"script_counter\", \"{}\")\n"
                            "request_route {{ ; }}\n",
                            text)),
                        StartupError);
    }
}

} // namespace sipyard::counters
