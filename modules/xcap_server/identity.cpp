// modules/xcap_server/identity.cpp - reading owners
#include "modules/xcap_server/identity.h"

#include "core/base/text.h"
#include "core/sip/uri.h"

namespace sipyard::xcap_server {

std::optional<Owner> owner_of(std::string_view uri, const UriRules& rules, Arena& arena)
{
    if (uri.empty())
        return {};
    UriRules canonical = rules;
    canonical.canonical_xui = true;
    sip::Uri parsed;
    if (const auto complaint = sip::read(canonical_xui(uri, canonical, arena), parsed); !complaint.empty())
        return {};
    Owner owner;
    if (parsed.is_sip()) {
        char* const host = arena.array<char>(parsed.host.size());
        for (std::size_t i = 0; i < parsed.host.size(); ++i)
            host[i] = to_lower(parsed.host[i]);
        owner = {parsed.user, {host, parsed.host.size()}};
    } else if (parsed.scheme == sip::Scheme::tel) {
        owner = {parsed.user, rules.default_domain};
    } else {
        return {};
    }
    if ((owner.user.empty() && (parsed.has_user || owner.domain.empty())) ||
        owner.user.size() > max_owner_part || owner.domain.size() > max_owner_part)
        return {};
    return owner;
}

} // namespace sipyard::xcap_server
