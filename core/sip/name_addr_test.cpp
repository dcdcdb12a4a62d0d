// core/sip/name_addr_test.cpp - From, To, Contact, Route values
#include "core/sip/name_addr.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::sip;

TEST_CASE("display name, URI and parameters are told apart", "[sip]")
{
    const struct {
        const char *text, *display, *uri, *params;
    } rows[] = {
        {"<sip:a@b>", "", "sip:a@b", ""},
        {"\"Alice, A.\" <sip:a@b;lr>;tag=1", "\"Alice, A.\"", "sip:a@b;lr", ";tag=1"},
        {"Alice Smith <sip:a@b>", "Alice Smith", "sip:a@b", ""},
        {"caller<sip:a@b>;tag=2", "caller", "sip:a@b", ";tag=2"},
        {"sip:a@b;tag=3", "", "sip:a@b", ";tag=3"},
        {"\"q \\\" > <\"<sip:a@b> ; x", "\"q \\\" > <\"", "sip:a@b", "; x"},
        {"J\xc3\xb6rg <sip:a@b>", "J\xc3\xb6rg", "sip:a@b", ""},
        {"\"\" <tel:+1>", "\"\"", "tel:+1", ""},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        NameAddr address;
        REQUIRE(read(row.text, address) == "");
        CHECK(address.display == row.display);
        CHECK(address.uri == row.uri);
        CHECK(address.params.text() == row.params);
        CHECK(address.whole == row.text);
    }
    NameAddr star;
    REQUIRE(read(" * ", star) == "");
    CHECK(star.is_star);
}

TEST_CASE("what is no address is refused with its reason", "[sip]")
{
    const struct {
        const char* text;
        const char* reason;
    } rows[] = {
        {"", "address is empty"},
        {"\"Alice <sip:a@b>", "quoted display name is not closed"},
        {"\"Alice\" sip:a@b", "display name is not followed by '<'"},
        {"Bell, A <sip:a@b>", "display name without quotes has characters that no token may have"},
        {"a \"b\" <sip:a@b>", "quotes within the display name"},
        {"<sip:a@b", "'<' is not closed"},
        {"<>", "address has no URI"},
        {";tag=1", "address has no URI"},
        {"sip:a@b?x=y", "URI with '?' or ',' must stand in <>"},
        {"Alice sip:a@b", "address without <> has blanks inside"},
        {"<sip:a@b>;x=\"y;tag=1", "a quoted parameter value is not closed"},
        {"<sip:a@b> tag=1", "text behind the URI is no parameter"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        NameAddr address;
        CHECK(read(row.text, address) == row.reason);
    }
}

TEST_CASE("q and expires of a contact", "[sip]")
{
    const struct {
        const char* params;
        int q;
        long expires;
    } rows[] = {{"", 1000, -1},
                {";q=0.5", 500, -1},
                {";q=1;expires=60", 1000, 60},
                {";q=0.123", 123, -1},
                {";q=.7", 700, -1},
                {";q=1.1", -1, -1},
                {";q=x", -1, -1},
                {";q=0.1234", -1, -1},
                {";expires=\"30\"", 1000, 30},
                {";expires=abc", 1000, -1},
                {";expires=0", 1000, 0},
                {";expires=99999999999", 1000, 0xffffffffL},
                {";q=0", 0, -1},
                {";q=1.000", 1000, -1}};
    for (const auto& row : rows) {
        INFO(row.params);
        const auto text = std::string{"<sip:a@b>"} + row.params;
        NameAddr address;
        REQUIRE(read(text, address) == "");
        CHECK(address.q() == row.q);
        CHECK((address.expires() ? static_cast<long>(*address.expires()) : -1) == row.expires);
    }
}
