// core/sip/values.cpp - CSeq, media types, numbers, Event, RAck
#include "core/sip/values.h"

#include "core/base/text.h"
#include "core/sip/lists.h"

namespace sipyard::sip {
namespace {

// Digits at the front of `rest`; saturates. False when there is none.
bool take_number(std::string_view& rest, std::uint64_t& out)
{
    std::size_t at = 0;
    out = 0;
    for (; at < rest.size() && is_digit(rest[at]); ++at)
        out = out > 0xffff'ffffULL ? out : out * 10 + static_cast<unsigned>(rest[at] - '0');
    rest.remove_prefix(at);
    return at != 0;
}

// Blanks between two words, folding included; false when there is none.
bool take_blanks(std::string_view& rest)
{
    const auto after = trim_left(rest);
    const bool some = after.size() != rest.size();
    rest = after;
    return some;
}

std::string_view take_token(std::string_view& rest)
{
    std::size_t at = 0;
    while (at < rest.size() && is_token_char(rest[at]))
        ++at;
    const auto token = rest.substr(0, at);
    rest.remove_prefix(at);
    return token;
}

} // namespace

Complaint read(std::string_view text, std::uint32_t& out)
{
    out = 0;
    std::uint64_t number = 0;
    std::string_view rest = text;
    if (!take_number(rest, number) || !rest.empty())
        return "not a number";
    if (number > 0xffff'ffffULL) {
        out = 0xffff'ffff;
        return "number too large";
    }
    out = static_cast<std::uint32_t>(number);
    return {};
}

Complaint read(std::string_view text, CSeq& out)
{
    out = {};
    std::uint64_t number = 0;
    std::string_view rest = text;
    if (!take_number(rest, number))
        return "CSeq does not begin with a number";
    if (number >= 0x8000'0000ULL) // RFC 3261 8.1.1.5
        return "CSeq number is 2^31 or more";
    out.number = static_cast<std::uint32_t>(number);
    if (!take_blanks(rest))
        return "CSeq has no blank between number and method";
    out.method_text = rest;
    if (!is_token(rest))
        return "CSeq method is no token";
    out.method = method_of(rest);
    return {};
}

Complaint read(std::string_view text, MediaType& out)
{
    out = {};
    std::string_view rest = text;
    out.type = take_token(rest);
    std::string_view behind = trim_left(rest);
    if (out.type.empty() || behind.empty() || behind.front() != '/')
        return "media type is not type/subtype";
    behind = trim_left(behind.substr(1));
    out.subtype = take_token(behind);
    if (out.subtype.empty())
        return "media type has no subtype";
    out.full = {text.data(), static_cast<std::size_t>(out.subtype.data() + out.subtype.size() - text.data())};
    behind = trim(behind);
    if (!behind.empty() && behind.front() != ';')
        return "media type has text behind it that is no parameter";
    out.params = ParamsView{behind};
    return {};
}

bool MediaType::is(std::string_view full_name) const
{
    return full_name.size() == type.size() + 1 + subtype.size() && istarts_with(full_name, type) &&
           full_name[type.size()] == '/' && iequals(full_name.substr(type.size() + 1), subtype);
}

Complaint read(std::string_view text, EventType& out)
{
    out = {};
    std::string_view rest = text;
    out.package = take_token(rest);
    if (out.package.empty())
        return "Event names no package";
    rest = trim_left(rest);
    if (!rest.empty() && rest.front() != ';')
        return "Event has text behind the package that is no parameter";
    out.params = ParamsView{rest};
    return {};
}

Complaint read(std::string_view text, RAck& out)
{
    out = {};
    std::uint64_t number = 0;
    std::string_view rest = text;
    if (!take_number(rest, number) || number > 0xffff'ffffULL)
        return "RAck does not begin with a number of 32 bits";
    out.rseq = static_cast<std::uint32_t>(number);
    if (!take_blanks(rest))
        return "RAck has no blank behind its first number";
    return read(rest, out.cseq);
}

Complaint read(std::string_view text, SubscriptionState& out)
{
    out = {};
    std::string_view rest = text;
    out.state = take_token(rest);
    if (out.state.empty())
        return "Subscription-State names no state";
    rest = trim_left(rest);
    if (!rest.empty() && rest.front() != ';')
        return "Subscription-State has text behind the state that is no parameter";
    out.params = ParamsView{rest};
    return {};
}

} // namespace sipyard::sip
