// modules/corex/target.h - texts corex takes apart: where to send, whose subdomains, how much a branch weighs
#pragma once

#include "core/base/result.h"
#include "core/net/address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::corex {

struct Target {
    std::string host;
    std::uint16_t port = 0; // 0: the protocol's
    net::Protocol protocol = net::Protocol::udp;
};
// "host", "host:port", "[::1]:5060" or a SIP URI (maddr and transport count).
Result<Target> parse_target(std::string_view text);

// "[proto:]domain[:port]"; the protocol does not matter for a name.
struct Domain {
    std::string name;
    std::uint16_t port = 0; // 0: any
};
Result<Domain> parse_domain(std::string_view text);
// The domain itself or a name below it, any letter case.
bool covers(const Domain& domain, std::string_view host, std::uint16_t port);

std::optional<int> parse_q(std::string_view text); // "0.5" is 500 (RFC 3261 25.1 qvalue)

} // namespace sipyard::corex
