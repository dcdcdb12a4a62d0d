// modules/path/api.h - what the outbound module may put into our Path (RFC 5626 5.1)
#pragma once

#include "core/module/request.h"

#include <optional>
#include <string_view>

namespace sipyard::path {

// Made by a module that knows flows; lives as long as its module.
class FlowTokens {
public:
    virtual ~FlowTokens() = default;
    // The user part of a Path that leads back over the flow the request came by; nothing when none is called
    // for. In the request's arena.
    virtual std::optional<std::string_view> make(Request& request) = 0;
};

struct Api {
    static constexpr std::string_view name = "path";
    virtual ~Api() = default;
    virtual void set_flow_tokens(FlowTokens& tokens) = 0; // once, in the constructor of who makes them
};

} // namespace sipyard::path
