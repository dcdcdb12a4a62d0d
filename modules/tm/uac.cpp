// modules/tm/uac.cpp - requests of our own: composed, sent like a branch, answered to whoever asked (RFC
// 3261 8.1, 17.1)
#include "modules/tm/tm.h"

#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/sip/build.h"
#include "core/sip/message.h"

namespace sipyard::tm {

namespace {

bool has_line_end(std::string_view text) { return text.find_first_of("\r\n") != std::string_view::npos; }

} // namespace

// The message without a Via: that is added for each server it is sent to.
Result<std::string_view> Tm::compose(const Outgoing& out, Arena& arena) const
{
    if (out.method.empty() || out.request_uri.empty() || out.from.empty() || out.to.empty() ||
        out.call_id.empty())
        return invalid("a request needs method, URI, From, To and Call-ID");
    for (const std::string_view text :
         {out.method, out.request_uri, out.from, out.to, out.call_id, out.content_type})
        if (has_line_end(text))
            return invalid("a line end in a header value");
    if (!out.headers.empty() && !out.headers.ends_with("\n"))
        return invalid("the last header line has no end");
    std::string_view hops = "Max-Forwards: 70\r\n";
    std::string_view agent;
    bool has_agent = false;
    for (std::string_view rest = out.headers; !rest.empty();) {
        const auto end = rest.find('\n');
        const auto line = rest.substr(0, end == std::string_view::npos ? rest.size() : end + 1);
        const auto name = trim(line.substr(0, line.find(':')));
        if (iequals(name, "Max-Forwards"))
            hops = {};
        has_agent = has_agent || iequals(name, "User-Agent");
        rest.remove_prefix(line.size());
    }
    const CoreSettings& core = host_.core();
    if (!has_agent && core.server_signature && !core.user_agent_header.empty())
        agent = core.user_agent_header;
    char number[24];
    const std::string_view cseq{number, put_int(number, out.cseq)};
    char length_text[24];
    const std::string_view length{length_text,
                                  put_int(length_text, static_cast<std::int64_t>(out.body.size()))};
    return arena.concat(out.method, " ", out.request_uri, " SIP/2.0\r\nTo: ", out.to, "\r\nFrom: ", out.from,
                        "\r\nCSeq: ", cseq, " ", out.method, "\r\nCall-ID: ", out.call_id, "\r\n", hops,
                        agent, agent.empty() ? "" : "\r\n", out.headers,
                        out.content_type.empty() ? "" : "Content-Type: ", out.content_type,
                        out.content_type.empty() ? "" : "\r\n", "Content-Length: ", length, "\r\n\r\n",
                        out.body);
}

// What a command or a script gives: From, To, Call-ID and CSeq stand among the headers, or are made up.
Result<void> Tm::compose_loose(Composed& composed, std::string_view method, std::string_view ruri,
                               std::string_view next_hop, std::string_view socket, std::string_view headers,
                               std::string_view body, Arena& arena) const
{
    Outgoing& out = composed.out;
    out.method = method;
    out.request_uri = ruri;
    out.next_hop = next_hop;
    out.body = body;
    std::string_view kept;
    for (std::string_view rest = headers; !rest.empty();) {
        const auto end = rest.find('\n');
        const auto line = rest.substr(0, end == std::string_view::npos ? rest.size() : end + 1);
        rest.remove_prefix(line.size());
        const auto colon = line.find(':');
        if (colon == std::string_view::npos)
            continue;
        const auto name = trim(line.substr(0, colon)), value = trim(line.substr(colon + 1));
        switch (sip::header_name_of(name)) {
        case sip::HeaderName::from: out.from = value; break;
        case sip::HeaderName::to: out.to = value; break;
        case sip::HeaderName::call_id: out.call_id = value; break;
        case sip::HeaderName::content_type: out.content_type = value; break;
        case sip::HeaderName::cseq:
            out.cseq = static_cast<std::uint32_t>(parse_int(value.substr(0, value.find(' '))).value_or(1));
            break;
        default: kept = arena.concat(kept, name, ": ", value, "\r\n");
        }
    }
    out.headers = kept;
    const std::string made = crypto_token();
    if (out.to.empty())
        out.to = arena.concat("<", ruri, ">");
    if (out.from.empty())
        out.from = arena.concat("<", ruri, ">;tag=", made);
    else if (out.from.find("tag=") == std::string_view::npos)
        out.from = arena.concat(out.from, ";tag=", made);
    if (out.call_id.empty())
        out.call_id = arena.copy(made);
    if (!socket.empty()) {
        for (const auto& listener : host_.network().listeners())
            if (listener->text() == socket || listener->name == socket)
                out.socket = listener.get();
        if (!out.socket)
            return invalid(format("there is no socket {}", socket));
    }
    return {};
}

Result<TransactionId> Tm::send(const Outgoing& out, OnReply on_reply)
{
    if (stopping_)
        return Error{ErrorKind::stopping, "the server stops"};
    task::Fiber* const fiber = task::Fiber::current();
    if (!fiber)
        return Error{ErrorKind::unsupported, "requests are sent from fibers"};
    Arena& arena = fiber->arena();
    TRY(const std::string_view text, compose(out, arena));
    TRY(sip::Message* const message, sip::Message::parse(text, arena));
    if (message->fault() || !message->cseq() || !message->request_uri())
        return invalid(
            format("the request would be malformed: {}", std::string_view{message->fault().reason}));
    Cell* const cell = make_cell(message->method());
    if (!cell) {
        count_.refused.add();
        return Error{ErrorKind::overloaded, "there are too many transactions"};
    }
    const Hold held{*this, cell};
    net::Received received;
    Request& request = arena.make<Request>(host_, arena, *message, received, Route::local);
    cell->own = true;
    cell->cseq = out.cseq;
    attach(request, *cell);
    State& s = state(request);
    s.terms.fr = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(out.final_timeout).count());
    s.terms.fr_inv = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(out.ringing_timeout).count());
    if (!out.next_hop.empty())
        request.set_dst_uri(out.next_hop);
    else if (const auto routes = message->routes(); !routes.empty())
        request.set_dst_uri(routes[0].uri);
    if (out.socket)
        request.force_socket(out.socket);
    request.forward_no_connect = !out.may_connect;
    save(request, *cell);
    {
        const Locked locked{cell->lock};
        cell->saved->own = cell->store.make<Own>(blocks_);
        cell->saved->own->on_reply = std::move(on_reply);
    }
    const auto abandon = [&](ErrorKind kind, std::string what) -> Result<TransactionId> {
        OnReply doomed;
        const Locked locked{cell->lock};
        doomed = std::move(cell->saved->own->on_reply);
        cell->state = ServerState::terminated;
        settle(*cell);
        cell->out_at = now(); // nothing left: gone at the next turn
        schedule(*cell);
        return Error{kind, std::move(what)};
    };
    if (out.run_local_route && host_.has_event_route("tm:local-request")) {
        (void)host_.run_event_route("tm:local-request", request);
        request.set_route(Route::local);
        if (request.dropped)
            return abandon(ErrorKind::invalid, "the script dropped the request");
    }
    count_.uac.add();
    Sprout& sprout = *new (arena.allocate(sizeof(Sprout), alignof(Sprout))) Sprout;
    sprout.uri = request.ruri();
    sprout.dst_uri = request.dst_uri();
    sprout.socket = request.forced_socket();
    locate(request, {}, sprout);
    if (sprout.error != 0)
        return abandon(ErrorKind::not_found,
                       format("no server for {}", sprout.dst_uri.empty() ? sprout.uri : sprout.dst_uri));
    if (!prepare(request, *cell, sprout, sprout.targets.front()))
        return abandon(ErrorKind::not_found, "no socket can send there");
    sprout.to.connection = out.connection;
    const TransactionId id = cell->id();
    {
        const Locked locked{cell->lock};
        cell->serials = 1;
        cell->branches = 1;
        sprout.leg = publish(request, *cell, sprout, 0, {});
        schedule(*cell);
    }
    if (!send_leg(*cell, *sprout.leg, sprout.bytes) && !try_next(*cell, *sprout.leg, arena)) {
        {
            const Locked locked{cell->lock};
            sprout.leg->superseded = true;
            sprout.leg->again_at = sprout.leg->out_at = task::never;
        }
        return abandon(ErrorKind::io, format("{} could not be reached", sprout.to.to.text()));
    }
    return id;
}

