// modules/corex/corex_test.cpp - branches, extended flags and questions through scripts; what targets and
// domains mean
#include "core/module/module.h"
#include "modules/corex/target.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

extern "C" const sipyard::ModuleEntry* sipyard_module();

using namespace sipyard;
using namespace sipyard::corex;

TEST_CASE("corex functions", "[corex]")
{
    const struct {
        const char* story;
        const char* statements;
        const char* expected; // of $var(r)
    } rows[] = {
        {"flag 63", "setxflag(63); $var(r) = isxflagset(63);", "1"},
        {"not set", "$var(r) = isxflagset(0);", "-1"},
        {"reset", "setxflag(7); resetxflag(7); $var(r) = isxflagset(7);", "-1"},
        {"no flag 64", "$var(r) = setxflag(64);", "-1"},
        {"no flag -1", "$var(r) = isxflagset(-1);", "-1"},
        {"R-URI with a user", "$var(r) = has_ruri_user();", "1"},
        {"no User-Agent", "$var(r) = has_user_agent();", "-1"},
        {"a q that is none", "$var(r) = append_branch(\"sip:a\", \"7\");", "-1"},
        {"no such socket", "$var(r) = set_send_socket_name(\"outer\");", "-1"},
        {"a named socket", "$var(r) = set_send_socket_name(\"inner\");", "1"},
        {"is it one?", "$var(r) = is_socket_name(\"inner\");", "1"},
        {"nowhere to send", "$var(r) = send_udp(\"a b\");", "-1"},
        {"no port to send to", "$var(r) = send_tcp(\"192.0.2.1:x\");", "-1"},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.statements);
        test::FakeHost host;
        net::Listener listener;
        listener.bound = *net::Address::parse("127.0.0.1", 5060);
        listener.name = "inner";
        host.network().add_listener(listener);
        test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};
        const bool loaded = fixture.load("loadmodule \"corex.so\"\nrequest_route {\n" +
                                         std::string{row.statements} + "\n}\n");
        INFO(fixture.errors());
        REQUIRE(loaded);
        fixture.run();
        CHECK(fixture.value("$var(r)") == row.expected);
    }
}

TEST_CASE("append_branch", "[corex]")
{
    test::FakeHost host;
    test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};
    REQUIRE(fixture.load("loadmodule \"corex.so\"\nrequest_route { append_branch(); "
                         "append_branch(\"sip:a@example.net\", \"0.5\"); }\n"));
    test::Messenger m{host, test::sample_request()};
    m->set_dst_uri("sip:192.0.2.9");
    m->branch_flags = 3;
    (void)fixture.engine().run_request(*m);
    REQUIRE(m->branches().size() == 2);
    CHECK(m->branches()[0].uri == "sip:bob@example.com");
    CHECK(m->branches()[0].dst_uri == "sip:192.0.2.9");
    CHECK(m->branches()[0].flags == 3);
    CHECK(m->branches()[0].q == -1);
    CHECK(m->branches()[1].uri == "sip:a@example.net");
    CHECK(m->branches()[1].dst_uri.empty());
    CHECK(m->branches()[1].q == 500);
    m->branches().resize(11);
    CHECK(fixture.engine().run_request(*m).code == -1);
    CHECK(m->branches().size() == 11);
}

TEST_CASE("where to send", "[corex]")
{
    const struct {
        const char* text;
        const char* host; // null: refused
        int port;
        net::Protocol protocol;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", 0, net::Protocol::udp},
        {"192.0.2.1:5070", "192.0.2.1", 5070, net::Protocol::udp},
        {"[::1]:5070", "[::1]", 5070, net::Protocol::udp},
        {"[::1]", "[::1]", 0, net::Protocol::udp},
        {"sip:a@example.com:5080;transport=tcp", "example.com", 5080, net::Protocol::tcp},
        {"sips:example.com", "example.com", 0, net::Protocol::tls},
        {"sip:example.com;maddr=192.0.2.9", "192.0.2.9", 0, net::Protocol::udp},
        {"example.com:0", nullptr, 0, net::Protocol::udp},
        {"a b", nullptr, 0, net::Protocol::udp},
        {"", nullptr, 0, net::Protocol::udp},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const auto target = parse_target(row.text);
        REQUIRE(target.has_value() == (row.host != nullptr));
        if (!target)
            continue;
        CHECK(target->host == row.host);
        CHECK(target->port == row.port);
        CHECK(target->protocol == row.protocol);
    }
}

TEST_CASE("subdomains are this server", "[corex]")
{
    const struct {
        const char* domain;
        const char* host;
        std::uint16_t port;
        bool expected;
    } rows[] = {
        {"example.com", "example.com", 0, true},
        {"example.com", "a.example.com", 5060, true},
        {"example.com", "A.B.EXAMPLE.com", 0, true},
        {"example.com", "badexample.com", 0, false},
        {"example.com", "example.com.evil.org", 0, false},
        {"example.com", ".example.com", 0, false},
        {"udp:example.com:5070", "a.example.com", 5070, true},
        {"udp:example.com:5070", "a.example.com", 5060, false},
    };
    for (const auto& row : rows) {
        INFO(row.domain << " and " << row.host);
        const auto domain = parse_domain(row.domain);
        REQUIRE(domain);
        CHECK(covers(*domain, row.host, row.port) == row.expected);
    }
    CHECK_FALSE(parse_domain(""));
    CHECK_FALSE(parse_domain("a b"));
    test::FakeHost host;
    test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};
    REQUIRE(fixture.load("loadmodule \"corex.so\"\nmodparam(\"corex\", \"alias_subdomains\", "
                         "\"example.com\")\nrequest_route { exit; }\n"));
    CHECK(host.is_myself("a.example.com", 0, std::nullopt));
    CHECK_FALSE(host.is_myself("a.example.net", 0, std::nullopt));
}
