// modules/kex/kex_test.cpp - flags, next hop and "is it me?" through scripts
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

extern "C" const sipyard::ModuleEntry* sipyard_module();

using namespace sipyard;

TEST_CASE("kex functions", "[kex]")
{
    const struct {
        const char* story;
        const char* statements;
        const char* expected; // of $var(r)
    } rows[] = {
        {"a branch flag is not set", "$var(r) = isbflagset(5);", "-1"},
        {"set", "setbflag(5); $var(r) = isbflagset(5);", "1"},
        {"as branch 0", "setbflag(5, 0); $var(r) = isbflagset(5);", "1"},
        {"reset", "setbflag(5); resetbflag(5); $var(r) = isbflagset(5);", "-1"},
        {"flag 31", "setbflag(31); $var(r) = isbflagset(31);", "1"},
        {"no flag 32", "$var(r) = setbflag(32);", "-1"},
        {"no flag -1", "$var(r) = setbflag(-1);", "-1"},
        {"no branch 1", "$var(r) = setbflag(5, 1);", "-1"},
        {"no branch -1", "$var(r) = isbflagset(5, -1);", "-1"},
        {"script flag", "setsflag(3); $var(r) = issflagset(3);", "1"},
        {"its reset", "setsflag(3); resetsflag(3); $var(r) = issflagset(3);", "-1"},
        {"no next hop", "$var(r) = isdsturiset();", "-1"},
        {"next hop", "setdsturi(\"sip:192.0.2.9\"); $var(r) = isdsturiset();", "1"},
        {"away again", "setdsturi(\"sip:192.0.2.9\"); resetdsturi(); $var(r) = isdsturiset();", "-1"},
        {"no URI", "$var(r) = setdsturi(\"nowhere\");", "-1"},
        {"my URI", "$var(r) = is_myself(\"sip:alice@me.example.com\");", "1"},
        {"with a port", "$var(r) = is_myself(\"sip:me.example.com:5070;transport=tcp\");", "1"},
        {"my name", "$var(r) = is_myself(\"me.example.com\");", "1"},
        {"my name and port", "$var(r) = is_myself(\"me.example.com:5060\");", "1"},
        {"a stranger", "$var(r) = is_myself(\"sip:example.net\");", "-1"},
        {"no port", "$var(r) = is_myself(\"me.example.com:x\");", "-1"},
        {"nothing", "$var(r) = is_myself(\"\");", "-1"},
        {"a text", "$var(n) = 5; pv_printf(\"$var(r)\", \"n is $var(n)\");", "n is 5"},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.statements);
        test::FakeHost host;
        host.add_myself("me.example.com");
        test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};
        const bool loaded =
            fixture.load("loadmodule \"kex.so\"\nrequest_route {\n" + std::string{row.statements} + "\n}\n");
        INFO(fixture.errors());
        REQUIRE(loaded);
        fixture.run();
        CHECK(fixture.value("$var(r)") == row.expected);
    }
}

TEST_CASE("flags of a further branch are its own", "[kex]")
{
    test::FakeHost host;
    test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};
    REQUIRE(fixture.load("loadmodule \"kex.so\"\nrequest_route { setbflag(5, 1); $var(r) = isbflagset(5); "
                         "$var(s) = isbflagset(5, 1); }\n"));
    test::Messenger m{host, test::sample_request()};
    m->branches().push_back(
        {.uri = "sip:other@example.com", .dst_uri = {}, .path = {}, .ruid = {}, .instance = {}});
    (void)fixture.engine().run_request(*m);
    CHECK(m->branches()[0].flags == 32);
    CHECK(m->branch_flags == 0);
    CHECK(fixture.value("$var(r)") == "-1");
    CHECK(fixture.value("$var(s)") == "1");
}
