// modules/dialog/routes.h - route sets of a call as a proxy between the two sides sees them (RFC 3261 12.1):
// pure
#pragma once

#include "core/sip/message.h"

#include <string>
#include <string_view>

namespace sipyard::dialog {

// "<sip:a;lr>, <sip:b;lr>" as they stand; values that hold no SIP URI are left out. Of an INVITE as it came
// these are the hops back to the caller, nearest first.
std::string joined_routes(const sip::ValueList<sip::NameAddr>& record_routes);

// Of a 2xx as it came: the hops to the callee, nearest first. Ours, found by the cookie in parameter `param`,
// and those on the caller's side (`caller_routes`) are not among them.
std::string routes_to_callee(const sip::ValueList<sip::NameAddr>& record_routes, std::string_view cookie,
                             std::string_view param, std::string_view caller_routes);

// How a request gets to a contact over a route set (RFC 3261 12.2.1.1): a strict first hop takes the R-URI.
struct Way {
    std::string request_uri, route_lines;
};
Way way_to(std::string_view contact, std::string_view routes);

} // namespace sipyard::dialog
