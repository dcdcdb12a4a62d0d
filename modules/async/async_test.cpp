// modules/async/async_test.cpp - scripts that go on later
#include "core/sip/message.h"
#include "modules/async/async.h"
#include "test/support/catch.h"
#include "test/support/fake_tm.h"
#include "test/support/run_script.h"

using namespace sipyard;
using namespace sipyard::test;

namespace {

// tm with transactions only after begin().
struct Bench {
    explicit Bench(std::string_view script, std::string_view params = "modparam(\"async\", \"ms_timer\", 1)")
    {
        host.settings.async_workers_group = {"name=abc;workers=4;nonblock=0;usleep=0"};
        host.offer<tm::Api>(tm);
        const bool loaded = fixture.load(
            format("loadmodule \"async.so\"\n{}\nrequest_route {{ {} }}\n"
                   "route[TASK] {{ $var(x) = $async(data) + \"|\" + $async(gname); return 1; }}\n",
                   params, script));
        INFO(fixture.errors());
        REQUIRE(loaded);
    }
    int run()
    {
        int code = 0;
        host.on_fiber([&] { code = fixture.run().code; });
        return code;
    }
    ~Bench() { host.runtime().stop(1s); }
    FakeHost host;
    FakeTm tm;
    ScriptFixture fixture{host, {erase(async::Async::manifest())}};
};

} // namespace

TEST_CASE("a route runs later, the script ends at once", "[async]")
{
    const struct {
        const char* story;
        const char* call;
        Duration before, after;
    } rows[] = {
        {"after seconds", "async_route(\"RESUME\", 4); return 5;", 3s, 4s},
        {"after milliseconds", "async_ms_route(\"RESUME\", 250); return 5;", 200ms, 250ms},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Bench bench{row.call};
        CHECK(bench.run() == 0);
        CHECK(bench.tm.suspended.size() == 1);
        bench.host.advance(row.before);
        CHECK(bench.tm.resumed.empty());
        bench.host.advance(row.after - row.before);
        REQUIRE(bench.tm.resumed.size() == 1);
        CHECK(bench.tm.resumed[0].first == bench.tm.suspended[0]);
        CHECK(bench.tm.resumed[0].second == "RESUME");
    }
}

TEST_CASE("a task runs as soon as possible", "[async]")
{
    Bench bench{"async_task_route(\"RESUME\"); return 5;"};
    CHECK(bench.run() == 0);
    bench.host.advance(1ms);
    REQUIRE(bench.tm.resumed.size() == 1);
    Bench group{"async_task_group_route(\"RESUME\", \"abc\"); return 5;"};
    CHECK(group.run() == 0);
    Bench unknown{"async_task_group_route(\"RESUME\", \"xyz\"); return $rc;"};
    CHECK(unknown.run() == -1);
    CHECK(unknown.tm.suspended.empty());
}

TEST_CASE("the return code may be chosen", "[async]")
{
    Bench bench{"async_task_route(\"RESUME\"); return 5;", "modparam(\"async\", \"return\", 1)"};
    CHECK(bench.run() == 5);
}

TEST_CASE("what cannot be waited for", "[async]")
{
    for (const char* call : {"async_sleep(0)", "async_sleep(100)", "async_sleep(-3)", "async_route(\"R\", 0)",
                             "async_route(\"\", 4)", "async_ms_sleep(30000)", "async_ms_route(\"R\", 0)"}) {
        INFO(call);
        Bench bench{format("{}; return $rc;", call)};
        CHECK(bench.run() == -1);
        CHECK(bench.tm.suspended.empty());
    }
    Bench disabled{"async_ms_sleep(5); return $rc;", ""};
    CHECK(disabled.run() == -1);
    Bench refused{"async_route(\"R\", 4); return $rc;"};
    refused.tm.refusal = "no";
    CHECK(refused.run() == -1);
}

TEST_CASE("a sleeping script goes on with the next action", "[async]")
{
    Bench bench{"$var(a) = 1; async_ms_sleep(500); return 7;"};
    bench.host.start_workers();
    std::atomic<int> code{-99};
    bench.host.runtime().worker(0).post(
        [&] { bench.host.runtime().worker(0).spawn_always([&] { code = bench.fixture.run().code; }); });
    bench.host.advance(499ms);
    CHECK(code == -99);
    bench.host.advance(1ms);
    CHECK(code == 7);
}

TEST_CASE("a task with data has a request of its own", "[async]")
{
    Bench bench{"async_task_data(\"TASK\", \"caller: alice\"); return $rc;"};
    std::string seen;
    bench.host.set_script(nullptr);
    bench.host.on_route(Route::request, "TASK", [&](Request& request) {
        const auto variable = bench.fixture.compile_format("$async(data)|$async(gname)");
        seen = variable ? std::string{(*variable)->expand(request)} : variable.error().text;
        return Verdict{request.message().method() == sip::Method::options ? 1 : -1};
    });
    CHECK(bench.run() == 1);
    bench.host.advance(1ms);
    CHECK(seen == "caller: alice|default");
    CHECK(bench.tm.suspended.empty());
    Bench outside{"return 1;"};
    CHECK(outside.fixture.value("$async(data)") == "<null>");
    Bench missing{"async_task_data(\"NONE\", \"x\"); return $rc;"};
    CHECK(missing.run() == 1);
    missing.host.advance(1ms);
    CHECK(missing.host.log_lines().has("route[NONE]"));
    Bench group{"async_task_group_data(\"TASK\", \"xyz\", \"x\"); return $rc;"};
    CHECK(group.run() == -1);
}
