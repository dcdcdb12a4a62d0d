// modules/timer/timer_test.cpp - timers switched on and off
#include "core/module/module.h"
#include "modules/timer/declaration.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <atomic>

extern "C" const sipyard::ModuleEntry* sipyard_module();

using namespace sipyard;
using namespace sipyard::test;

TEST_CASE("a declaration is read", "[timer]")
{
    const auto full = FromText<timer::Declaration>::parse("t1=R,250,slow,enable");
    REQUIRE(full);
    CHECK(full->name == "t1");
    CHECK(full->route == "R");
    CHECK(full->interval == 250ms);
    CHECK(full->enabled);
    CHECK_FALSE(FromText<timer::Declaration>::parse("t1=R,1000")->enabled);
    CHECK(FromText<timer::Declaration>::parse("t=R,100,,enable")->enabled);
    for (const char* bad : {"", "t", "t=R", "t=R,", "t=R,0", "t=R,x", "t=,5", "=R,5", "t=R,5,quick",
                            "t=R,5,slow,yes", "t=R,5,slow,enable,x"}) {
        INFO(bad);
        CHECK_FALSE(FromText<timer::Declaration>::parse(bad).has_value());
    }
}

TEST_CASE("a timer runs while it is enabled", "[timer]")
{
    FakeHost host;
    ScriptFixture fixture{host, {sipyard_module()->manifest()}};
    std::atomic<int> a{0}, b{0};
    const bool loaded = fixture.load(
        "loadmodule \"timer.so\"\nmodparam(\"timer\", \"declare_timer\", \"a=A,100,slow,enable\")\n"
        "modparam(\"timer\", \"declare_timer\", \"b=B,100\")\n"
        "request_route { timer_enable(\"a\", 0); timer_enable(\"b\", 1); timer_enable(\"c\", 1); return $rc; "
        "}\n");
    INFO(fixture.errors());
    REQUIRE(loaded);
    host.set_script(nullptr);
    host.on_route(Route::request, "A", [&a](Request&) { return Verdict{++a}; });
    host.on_route(Route::request, "B", [&b](Request&) { return Verdict{++b}; });
    host.start_workers();
    host.advance(1s);
    CHECK(a == 10);
    CHECK(b == 0);
    host.on_fiber([&] { CHECK(fixture.run().code == -1); }); // there is no timer c
    host.advance(1s);
    CHECK(a == 10);
    CHECK(b == 10);
    host.runtime().stop(1s);
}
