// core/sip/values_test.cpp - CSeq, media types, numbers and their neighbours
#include "core/sip/values.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::sip;

TEST_CASE("CSeq", "[sip]")
{
    const struct {
        const char* text;
        const char* reason;
        unsigned number;
        Method method;
    } rows[] = {
        {"1 INVITE", "", 1, Method::invite},
        {"0009\r\n  INVITE", "", 9, Method::invite},
        {"2147483647 FOO", "", 2147483647, Method::other},
        {"2147483648 INVITE", "CSeq number is 2^31 or more", 0, Method::other},
        {"36893488147419103232 REGISTER", "CSeq number is 2^31 or more", 0, Method::other},
        {"INVITE", "CSeq does not begin with a number", 0, Method::other},
        {"-1 INVITE", "CSeq does not begin with a number", 0, Method::other},
        {"1INVITE", "CSeq has no blank between number and method", 1, Method::other},
        {"1 ", "CSeq method is no token", 1, Method::other},
        {"1 IN VITE", "CSeq method is no token", 1, Method::other},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CSeq cseq;
        CHECK(read(row.text, cseq) == row.reason);
        CHECK(cseq.number == row.number);
        CHECK(cseq.method == row.method);
    }
}

TEST_CASE("media types", "[sip]")
{
    MediaType type;
    REQUIRE(read("application/pidf+xml; charset=\"utf-8\"", type) == "");
    CHECK(type.full == "application/pidf+xml");
    CHECK(type.is("Application/PIDF+XML"));
    CHECK_FALSE(type.is("application/pidf"));
    CHECK(type.params.find("charset") == "utf-8");
    for (const auto* bad : {"", "text", "text/", "/plain", "text/plain x"})
        CHECK_FALSE(read(bad, type).empty());
}

TEST_CASE("Event, RAck, Subscription-State and numbers", "[sip]")
{
    EventType event;
    REQUIRE(read("dialog;id=7;sla", event) == "");
    CHECK(event.package == "dialog");
    CHECK(event.id() == "7");
    CHECK_FALSE(read("", event).empty());
    RAck rack;
    REQUIRE(read("776656 1 INVITE", rack) == "");
    CHECK(rack.rseq == 776656);
    CHECK(rack.cseq.method == Method::invite);
    CHECK_FALSE(read("776656", rack).empty());
    SubscriptionState state;
    REQUIRE(read("terminated;reason=timeout", state) == "");
    CHECK(state.state == "terminated");
    CHECK(state.params.find("reason") == "timeout");
    std::uint32_t number = 0;
    CHECK(read("4294967295", number) == "");
    CHECK(number == 0xffffffffu);
    CHECK(read("4294967296", number) == "number too large");
    CHECK(number == 0xffffffffu);
    for (const auto* bad : {"", "-1", "+1", "1 ", "0x1", "five"})
        CHECK(read(bad, number) == "not a number");
}
