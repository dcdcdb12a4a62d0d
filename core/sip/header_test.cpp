// core/sip/header_test.cpp - names of headers, methods and transports
#include "core/sip/header.h"

#include "core/base/text.h"
#include "core/sip/method.h"
#include "core/sip/transport.h"
#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::sip;

TEST_CASE("every header name is recognised in any letter case", "[sip]")
{
    for (int n = 1; n < static_cast<int>(HeaderName::count_); ++n) {
        const auto id = static_cast<HeaderName>(n);
        INFO(to_text(id));
        REQUIRE_FALSE(to_text(id).empty());
        CHECK(header_name_of(to_text(id)) == id);
        CHECK(header_name_of(upper(to_text(id))) == id);
        CHECK(header_name_of(lower(to_text(id))) == id);
        CHECK(header_name_of(std::string{to_text(id)} + "x") == HeaderName::other);
    }
}

TEST_CASE("compact forms are the long ones", "[sip]")
{
    const struct {
        const char* compact;
        const char* name;
        bool same;
    } rows[] = {{"v", "Via", true},       {"V", "via", true},
                {"i", "Call-ID", true},   {"l", "CONTENT-LENGTH", true},
                {"m", "contact", true},   {"s", "Subject", true},
                {"t", "From", false},     {"z", "Via", false},
                {"X-Foo", "x-foo", true}, {"X-Foo", "x-fo", false},
                {"o", "Event", true},     {"x", "Session-Expires", true},
                {"", "Via", false},       {"k", "Supported", true},
                {"r", "Refer-To", true}};
    for (const auto& row : rows) {
        INFO(row.compact << " and " << row.name);
        CHECK(same_header(row.compact, row.name) == row.same);
    }
}

TEST_CASE("methods are case sensitive", "[sip]")
{
    for (int n = 1; n <= static_cast<int>(Method::patch); ++n) {
        const auto method = static_cast<Method>(n);
        INFO(to_text(method));
        CHECK(method_of(to_text(method)) == method);
        CHECK(method_of(lower(to_text(method))) == Method::other);
        CHECK(method_of(std::string{to_text(method)} + "S") == Method::other);
    }
    for (const auto* text : {"", "I", "IN", "IN%56ITE", "PU", "REGISTERS", "PRICK", "POLL"})
        CHECK(method_of(text) == Method::other);
}

TEST_CASE("transports", "[sip]")
{
    CHECK(transport_of("tls") == Transport::tls);
    CHECK(transport_of("WSS") == Transport::wss);
    CHECK(transport_of("") == Transport::none);
    CHECK(transport_of("carrier-pigeon") == Transport::other);
    CHECK(default_port(Transport::tls) == 5061);
    CHECK(is_reliable(Transport::ws));
    CHECK_FALSE(is_reliable(Transport::udp));
}
