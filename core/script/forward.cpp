// core/script/forward.cpp - stateless forwarding: find the next hop, put our Via on top, send
#include "core/script/forward.h"

#include "core/base/format.h"
#include "core/module/hop.h"
#include "core/module/host.h"
#include "core/module/via_params.h"
#include "core/net/udp_size.h"
#include "core/sip/build.h"
#include "core/sip/message.h"

#include <functional>

namespace sipyard::script {

namespace {

std::string_view via_transport(net::Protocol protocol)
{
    return protocol == net::Protocol::udp ? "UDP" : protocol == net::Protocol::tcp ? "TCP" : "TLS";
}

std::string_view our_via(Request& request, const net::Listener& from, net::Protocol protocol)
{
    Host& host = request.host();
    Arena& arena = request.arena();
    const CoreSettings& settings = host.core();
    const std::string own = from.host();
    const ViaFields fields = via_fields(request);
    const std::string_view shown = !fields.address.empty()            ? fields.address
                                   : !request.advertised_host.empty() ? request.advertised_host
                                   : from.advertised_host.empty() && !settings.advertised_address.empty()
                                       ? std::string_view{settings.advertised_address}
                                       : std::string_view{own};
    const std::uint16_t port = fields.port               ? fields.port
                               : request.advertised_port ? request.advertised_port
                               : from.advertised_port == 0 && settings.advertised_port
                                   ? settings.advertised_port
                                   : from.port();
    const std::string salt = format("{}:{}", own, from.port());
    const auto branch = sip::stateless_branch(request.message(), salt, arena);
    const bool rport = request.add_local_rport || settings.local_rport;
    return arena.concat("Via: SIP/2.0/", via_transport(protocol), " ", shown, ":", std::to_string(port),
                        ";branch=", branch, rport ? ";rport" : "", via_params(request));
}

// The request as it leaves for one server.
struct Packed {
    net::Destination to;
    std::string_view bytes;
};

Result<Packed> pack(Request& request, const net::Target& target)
{
    Host& host = request.host();
    Packed packed;
    net::Destination& to = packed.to;
    to.protocol = target.protocol;
    to.to = target.to;
    const net::Listener* const forced = request.forced_socket();
    to.from = forced && forced->protocol == target.protocol ? forced
                                                            : host.network().pick(target.protocol, target.to);
    to.may_connect = !request.forward_no_connect && !host.core().tcp_no_connect;
    if (!to.from)
        return Error{ErrorKind::unsupported, "there is no socket to send from"};
    char source[64];
    sip::ForwardParts parts;
    parts.request_uri = request.ruri();
    parts.via = our_via(request, *to.from, target.protocol);
    parts.source.address = request.received().source.ip_text(source);
    parts.source.port = request.received().source.port;
    parts.source.force_rport = request.force_rport || host.core().force_rport;
    parts.content_length = net::is_stream(target.protocol);
    parts.hop = hop_of(request, *to.from);
    packed.bytes = sip::forward_request(request.message(), request.edits(), parts, request.arena());
    return packed;
}

Result<void> put_out(Request& request, const Packed& packed)
{
    if (!request.host().run_onsend(request, packed.to, packed.bytes))
        return invalid("onsend_route held the request back");
    return request.host().network().send(packed.to, packed.bytes);
}

Result<void> send(Request& request, const net::Target& target)
{
    Host& host = request.host();
    TRY(const auto packed, pack(request, target));
    const net::UdpSize rule{static_cast<std::size_t>(host.core().udp_mtu),
                            request.udp_mtu_proto ? request.udp_mtu_proto : host.core().udp_mtu_try_proto};
    const auto protocol = net::protocol_for(packed.bytes.size(), target.protocol, rule);
    if (protocol != target.protocol)
        if (const auto other = pack(request, {protocol, target.to}); other && put_out(request, *other))
            return {};
    return put_out(request, packed);
}

} // namespace

int forward(Request& request, const ForwardTo& to)
{
    Host& host = request.host();
    const auto log = host.logger("core");
    const auto& message = request.message();
    if (!message.is_request() || message.is_http()) {
        log.error("forward(): only SIP requests can be forwarded");
        return -1;
    }
    sip::Uri next;
    const std::string_view uri =
        to.host.empty() && !request.dst_uri().empty() ? request.dst_uri() : request.ruri();
    if (const auto complaint = sip::read(uri, next); !complaint.empty() || next.host.empty()) {
        log.error("forward(): bad uri '{}': {}", uri, complaint.empty() ? "no host" : complaint);
        return -1;
    }
    net::Wanted wanted;
    if (!to.host.empty() && to.host != "uri:host") {
        wanted.host = to.host;
    } else {
        wanted = net::wanted_of(next);
        if (!to.host.empty())
            wanted.port = 0; // of the URI only when "uri:port" says so
    }
    if (to.port)
        wanted.port = to.port;
    if (to.protocol) { // the script knows better than the URI
        wanted.transport = to.protocol;
        wanted.sips = false;
        wanted.foreign = {};
    }
    if (host.core().dns_srv_lb)
        wanted.lot = std::hash<std::string_view>{}(sip::stateless_branch(message, {}, request.arena()));
    const auto targets = host.locator().locate(wanted);
    if (!targets) {
        log.error("forward(): {}: {}", wanted.host, targets.error().text);
        request.last_error = 478; // Unresolvable destination
        return -1;
    }
    // The next server when one cannot be reached at once (RFC 3263 4.3); what fails later is not seen without
    // a transaction.
    for (const net::Target& target : *targets) {
        const auto sent = send(request, target);
        if (sent)
            return 1;
        log.error("forward(): {} to {}: {}", net::to_text(target.protocol), target.to.text(),
                  sent.error().text);
        if (sent.error().kind == ErrorKind::io || sent.error().kind == ErrorKind::lost ||
            sent.error().kind == ErrorKind::timeout)
            host.locator().failed(target);
    }
    return -1;
}

} // namespace sipyard::script
