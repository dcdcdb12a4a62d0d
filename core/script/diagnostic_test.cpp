// core/script/diagnostic_test.cpp - how mistakes are printed
#include "core/script/diagnostic.h"
#include "core/script/ifexp.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::script;

TEST_CASE("a diagnostic shows place, sentence, line and caret", "[script][diagnostic]")
{
    Diagnostics d;
    const auto file = d.add_file("a.cfg", "one\r\n\ttwo three\n");
    d.error({file, 2, 6}, "no such thing", "a number", "twa");
    d.warn({file, 1, 1}, "odd");
    d.error({UINT32_MAX, 0, 0}, "-A X: already defined: X");
    CHECK(d.report() == "a.cfg:2:6: error: no such thing, expected a number, did you mean 'twa'?\n"
                        "     two three\n"
                        "         ^\n"
                        "a.cfg:1:1: warning: odd\n"
                        "    one\n"
                        "    ^\n"
                        "error: -A X: already defined: X\n"
                        "ERROR: bad config file (2 errors)\n");
    CHECK(d.failed());
    CHECK(d.file_name(7) == "");
    CHECK(d.line_text({file, 9, 1}) == "");
}

TEST_CASE("a long line is shown in part, a long list is cut", "[script][diagnostic]")
{
    Diagnostics d;
    const auto file = d.add_file("a.cfg", std::string(5000, 'x'));
    d.error({file, 1, 4000}, "here");
    CHECK(d.report().size() < 700);
    for (int i = 0; i < 1000; ++i)
        d.error({file, 1, 1}, "again");
    CHECK(d.all().size() == Diagnostics::most_errors);
    CHECK(d.report().ends_with("ERROR: bad config file (1001 errors)\n"));
}

TEST_CASE("expressions of #!ifexp", "[script][ifexp]")
{
    const auto names = [](std::string_view name) -> std::optional<std::string> {
        if (name == "N")
            return "5";
        if (name == "S")
            return "\"abc\"";
        if (name == "EMPTY")
            return "";
        return std::nullopt;
    };
    const struct {
        const char* text;
        const char* value;
    } rows[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"7 / 2", "3"},
        {"-7 % 3", "-1"},
        {"N", "5"},
        {"N + 1 == 6", "1"},
        {"NOSUCH", "0"},
        {"EMPTY", "1"},
        {"S", "abc"},
        {"S == \"abc\"", "1"},
        {"'a' + \"b\" + 1", "ab1"},
        {"!NOSUCH && N >= 5", "1"},
        {"0 || 0", "0"},
        {"1 || 1 / 1", "1"},
        {"\"a\" < \"b\"", "1"},
        {"--5", "5"},
        {"1 - 1 - 1", "-1"},
        {"(0 - 9223372036854775807 - 1) / -1", "-9223372036854775808"},
        {"5 != 5", "0"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const auto value = evaluate_ifexp(row.text, names);
        REQUIRE(value);
        const auto* number = std::get_if<std::int64_t>(&*value);
        CHECK((number ? std::to_string(*number) : std::get<std::string>(*value)) == row.value);
    }
    for (const char* text : {"", "1 +", "(1", "1 2", "\"a", "1 / 0", "\"a\" - 1", "12ab", "$x"}) {
        INFO(text);
        CHECK_FALSE(evaluate_ifexp(text, names));
    }
    CHECK_FALSE(evaluate_ifexp(std::string(1000, '('), names));
}
