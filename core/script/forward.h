// core/script/forward.h - forward(): a request goes on without a transaction (RFC 3261 16.11, spec/script 14)
#pragma once

#include "core/module/request.h"
#include "core/net/address.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sipyard::script {

struct ForwardTo {
    std::string_view host;                 // empty: $du if set, else the request URI
    std::uint16_t port = 0;                // 0: SRV records, then the protocol's default
    std::optional<net::Protocol> protocol; // none: what the URI says
};

// 1 when it was sent, negative otherwise (logged). Suspends for DNS.
int forward(Request& request, const ForwardTo& to);

} // namespace sipyard::script
