// modules/rtimer/rtimer_test.cpp - routes that run by the clock
#include "core/module/module.h"
#include "modules/rtimer/definition.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <atomic>

extern "C" const sipyard::ModuleEntry* sipyard_module();

using namespace sipyard;
using namespace sipyard::test;

namespace {

struct Bench {
    explicit Bench(std::string_view params)
    {
        const bool loaded =
            fixture.load(format("loadmodule \"rtimer.so\"\n{}\nrequest_route {{ return 1; }}\n", params));
        INFO(fixture.errors());
        REQUIRE(loaded);
        host.set_script(nullptr); // the test's own routes
    }
    FakeHost host;
    ScriptFixture fixture{host, {sipyard_module()->manifest()}};
};

} // namespace

TEST_CASE("a timer's definition is read", "[rtimer]")
{
    const auto ta = FromText<rtimer::Definition>::parse("name=ta;interval=10;mode=1;");
    REQUIRE(ta);
    CHECK(ta->name == "ta");
    CHECK(*ta->interval == 10s);
    CHECK(ta->mode == 1);
    CHECK(*FromText<rtimer::Definition>::parse("name=tb; interval=100000u")->interval == 100ms);
    CHECK_FALSE(FromText<rtimer::Definition>::parse("name=tc")->interval);
    for (const char* bad : {"", "interval=1", "name=t;interval=0", "name=t;interval=x", "name=t;interval=10u",
                            "name=t;mode=-1", "name=t;colour=red", "name=t;interval=99999999999"}) {
        INFO(bad);
        CHECK_FALSE(FromText<rtimer::Definition>::parse(bad).has_value());
    }
    const auto exec = FromText<rtimer::Exec>::parse("timer=ta;route=TOCK");
    REQUIRE(exec);
    CHECK(exec->route == "TOCK");
    for (const char* bad : {"", "timer=ta", "route=x", "timer=ta;route=", "timer=ta;rout=x"})
        CHECK_FALSE(FromText<rtimer::Exec>::parse(bad).has_value());
}

TEST_CASE("a route runs once in each interval, with a request of its own", "[rtimer]")
{
    std::atomic<int> tocks{0}, ticks{0};
    Bench bench{"modparam(\"rtimer\", \"timer\", \"name=ta;interval=10;mode=1;\")\nmodparam(\"rtimer\", "
                "\"exec\", \"timer=ta;route=TOCK\")\n"
                "modparam(\"rtimer\", \"exec\", \"timer=ta;route=TICK\")"};
    bench.host.on_route(Route::request, "TOCK", [&](Request& request) {
        ++tocks;
        return Verdict{request.message().method() == sip::Method::options ? 1 : -1};
    });
    bench.host.on_route(Route::request, "TICK", [&](Request&) { return Verdict{++ticks}; });
    bench.host.start_workers();
    bench.host.advance(9s);
    CHECK(tocks == 0);
    bench.host.advance(1s);
    CHECK(tocks == 1);
    bench.host.advance(30s);
    CHECK(tocks == 4);
    CHECK(ticks == 4);
    bench.host.runtime().stop(1s);
}

TEST_CASE("a run that lasts is not joined by another", "[rtimer]")
{
    std::atomic<int> runs{0};
    Bench bench{
        "modparam(\"rtimer\", \"default_interval\", 1)\nmodparam(\"rtimer\", \"timer\", \"name=slow\")\n"
        "modparam(\"rtimer\", \"exec\", \"timer=slow;route=SLOW\")"};
    bench.host.on_route(Route::request, "SLOW", [&](Request& request) {
        ++runs;
        task::sleep_until(request.host().clock().now() + 2500ms);
        return Verdict{1};
    });
    bench.host.start_workers();
    bench.host.advance(1s);
    CHECK(runs == 1);
    bench.host.advance(2s);
    CHECK(runs == 1);
    CHECK(bench.host.counted("rtimer", "skipped") == 2);
    bench.host.advance(1s);
    CHECK(runs == 2);
    bench.host.runtime().stop(1s);
}

TEST_CASE("a route that is not there is told once", "[rtimer]")
{
    Bench bench{"modparam(\"rtimer\", \"timer\", \"name=t;interval=1\")\nmodparam(\"rtimer\", \"exec\", "
                "\"timer=t;route=NONE\")"};
    bench.host.start_workers();
    bench.host.advance(5s);
    CHECK(bench.host.log_lines().count("route[NONE]") == 1);
    bench.host.runtime().stop(1s);
}

TEST_CASE("what does not fit together stops the start", "[rtimer]")
{
    for (const char* params : {"modparam(\"rtimer\", \"exec\", \"timer=none;route=R\")",
                               "modparam(\"rtimer\", \"timer\", \"name=t;interval=1\")\nmodparam(\"rtimer\", "
                               "\"timer\", \"name=t;interval=2\")",
                               "modparam(\"rtimer\", \"timer\", \"interval=2\")"}) {
        INFO(params);
        FakeHost host;
        ScriptFixture fixture{host, {sipyard_module()->manifest()}};
        bool loaded = false;
        try {
            loaded =
                fixture.load(format("loadmodule \"rtimer.so\"\n{}\nrequest_route {{ return 1; }}\n", params));
        } catch (const StartupError&) {
        }
        CHECK_FALSE(loaded);
    }
}
