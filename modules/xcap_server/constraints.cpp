// modules/xcap_server/constraints.cpp - which rules a usage has, and the forms of URIs they speak of
#include "modules/xcap_server/constraints.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>

namespace sipyard::xcap_server {
namespace {

bool is_clean(std::string_view uri)
{
    return std::all_of(uri.begin(), uri.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte != 0x7f;
    });
}

// Length of the scheme, without its colon; 0: there is none.
std::size_t scheme_size(std::string_view uri)
{
    const auto colon = uri.find(':');
    if (colon == std::string_view::npos || colon == 0 || !is_alpha(uri[0]))
        return 0;
    const auto scheme = uri.substr(0, colon);
    const bool good = std::all_of(scheme.begin(), scheme.end(),
                                  [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
    return good ? colon : 0;
}

} // namespace

bool has_scheme(std::string_view uri)
{
    const auto size = scheme_size(uri);
    return size != 0 && uri.size() > size + 1 && is_clean(uri);
}

bool is_relative_path(std::string_view uri)
{
    // A colon in the first segment makes what is before it a scheme (RFC 3986 4.2).
    const auto first = uri.substr(0, uri.find_first_of("/?#"));
    return !uri.empty() && uri[0] != '/' && first.find(':') == std::string_view::npos && is_clean(uri);
}

bool is_http_uri(std::string_view uri)
{
    std::string_view rest;
    for (const std::string_view scheme : {"http://", "https://"})
        if (istarts_with(uri, scheme))
            rest = uri.substr(scheme.size());
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    return !authority.empty() && authority[0] != ':' && is_clean(uri);
}

std::string quoted(std::string_view text)
{
    constexpr std::size_t most = 80;
    if (text.size() <= most)
        return format("'{}'", text);
    std::size_t size = most;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
        --size;
    return format("'{}...'", text.substr(0, size));
}

std::optional<std::string> broken_constraint(const xml::Document& document, const Candidate& candidate,
                                             const Rules& rules)
{
    const auto root = document.root();
    switch (candidate.usage.rules) {
    case Usage::Rules::none: return {};
    case Usage::Rules::resource_lists: return broken_in_resource_lists(root, candidate, rules);
    case Usage::Rules::rls_services: return broken_in_rls_services(root, candidate, rules);
    case Usage::Rules::oma_pres_rules: return broken_in_oma_pres_rules(root);
    case Usage::Rules::user_profile: return broken_in_user_profile(root, candidate, rules);
    case Usage::Rules::pres_content: return broken_in_pres_content(root, rules);
    }
    return {};
}

} // namespace sipyard::xcap_server
