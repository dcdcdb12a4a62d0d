// core/sip/transport.h - transport protocols as Via, URIs and sockets name them
#pragma once

#include <cstdint>
#include <string_view>

namespace sipyard::sip {

enum class Transport : unsigned char { none, udp, tcp, tls, sctp, ws, wss, other }; // none: nothing was said

Transport transport_of(std::string_view text);    // any letter case; "" is none
std::string_view to_text(Transport transport);    // "UDP"; "" for none and other
std::string_view to_param(Transport transport);   // "udp", as ;transport= writes it
constexpr std::uint16_t default_port(Transport t) // RFC 3261 18.2.2, RFC 7118
{
    return t == Transport::tls ? 5061 : t == Transport::ws ? 80 : t == Transport::wss ? 443 : 5060;
}
constexpr bool is_reliable(Transport t) { return t >= Transport::tcp && t <= Transport::wss; }

} // namespace sipyard::sip
