// core/script/forward.cpp - stateless forwarding: find the next hop, put our Via on top, send
#include "core/script/forward.h"

#include "core/base/format.h"
#include "core/module/host.h"
#include "core/sip/build.h"
#include "core/sip/message.h"

namespace sipyard::script {

namespace {

net::Protocol protocol_of(const sip::Uri& uri)
{
    switch (uri.transport()) {
    case sip::Transport::tcp: return net::Protocol::tcp;
    case sip::Transport::tls: return net::Protocol::tls;
    default: return uri.scheme == sip::Scheme::sips ? net::Protocol::tls : net::Protocol::udp;
    }
}

std::string_view via_transport(net::Protocol protocol)
{
    return protocol == net::Protocol::udp ? "UDP" : protocol == net::Protocol::tcp ? "TCP" : "TLS";
}

// RFC 3263 4.2: with a port or a numeric host the address itself, else SRV records, else the address on the default port.
Result<net::Address> resolve(Host& host, std::string_view name, std::uint16_t port, net::Protocol protocol)
{
    if (auto numeric = net::Address::parse(name, port ? port : net::default_port(protocol)))
        return *numeric;
    if (port == 0) {
        const char* const service = protocol == net::Protocol::tls ? "_sips._tcp." : protocol == net::Protocol::tcp
                                                                                         ? "_sip._tcp." : "_sip._udp.";
        if (const auto records = host.resolver().srv(service + std::string{name}))
            for (const net::Srv& record : *records)
                if (const auto found = host.resolver().addresses(record.target, record.port); found && !found->empty())
                    return found->front();
    }
    TRY(const auto found, host.resolver().addresses(name, port ? port : net::default_port(protocol)));
    if (found.empty())
        return Error{ErrorKind::not_found, format("no address for {}", name)};
    return found.front();
}

std::string_view our_via(Request& request, const net::Listener& from, net::Protocol protocol)
{
    Host& host = request.host();
    Arena& arena = request.arena();
    const CoreSettings& settings = host.core();
    const std::string own = from.host();
    const std::string_view shown = !request.advertised_host.empty() ? request.advertised_host
                                   : from.advertised_host.empty() && !settings.advertised_address.empty()
                                       ? std::string_view{settings.advertised_address} : std::string_view{own};
    const std::uint16_t port = request.advertised_port ? request.advertised_port
                               : from.advertised_port == 0 && settings.advertised_port ? settings.advertised_port
                                                                                       : from.port();
    const std::string salt = format("{}:{}", own, from.port());
    const auto branch = sip::stateless_branch(request.message(), salt, arena);
    const bool rport = request.add_local_rport || settings.local_rport;
    return arena.concat("Via: SIP/2.0/", via_transport(protocol), " ", shown, ":", std::to_string(port), ";branch=", branch,
                        rport ? ";rport" : "");
}

} // namespace

int forward(Request& request, const ForwardTo& to)
{
    Host&       host = request.host();
    const auto  log = host.logger("core");
    Arena&      arena = request.arena();
    const auto& message = request.message();
    if (!message.is_request() || message.is_http()) {
        log.error("forward(): only SIP requests can be forwarded");
        return -1;
    }
    sip::Uri next;
    const std::string_view target = to.host.empty() && !request.dst_uri().empty() ? request.dst_uri() : request.ruri();
    if (const auto complaint = sip::read(target, next); !complaint.empty() || next.host.empty()) {
        log.error("forward(): bad uri '{}': {}", target, complaint.empty() ? "no host" : complaint);
        return -1;
    }
    const net::Protocol protocol = to.protocol ? *to.protocol : to.host.empty() ? protocol_of(next) : net::Protocol::udp;
    const bool own_host = !to.host.empty() && to.host != "uri:host";
    const std::string_view name = own_host ? to.host : next.maddr().empty() ? next.host : next.maddr();
    const auto address = resolve(host, name, to.port ? to.port : own_host ? 0 : next.port, protocol);
    if (!address) {
        log.error("forward(): {}: {}", name, address.error().text);
        request.last_error = 478; // Unresolvable destination
        return -1;
    }
    net::Destination destination;
    destination.protocol = protocol;
    destination.to = *address;
    destination.from = request.forced_socket() && request.forced_socket()->protocol == protocol
                           ? request.forced_socket() : host.network().pick(protocol, *address);
    destination.may_connect = !request.forward_no_connect && !host.core().tcp_no_connect;
    if (!destination.from) {
        log.error("forward(): no socket to send {} to {}", net::to_text(protocol), address->text());
        return -1;
    }
    char source[64];
    sip::ForwardParts parts;
    parts.request_uri = request.ruri();
    parts.via = our_via(request, *destination.from, protocol);
    parts.source.address = request.received().source.ip_text(source);
    parts.source.port = request.received().source.port;
    parts.source.force_rport = request.force_rport || host.core().force_rport;
    parts.content_length = net::is_stream(protocol);
    const auto bytes = sip::forward_request(message, request.edits(), parts, arena);
    if (const auto sent = host.network().send(destination, bytes); !sent) {
        log.error("forward(): {} to {}: {}", net::to_text(protocol), address->text(), sent.error().text);
        return -1;
    }
    return 1;
}

} // namespace sipyard::script
