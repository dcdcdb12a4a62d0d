// core/sip/dialog.h - what a user agent remembers of a dialog, and how its requests are addressed (RFC 3261
// 12)
#pragma once

#include "core/base/result.h"
#include "core/sip/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::sip {

// Is this in-dialog request in its turn? (RFC 3261 12.2.2)
enum class Turn : unsigned char {
    next,     // go on; the remote sequence number is taken over
    late,     // lower than one seen before: 500
    repeated, // the number of the last one: an ACK or CANCEL of it, or a retransmission under another branch
};
std::string_view to_text(Turn turn);

// Where a request within the dialog goes (RFC 3261 12.2.1.1). `route` is whole lines with CRLF, or "".
struct Path {
    std::string request_uri, route, next_hop;
};

// Owns its texts; not thread-safe. Whether it is early or confirmed is the usages' business.
class Dialog {
public:
    // From a request of ours and the reply (101..299 with a To tag) or, for RFC 6665 4.4.1, the NOTIFY that
    // creates it. `from` and `to` are the header values of the request, `from` with its tag. Errors: invalid
    // - the message has no tag, or no usable Contact where the method wants one.
    static Result<Dialog> as_caller(std::string_view from, std::string_view to, std::string_view call_id,
                                    std::uint32_t cseq, const Message& reply);
    static Result<Dialog> from_notify(std::string_view from, std::string_view to, std::string_view call_id,
                                      std::uint32_t cseq, const Message& notify);
    // From a request we answer with that To tag. Its CSeq is the remote sequence number; ours begins at
    // `cseq`.
    static Result<Dialog> as_callee(const Message& request, std::string_view local_tag, std::uint32_t cseq);

    const std::string& call_id() const { return call_id_; }
    const std::string& local_tag() const { return local_tag_; }
    const std::string& remote_tag() const { return remote_tag_; }
    const std::string& local() const { return local_; }   // our From value, with its tag
    const std::string& remote() const { return remote_; } // our To value, with its tag
    const std::string& target() const { return target_; }
    const std::vector<std::string>& routes() const { return routes_; }
    std::uint32_t local_cseq() const { return local_cseq_; }

    // A reply or request of this dialog? Tags compare byte for byte; a peer of RFC 2543 has an empty one.
    bool is(std::string_view call_id, std::string_view local_tag, std::string_view remote_tag) const;
    Path path() const;
    std::uint32_t next_cseq() { return ++local_cseq_; }
    void take_cseq(std::uint32_t used); // a request outside of path() used this number: never lower than it
    // Of an in-dialog request, ACK and CANCEL included (these repeat the number of their INVITE). Changes the
    // state for `next`.
    Turn take_turn(const Message& request);
    // Target refresh (12.2.2, RFC 3311, RFC 6665): the Contact of a request or 2xx, when there is one that
    // can be used.
    bool refresh_target(const Message& message);
    // The 2xx may come by another way than the early reply did: its Record-Route counts (12.1.2, 13.2.2.4).
    void confirm_routes(const Message& reply);

private:
    std::string call_id_, local_tag_, remote_tag_, local_, remote_, target_;
    std::vector<std::string> routes_; // URIs with their parameters, in angle brackets, nearest first
    std::uint32_t local_cseq_ = 0;
    std::optional<std::uint32_t> remote_cseq_;
};

// "<sip:a@b>;tag=x" without its parameters of the header: "<sip:a@b>", display name kept.
std::string without_tag(std::string_view value);

} // namespace sipyard::sip
