// core/sip/transport.cpp - transport names
#include "core/sip/transport.h"

#include "core/base/text.h"

#include <array>

namespace sipyard::sip {
namespace {

constexpr std::array<std::string_view, 8> upper_names = {"", "UDP", "TCP", "TLS", "SCTP", "WS", "WSS", ""};
constexpr std::array<std::string_view, 8> lower_names = {"", "udp", "tcp", "tls", "sctp", "ws", "wss", ""};

} // namespace

Transport transport_of(std::string_view text)
{
    if (text.empty())
        return Transport::none;
    for (const auto t :
         {Transport::udp, Transport::tcp, Transport::tls, Transport::ws, Transport::wss, Transport::sctp})
        if (iequals(text, lower_names[static_cast<std::size_t>(t)]))
            return t;
    return Transport::other;
}

std::string_view to_text(Transport transport) { return upper_names[static_cast<std::size_t>(transport)]; }

std::string_view to_param(Transport transport) { return lower_names[static_cast<std::size_t>(transport)]; }

} // namespace sipyard::sip
