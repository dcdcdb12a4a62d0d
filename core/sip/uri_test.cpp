// core/sip/uri_test.cpp - URIs taken apart, compared and printed
#include "core/sip/uri.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::sip;

TEST_CASE("a URI is taken apart and printed again", "[sip]")
{
    const struct {
        const char* text;
        Scheme scheme;
        const char *user, *password, *host;
        int port;
        const char *params, *headers;
    } rows[] = {
        {"sip:alice@example.com", Scheme::sip, "alice", "", "example.com", 0, "", ""},
        {"sip:example.com", Scheme::sip, "", "", "example.com", 0, "", ""},
        {"SIPS:alice:secret@example.com:5061;transport=tcp?subject=x&a=b", Scheme::sips, "alice", "secret",
         "example.com", 5061, ";transport=tcp", "subject=x&a=b"},
        {"sip:[2001:db8::1]:5070;lr", Scheme::sip, "", "", "[2001:db8::1]", 5070, ";lr", ""},
        {"sip:user;par=u%40example.net@example.com", Scheme::sip, "user;par=u%40example.net", "",
         "example.com", 0, "", ""},
        {"sip:a?b@c", Scheme::sip, "a?b", "", "c", 0, "", ""},
        {"sip:@c", Scheme::sip, "", "", "c", 0, "", ""},
        {"sip:+1-212-555-1212:1234@gw.com;user=phone", Scheme::sip, "+1-212-555-1212", "1234", "gw.com", 0,
         ";user=phone", ""},
        {"tel:+358-555-1234567;postd=pp22", Scheme::tel, "+358-555-1234567", "", "", 0, ";postd=pp22", ""},
        {"urn:service:sos", Scheme::urn, "", "", "", 0, "", ""},
        {"http://www.example.com/x", Scheme::other, "", "", "", 0, "", ""},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const auto uri = parse_uri(row.text);
        INFO(why(uri));
        REQUIRE(uri);
        CHECK(uri->scheme == row.scheme);
        CHECK(uri->user == row.user);
        CHECK(uri->password == row.password);
        CHECK(uri->host == row.host);
        CHECK(uri->port == row.port);
        CHECK(uri->params.text() == row.params);
        CHECK(uri->headers == row.headers);
        Arena arena;
        const auto printed = parse_uri(print(*uri, arena));
        REQUIRE(printed);
        CHECK(same_uri(*uri, *printed));
        CHECK(printed->has_user == uri->has_user);
    }
}

TEST_CASE("what is no URI is refused with its reason", "[sip]")
{
    const struct {
        const char* text;
        const char* reason;
    } rows[] = {
        {"", "URI has no scheme"},
        {"alice", "URI has no scheme"},
        {":a", "URI has no scheme"},
        {"1sip:a", "URI has no scheme"},
        {"<sip:a@b>", "URI has blanks, quotes, brackets or control characters"},
        {"sip:a@b\r\nX: y", "URI has blanks, quotes, brackets or control characters"},
        {"sip:", "URI has no host"},
        {"sip:a@", "URI has no host"},
        {"sip:a@b@c", "host has characters that no host may have"},
        {"sip:a@[::1", "IPv6 reference is not closed"},
        {"sip:a@b:", "port is not a number from 1 to 65535"},
        {"sip:a@b:0", "port is not a number from 1 to 65535"},
        {"sip:a@b:65536", "port is not a number from 1 to 65535"},
        {"sip:a@b:50x", "port is not a number from 1 to 65535"},
        {"tel:", "tel URI has no number"},
        {"xmpp:", "URI has nothing behind its scheme"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        Uri uri;
        CHECK(read(row.text, uri) == row.reason);
    }
}

TEST_CASE("URIs compare as RFC 3261 19.1.4 says", "[sip]")
{
    const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
        {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5", true},
        {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
         "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
        {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
         "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
        {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
        {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
        {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
        {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
        {"sip:a@b;maddr=1.2.3.4", "sip:a@b", false},
        {"sip:a@b", "sips:a@b", false},
        {"sip:b", "sip:@b", false},
        {"sip:a%3Bb@c", "sip:a;b@c", false},
        {"sip:a%3Bb@c", "sip:a%3bb@c", true},
        {"tel:+1-201-555-0123", "tel:+12015550123", true},
        {"tel:1;p=1;p=2", "tel:1;p=1", true},
        {"tel:7042;phone-context=a.com", "tel:7042;phone-context=b.com", false},
        {"sip:a;p=1;p=2", "sip:a;p=1", true},
        {"urn:service:sos", "URN:service:sos", true},
        {"urn:service:sos", "urn:service:fire", false},
    };
    for (const auto& row : rows) {
        INFO(row.a << " and " << row.b);
        const auto a = parse_uri(row.a), b = parse_uri(row.b);
        REQUIRE(a);
        REQUIRE(b);
        CHECK(same_uri(*a, *b) == row.same);
        CHECK(same_uri(*b, *a) == row.same);
        CHECK(same_uri(*a, *a));
    }
}

TEST_CASE("questions to a URI", "[sip]")
{
    const auto uri = *parse_uri("sip:bob:pw@[2001:db8::1]:6000;transport=TLS;lr=on;maddr=192.0.2.9");
    CHECK(uri.transport() == Transport::tls);
    CHECK(uri.is_loose());
    CHECK(uri.maddr() == "192.0.2.9");
    CHECK(uri.host_port() == "[2001:db8::1]:6000");
    CHECK(uri.host_plain() == "2001:db8::1");
    CHECK(uri.user_part() == "bob:pw");
    CHECK(parse_uri("sips:a@b")->port_or_default() == 5061);
    CHECK(parse_uri("sip:a@b")->port_or_default() == 5060);
    CHECK(parse_uri("sip:a@b;transport=tls")->port_or_default() == 5061);
    CHECK(parse_uri("sip:a@b:77")->port_or_default() == 77);
    CHECK_FALSE(parse_uri("sip:a@b;xlr=1")->is_loose());
}

TEST_CASE("escapes of the user part", "[sip]")
{
    CHECK(escape_user("a b@c:d/e") == "a%20b%40c%3Ad/e");
    CHECK(unescape("a%20b%40c%3ad%") == "a b@c:d%");
    CHECK(unescape("%zz%4") == "%zz%4");
    CHECK(unescape(escape_user("ü \"x\"")) == "ü \"x\"");
    CHECK(escape_param("a;b=c") == "a%3Bb%3Dc");
}
