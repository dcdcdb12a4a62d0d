// core/script/names_test.cpp - what names are checked for when a script is loaded, and the variables of place
// and sending
#include "core/script/link_fakes.h"
#include "core/script/selects.h"

#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <sys/socket.h>

using namespace sipyard;
using test::FakeHost;
using test::Messenger;
using test::ScriptFixture;

TEST_CASE("a constant name or argument that cannot work is found at load", "[script]")
{
    const struct {
        const char* story;
        const char* line;
        const char* expected; // in the errors; "" when it loads
    } rows[] = {
        {"a name the module knows", "$var(x) = $room(kitchen);", ""},
        {"one it does not know, with the one that was meant", "$var(x) = $room(kichen);",
         "no such room, did you mean 'kitchen'?"},
        {"inside a text", "note(\"in $room(attic)\");", "pvar \"$room(attic)\": no such room"},
        {"a name that is only known when the script runs", "$var(x) = $room($rU);", ""},
        {"a beginning that is known is looked at", "$var(x) = $floor(kichen/$rU);",
         "pvar \"$floor(kichen/$rU)\": no such room, did you mean 'kitchen'?"},
        {"and may be well", "$var(x) = $floor(cellar/$rU);", ""},
        {"a function's argument", "enter(\"kichen\", \"attic\");",
         "enter(): parameter 1: no such room, did you mean 'kitchen'?"},
        {"only the one that is a room", "enter(\"kitchen\", \"attic\");", ""},
        {"its beginning", "enter(\"attic/$rU\", \"\");", "enter(): parameter 1: no such room"},
        {"one that is only known when the script runs", "enter(\"$rU\", \"\"); enter($rU, \"\");", ""},
        {"numbers where numbers belong", "$var(x) = $(ru{s.substr,0, 2});", ""},
        {"a word in place of a number", "$var(x) = $(ru{s.substr,0,two});",
         "{s.substr}: \"two\" is not a number"},
        {"a variable in its place", "$var(x) = $(ru{s.substr,0,$var(y)});", ""},
        {"a part of the place that is none", "$var(x) = $cfg(column);", "line, name or route"},
        {"nothing of the kind is sent", "$var(x) = $snd(colour);", "ip, port, proto, sproto, af, buf or len"},
        {"the bytes belong to $snd", "$var(x) = $sndto(buf);", "ip, port, proto, sproto or af"},
        {"an unknown select of the connection", "$var(x) = $sel(tls.peer.shoe_size);",
         "unknown select \"tls.peer.shoe_size\""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        FakeHost host;
        ScriptFixture script{host, {erase(script::Probe::manifest())}};
        const bool loaded =
            script.load(std::string{"loadmodule \"probe.so\"\nrequest_route { "} + row.line + " }");
        INFO(script.errors());
        CHECK(loaded == (*row.expected == '\0'));
        CHECK(script.errors().find(row.expected) != std::string::npos);
    }
}

TEST_CASE("an index of + is as without one", "[script]")
{
    FakeHost host;
    ScriptFixture script{host, {erase(script::Probe::manifest())}};
    REQUIRE(script.load("loadmodule \"probe.so\"\nrequest_route { $avp(x) = \"one\"; $(avp(x)[+]) = \"two\";"
                        " $var(first) = $(avp(x)[+]); $var(second) = $(avp(x)[1]); }"));
    script.run();
    CHECK(script.value("$var(first)") == "two"); // newest first
    CHECK(script.value("$var(second)") == "one");
}

TEST_CASE("$cfg tells where a statement stands", "[script]")
{
    FakeHost host;
    ScriptFixture script{host};
    REQUIRE(script.load(
        "request_route {\n  $var(line) = $cfg(line);\n  $var(route) = $cfg(route);\n  route(SUB);\n}\n"
        "route[SUB] {\n  $var(sub) = \"in \" + $cfg(route)\n      + \":\" + $cfg(line);\n"
        "  $var(named) = $cfg(name) == $cfg(file) && $cfg(name) != $null;\n}\n"));
    script.run();
    CHECK(script.value("$var(line)") == "2");
    CHECK(script.value("$var(route)") == "DEFAULT_ROUTE");
    CHECK(script.value("$var(sub)") == "in SUB:7");
    CHECK(script.value("$var(named)") == "1");
    CHECK(script.value("$cfg(line)") == "<null>"); // a format outside of any script
}

TEST_CASE("$snd, $sndto and $sndfrom describe the message that leaves", "[script]")
{
    FakeHost host;
    ScriptFixture script{host};
    REQUIRE(script.load(
        "request_route { $vn(out) = $snd(ip); }\n"
        "onsend_route { $var(a) = $snd(ip) + \" \" + $snd(port) + \" \" + $snd(proto) + \" \" + $snd(sproto)"
        " + \" \" + $snd(af) + \" \" + $snd(len) + \" \" + $snd(buf);"
        " $var(b) = $sndto(ip) + \":\" + $sndto(port); $var(c) = $sndfrom(ip) + \":\" + $sndfrom(port); }"));
    Messenger message{host, test::sample_request()};
    net::Listener socket;
    socket.bound = *net::Address::parse("192.0.2.1", 5062);
    net::Destination to;
    to.protocol = net::Protocol::tcp;
    to.to = *net::Address::parse("2001:db8::9", 5090);
    to.from = &socket;
    script.engine().run_request(*message);
    CHECK(script.value("$vn(out)") == "<null>");
    CHECK(script.engine().run_onsend(*message, to, "1234"));
    CHECK(script.value("$var(a)") == "2001:db8::9 5090 2 tcp " + std::to_string(AF_INET6) + " 4 1234");
    CHECK(script.value("$var(b)") == "2001:db8::9:5090");
    CHECK(script.value("$var(c)") == "192.0.2.1:5062");
}

TEST_CASE("selects of the connection are the variables of module tls", "[script]")
{
    const struct {
        const char* path;
        const char* variable;
    } rows[] = {
        {"tls.version", "tls_version"},
        {"tls.cipher.bits", "tls_cipher_bits"},
        {"tls.desc", "tls_description"},
        {"tls.peer.subject.cn", "tls_peer_subject_cn"},
        {"tls.peer.cert.subject.commonName", "tls_peer_subject_cn"},
        {"tls.me.issuer.O", "tls_my_issuer_organization"},
        {"tls.peer.serialNumber", "tls_peer_serial"},
        {"tls.peer.not_before", "tls_peer_notBefore"},
        {"tls.peer.verified", "tls_peer_verified"},
    };
    for (const auto& row : rows) {
        INFO(row.path);
        CHECK(script::tls_variable_of(row.path) == row.variable);
    }
    FakeHost host;
    ScriptFixture script{host, {erase(script::Probe::manifest())}};
    REQUIRE(script.load("loadmodule \"probe.so\"\nrequest_route { $var(x) = $sel(tls.peer.subject.cn); "
                        "$var(y) = @tls.version; }"));
    script.run();
    CHECK(script.value("$var(x)") == "sip:bob@example.com");
    CHECK(script.value("$var(y)") == "sip:bob@example.com");
    ScriptFixture without{host};
    CHECK_FALSE(without.load("request_route { $var(x) = $sel(tls.version); }"));
    CHECK(without.errors().find("needs the module 'tls'") != std::string::npos);
}

TEST_CASE("udp_mtu_try_proto() is noted in the request", "[script]")
{
    FakeHost host;
    ScriptFixture script{host};
    REQUIRE(script.load("request_route { if (method == \"INVITE\") udp_mtu_try_proto(TLS); }"));
    Messenger invite{host, test::sample_request()}, options{host, test::sample_request("OPTIONS")};
    script.engine().run_request(*invite);
    script.engine().run_request(*options);
    CHECK(invite->udp_mtu_proto == net::Protocol::tls);
    CHECK_FALSE(options->udp_mtu_proto);
}
