// core/sip/uri.h - SIP, SIPS and tel URIs: parse, print, compare, escape (RFC 3261 19.1, RFC 3966)
#pragma once

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/sip/complaint.h"
#include "core/sip/params.h"
#include "core/sip/transport.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sipyard::sip {

enum class Scheme : unsigned char { sip, sips, tel, urn, other };
std::string_view to_text(Scheme scheme); // "sip"; "" for other

// A URI taken apart; the views point into the text that was read. For `tel` the number is `user`; for schemes
// we do not know only scheme_text and `opaque` (all after the colon) are filled.
struct Uri {
    Scheme scheme = Scheme::other;
    std::string_view text;        // all of it
    std::string_view scheme_text; // as sent
    std::string_view user;        // still escaped; "" when absent (see has_user)
    std::string_view password;
    std::string_view host;  // IPv6 with its brackets
    std::uint16_t port = 0; // 0: absent
    bool has_user = false;  // there was an '@' (sip:@host has an empty user)
    bool has_password = false;
    ParamsView params;        // from the first ';' after the host, or ""
    std::string_view headers; // after '?', or ""
    std::string_view opaque;  // of an unknown scheme

    bool is_sip() const { return scheme == Scheme::sip || scheme == Scheme::sips; }
    Transport transport() const; // of ;transport=, none when absent
    std::string_view transport_text() const { return params.find("transport").value_or(""); }
    std::string_view maddr() const { return params.find("maddr").value_or(""); }
    bool is_loose() const { return params.has("lr"); } // ;lr, ;lr=on ... (RFC 3261 16.12)
    std::uint16_t port_or_default() const;             // 5060, or 5061 for sips and transport=tls
    std::string_view host_port() const;                // "host" or "host:port" as sent
    std::string_view user_part() const;                // "user:password" as sent, without '@'
    std::string_view host_plain() const;               // host without IPv6 brackets
};

// Reads all of `text` (no angle brackets, no outer blanks). Bytes <= 0x20 and 0x7f are refused; user and
// parameter texts are otherwise tolerant (RFC 4475 3.1.1.2, 3.1.1.9). Headers (?a=b) are read, who may not
// have them decides.
Complaint read(std::string_view text, Uri& out);
Result<Uri> parse_uri(std::string_view text);

// RFC 3261 19.1.4. Unknown schemes compare as texts.
bool same_uri(const Uri& a, const Uri& b);

// Prints from the parts (text is ignored): for a Uri whose parts were changed.
std::string_view print(const Uri& uri, Arena& arena);

// Percent-escapes of the user part (RFC 3261 25.1 `user`): escape what must be, unescape tolerantly
// (a '%' without two hex digits stays).
std::string escape_user(std::string_view text);
std::string escape_param(std::string_view text);
std::string unescape(std::string_view text);

} // namespace sipyard::sip
