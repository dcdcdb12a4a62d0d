// core/base/text_test.cpp - cuts, numbers, encodings
#include "core/base/text.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace std::string_literals;

TEST_CASE("text is cut and split", "[base][text]")
{
    std::string_view rest = "a=b=c";
    CHECK(cut(rest, '=') == "a");
    CHECK(rest == "b=c");
    CHECK(cut(rest, ';') == "b=c");
    CHECK(rest.empty());

    using Pieces = std::vector<std::string_view>;
    CHECK(split("", ',') == Pieces{""});
    CHECK(split("a,,b,", ',') == Pieces{"a", "", "b", ""});
    CHECK(trim(" \t a b \r\n") == "a b");
    CHECK(trim("  ").empty());
    CHECK(iequals("Via", "vIA"));
    CHECK_FALSE(iequals("Via", "Vi"));
    CHECK(istarts_with("SIP:bob", "sip:"));
    CHECK(lower("A\xC4z") == "a\xC4z"); // ASCII only
    CHECK(upper("sips") == "SIPS");
    CHECK(replace_all("aaa", "aa", "b") == "ba");
    CHECK(replace_all("x", "", "b") == "x");
    CHECK(replace_all("a.b.", ".", "") == "ab");
}

TEST_CASE("numbers are read whole or not at all", "[base][text]")
{
    const struct {
        const char* story;
        std::string_view text;
        std::optional<std::int64_t> expected;
    } rows[] = {
        {"plain", "42", 42},
        {"signs", "-42", -42},
        {"plus", "+7", 7},
        {"the least", "-9223372036854775808", INT64_MIN},
        {"the most", "9223372036854775807", INT64_MAX},
        {"one too many", "9223372036854775808", {}},
        {"nothing", "", {}},
        {"a sign only", "-", {}},
        {"plus only", "+", {}},
        {"two signs", "+-1", {}},
        {"a blank", " 1", {}},
        {"a unit", "1s", {}},
        {"NUL behind", std::string_view{"1\0", 2}, {}},
        {"hex", "0x10", {}},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(parse_int(row.text) == row.expected);
        if (row.expected) {
            char to[20];
            const auto size = put_int(to, *row.expected);
            CHECK(parse_int({to, size}) == row.expected);
        }
    }
    CHECK(parse_uint("18446744073709551615") == UINT64_MAX);
    CHECK_FALSE(parse_uint("18446744073709551616"));
    CHECK_FALSE(parse_uint("-1"));
    CHECK_FALSE(parse_uint("+1"));
    CHECK_FALSE(parse_uint(""));
}

TEST_CASE("bytes are written as text and read back", "[base][text]")
{
    const struct {
        std::string_view bytes, hex, base64;
    } rows[] = {
        // base64: RFC 4648 10
        {"", "", ""},
        {"f", "66", "Zg=="},
        {"fo", "666f", "Zm8="},
        {"foo", "666f6f", "Zm9v"},
        {"foob", "666f6f62", "Zm9vYg=="},
        {"fooba", "666f6f6261", "Zm9vYmE="},
        {"foobar", "666f6f626172", "Zm9vYmFy"},
        {"\xff\xef\xfb", "ffeffb", "/+/7"},
    };
    for (const auto& row : rows) {
        INFO(row.base64);
        CHECK(hex(row.bytes) == row.hex);
        CHECK(unhex(upper(row.hex)) == std::string{row.bytes});
        CHECK(base64(row.bytes) == row.base64);
        CHECK(unbase64(row.base64) == std::string{row.bytes});
        const auto bare = row.base64.substr(0, row.base64.find('='));
        CHECK(unbase64(bare) == std::string{row.bytes});
        const auto url = base64url(row.bytes);
        CHECK(url == replace_all(replace_all(bare, "+", "-"), "/", "_"));
        CHECK(unbase64url(url) == std::string{row.bytes});
    }
    for (const auto wrong : {"6", "6g", "zz"})
        CHECK_FALSE(unhex(wrong));
    for (const auto wrong :
         {"A", "Zg=", "Zg===", "Z===", "====", "=", "Zm 9", "Zm9v\n", "Zg==Zg==", "Zm9-", "Zm9v="}) {
        INFO(wrong);
        CHECK_FALSE(unbase64(wrong));
    }
    CHECK_FALSE(unbase64url("ab+/"));
}