void Tm::own_reply(Cell& cell, Leg& leg, const Coming& coming)
{
    Own* own = nullptr;
    bool repeated = false, last = false;
    {
        const Locked locked{cell.lock};
        own = cell.saved ? cell.saved->own : nullptr;
        if (!own || !own->on_reply)
            return;
        if (coming.code >= 200) {
            const bool accepted = cell.invite && coming.code < 300;
            repeated = accepted && leg.state == ClientState::accepted && own->seen_2xx++ > 0;
            last = !accepted;
            if (cell.state < ServerState::accepted) {
                cell.state = accepted ? ServerState::accepted : ServerState::terminated;
                cell.final_code = static_cast<std::uint16_t>(coming.code);
                count_.by_class[static_cast<std::size_t>(std::min(coming.code / 100, 6) - 2)]->add();
                if (accepted) // further 2xx come for so long (RFC 6026 7.2, M)
                    leg.out_at = now() + std::chrono::milliseconds{64 * t1(cell)};
            }
        }
    }
    own->on_reply(Incoming{cell.id(), coming.code, coming.reason, coming.request, last, repeated});
    OnReply doomed; // what it owns goes outside the lock
    if (last) {
        const Locked locked{cell.lock};
        doomed = std::move(own->on_reply);
    }
    if (coming.code >= 200 && coming.request && host_.has_event_route("tm:local-response"))
        (void)host_.run_event_route("tm:local-response", *coming.request);
}

