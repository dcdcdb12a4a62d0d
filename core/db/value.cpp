// core/db/value.cpp - a column's value as a number or as text, whatever the database sent
#include "core/db/value.h"

#include "core/base/text.h"

#include <charconv>
#include <cmath>

namespace sipyard::db {
namespace {

// The number a text begins with is not enough: "12abc" is no number. A decimal such as "3.00" (MariaDB's SUM)
// is one.
double number_in(std::string_view text)
{
    text = trim(text);
    if (text.starts_with('+'))
        text.remove_prefix(1);
    double number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    return end.ec == std::errc{} && end.ptr == text.data() + text.size() && std::isfinite(number) ? number
                                                                                                  : 0;
}

std::int64_t whole(double number)
{
    constexpr double limit = 9.2233720368547748e18; // the largest double below 2^63
    if (!(number >= -limit && number <= limit))
        return 0;
    return static_cast<std::int64_t>(number);
}

} // namespace

std::int64_t Value::integer() const
{
    if (const auto* number = std::get_if<std::int64_t>(&held_))
        return *number;
    if (const auto* number = std::get_if<double>(&held_))
        return whole(*number);
    if (const auto number = parse_int(trim(text())))
        return *number;
    return whole(number_in(text()));
}

double Value::real() const
{
    if (const auto* number = std::get_if<std::int64_t>(&held_))
        return static_cast<double>(*number);
    if (const auto* number = std::get_if<double>(&held_))
        return *number;
    return number_in(text());
}

std::string_view Value::text() const
{
    if (const auto* text = std::get_if<std::string>(&held_))
        return *text;
    if (const auto* blob = std::get_if<Blob>(&held_))
        return blob->bytes;
    return {};
}

std::string Value::print() const
{
    if (const auto* number = std::get_if<std::int64_t>(&held_))
        return std::to_string(*number);
    if (const auto* number = std::get_if<double>(&held_)) {
        char digits[32]; // the shortest text that reads back as the same number
        const auto end = std::to_chars(digits, digits + sizeof digits, *number);
        return {digits, end.ptr};
    }
    return std::string{text()};
}

} // namespace sipyard::db
