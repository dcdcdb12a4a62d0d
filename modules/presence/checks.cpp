// modules/presence/checks.cpp - what PUBLISH and SUBSCRIBE are both asked
#include "modules/presence/checks.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/sip/lists.h"

#include <algorithm>

namespace sipyard::presence {

using sip::HeaderName;

std::variant<std::uint32_t, Refusal> granted_expires(const sip::Message& request, const Lifetimes& lifetimes,
                                                     ShortExpires action)
{
    const auto* const header = request.first(HeaderName::expires);
    if (!header)
        return std::min(lifetimes.standard, lifetimes.most);
    const std::string_view text = trim(header->value);
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit))
        return Refusal{400, "Invalid Expires", {}};
    const auto number = parse_uint(text); // nothing: more than 64 bits, so more than the most
    if (number && *number == 0)
        return std::uint32_t{0};
    if (number && *number < lifetimes.least) {
        if (action == ShortExpires::refuse)
            return Refusal{423, "Interval Too Brief", format("Min-Expires: {}\r\n", lifetimes.least)};
        return lifetimes.least;
    }
    return number && *number < lifetimes.most ? static_cast<std::uint32_t>(*number) : lifetimes.most;
}

std::optional<Refusal> check_require(const sip::Message& request, const std::vector<std::string_view>& known)
{
    for (const auto* header = request.first(HeaderName::require); header; header = request.next(*header)) {
        std::string_view rest = header->value, tag;
        while (sip::next_in_list(rest, tag)) {
            if (tag.empty() || std::any_of(known.begin(), known.end(),
                                           [&](std::string_view other) { return iequals(other, tag); }))
                continue;
            return Refusal{420, "Bad Extension",
                           sip::is_token(tag) ? format("Unsupported: {}\r\n", tag) : std::string{}};
        }
    }
    return {};
}

bool is_listed(std::string_view type, const std::vector<std::string>& list)
{
    type = trim(type.substr(0, type.find(';')));
    return std::any_of(list.begin(), list.end(),
                       [&](const std::string& other) { return iequals(other, type); });
}

bool accepts_any(std::string_view accept, const std::vector<std::string>& types)
{
    std::string_view rest = accept, range;
    while (sip::next_in_list(rest, range)) {
        const auto semicolon = range.find(';');
        const auto name = trim(range.substr(0, semicolon));
        if (semicolon != std::string_view::npos) {
            const auto q = sip::ParamsView{range.substr(semicolon)}.find("q");
            if (q && !q->empty() && q->find_first_not_of("0.") == std::string_view::npos)
                continue;
        }
        if (name == "*/*" || name == "*")
            return true;
        if (name.ends_with("/*")) {
            const auto major = name.substr(0, name.size() - 1);
            if (std::any_of(types.begin(), types.end(),
                            [&](const std::string& type) { return istarts_with(type, major); }))
                return true;
        } else if (is_listed(name, types)) {
            return true;
        }
    }
    return false;
}

std::string join(const std::vector<std::string>& list, std::string_view between)
{
    std::string text;
    for (const auto& item : list)
        text.append(text.empty() ? "" : between).append(item);
    return text;
}

std::string_view joined(const sip::Message& message, HeaderName name, std::string& storage)
{
    const auto* header = message.first(name);
    if (!header)
        return {};
    const auto* next = message.next(*header);
    if (!next)
        return header->value;
    storage = header->value;
    for (; next; next = message.next(*next))
        storage.append(", ").append(next->value);
    return storage;
}

Refusal unsupported_type(const std::vector<std::string>& accepted)
{
    return {415, "Unsupported Media Type",
            "Accept: " + join(accepted, ", ") + "\r\nAccept-Encoding: identity\r\n"};
}

} // namespace sipyard::presence
