// modules/xcap_server/identity.h - whose documents: a SIP URI as the owner's two columns (RFC 4825 6.2)
#pragma once

#include "core/base/arena.h"
#include "modules/xcap_server/uri.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace sipyard::xcap_server {

// The columns username and domain; the views point into the arena. The host is in lower case.
struct Owner {
    std::string_view user, domain;
};
inline constexpr std::size_t max_owner_part = 64; // the columns' width

// Of a canonical or any SIP, SIPS or tel URI, "user@host" too. A tel number gets the default domain. Nothing
// when it is no such URI or does not fit the columns.
std::optional<Owner> owner_of(std::string_view uri, const UriRules& rules, Arena& arena);

} // namespace sipyard::xcap_server
