// core/server/dispatcher.cpp - the way of a message through the server
#include "core/server/dispatcher.h"

#include "core/server/host.h"
#include "core/sip/build.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"
#include "core/task/fiber.h"

namespace sipyard::server {

namespace {

Trail::Peer from_of(const Request& request)
{
    return {request.received().protocol, request.received().source};
}

} // namespace

Dispatcher::Dispatcher(ServerHost& host, script::Engine& engine)
    : host_{host}, engine_{engine}, log_{host.logger("core")}, requests_{host.counter("core", "rcv_requests",
                                                                                      "Requests received")},
      replies_{host.counter("core", "rcv_replies", "Replies received")},
      bad_{host.counter("core", "bad_msg_hdr", "Messages that are no SIP or lack what SIP demands")},
      dropped_{host.counter("core", "drop_requests", "Requests that ended without any answer or forwarding")},
      forwarded_replies_{host.counter("core", "fwd_replies", "Replies forwarded without a transaction")},
      overloaded_{
          host.counter("core", "overloaded", "Requests refused with 503 because too many are waiting")},
      send_failures_{host.counter("core", "send_failures", "Messages a stream could not take after all")},
      filtered_acks_{host.counter("sl", "received_ACKs", "ACKs to our stateless replies")}
{
}

void Dispatcher::on_message(task::Worker& worker, const net::Received& from, std::string_view bytes)
{
    struct Incoming {
        Dispatcher& self;
        const net::Received& from;
        std::string_view bytes;
    } incoming{*this, from, bytes};
    // On the loop spawn() enters the fiber before it returns, and the fiber copies the bytes first of all.
    const auto started = worker.spawn([&incoming] {
        const net::Received received = incoming.from;
        const std::string_view copy = task::Fiber::current()->arena().copy(incoming.bytes);
        incoming.self.handle(received, copy);
    });
    if (!started)
        refuse_overloaded(from, bytes);
}

void Dispatcher::on_send_failed(const net::Destination& to, std::string_view bytes, const Error& why)
{
    send_failures_.add();
    for (MessageHook* const hook : host_.message_hooks())
        hook->send_failed(to, bytes, why);
    if (log_.enabled(log::Level::info))
        log_.info("{} bytes to {}:{} were not sent: {}", bytes.size(), net::to_text(to.protocol),
                  to.to.text(), why.text);
}

void Dispatcher::handle(const net::Received& from, std::string_view bytes)
{
    Arena& arena = task::Fiber::current()->arena();
    auto parsed = sip::Message::parse(bytes, arena, host_.core().hdr_name_extra_chars);
    if (!parsed) {
        bad_.add();
        if (log_.enabled(log::Level::info))
            log_.info("dropped {} bytes from {}: {}", bytes.size(), from.source.text(), parsed.error().text);
        return;
    }
    sip::Message& message = **parsed;
    if (message.is_http()) { // HTTP goes to xhttp before it gets here; over UDP it is noise
        bad_.add();
        return;
    }
    Request request{host_, arena, message, from, message.is_request() ? Route::request : Route::core_reply};
    request.force_rport = host_.core().force_rport;
    request.add_local_rport = host_.core().local_rport;
    if (host_.core().received_route_mode == 1 && engine_.has_event("core:msg-received")) {
        // Before anything is decided about the message, and also about one that will be refused.
        const Route route = request.route();
        request.set_route(Route::event);
        (void)engine_.run_event("core:msg-received", request);
        if (request.dropped)
            return;
        request.set_route(route);
    }
    if (const sip::Fault& fault = message.fault()) {
        bad_.add();
        if (log_.enabled(log::Level::info))
            log_.info("bad message from {}: {}", from.source.text(), fault.reason);
        if (message.is_request() && message.can_be_answered() && message.method() != sip::Method::ack)
            (void)request.reply(
                {fault.code, fault.code == 400 ? fault.reason : std::string_view{}, {}, {}, {}});
        return;
    }
    if (message.is_request())
        handle_request(request);
    else
        handle_reply(request);
}

void Dispatcher::handle_request(Request& request)
{
    requests_.add();
    const sip::Message& message = request.message();
    if (!message.top_via() || message.call_id().empty()) {
        bad_.add();
        if (message.can_be_answered() && message.method() != sip::Method::ack)
            (void)request.reply({400, {}, {}, {}, {}});
        return;
    }
    host_.trail()->note(Trail::Way::in, message, from_of(request));
    // ";alias": the peer may be reached over this connection at the port of its Via (RFC 5923;
    // tcp_accept_aliases).
    if (message.top_via()->has_alias && host_.core().tcp_accept_aliases && request.received().connection)
        host_.network().add_alias(request.received().connection, message.top_via()->port_or_default());
    for (MessageHook* const hook : host_.message_hooks())
        if (hook->take_request(request))
            return;
    // The ACK to a reply we sent without a transaction ends here (RFC 3261 17.2.1: no server transaction
    // matches it).
    if (message.method() == sip::Method::ack && host_.stateless()->is_own_tag(message.to_tag())) {
        filtered_acks_.add();
        if (engine_.has_event("sl:filtered-ack")) {
            request.set_route(Route::event);
            (void)engine_.run_event("sl:filtered-ack", request);
        }
        return;
    }
    engine_.run_request(request);
}

void Dispatcher::handle_reply(Request& request)
{
    replies_.add();
    const sip::Message& reply = request.message();
    const auto* top = reply.top_via();
    if (!top) {
        bad_.add();
        return;
    }
    host_.trail()->note(Trail::Way::in, reply, from_of(request));
    if (engine_.run_reply(request).dropped)
        return;
    for (MessageHook* const hook : host_.message_hooks())
        if (hook->take_reply(request))
            return;
    const auto vias = reply.vias();
    if (vias.size() < 2 || !host_.is_myself(top->host, top->port, {})) {
        dropped_.add(); // meant for us as a user agent: nobody here asked
        return;
    }
    const sip::Via& next = vias[1];
    const std::string_view host = !next.maddr.empty()      ? next.maddr
                                  : !next.received.empty() ? next.received
                                                           : next.host;
    const std::uint16_t port = next.has_rport && next.rport != 0 ? next.rport : next.port_or_default();
    const net::Protocol protocol = next.transport == sip::Transport::tls   ? net::Protocol::tls
                                   : next.transport == sip::Transport::tcp ? net::Protocol::tcp
                                                                           : net::Protocol::udp;
    auto address = net::Address::parse(host, port);
    if (!address) {
        auto found = host_.resolver().addresses(host, port);
        if (!found || found->empty()) {
            dropped_.add();
            return;
        }
        address = found->front();
    }
    sip::ForwardReplyParts parts;
    parts.content_length = net::is_stream(protocol);
    const std::string_view bytes = sip::forward_reply(reply, request.edits(), parts, request.arena());
    host_.trail()->note(Trail::Way::out, reply, {protocol, *address});
    const net::Destination to{protocol, *address, nullptr, {}, !request.reply_no_connect};
    if (host_.core().onsend_route_reply && !host_.run_onsend(request, to, bytes))
        return;
    if (host_.network().send(to, bytes))
        forwarded_replies_.add();
    else
        send_failures_.add();
}

// No fiber is free: a 503 is made in the loop, without a script (RFC 3261 21.5.4).
void Dispatcher::refuse_overloaded(const net::Received& from, std::string_view bytes)
{
    overloaded_.add();
    Arena arena;
    auto parsed = sip::Message::parse(arena.copy(bytes), arena);
    if (!parsed || !(*parsed)->is_request() || (*parsed)->method() == sip::Method::ack ||
        !(*parsed)->can_be_answered())
        return;
    Request request{host_, arena, **parsed, from, Route::request};
    (void)request.reply({503, "Service Unavailable", "Retry-After: 5\r\n", {}, {}});
}

} // namespace sipyard::server
