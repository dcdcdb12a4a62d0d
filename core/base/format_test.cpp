// core/base/format_test.cpp - format(): kinds of values, many values
#include "core/base/format.h"

#include "test/support/catch.h"

#include <limits>

using namespace sipyard;

namespace {
enum class Colour { red, green };
std::string_view to_text(Colour c) { return c == Colour::red ? "red" : "green"; }
} // namespace

TEST_CASE("every kind of value is printed", "[base][format]")
{
    const std::string text = "text";
    const struct {
        const char* story;
        std::string seen, expected;
    } rows[] = {
        {"plain text", format("nothing"), "nothing"},
        {"braces", format("{{{}}}", 1), "{1}"},
        {"signed", format("{}", -5), "-5"},
        {"the least", format("{}", std::numeric_limits<std::int64_t>::min()), "-9223372036854775808"},
        {"the most", format("{}", std::numeric_limits<std::uint64_t>::max()), "18446744073709551615"},
        {"small types", format("{} {}", static_cast<short>(-1), static_cast<unsigned char>(200)), "-1 200"},
        {"hexadecimal", format("{:04x}", 255), "00ff"},
        {"real", format("{:.2f}", 1.5), "1.50"},
        {"character", format("[{}]", 'c'), "[c]"},
        {"boolean", format("{} {}", true, false), "true false"},
        {"enumerator", format("{}", Colour::green), "green"},
        {"texts", format("{} {} {}", "literal", text, std::string_view{"view"}), "literal text view"},
        {"aligned", format("[{:>5}][{:<5}]", "ab", 7), "[   ab][7    ]"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(row.seen == row.expected);
    }
}

TEST_CASE("format_to appends", "[base][format]")
{
    std::string out = "start ";
    const FormatArg args[] = {FormatArg::of(1), FormatArg::of("two")};
    format_to(out, "{} {}", args);
    CHECK(out == "start 1 two");
}
