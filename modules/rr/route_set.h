// modules/rr/route_set.h - what to do with the Route headers of a request: pure logic (RFC 3261 16.4, 16.6
// item 6, 16.12)
#pragma once

#include "core/sip/message.h"
#include "core/sip/uri.h"

#include <cstddef>
#include <functional>
#include <string_view>

namespace sipyard::rr {

// Within a dialog the R-URI may be our own Record-Route, put there by a strict router before us; in a request
// with a preloaded route set, and for loose_route_mode(1), it is only ever a target.
enum class RuriMeaning : unsigned char { may_be_our_route, target };

enum class Outcome : unsigned char {
    nothing,     // no Route, or it cannot be read: `problem` says why
    routed,      // go on as planned
    last_was_us, // our Route was the only one: the R-URI is the next hop
};

// Views point into the message.
struct Plan {
    Outcome outcome = Outcome::nothing;
    std::string_view problem; // with `nothing`: "" is just no Route
    bool ours = false;        // `own` is a Route (or R-URI) of ours
    sip::Uri own;             // the first of ours: its parameters are for others
    bool has_second = false;
    sip::Uri second; // the other of a double Record-Route: the socket to send from
    bool second_is_ours = false;
    std::size_t drop_first = 0; // Route values to remove at the front
    bool drop_last = false;
    bool append_ruri = false;   // the next hop is strict: the R-URI goes to the end of the route set
    std::string_view ruri;      // the new R-URI; "": it stays
    std::string_view next_hop;  // what $du becomes; "": nothing
    bool next_is_route = false; // the next hop comes from a Route header
};

// `is_mine` answers for URIs that parse. `double_routes`: r2=on is honoured (enable_double_rr).
Plan plan_route(const sip::ValueList<sip::NameAddr>& routes, std::string_view ruri, RuriMeaning meaning,
                bool double_routes, const std::function<bool(const sip::Uri&)>& is_mine);

} // namespace sipyard::rr
