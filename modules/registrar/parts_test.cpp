// modules/registrar/parts_test.cpp - users' names, methods, q, packed attributes
#include "modules/registrar/answer.h"
#include "modules/registrar/aor.h"
#include "modules/registrar/attributes.h"
#include "modules/registrar/wish.h"
#include "test/support/catch.h"

#include <string>

using namespace sipyard;
using namespace sipyard::registrar;

TEST_CASE("the key of a user", "[registrar]")
{
    const struct {
        const char *story, *uri;
        AorRules rules;
        const char* expected;
    } rows[] = {
        {"the user", "sip:alice@example.com", {}, "alice"},
        {"in any letter case", "sip:Alice@example.com", {}, "alice"},
        {"unless they differ", "sip:Alice@Example.com", {true, true, {}}, "Alice@example.com"},
        {"with the domain", "sip:alice@EXAMPLE.com:5070;x=y", {true, false, {}}, "alice@example.com"},
        {"without its prefix", "sip:alice@sip.example.com", {true, false, "sip."}, "alice@example.com"},
        {"which is not all of it", "sip:alice@sip.", {true, false, "sip."}, "alice@sip."},
        {"escapes are undone", "sip:%61lice@example.com", {}, "alice"},
        {"a half one stays", "sip:a%6@example.com", {}, "a%6"},
        {"a control byte is nobody's", "sip:a%0db@example.com", {}, ""},
        {"no user", "sip:example.com", {}, ""},
        {"no user, but a domain", "sip:example.com", {true, false, {}}, "example.com"},
        {"a telephone", "tel:+123", {}, "+123"},
        {"another scheme", "http://alice", {}, ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Arena arena;
        sip::Uri uri;
        (void)sip::read(row.uri, uri);
        CHECK(aor_of(uri, row.rules, arena) == row.expected);
    }
}

TEST_CASE("q as it is written", "[registrar]")
{
    const struct {
        int q;
        const char* expected;
    } rows[] = {{0, "0"},     {1, "0.001"},  {10, "0.01"}, {100, "0.1"}, {125, "0.125"},
                {700, "0.7"}, {990, "0.99"}, {1000, "1"},  {5000, "1"}};
    for (const auto& row : rows) {
        char text[8];
        CHECK(std::string_view(text, put_q(text, row.q)) == row.expected);
    }
}

TEST_CASE("Allow becomes Kamailio's mask", "[registrar]")
{
    const struct {
        const char* headers;
        std::uint32_t expected;
    } rows[] = {{"", 0xffffffff},
                {"Allow: INVITE, ACK, BYE\r\n", 13},
                {"Allow: INVITE\r\nAllow: MESSAGE,,OPTIONS\r\n", 1 + 256 + 512},
                {"Allow: invite\r\n", 1U << 20},
                {"Allow:\r\n", 0}};
    for (const auto& row : rows) {
        INFO(row.headers);
        Arena arena;
        const std::string text = "REGISTER sip:e SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: "
                                 "<sip:a@e>;tag=1\r\nTo: <sip:a@e>\r\n"
                                 "Call-ID: c\r\nCSeq: 1 REGISTER\r\n" +
                                 std::string{row.headers} + "Content-Length: 0\r\n\r\n";
        const auto message = sip::Message::parse(text, arena);
        REQUIRE(message);
        CHECK(methods_of(**message) == row.expected);
    }
}

TEST_CASE("attributes are packed and come back in their order", "[registrar]")
{
    XavpList from;
    from.push_root("ua", "first", Value{"1st"});
    from.push_field("ua", 0, "number", Value{-7});
    from.push_field("ua", 0, "empty", Value{""});
    const std::string packed = pack(from, "ua");
    XavpList to;
    unpack(packed, "other", to);
    CHECK(to.get("other", 0, "first", 0) == Value{"1st"});
    CHECK(to.get("other", 0, "number", 0) == Value{-7});
    CHECK(to.get("other", 0, "empty", 0) == Value{""});
    REQUIRE(to.root("other"));
    CHECK(to.root("other")->fields.front().first == "empty"); // newest first
    CHECK(pack(from, "nothing").empty());
    for (std::size_t cut = 0; cut < packed.size(); ++cut) { // a damaged one is read as far as it goes
        XavpList part;
        unpack(std::string_view{packed}.substr(0, cut), "x", part);
        CHECK(part.roots("x") <= 1);
    }
}
