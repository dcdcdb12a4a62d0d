// core/base/result_test.cpp - Result, TRY, must
#include "core/base/result.h"

#include "test/support/catch.h"

#include <memory>

using namespace sipyard;

namespace {

Result<int> half(int n)
{
    if (n % 2 != 0)
        return invalid("odd");
    return n / 2;
}
Result<int> quarter(int n)
{
    TRY(const int h, half(n));
    return half(h);
}
Result<void> check_even(int n)
{
    TRYV(quarter(n));
    return {};
}

} // namespace

TEST_CASE("a result is a value or an error", "[base][result]")
{
    const struct {
        const char* story;
        int given;
        int expected;
    } rows[] = {
        {"both steps succeed", 12, 3},
        {"the first step fails", 3, -1},
        {"the second step fails", 6, -1},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto result = quarter(row.given);
        CHECK(result.has_value() == (row.expected >= 0));
        CHECK(static_cast<bool>(check_even(row.given)) == (row.expected >= 0));
        if (result)
            CHECK(*result == row.expected);
        else
            CHECK(result.error().text == "odd");
        CHECK(result.value_or(-1) == row.expected);
    }
}

TEST_CASE("a result may hold what can only be moved", "[base][result]")
{
    Result<std::unique_ptr<int>> result{std::make_unique<int>(7)};
    const auto taken = std::move(result).value();
    CHECK(*taken == 7);
}

TEST_CASE("a result converts what its value can be made of", "[base][result]")
{
    const auto text = []() -> Result<std::string> { return "literal"; };
    CHECK(*text() == "literal");
}

TEST_CASE("must() throws the error's text", "[base][result]")
{
    CHECK(must(half(4)) == 2);
    CHECK_THROWS_AS(must(half(5)), StartupError);
    try {
        must(half(5));
    } catch (const StartupError& error) {
        CHECK(std::string{error.what()} == "odd");
    }
}

TEST_CASE("every kind of error has a name", "[base][result]")
{
    CHECK(to_text(ErrorKind::invalid) == "invalid");
    for (int kind = 0; kind <= static_cast<int>(ErrorKind::other); ++kind)
        CHECK_FALSE(to_text(static_cast<ErrorKind>(kind)).empty());
}
