// modules/xcap_server/origin.cpp - scheme and authority of a request, from what is trusted of it
#include "modules/xcap_server/origin.h"

#include "core/base/text.h"

namespace sipyard::xcap_server {
namespace {

constexpr std::size_t longest = 255 + 6;

bool is_authority(std::string_view text)
{
    if (text.empty() || text.size() > longest)
        return false;
    // Port first, then a name or address of harmless letters, or an IPv6 address in brackets.
    if (const auto colon = text.rfind(':'); colon != std::string_view::npos && text.back() != ']') {
        const auto port = parse_uint(text.substr(colon + 1));
        if (!port || *port == 0 || *port > 65535)
            return false;
        text = text.substr(0, colon);
    }
    const bool six = text.size() > 2 && text.front() == '[' && text.back() == ']';
    if (six)
        text = text.substr(1, text.size() - 2);
    for (const char c : text)
        if (six ? hex_digit(c) < 0 && c != ':' && c != '.' : !is_alnum(c) && c != '-' && c != '.' && c != '_')
            return false;
    return !text.empty();
}

} // namespace

Origin origin_of(const OriginRules& rules, bool encrypted, std::string_view target, std::string_view host,
                 std::string_view local)
{
    Origin origin;
    origin.scheme = (rules.scheme < 0 ? encrypted : rules.scheme == 1) ? "https" : "http";
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (istarts_with(target, scheme)) {
            host = target.substr(scheme.size());
            host = host.substr(0, host.find_first_of("/?#"));
        }
    }
    host = trim(host);
    origin.authority = !rules.hostname.empty() ? std::string_view{rules.hostname}
                       : is_authority(host)    ? host
                                               : local;
    return origin;
}

} // namespace sipyard::xcap_server
