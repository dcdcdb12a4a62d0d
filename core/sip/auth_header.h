// core/sip/auth_header.h - Authorization, WWW-Authenticate and their kin taken apart (RFC 7616, RFC 8760)
#pragma once

#include "core/base/arena.h"
#include "core/sip/complaint.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sipyard::sip {

// Credentials or a challenge. Texts come without their quotes, backslash escapes kept (see unescape_quoted);
// "" when absent. `uri` of a client that copied raw double quotes into it runs to the quote that is followed
// by ',' and a parameter name with '=', or by the end of the header: uri="/x/list[@name="friends"]".
struct DigestView {
    std::string_view scheme; // "Digest", as sent
    std::string_view params; // all after the scheme (for other schemes than Digest: the token)
    std::string_view username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc;
    std::string_view stale, domain, userhash, username_star, auts;
    bool has_qop = false;
    bool is_digest() const;
    std::uint32_t nonce_count() const; // nc as a number (8 hex digits), 0 when absent or malformed
};

Complaint read(std::string_view text, DigestView& out);

// What credentials need (RFC 7616 3.4): username, realm, nonce, uri, response; with qop also nc and cnonce.
// "" when all there.
Complaint check_credentials(const DigestView& digest);

// \" and \\ become " and \.
std::string unescape_quoted(std::string_view text);

} // namespace sipyard::sip
