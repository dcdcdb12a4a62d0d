// modules/auth/api.h - what modules that know passwords ask of the digest module (RFC 7616, RFC 8760, RFC
// 3261 22)
#pragma once

#include "core/module/request.h"
#include "core/module/verdict.h"
#include "core/sip/auth_header.h"
#include "core/sip/header.h"
#include "core/sip/message.h"

#include <cstdint>
#include <string_view>

namespace sipyard::auth {

// What the script sees: Kamailio's return codes.
enum class Outcome : int {
    accepted = 1,
    error = -1, // unreadable credentials, no realm, the password store failed
    bad_password = -2,
    no_user = -3,
    stale_nonce = -4,
    no_credentials = -5,
    nonce_reused = -6,
    user_mismatch = -8,
};
std::string_view to_text(Outcome outcome);
constexpr Verdict verdict_of(Outcome outcome) { return {static_cast<int>(outcome)}; }

// Which pair of header fields: Authorization with 401, or Proxy-Authorization with 407.
enum class Side : unsigned char { www, proxy };

// Bits of the last argument of auth_check and pv_auth_check.
enum : std::int64_t { check_identity = 1, check_identity_skip_forwarded = 2 };

// Credentials of a request that may be looked at: right realm, well formed, nonce alive. Views into the
// message or arena.
struct Credentials {
    const sip::Header* header = nullptr;
    sip::DigestView digest;
    std::string_view username; // as the client means it: "alice" or "alice@example.com", escapes undone
    std::string_view user;     // the part before '@'
    std::string_view domain;   // the part behind it, else empty
    std::string_view realm;    // that of the credentials, without realm_prefix
    std::uint64_t serial = 0;  // of the nonce
};

// What the user's password is known by.
struct Secret {
    enum class Kind : unsigned char { plain, ha1 };
    Kind kind = Kind::plain;
    std::string_view text; // ha1: hex digits of H(user:realm:password)
};

// Thread-safe. All calls are for the request in hand, on its fiber.
struct Api {
    static constexpr std::string_view name = "auth";
    virtual ~Api() = default;

    // Finds the credentials for `realm`. `accepted` means: go on, look the user up and call verify();
    // everything else is the final answer. A method that cannot be challenged (ACK, CANCEL, PRACK) is
    // `accepted` with `out.header` null: done.
    virtual Outcome examine(Request& request, Side side, std::string_view realm, Credentials& out) = 0;
    // Is the response right for that secret? On success the nonce count is used up and consume_credentials()
    // finds the header.
    virtual Outcome verify(Request& request, const Credentials& credentials, const Secret& secret,
                           std::string_view method) = 0;
    // Does the user who signed match From, To and R-URI? `checks` has the bits above.
    virtual Outcome identity(Request& request, const Credentials& credentials, std::int64_t checks,
                             bool with_domain) = 0;
    // The passwords could not be read: the next challenge of this request becomes 503 with Retry-After.
    virtual void store_failed(Request& request) = 0;
};

// The side of auth_check, pv_auth_check and auth_challenge: a REGISTER, and HTTP, talk to the server itself.
inline Side side_of(const Request& request)
{
    return request.is_http() || request.message().method() == sip::Method::register_ ? Side::www
                                                                                     : Side::proxy;
}

} // namespace sipyard::auth
