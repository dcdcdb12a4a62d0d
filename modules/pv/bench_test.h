// modules/pv/bench_test.h - what the tests of pv share: a script with the module loaded and messages to ask
#pragma once

#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <string>
#include <string_view>

extern "C" const sipyard::ModuleEntry* sipyard_module();

namespace sipyard::pv {

inline std::string shown(const Value& v)
{
    return v.is_null()      ? "<null>"
           : v.is_integer() ? "int " + std::to_string(v.number())
                            : std::string{v.text()};
}

struct Bench {
    test::FakeHost host;
    test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};

    explicit Bench(std::string_view params = {})
    {
        const bool loaded =
            fixture.load("loadmodule \"pv.so\"\n" + std::string{params} + "\nrequest_route { exit; }\n");
        INFO(fixture.errors());
        REQUIRE(loaded);
    }
    // The variable as this request sees it; numbers with "int " in front. "! ..." when it does not compile.
    std::string ask(Request& request, std::string_view variable)
    {
        const auto ref = fixture.engine().compile_variable(variable);
        return ref ? shown((*ref)->get(request)) : "! " + ref.error().text;
    }
    bool set(Request& request, std::string_view variable, const Value& value)
    {
        const auto ref = fixture.engine().compile_variable(variable);
        INFO(why(ref));
        REQUIRE(ref);
        return (*ref)->set(request, value);
    }
};

struct Row {
    const char* story;
    const char* variable;
    const char* expected;
};

inline void check_all(Bench& bench, Request& request, std::initializer_list<Row> rows)
{
    for (const Row& row : rows) {
        INFO(row.story << ": " << row.variable);
        CHECK(bench.ask(request, row.variable) == row.expected);
    }
}

} // namespace sipyard::pv
