// core/net/udp_size.h - a request too large for UDP goes over a stream (RFC 3261 18.1.1; udp_mtu,
// udp_mtu_try_proto)
#pragma once

#include "core/net/address.h"

#include <cstddef>
#include <optional>

namespace sipyard::net {

struct UdpSize {
    std::size_t limit = 0; // udp_mtu: bytes of a request that may still go over UDP; 0: 1,300
    std::optional<Protocol>
        try_protocol; // udp_mtu_try_proto, the script's before the parameter's; none or UDP: never
};

// 200 bytes less than a path of 1,500 takes, for the response that grows (RFC 3261 18.1.1).
constexpr std::size_t default_udp_limit = 1300;

// What a request of `size` bytes, as it would leave over `chosen`, is sent over. Who has no socket for the
// answer, or cannot connect, goes on with `chosen`: a large datagram is better than none (18.1.1, Kamailio's
// rule).
constexpr Protocol protocol_for(std::size_t size, Protocol chosen, const UdpSize& rule)
{
    if (chosen != Protocol::udp || !rule.try_protocol)
        return chosen;
    return size > (rule.limit ? rule.limit : default_udp_limit) ? *rule.try_protocol : chosen;
}

} // namespace sipyard::net
