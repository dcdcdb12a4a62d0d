// core/module/stateless.h - replies without a transaction (RFC 3261 8.2.7): built from the request, sent
// where it came from
#pragma once

#include "core/module/core_settings.h"
#include "core/module/request.h"
#include "core/net/network.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sipyard {

// One per server, thread-safe.
class StatelessReplies final : public Responder {
public:
    StatelessReplies(net::Network& network, const CoreSettings& settings);

    // Errors: invalid for a request without what a reply needs, an ACK, or a message that is a reply; io from
    // the network.
    Result<void> reply(Request& request, const Reply& reply) override;

    // The To tag of our stateless replies: the same for every retransmission of a request (RFC 3261 8.2.7),
    // and recognisable, so that the ACK to an error reply can be told from a stray one.
    std::string_view to_tag(const sip::Message& request, Arena& arena) const;
    bool is_own_tag(std::string_view tag) const;

private:
    net::Network& network_;
    const CoreSettings& settings_;
    std::string tag_prefix_; // 8 hex digits and a dot, new at every start
    std::uint64_t seed_;
};

// sip_warning: what we saw of the request, as a line for the reply (RFC 3261 20.43, code 392). In the arena.
std::string_view warning_header(Request& request);

// Where a reply to this request goes (RFC 3261 18.2.2, RFC 3581 4): the connection it came by, else the
// address in the top Via as completed by what we saw; with reply_to_via the one the Via names, whatever we
// saw.
net::Destination reply_destination(const Request& request);

} // namespace sipyard
