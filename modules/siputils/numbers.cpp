// modules/siputils/numbers.cpp - tests on texts
#include "modules/siputils/numbers.h"

#include "core/base/text.h"
#include "core/sip/uri.h"

#include <algorithm>
#include <ctime>

namespace sipyard::siputils {

bool is_numeric(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_alphanum(std::string_view text, std::string_view more)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return is_alnum(c) || more.find(c) != std::string_view::npos;
    });
}

bool is_tel_number(std::string_view text)
{
    if (text.starts_with('+'))
        text.remove_prefix(1);
    return is_numeric(text);
}

bool is_e164(std::string_view text, int most_digits)
{
    if (!text.starts_with('+'))
        return false;
    text.remove_prefix(1);
    return text.size() >= 2 && text.size() <= static_cast<std::size_t>(std::max(most_digits, 0)) &&
           text.front() != '0' && is_numeric(text);
}

bool equal_uris(std::string_view a, std::string_view b, bool with_parameters)
{
    sip::Uri left, right;
    if (!sip::read(a, left).empty() || !sip::read(b, right).empty())
        return false;
    if (with_parameters)
        return sip::same_uri(left, right);
    return left.scheme == right.scheme && sip::unescape(left.user) == sip::unescape(right.user) &&
           iequals(left.host, right.host) && left.port_or_default() == right.port_or_default();
}

std::string sip_of_tel(std::string_view uri, std::string_view host)
{
    if (!istarts_with(uri, "tel:"))
        return {};
    std::string_view rest = uri.substr(4);
    const std::string_view number = rest.substr(0, rest.find(';'));
    const std::string_view params = rest.substr(number.size());
    std::string digits;
    for (const char c : number)
        if (c != '-' && c != '.' && c != '(' && c != ')')
            digits += c;
    if (!is_tel_number(digits))
        return {};
    return "sip:" + digits + std::string{params} + "@" + std::string{host} + ";user=phone";
}

std::optional<std::int64_t> parse_date(std::string_view text)
{
    static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto comma = text.find(", ");
    if (comma != 3 || text.size() != 29 || text.substr(25) != " GMT")
        return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t size) { return parse_uint(text.substr(at, size)); };
    const auto day = number(5, 2), year = number(12, 4), hour = number(17, 2), minute = number(20, 2),
               second = number(23, 2);
    const auto month = months.find(text.substr(8, 3));
    if (!day || !year || !hour || !minute || !second || month == std::string_view::npos || month % 3 != 0 ||
        *day > 31 || *hour > 23 || *minute > 59 || *second > 60)
        return std::nullopt;
    std::tm parts{};
    parts.tm_mday = static_cast<int>(*day);
    parts.tm_mon = static_cast<int>(month / 3);
    parts.tm_year = static_cast<int>(*year) - 1900;
    parts.tm_hour = static_cast<int>(*hour);
    parts.tm_min = static_cast<int>(*minute);
    parts.tm_sec = static_cast<int>(*second);
    return ::timegm(&parts);
}

} // namespace sipyard::siputils
