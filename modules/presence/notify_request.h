// modules/presence/notify_request.h - a NOTIFY as it leaves: addressed (RFC 3261 12.2.1.1), composed, its
// answer read
#pragma once

#include "core/base/arena.h"
#include "modules/presence/effects.h"
#include "modules/tm/api.h"

#include <string_view>

namespace sipyard::presence {

struct Addressed {
    std::string_view request_uri, next_hop, route_lines; // lines with CRLF, or ""
};
// A loose first router: the target is the Request-URI; a strict one takes its place and the target travels as
// the last route.
Addressed address(std::string_view target, std::string_view routes, Arena& arena);

// Texts in the arena or of the notification, which the caller keeps.
tm::Outgoing compose(const Notification& notification, Arena& arena);

// Sending suspends for DNS unless the next hop is an address.
bool needs_dns(const Notification& notification);

Outcome outcome_of(const tm::Incoming& incoming, const Way& way);

} // namespace sipyard::presence
