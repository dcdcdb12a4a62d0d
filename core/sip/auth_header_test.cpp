// core/sip/auth_header_test.cpp - credentials, as good and as odd clients send them
#include "core/sip/auth_header.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::sip;

TEST_CASE("digest credentials are taken apart", "[sip]")
{
    DigestView d;
    REQUIRE(read("Digest username=\"bob\", realm=\"biloxi.com\",\r\n nonce=\"dcd9\", "
                 "uri=\"sip:biloxi.com\",qop=auth, "
                 "nc=0000001f , cnonce=\"0a4f\", response=\"6629\", opaque=\"\", algorithm=SHA-256",
                 d) == "");
    CHECK(d.is_digest());
    CHECK(d.username == "bob");
    CHECK(d.realm == "biloxi.com");
    CHECK(d.uri == "sip:biloxi.com");
    CHECK(d.qop == "auth");
    CHECK(d.nonce_count() == 31);
    CHECK(d.algorithm == "SHA-256");
    CHECK(d.opaque.empty());
    CHECK(check_credentials(d) == "");
}

TEST_CASE("parameter names in letters of either case, values with escapes", "[sip]")
{
    const struct {
        const char *story, *text, *username, *realm;
    } rows[] = {
        {"capitals", "Digest USERNAME=\"a\", Realm=\"r\"", "a", "r"},
        {"an escaped quote", "Digest username=\"a\\\"b\", realm=\"r\"", "a\\\"b", "r"},
        {"an escaped backslash at the end", "Digest username=\"a\\\\\", realm=\"r\"", "a\\\\", "r"},
        {"an escape in a later value only", "Digest username=\"a\", realm=\"\\r\"", "a", "\\r"},
        {"nothing between the quotes", "Digest username=\"\", realm=\"r\"", "", "r"},
        {"names that begin like ours", "Digest user=\"x\", usernames=\"y\", username=\"a\", realm=r", "a",
         "r"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        DigestView d;
        REQUIRE(read(row.text, d) == "");
        CHECK(d.username == row.username);
        CHECK(d.realm == row.realm);
    }
}

TEST_CASE("the uri may hold raw quotes that a client did not escape", "[sip]")
{
    const struct {
        const char *story, *text, *uri, *response;
    } rows[] = {
        {"python clients", "Digest username=\"a\", uri=\"/x/list[@name=\"friends\"]\", response=\"r\"",
         "/x/list[@name=\"friends\"]", "r"},
        {"at the end of the header", "Digest response=\"r\", uri=\"/x/entry[@uri=\"sip:b@c\"]\"",
         "/x/entry[@uri=\"sip:b@c\"]", "r"},
        {"escaped as it should be", "Digest uri=\"/x[@n=\\\"f\\\"]\", response=\"r\"", "/x[@n=\\\"f\\\"]",
         "r"},
        {"a quote and a comma that begin no parameter", "Digest uri=\"/x[@a=\"b\",c]\", response=\"r\"",
         "/x[@a=\"b\",c]", "r"},
        {"blanks around the comma", "Digest uri=\"/x[\"y\"]\" , response = \"r\"", "/x[\"y\"]", "r"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        DigestView d;
        REQUIRE(read(row.text, d) == "");
        CHECK(d.uri == row.uri);
        CHECK(d.response == row.response);
    }
    CHECK(unescape_quoted("/x[@n=\\\"f\\\"]\\\\") == "/x[@n=\"f\"]\\");
}

TEST_CASE("broken credentials are refused with their reason", "[sip]")
{
    const struct {
        const char* text;
        const char* reason;
    } rows[] = {
        {"", "credentials name no scheme"},
        {"Digest username=\"a", "credentials have a quoted value that is not closed"},
        {"Digest username=\"a\\\"", "credentials have a quoted value that is not closed"},
        {"Digest username", "credentials have a parameter that is not name=value"},
        {"Digest =x", "credentials have a parameter that is not name=value"},
        {"Digest realm=\"a\", realm=\"b\"", "credentials have a parameter twice"},
        {"Digest realm=\"a\", opaque=\"\", opaque=\"b\"", "credentials have a parameter twice"},
        {"Digest,x=y", "credentials have no blank behind the scheme"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        DigestView d;
        CHECK(read(row.text, d) == row.reason);
    }
    DigestView basic;
    CHECK(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", basic) == "");
    CHECK(basic.params == "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(check_credentials(basic) == "credentials are not Digest");
    DigestView partial;
    REQUIRE(read("Digest username=\"a\",realm=\"\",nonce=\"n\",uri=\"u\",response=\"r\",qop=auth,nc=1",
                 partial) == "");
    CHECK(check_credentials(partial) == "credentials with qop and without cnonce or nc");
}
