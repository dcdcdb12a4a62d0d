// modules/rr/api.h - what others may put into our Record-Route and learn from the Route we took off (RFC
// 3261 16.4, 16.6)
#pragma once

#include "core/base/result.h"
#include "core/module/request.h"
#include "core/net/network.h"
#include "core/sip/params.h"

#include <optional>
#include <string_view>

namespace sipyard::rr {

// Where a request within a dialog goes, seen from the request that began the dialog.
enum class Direction : unsigned char { downstream = 1, upstream = 2 }; // caller to callee, callee to caller

// Registered in a module's constructor, lives as long as the module. Called on the request's fiber when
// loose_route() found a Route of ours; `params` are the URI parameters of that Route and live as long as the
// request.
class Listener {
public:
    virtual ~Listener() = default;
    virtual void on_loose_route(Request& request, sip::ParamsView params) = 0;
};

// Flow tokens of RFC 5626 5.2, in the user part of our Record-Route. Made and read by a module that knows
// flows.
class FlowTokens {
public:
    enum class Found : unsigned char { none, tampered, flow };
    virtual ~FlowTokens() = default;
    // The token for the flow this request came by; nothing when none is called for. In the request's arena.
    virtual std::optional<std::string_view> make(Request& request) = 0;
    // A user part found in a Route of ours. `flow` is filled in for Found::flow.
    virtual Found read(Request& request, std::string_view user, net::Received& flow) = 0;
};

// Any worker; all functions work on the request in hand and do not block.
struct Api {
    static constexpr std::string_view name = "rr";
    virtual ~Api() = default;

    // Puts ";name=value" into the URI of our Record-Route, whether record_route() has been called or will be.
    // Errors: invalid (it does not begin with ';', or holds a byte that would end the URI).
    virtual Result<void> add_param(Request& request, std::string_view text) = 0;
    // A parameter of the Route of ours that the request carries ("" for a flag); nothing when it has none, or
    // no such Route. Before loose_route() the topmost Route is looked at.
    virtual std::optional<std::string_view> route_param(Request& request, std::string_view name) = 0;
    // By the `ftag` of that Route; downstream when there is nothing to go by.
    virtual Direction direction(Request& request) = 0;
    virtual void add_listener(Listener& listener) = 0;    // at most 8
    virtual void set_flow_tokens(FlowTokens& tokens) = 0; // once
};

} // namespace sipyard::rr
