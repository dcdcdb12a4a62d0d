// core/net/sniff_test.cpp - what a stream speaks
#include "core/net/sniff.h"
#include "test/support/catch.h"

namespace sipyard::net {

TEST_CASE("the second token of the first line tells HTTP from SIP", "[net]")
{
    const struct {
        const char* story;
        std::string_view bytes;
        Spoken expected;
    } rows[] = {
        {"nothing yet", "", Spoken::unclear},
        {"half a method", "GE", Spoken::unclear},
        {"a method and its blank", "GET ", Spoken::unclear},
        {"origin form", "GET /", Spoken::http},
        {"asterisk form", "OPTIONS * HTTP/1.1", Spoken::http},
        {"absolute form", "GET http://a/b", Spoken::http},
        {"absolute form, capitals", "GET HTTP://a/b", Spoken::http},
        {"could still become http", "PUT htt", Spoken::unclear},
        {"a user called http... needs a scheme in front", "INVITE sip:http@a", Spoken::sip},
        {"a hyphenated method", "M-SEARCH * HTTP/1.1", Spoken::http},
        {"a SIP request", "OPTIONS sip:a@b SIP/2.0", Spoken::sip},
        {"a SIP request to h323", "INVITE h323:a", Spoken::sip},
        {"a SIP reply", "SIP/2.0 200 OK", Spoken::sip},
        {"a keepalive", "\r\n\r\n", Spoken::sip},
        {"lower case is no HTTP method", "get / HTTP/1.0", Spoken::sip},
        {"a TLS hello on a plain port", std::string_view{"\x16\x03\x01\x00", 4}, Spoken::sip},
        {"a method without an end", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Spoken::sip},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(sniff(row.bytes) == row.expected);
    }
}

} // namespace sipyard::net