TEST_CASE("UTF-8 is what RFC 3629 says", "[base][text]")
{
    const struct {
        const char* story;
        std::string text;
        bool expected;
    } rows[] = {
        {"nothing", "", true},
        {"ASCII over a word", "0123456789abcdef!", true},
        {"NUL is a character", "a\0b"s, true},
        {"two, three and four bytes", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", true},
        {"the first and the last of each length",
         "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
        {"around the surrogates", "\xed\x9f\xbf\xee\x80\x80", true},
        {"a surrogate", "\xed\xa0\x80", false},
        {"overlong slash in two", "\xc0\xaf", false},
        {"overlong in three", "\xe0\x9f\xbf", false},
        {"overlong in four", "\xf0\x8f\xbf\xbf", false},
        {"beyond U+10FFFF", "\xf4\x90\x80\x80", false},
        {"five bytes", "\xf8\x88\x80\x80\x80", false},
        {"cut off", "abcdefg\xe2\x82", false},
        {"a lone continuation", "abcdefgh\x80", false},
        {"Latin-1", "caf\xe9 au lait", false},
        {"wrong third byte", "\xe2\x82\x28", false},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(is_utf8(row.text) == row.expected);
        CHECK(is_utf8("12345678" + row.text) == row.expected);
    }
}

TEST_CASE("percent and XML escapes", "[base][text]")
{
    CHECK(percent_encode("a b/\xc3\xa4~") == "a%20b%2F%C3%A4~");
    CHECK(percent_encode("a/b", "/") == "a/b");
    CHECK(percent_decode("a%20b%2f%C3%a4+") == "a b/\xc3\xa4+");
    CHECK(percent_decode("%00") == "\0"s);
    for (const auto wrong : {"%", "%2", "a%2", "%g0", "%0g", "%%20"}) {
        INFO(wrong);
        CHECK_FALSE(percent_decode(wrong));
    }
    CHECK(xml_escape("<a b=\"c\">&'x'</a>") == "&lt;a b=&quot;c&quot;&gt;&amp;&apos;x&apos;&lt;/a&gt;");
    CHECK(xml_escape("a\x01\r\n\t\x7f") == "a\xef\xbf\xbd&#13;\n\t\x7f");
}

TEST_CASE("did you mean", "[base][text]")
{
    const std::vector<std::string_view> known = {"t_relay",       "t_reply", "xcaps_put",
                                                 "sl_send_reply", "s",       "db_url"};
    const struct {
        const char* story;
        std::string_view wrong, expected;
    } rows[] = {
        {"one letter less", "xcap_put", "xcaps_put"},
        {"two swapped", "db_ulr", "db_url"},
        {"other case", "T_Relay", "t_relay"},
        {"one letter more", "db__url", "db_url"},
        {"something else entirely", "append_branch", ""},
        {"nothing", "", ""},
        {"one letter is not near another", "x", ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(nearest(row.wrong, known) == row.expected);
    }
    CHECK(nearest(std::string(100'000, 'a'), known).empty());
}

TEST_CASE("a cursor remembers the first failure", "[base][text]")
{
    Cursor cursor{"SIP/2.0 200 OK"};
    CHECK(cursor.accept("SIP/"));
    CHECK(cursor.number() == 2);
    cursor.expect('.');
    CHECK(cursor.number() == 0);
    cursor.skip_blanks();
    CHECK(cursor.number(699) == 200);
    CHECK(cursor.take_until('K') == " O");
    CHECK_FALSE(cursor.failed());
    CHECK(cursor.next() == 'K');
    CHECK(cursor.at_end());
    CHECK(cursor.peek() == '\0');
    cursor.expect('x');
    CHECK(cursor.failed());

    const struct {
        const char* story;
        std::string_view text;
        std::uint64_t limit;
    } wrong[] = {
        {"no digit", "x", 10},
        {"over the limit", "11", 10},
        {"over 64 bits", "99999999999999999999", UINT64_MAX},
    };
    for (const auto& row : wrong) {
        INFO(row.story);
        Cursor c{row.text};
        CHECK(c.number(row.limit) == 0);
        CHECK(c.failed());
    }
}
