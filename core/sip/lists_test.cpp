// core/sip/lists_test.cpp - comma lists, quoted strings and parameters
#include "core/sip/lists.h"

#include "core/sip/params.h"
#include "test/support/catch.h"

#include <string>

using namespace sipyard;
using namespace sipyard::sip;

TEST_CASE("comma lists are cut outside quotes and brackets", "[sip]")
{
    const struct {
        const char* story;
        const char* list;
        const char* expected;
    } rows[] = {
        {"two tokens", "a, b", "a|b|"},
        {"commas inside a display name", "\"Bell, A\" <sip:a@b>, <sip:c@d>",
         "\"Bell, A\" <sip:a@b>|<sip:c@d>|"},
        {"commas inside a URI", "<sip:a,b@c;p=1,2>,d", "<sip:a,b@c;p=1,2>|d|"},
        {"escaped quotes", "\"x\\\", y\" <sip:a@b>,z", "\"x\\\", y\" <sip:a@b>|z|"},
        {"empty elements are shown, a trailing one is not", "a,,b,", "a||b|"},
        {"a quote left open swallows the rest", "a, \"b, c", "a|\"b, c|"},
        {"a quote within brackets is a character", "<sip:\"a@b>, c", "<sip:\"a@b>|c|"},
        {"nothing", "", ""},
        {"blanks only", "  ", "|"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        std::string seen;
        for (std::string_view rest = row.list, element; next_in_list(rest, element);)
            seen += std::string{element} + "|";
        CHECK(seen == row.expected);
    }
    CHECK(list_has("path, GRUU ,timer", "gruu"));
    CHECK_FALSE(list_has("path, gruu", "gru"));
}

TEST_CASE("parameters are walked where they stand", "[sip]")
{
    const ParamsView params{";tag=a1 ; lr; note=\"a;b=c\" ;empty=;EXPIRES = 60;tag=second"};
    CHECK(params.find("tag") == "a1");
    CHECK(params.find("TAG") == "a1");
    CHECK(params.find("lr") == "");
    CHECK(params.has("lr"));
    CHECK(params.find("note") == "a;b=c");
    CHECK(params.get("note")->value == "\"a;b=c\"");
    CHECK(params.get("empty")->has_value);
    CHECK_FALSE(params.get("lr")->has_value);
    CHECK(params.find("expires") == "60");
    CHECK_FALSE(params.find("b"));
    CHECK_FALSE(params.has(""));
    CHECK_FALSE(ParamsView{";;; ; "}.has("x"));
    CHECK(ParamsView{";a=\"never closed;b=1"}.has("a"));
    CHECK_FALSE(ParamsView{";a=\"never closed;b=1"}.has("b"));
}

TEST_CASE("parameters are checked against their grammar on demand", "[sip]")
{
    const struct {
        const char* text;
        bool good;
    } rows[] = {
        {"", true},        {";lr", true},     {";a=b;c=\"d e\"", true}, {";received=[2001:db8::1]", true},
        {";a=", false},    {";a b=c", false}, {";a=\"b", false},        {";a=\"b\"c", false},
        {";a=b c", false}, {";=x", false}};
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(ParamsView{row.text}.check().empty() == row.good);
    }
}

TEST_CASE("hosts and tokens", "[sip]")
{
    for (const auto* good :
         {"a", "example.com", "192.0.2.1", "[2001:db8::1]", "[::ffff:192.0.2.1]", "a_b.local"})
        CHECK(is_host_text(good));
    for (const auto* bad : {"", "[", "[]", "[::", "a b", "a@b", "[1.2.3.4]", "[::g]", "a;b"})
        CHECK_FALSE(is_host_text(bad));
    CHECK(is_token("a-b.c!%*_+`'~9"));
    CHECK_FALSE(is_token(""));
    CHECK_FALSE(is_token("a b"));
    CHECK_FALSE(is_token("a\x80"));
}
