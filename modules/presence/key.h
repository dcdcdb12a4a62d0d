// modules/presence/key.h - the canonical name of a presentity or watcher: "sip:user@host" (spec presence 1.2)
#pragma once

#include "core/base/result.h"

#include <string>
#include <string_view>

namespace sipyard::presence {

struct KeyRules {
    std::string_view tel_domain; // tel: URIs become sip:NUMBER@tel_domain; empty: they have no key
    bool fold_user = false;      // sip_uri_match=1: letters of the user do not count
    bool allow_no_user = false;
};

// sips becomes sip; port, parameters, headers and password go; the host is in lower case; %xx of unreserved
// characters in the user are decoded (RFC 3261 19.1.4). Error not_found: the URI names nobody.
Result<std::string> key_of(std::string_view uri, const KeyRules& rules);

// "sip:bob@example.com" taken apart; the user is empty when there is none.
struct KeyParts {
    std::string_view user, domain;
};
KeyParts parts_of(std::string_view key);
std::string key_from(std::string_view user, std::string_view domain);

} // namespace sipyard::presence
