// core/sip/via_test.cpp - Via values
#include "core/sip/via.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::sip;

TEST_CASE("a Via is read with all that routing a reply needs", "[sip]")
{
    Via via;
    REQUIRE(
        read("SIP/2.0/UDP "
             "192.0.2.1:5080;rport=1234;branch=z9hG4bKabc;received=198.51.100.7;ttl=1;maddr=224.2.0.1;alias",
             via) == "");
    CHECK(via.protocol == "SIP");
    CHECK(via.version == "2.0");
    CHECK(via.transport == Transport::udp);
    CHECK(via.host == "192.0.2.1");
    CHECK(via.port == 5080);
    CHECK(via.sent_by == "192.0.2.1:5080");
    CHECK(via.rport_text == "rport=1234");
    CHECK(via.rport == 1234);
    CHECK(via.has_cookie());
    CHECK(via.received == "198.51.100.7");
    CHECK(via.maddr == "224.2.0.1");
    CHECK(via.has_alias);

    REQUIRE(read("SIP / 2.0 / TLS [2001:db8::9]  :  5071 ; branch = z9hG4bK", via) == "");
    CHECK(via.host == "[2001:db8::9]");
    CHECK(via.port == 5071);
    CHECK_FALSE(via.has_cookie()); // nothing behind the cookie
    CHECK_FALSE(via.has_rport);

    REQUIRE(read("SIP/2.0/WSS df7jal23ls0d.invalid;rport", via) == "");
    CHECK(via.transport == Transport::wss);
    CHECK(via.has_rport);
    CHECK(via.rport == 0);
    CHECK(via.port_or_default() == 443);
}

TEST_CASE("a Via that is none is refused with its reason", "[sip]")
{
    const struct {
        const char* text;
        const char* reason;
    } rows[] = {
        {"", "Via does not begin with protocol/version/transport"},
        {"SIP/2.0", "Via does not begin with protocol/version/transport"},
        {"SIP/2.0/ host", "Via has no blank before its host"},
        {"SIP/2.0/UDP", "Via has no blank before its host"},
        {"SIP/2.0/UDP ", "Via has no blank before its host"},
        {"SIP/2.0/UDP ;branch=x", "Via has no valid host"},
        {"SIP/2.0/UDP a:0", "Via has a port that is not from 1 to 65535"},
        {"SIP/2.0/UDP a:99999", "Via has a port that is not from 1 to 65535"},
        {"SIP/2.0/UDP a b", "Via has text behind its host that is no parameter"},
        {"SIP/2.0/UDP [::1", "Via has no valid host"},
        {"SIP/2.0/UDP a;branch=\"x;rport", "Via has a quoted value that is not closed"},
        {"SIP/2.0/UDP a;rport=x", "Via has an rport that is no port"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        Via via;
        CHECK(read(row.text, via) == row.reason);
    }
}
