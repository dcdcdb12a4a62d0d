// modules/auth/challenge.h - the header field that asks a client to sign its request (RFC 7616 3.3, RFC 3261
// 22)
#pragma once

#include "core/base/arena.h"
#include "modules/auth/response.h"

#include <string_view>

namespace sipyard::auth {

struct Challenge {
    std::string_view header; // "WWW-Authenticate" or "Proxy-Authenticate"
    std::string_view realm, nonce;
    std::string_view qop; // "auth", "auth-int" or "" for none (RFC 2069 clients)
    bool stale = false;
    crypto::Algorithm hash = crypto::Algorithm::md5;
};

// The whole field with its CRLF. A realm may come from the request ($fd): what would end the quoted string is
// escaped, control characters are left out.
std::string_view print(const Challenge& challenge, Arena& arena);

} // namespace sipyard::auth
