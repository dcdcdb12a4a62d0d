// modules/xcap_server/origin_test.cpp - how answers name this server
#include "modules/xcap_server/origin.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::xcap_server;

TEST_CASE("the front of absolute URLs is what the client asked, when it is harmless", "[xcap_server]")
{
    const struct {
        const char* story;
        OriginRules rules;
        bool encrypted;
        std::string target, host, expected;
    } rows[] = {
        {"a Host header", {}, false, "/r/", "xcap.example.com:8080", "http://xcap.example.com:8080"},
        {"over TLS", {}, true, "/r/", "xcap.example.com", "https://xcap.example.com"},
        {"an IPv6 address", {}, false, "/r/", "[2001:db8::1]:80", "http://[2001:db8::1]:80"},
        {"blanks around", {}, false, "/r/", " a.b ", "http://a.b"},
        {"an absolute target wins", {}, false, "http://other:81/r/", "a.b", "http://other:81"},
        {"no Host header", {}, false, "/r/", "", "http://127.0.0.1:5060"},
        {"a port that is none", {}, false, "/r/", "a.b:99999", "http://127.0.0.1:5060"},
        {"markup", {}, false, "/r/", "a\"><b", "http://127.0.0.1:5060"},
        {"a user in it", {}, false, "/r/", "me@a.b", "http://127.0.0.1:5060"},
        {"a path in it", {}, false, "/r/", "a.b/c", "http://127.0.0.1:5060"},
        {"an endless name", {}, false, "/r/", std::string(300, 'a'), "http://127.0.0.1:5060"},
        {"the operator's name", {-1, "xcap.net"}, false, "http://other/r/", "a.b", "http://xcap.net"},
        {"the operator's scheme", {1, ""}, false, "/r/", "a.b", "https://a.b"},
        {"the operator's other scheme", {0, ""}, true, "/r/", "a.b", "http://a.b"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const Origin origin = origin_of(row.rules, row.encrypted, row.target, row.host, "127.0.0.1:5060");
        CHECK(std::string{origin.scheme} + "://" + std::string{origin.authority} == row.expected);
    }
}
