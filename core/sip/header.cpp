// core/sip/header.cpp - header names through a table that the compiler fills
#include "core/sip/header.h"

#include "core/base/text.h"

#include <array>
#include <cstddef>

namespace sipyard::sip {
namespace {

constexpr std::size_t name_count = static_cast<std::size_t>(HeaderName::count_);

// In the order of HeaderName.
constexpr std::array<std::string_view, name_count> names = {"",
                                                            "Via",
                                                            "From",
                                                            "To",
                                                            "Call-ID",
                                                            "CSeq",
                                                            "Contact",
                                                            "Max-Forwards",
                                                            "Route",
                                                            "Record-Route",
                                                            "Content-Type",
                                                            "Content-Length",
                                                            "Content-Encoding",
                                                            "Content-Disposition",
                                                            "Content-Language",
                                                            "Authorization",
                                                            "Proxy-Authorization",
                                                            "WWW-Authenticate",
                                                            "Proxy-Authenticate",
                                                            "Authentication-Info",
                                                            "Proxy-Authentication-Info",
                                                            "Expires",
                                                            "Min-Expires",
                                                            "User-Agent",
                                                            "Server",
                                                            "Require",
                                                            "Proxy-Require",
                                                            "Supported",
                                                            "Unsupported",
                                                            "Allow",
                                                            "Allow-Events",
                                                            "Event",
                                                            "Accept",
                                                            "Accept-Encoding",
                                                            "Accept-Language",
                                                            "Accept-Contact",
                                                            "Reject-Contact",
                                                            "Request-Disposition",
                                                            "Subscription-State",
                                                            "Refer-To",
                                                            "Referred-By",
                                                            "Refer-Sub",
                                                            "P-Asserted-Identity",
                                                            "P-Preferred-Identity",
                                                            "P-Charging-Vector",
                                                            "P-Access-Network-Info",
                                                            "P-Visited-Network-ID",
                                                            "P-Associated-URI",
                                                            "P-Called-Party-ID",
                                                            "Remote-Party-ID",
                                                            "Diversion",
                                                            "History-Info",
                                                            "Privacy",
                                                            "Path",
                                                            "Service-Route",
                                                            "Session-Expires",
                                                            "Min-SE",
                                                            "RAck",
                                                            "RSeq",
                                                            "Date",
                                                            "Timestamp",
                                                            "Reason",
                                                            "Replaces",
                                                            "Join",
                                                            "Target-Dialog",
                                                            "SIP-ETag",
                                                            "SIP-If-Match",
                                                            "Organization",
                                                            "Priority",
                                                            "Subject",
                                                            "In-Reply-To",
                                                            "Reply-To",
                                                            "Retry-After",
                                                            "Warning",
                                                            "Alert-Info",
                                                            "Call-Info",
                                                            "Error-Info",
                                                            "MIME-Version",
                                                            "Identity",
                                                            "Identity-Info",
                                                            "Suppress-If-Match",
                                                            "Geolocation",
                                                            "Flow-Timer",
                                                            "Security-Client",
                                                            "Security-Server",
                                                            "Security-Verify",
                                                            "Resource-Priority",
                                                            "User-to-User",
                                                            "Recv-Info",
                                                            "Info-Package",
                                                            "Feature-Caps",
                                                            "Max-Breadth",
                                                            "Answer-Mode",
                                                            "Priv-Answer-Mode",
                                                            "Host",
                                                            "If-Match",
                                                            "If-None-Match",
                                                            "If-Modified-Since",
                                                            "Connection",
                                                            "Upgrade",
                                                            "Transfer-Encoding",
                                                            "Expect",
                                                            "Origin",
                                                            "X-Forwarded-For",
                                                            "Cookie",
                                                            "Range",
                                                            "Accept-Charset",
                                                            "Location",
                                                            "ETag",
                                                            "Cache-Control",
                                                            "Sec-WebSocket-Key",
                                                            "Sec-WebSocket-Protocol",
                                                            "Sec-WebSocket-Version",
                                                            "Sec-WebSocket-Extensions",
                                                            "Sec-WebSocket-Accept",
                                                            "X-3GPP-Intended-Identity",
                                                            "X-3GPP-Asserted-Identity"};
static_assert(names[static_cast<std::size_t>(HeaderName::host)] == "Host");
static_assert(names[static_cast<std::size_t>(HeaderName::sip_etag)] == "SIP-ETag");
static_assert(names[name_count - 1] == "X-3GPP-Asserted-Identity");

// Compact forms (RFC 3261 20, 3515, 3892, 3841, 4028, 6665, 8224).
constexpr HeaderName compact(char letter)
{
    using H = HeaderName;
    switch (to_lower(letter)) {
    case 'a': return H::accept_contact;
    case 'b': return H::referred_by;
    case 'c': return H::content_type;
    case 'd': return H::request_disposition;
    case 'e': return H::content_encoding;
    case 'f': return H::from;
    case 'i': return H::call_id;
    case 'j': return H::reject_contact;
    case 'k': return H::supported;
    case 'l': return H::content_length;
    case 'm': return H::contact;
    case 'n': return H::identity_info;
    case 'o': return H::event;
    case 'r': return H::refer_to;
    case 's': return H::subject;
    case 't': return H::to;
    case 'u': return H::allow_events;
    case 'v': return H::via;
    case 'x': return H::session_expires;
    case 'y': return H::identity;
    default: return H::other;
    }
}

// `| 0x20` maps letters of either case to one value; that it also merges other bytes costs a comparison, no
// more.
constexpr std::size_t slot_of(std::string_view name)
{
    const auto at = [&](std::size_t n) { return static_cast<unsigned char>(name[n]) | 0x20u; };
    const std::size_t size = name.size();
    return (size * 31u + at(0) * 7u + at(size / 2) * 101u + at(size - 1) * 13u + at(size - 2) * 57u) & 511u;
}

constexpr auto slots = [] {
    std::array<std::uint8_t, 512> table{};
    static_assert(name_count < 200, "the table keeps some air");
    for (std::size_t n = 1; n < name_count; ++n) {
        std::size_t slot = slot_of(names[n]);
        while (table[slot] != 0)
            slot = (slot + 1) & 511u;
        table[slot] = static_cast<std::uint8_t>(n);
    }
    return table;
}();

} // namespace

HeaderName header_name_of(std::string_view name)
{
    if (name.size() < 2)
        return name.empty() ? HeaderName::other : compact(name[0]);
    for (std::size_t slot = slot_of(name); slots[slot] != 0; slot = (slot + 1) & 511u)
        if (names[slots[slot]] == name || iequals(names[slots[slot]], name)) // mostly as the RFCs write it
            return static_cast<HeaderName>(slots[slot]);
    return HeaderName::other;
}

std::string_view to_text(HeaderName name)
{
    return name < HeaderName::count_ ? names[static_cast<std::size_t>(name)] : std::string_view{};
}

bool same_header(std::string_view a, std::string_view b)
{
    const auto id = header_name_of(a);
    return id == HeaderName::other ? iequals(a, b) : id == header_name_of(b);
}

} // namespace sipyard::sip
