// core/sip/build.h - messages as they leave: replies, forwarded requests, forwarded replies; one pass each
#pragma once

#include "core/base/arena.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sipyard::sip {

// Where a request came from: decides `received` and `rport` of its top Via (RFC 3261 18.2.1, RFC 3581 4).
struct Source {
    std::string_view address{}; // numeric, IPv6 without brackets; "": leave the Via alone
    std::uint16_t port = 0;
    bool force_rport = false;     // as if the client had asked for rport
    bool always_received = false; // add received even if it equals sent-by
    std::string_view params{};    // further ones, each with its ';' in front
};

// The top Via's value with received and rport filled in. Old values of both are replaced. In the arena, or
// via.whole unchanged.
std::string_view with_source(const Via& via, const Source& source, Arena& arena);

struct ReplyParts {
    std::string_view to_tag{};       // put on To unless it has one; "": none is added
    std::string_view headers{};      // whole lines, each with CRLF (Contact, WWW-Authenticate ...)
    std::string_view server{};       // whole line without CRLF, e.g. "Server: x"; "": none
    std::string_view content_type{}; // with a body
    std::string_view body{};
    Source source{};
    bool record_routes = true; // copied to 101..299 (RFC 3261 12.1.1)
};

// A reply to `request` (which can_be_answered()): Via of all hops, From, To, Call-ID, CSeq, Timestamp to a
// 100, then the parts and Content-Length. `reason` must hold no line end (bytes below 0x20 become blanks).
std::string_view build_reply(const Message& request, int code, std::string_view reason,
                             const ReplyParts& parts, Arena& arena);

struct ForwardParts {
    std::string_view request_uri{}; // "": the one of the edits, or as received
    std::string_view via{}; // our Via: whole line without CRLF ("Via: SIP/2.0/UDP ..."); "": none (local use)
    Source source{};
    bool content_length = false; // add Content-Length when the message has none (streams need it)
    Hop hop{};                   // how it leaves: decides about Record-Route (core/module/hop.h makes it)
};

// A request as it is forwarded: edits applied, our Via on top, the previous top Via completed, Content-Length
// corrected.
std::string_view forward_request(const Message& request, const Edits& edits, const ForwardParts& parts,
                                 Arena& arena);

// A reply as it is forwarded: our Via (the top value) removed, edits applied. With `keep_via` the Via stays.
struct ForwardReplyParts {
    bool keep_via = false;
    bool content_length = false;
};
std::string_view forward_reply(const Message& reply, const Edits& edits, const ForwardReplyParts& parts,
                               Arena& arena);

// Branch of a stateless proxy: the same for a retransmission, its CANCEL and its ACK to a non-2xx (RFC
// 3261 16.11). "z9hG4bK" followed by letters and digits; `salt` keeps servers apart. In the arena.
std::string_view stateless_branch(const Message& request, std::string_view salt, Arena& arena);

// A requests of ours about one we sent: the buffer of that request is `sent` as parsed again (RFC
// 3261 9.1, 17.1.1.3). CANCEL: same R-URI, top Via, From, To, Call-ID, Route; CSeq number with CANCEL. ACK to
// a non-2xx: To from the reply.
std::string_view build_cancel(const Message& sent, std::string_view extra_headers, Arena& arena);
std::string_view build_ack(const Message& sent, const Message& reply, Arena& arena);

// The reason phrase an RFC gives to a status code; "" for unknown ones.
std::string_view default_reason(int code);

} // namespace sipyard::sip
