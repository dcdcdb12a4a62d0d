// core/module/hop.cpp - the sending socket as Record-Route shows it
#include "core/module/hop.h"

#include "core/module/host.h"

#include <string>

namespace sipyard {

std::string_view shown_address(Request& request, const net::Listener& socket)
{
    const CoreSettings& settings = request.host().core();
    Arena& arena = request.arena();
    std::string_view host = request.advertised_host;
    if (host.empty() && socket.advertised_host.empty())
        host = settings.advertised_address;
    if (host.empty())
        host = arena.copy(socket.host());
    const std::uint16_t port = request.advertised_port ? request.advertised_port
                               : socket.advertised_port == 0 && settings.advertised_port
                                   ? settings.advertised_port
                                   : socket.port();
    if (port == 5060 && socket.protocol != net::Protocol::tls)
        return host;
    return arena.concat(host, ":", std::to_string(port));
}

const net::Listener* received_socket(const Request& request)
{
    const net::Received& from = request.received();
    return from.listener ? from.listener : request.host().network().pick(from.protocol, from.source);
}

sip::Hop hop_of(Request& request, const net::Listener& from)
{
    sip::Hop hop;
    const net::Listener* const came_by = received_socket(request);
    hop.address = shown_address(request, from);
    hop.transport = net::to_text(from.protocol);
    hop.socket_name = from.name;
    hop.crosses_sockets = came_by && came_by != &from;
    hop.crosses_protocols = came_by && came_by->protocol != from.protocol;
    return hop;
}

} // namespace sipyard