void Tm::end_own(Cell& cell, Leg& leg, int code, std::string_view reason)
{
    {
        const Locked locked{cell.lock};
        if (cell.state >= ServerState::accepted) { // the time for further 2xx is over
            cell.state = ServerState::terminated;
            return;
        }
    }
    own_reply(cell, leg, {nullptr, code, reason, true});
}

void Tm::end_all_own()
{
    stopping_ = true;
    std::vector<TransactionId> all;
    slabs_.each([&](Cell& cell) {
        const Locked locked{cell.lock};
        if (cell.in_use && cell.own && !cell.gone && !cell.has_final())
            all.push_back(cell.id());
    });
    for (const TransactionId id : all) {
        const Hold held{*this, find_held(id)};
        if (!held.cell)
            continue;
        const Turn turn{*this, *held.cell};
        Leg* leg = nullptr;
        {
            const Locked locked{held.cell->lock};
            leg = held.cell->saved ? held.cell->saved->last_leg : nullptr;
            if (!leg || held.cell->has_final())
                continue;
            leg->state = ClientState::terminated;
            leg->again_at = leg->out_at = leg->cancel_again_at = task::never;
        }
        end_own(*held.cell, *leg, 487, "Request Terminated");
    }
}

Result<Answer> Tm::ask(const Outgoing& request, Arena& arena)
{
    struct Waiting { // shared by the waiting fiber and the reply's
        task::Event done;
        int code = 0;
        std::string reason, message;
        net::Received from;
    };
    const auto waiting = std::make_shared<Waiting>();
    TRY(const auto id, send(request, [waiting](const Incoming& incoming) {
            if (incoming.code < 200 || waiting->code != 0)
                return;
            waiting->reason = incoming.reason;
            if (incoming.reply) {
                waiting->message = incoming.reply->message().buffer();
                waiting->from = incoming.reply->received();
            }
            waiting->code = incoming.code;
            waiting->done.signal();
        }));
    (void)id;
    if (!waiting->done.wait())
        return Error{ErrorKind::stopping, "the server stops"};
    return Answer{waiting->code, arena.copy(waiting->reason), arena.copy(waiting->message), waiting->from};
}

Result<void> Tm::send_once(const Outgoing& out)
{
    task::Fiber* const fiber = task::Fiber::current();
    Arena own;
    Arena& arena = fiber ? fiber->arena() : own;
    TRY(const std::string_view text, compose(out, arena));
    TRY(sip::Message* const message, sip::Message::parse(text, arena));
    net::Received received;
    Request& request = arena.make<Request>(host_, arena, *message, received, Route::local);
    if (out.method == "ACK" && host_.has_event_route("tm:local-ack-sent"))
        (void)host_.run_event_route("tm:local-ack-sent", request);
    Sprout& sprout = *new (arena.allocate(sizeof(Sprout), alignof(Sprout))) Sprout;
    sprout.uri = out.request_uri;
    sprout.dst_uri = out.next_hop;
    if (sprout.dst_uri.empty())
        if (const auto routes = message->routes(); !routes.empty())
            sprout.dst_uri = routes[0].uri;
    locate(request, {}, sprout);
    if (sprout.error != 0)
        return Error{ErrorKind::not_found,
                     format("no server for {}", sprout.dst_uri.empty() ? sprout.uri : sprout.dst_uri)};
    const net::Target& target = sprout.targets.front();
    const net::Listener* const from = out.socket && out.socket->protocol == target.protocol
                                          ? out.socket
                                          : host_.network().pick(target.protocol, target.to);
    if (!from)
        return Error{ErrorKind::not_found, "no socket can send there"};
    sip::ForwardParts parts;
    parts.via = via_line(request, *from, target.protocol, arena.concat("z9hG4bK", crypto::random_token(16)));
    const auto bytes = sip::forward_request(*message, request.edits(), parts, arena);
    TRYV(host_.network().send({target.protocol, target.to, from, out.connection, out.may_connect}, bytes));
    if (Trail* const trail = host_.trail())
        trail->note(Trail::Way::out, *message, {target.protocol, target.to});
    return {};
}

Result<void> Tm::cancel(TransactionId id, std::string_view headers)
{
    const Hold held{*this, find_held(id)};
    if (!held.cell || !held.cell->own || !held.cell->invite)
        return Error{ErrorKind::not_found, "there is no such INVITE"};
    Cell& cell = *held.cell;
    {
        const Locked locked{cell.lock};
        if (cell.has_final())
            return Error{ErrorKind::not_found, "the INVITE has had its final answer"};
        cell.cancelled = true;
    }
    cancel_legs(cell, headers, -1, false);
    return {};
}

} // namespace sipyard::tm
