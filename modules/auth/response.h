// modules/auth/response.h - does a response fit the request that brings it? (RFC 7616 3.4, RFC 8760)
#pragma once

#include "core/crypto/digest_response.h"
#include "core/module/digest_answer.h"
#include "core/sip/auth_header.h"

#include <string_view>

namespace sipyard::auth {

using Scheme = DigestScheme; // the same names for who answers a challenge and who made it

using crypto::ha1;

struct Exchange { // what the request brings beside its credentials
    std::string_view method;
    std::string_view body; // for qop=auth-int
};

// The response a client that knows `ha1` would send. `ha1` is that of the plain scheme; -sess is derived
// here.
crypto::Hex response(const Scheme& scheme, std::string_view ha1, const sip::DigestView& digest,
                     const Exchange& exchange);
// rspauth of Authentication-Info: the same with an A2 that has no method (RFC 7616 3.5).
crypto::Hex server_response(const Scheme& scheme, std::string_view ha1, const sip::DigestView& digest);

// Does the response fit? A uri with backslash escapes is tried as sent and undone: clients differ in what
// they digest.
bool fits(const Scheme& scheme, std::string_view ha1, const sip::DigestView& digest,
          const Exchange& exchange);

// Does the credentials' uri mean the target of this HTTP request? Raw bytes, escapes undone, percent-decoded
// and absolute-form against path all count as the same: both name one resource.
bool same_target(std::string_view digest_uri, std::string_view target);

} // namespace sipyard::auth
