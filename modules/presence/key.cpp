// modules/presence/key.cpp - the canonical name of a presentity or watcher
#include "modules/presence/key.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/sip/uri.h"

namespace sipyard::presence {
namespace {

bool is_unreserved(char c)
{
    return is_alnum(c) || std::string_view{"-_.!~*'()"}.find(c) != std::string_view::npos;
}

// Other escapes stay, with upper-case digits: two ways of writing one user are one user.
std::string canonical_user(std::string_view user, bool fold)
{
    std::string out;
    out.reserve(user.size());
    for (std::size_t i = 0; i < user.size(); ++i) {
        char c = user[i];
        if (c == '%' && i + 2 < user.size() && hex_digit(user[i + 1]) >= 0 && hex_digit(user[i + 2]) >= 0) {
            const char decoded = static_cast<char>(hex_digit(user[i + 1]) * 16 + hex_digit(user[i + 2]));
            if (!is_unreserved(decoded)) {
                out += '%';
                out += to_upper(user[i + 1]);
                out += to_upper(user[i + 2]);
                i += 2;
                continue;
            }
            c = decoded;
            i += 2;
        }
        out += fold ? to_lower(c) : c;
    }
    return out;
}

// Visual separators of a number carry no meaning (RFC 3966 3).
std::string number_of(std::string_view text)
{
    std::string out;
    for (const char c : text)
        if (c != '-' && c != '.' && c != '(' && c != ')')
            out += to_lower(c);
    return out;
}

} // namespace

Result<std::string> key_of(std::string_view uri, const KeyRules& rules)
{
    const auto nobody = [&] { return Error{ErrorKind::not_found, format("'{}' names no presentity", uri)}; };
    sip::Uri parsed;
    if (!sip::read(uri, parsed).empty())
        return nobody();
    if (parsed.scheme == sip::Scheme::tel) {
        if (rules.tel_domain.empty() || parsed.user.empty())
            return nobody();
        return "sip:" + number_of(parsed.user) + "@" + lower(rules.tel_domain);
    }
    if (!parsed.is_sip() || parsed.host.empty())
        return nobody();
    if (parsed.user.empty())
        return rules.allow_no_user ? Result<std::string>{"sip:" + lower(parsed.host)} : nobody();
    return "sip:" + canonical_user(parsed.user, rules.fold_user) + "@" + lower(parsed.host);
}

KeyParts parts_of(std::string_view key)
{
    if (key.starts_with("sip:"))
        key.remove_prefix(4);
    const auto at = key.rfind('@');
    if (at == std::string_view::npos)
        return {{}, key};
    return {key.substr(0, at), key.substr(at + 1)};
}

std::string key_from(std::string_view user, std::string_view domain)
{
    std::string key = "sip:";
    if (!user.empty())
        key.append(user).append("@");
    return key.append(domain);
}

} // namespace sipyard::presence
