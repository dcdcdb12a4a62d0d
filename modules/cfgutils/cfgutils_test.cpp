// modules/cfgutils/cfgutils_test.cpp - chance, flags, locks, and a script that waits without holding its
// worker
#include "core/json/value.h"
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

extern "C" const sipyard::ModuleEntry* sipyard_module();

namespace sipyard::cfgutils {

TEST_CASE("what the functions answer", "[cfgutils]")
{
    const struct {
        const char* story;
        const char* body;
        const char* expected;
    } rows[] = {
        {"never", "rand_set_prob(\"0\"); $var(r) = 1; if (rand_event()) $var(r) = 2;", "1"},
        {"always", "rand_set_prob(100); $var(r) = 1; if (rand_event()) $var(r) = 2;", "2"},
        {"the argument wins", "rand_set_prob(100); $var(r) = 1; if (rand_event(0)) $var(r) = 2;", "1"},
        {"the default", "rand_get_prob(); $var(r) = $rc;", "10"},
        {"set and reset", "rand_set_prob(77); rand_reset_prob(); rand_get_prob(); $var(r) = $rc;", "10"},
        {"out of range", "rand_set_prob(101); $var(r) = $rc;", "-1"},
        {"a flag", "set_gflag(\"4\"); $var(r) = 1; if (is_gflag(4)) $var(r) = 2;", "2"},
        {"a flag reset", "set_gflag(4); reset_gflag(4); $var(r) = 1; if (is_gflag(4)) $var(r) = 2;", "1"},
        {"no flag", "set_gflag(32); $var(r) = $rc;", "-1"},
        {"a lock is ours", "lock(\"a\"); trylock(\"a\"); $var(r) = $rc;", "1"},
        {"not locked", "unlock(\"a\"); $var(r) = $rc;", "-1"},
        {"abort does not", "abort(); $var(r) = 6;", "6"},
        {"a negative sleep", "sleep(\"-3\"); $var(r) = $rc;", "-1"},
        {"no time at all", "usleep(0); $var(r) = $rc;", "1"},
        {"a route that is there", "route_if_exists(\"R\"); $var(r) = $rc;", "42"},
        {"a route that is not", "route_if_exists(\"S\"); $var(r) = $rc;", "-1"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        test::FakeHost host;
        test::ScriptFixture script{host, {sipyard_module()->manifest()}};
        const bool loaded = script.load(format(
            "loadmodule \"cfgutils.so\"\nrequest_route {{\n{}\n}}\nroute[R] {{ return 42; }}\n", row.body));
        INFO(script.errors());
        REQUIRE(loaded);
        script.run();
        CHECK(script.value("$var(r)") == row.expected);
    }
}

TEST_CASE("locks end with the request, and a sleeping script holds nobody up", "[cfgutils]")
{
    test::FakeHost host;
    test::ScriptFixture script{host, {sipyard_module()->manifest()}};
    REQUIRE(script.load(
        "loadmodule \"cfgutils.so\"\nrequest_route {\nif (uri =~ \"slow\") { lock(\"x\"); sleep(5); exit; }\n"
        "trylock(\"x\"); return $rc;\n}\n"));
    host.start_workers();
    auto& worker = host.runtime().worker(0);
    bool slow_done = false;
    int code = 0;
    const auto quick = [&] {
        CHECK(worker.spawn([&] { code = script.run().code; }));
        host.advance(0s);
        return code;
    };
    REQUIRE(worker.spawn([&] {
        script.run(test::sample_request("INVITE", "sip:slow@example.com"));
        slow_done = true;
    }));
    host.advance(1s);
    CHECK_FALSE(slow_done);
    CHECK(quick() == -1); // the worker is free, the lock is not
    host.advance(5s);
    CHECK(slow_done);
    CHECK(quick() == 1); // exit without unlock gave it back
}

} // namespace sipyard::cfgutils
