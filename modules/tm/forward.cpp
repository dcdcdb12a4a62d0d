// modules/tm/forward.cpp - t_relay: the destination set, branch routes, finding servers, building,
// publishing, sending
#include "modules/tm/tm.h"

#include "core/module/hop.h"
#include "core/module/via_params.h"
#include "core/net/udp_size.h"
#include "core/sip/build.h"
#include "core/sip/message.h"

namespace sipyard::tm {

namespace {

constexpr int bad_uri = 400, unreachable = 477, unresolvable = 478, server_error = 500;

std::string_view transport_text(net::Protocol protocol)
{
    return protocol == net::Protocol::udp ? "UDP" : protocol == net::Protocol::tcp ? "TCP" : "TLS";
}

// The first URI of a path: "<sip:a;lr>, <sip:b;lr>".
std::string_view first_of_path(std::string_view path)
{
    sip::NameAddr first;
    const auto end = path.find('>');
    const auto part =
        end == std::string_view::npos ? path.substr(0, path.find(',')) : path.substr(0, end + 1);
    return sip::read(part, first).empty() ? first.uri : std::string_view{};
}

struct Prior { // what branches change on the request in hand
    std::string_view ruri, dst_uri, path;
    bool ruri_changed;
    const net::Listener* socket;
    std::uint32_t branch_flags;
    Route route;
};

} // namespace

Verdict Tm::relay_how(Request& request, const How& how)
{
    const sip::Message& message = request.message();
    if (!message.is_request() || message.is_http()) {
        log_.error("t_relay: only SIP requests can be forwarded");
        return Verdict::no();
    }
    if (message.method() == sip::Method::ack)
        return relay_ack(request, how);
    if (how.host.empty() && !request.parsed_ruri()) {
        log_.info("t_relay: bad R-URI '{}'", request.ruri());
        request.last_error = bad_uri;
        return {-bad_uri};
    }
    State& s = state(request);
    if (!s.cell && message.method() == sip::Method::cancel && !how.replica)
        return relay_cancel(request, how);
    return relay_request(request, s, how);
}

Verdict Tm::relay_request(Request& request, State& s, const How& how)
{
    if (!s.cell) {
        const std::uint16_t before = s.wishes;
        if (how.no_100)
            s.wishes |= no_auto_100;
        const auto begun = begin(request);
        s.wishes = before;
        if (!begun) {
            request.last_error = 503;
            if (begun.error().kind == ErrorKind::overloaded && !how.no_reply)
                (void)request.reply({503, "Service Unavailable", "Retry-After: 5\r\n", {}, {}});
            return Verdict::no();
        }
        if (*begun == Begun::absorbed)
            return Verdict::stop();
    } else if (watcher_count_ != 0) {
        ask_watchers(request, *s.cell);
    }
    const int sent = fork(request, s, how);
    if (sent > 0) {
        request.branches().clear();
        return Verdict::yes();
    }
    return give_up(request, s, -sent, how);
}

// No branch is under way: the caller is told here, unless the script wants to do it (Kamailio's texts).
Verdict Tm::give_up(Request& request, State& s, int code, const How& how)
{
    Cell& cell = *s.cell;
    if (code == 0) // nobody to send to: for the script
        return Verdict::no();
    request.last_error = code;
    bool quiet = how.no_reply || how.replica || request.route() != Route::request;
    {
        const Locked locked{cell.lock};
        quiet = quiet || (cell.saved && cell.saved->wishes & no_internal_reply) || cell.has_final();
    }
    if (!quiet) {
        const std::string_view reason =
            code == unreachable    ? "Unfortunately error on sending to next hop occurred (477/TM)"
            : code == unresolvable ? "Unresolvable destination (478/TM)"
            : code == server_error ? "I'm terribly sorry, server error occurred (6/TM)"
                                   : std::string_view{};
        (void)reply(request, {code, reason, {}, {}, {}});
    }
    return {code == server_error ? -6 : -code};
}

// The current R-URI, unless an earlier t_relay has taken it, and the further branches.
std::span<Sprout> Tm::collect(Request& request, State& s)
{
    auto& branches = request.branches();
    Arena& arena = request.arena();
    auto* const all =
        static_cast<Sprout*>(arena.allocate(sizeof(Sprout) * (branches.size() + 1), alignof(Sprout)));
    std::size_t count = 0;
    const bool fresh =
        !s.ruri_used || request.ruri().data() != s.used_ruri || request.dst_uri().data() != s.used_dst;
    if (fresh) {
        auto& sprout = *new (all + count++) Sprout;
        sprout.uri = request.ruri();
        sprout.dst_uri = request.dst_uri();
        sprout.path = request.path();
        sprout.socket = request.forced_socket();
        sprout.flags = request.branch_flags;
    }
    s.ruri_used = true;
    s.used_ruri = request.ruri().data();
    s.used_dst = request.dst_uri().data();
    const auto most = static_cast<std::size_t>(std::max(host_.core().max_branches, 1));
    for (const Branch& branch : branches) {
        if (count == most)
            break;
        auto& sprout = *new (all + count++) Sprout;
        sprout.uri = branch.uri;
        sprout.dst_uri = branch.dst_uri;
        sprout.path = branch.path;
        sprout.ruid = branch.ruid;
        sprout.instance = branch.instance;
        sprout.socket = branch.socket ? branch.socket : request.forced_socket();
        sprout.flags = branch.flags;
        sprout.reg_id = branch.reg_id;
        sprout.q = branch.q;
    }
    return {all, count};
}

// Runs with the request showing the branch: its R-URI, destination, flags and edits of its own on top of the
// request's.
void Tm::run_branch_route(Request& request, State& s, Sprout& sprout, std::uint8_t branch)
{
    Cell& cell = *s.cell;
    const std::string_view name = cell.saved->routes.branch;
    sip::Edits& common = request.edits();
    sip::Edits* const own = &request.arena().make<sip::Edits>(common.copy(request.arena()));
    request.swap_edits(own);
    request.set_ruri(sprout.uri);
    request.set_dst_uri(sprout.dst_uri);
    request.set_path(sprout.path);
    request.force_socket(sprout.socket);
    request.branch_flags = sprout.flags;
    request.set_route(Route::branch);
    s.branch = branch;
    const auto before = s.routes;
    s.routes = {};
    const auto ran = host_.run_route(Route::branch, request.arena().copy(name), request);
    if (!ran)
        log_.info("branch_route[{}] is armed but not there", name);
    sprout.dropped = ran && request.dropped;
    request.dropped = false;
    sprout.uri = request.ruri();
    sprout.dst_uri = request.dst_uri();
    sprout.path = request.path();
    sprout.socket = request.forced_socket();
    sprout.flags = request.branch_flags;
    sprout.edits = own;
    sprout.routes = s.routes;
    s.routes = before;
    s.branch = -1;
    request.swap_edits(&common);
}

void Tm::locate(Request& request, const How& how, Sprout& sprout)
{
    net::Wanted wanted;
    sip::Uri uri;
    if (!how.host.empty()) {
        wanted.host = how.host;
        wanted.port = how.port;
        wanted.transport = how.protocol ? how.protocol : std::optional{request.received().protocol};
    } else {
        const std::string_view hop = !sprout.dst_uri.empty() ? sprout.dst_uri
                                     : !sprout.path.empty()  ? first_of_path(sprout.path)
                                                             : sprout.uri;
        if (!sip::read(hop, uri).empty() || uri.host.empty()) {
            log_.info("t_relay: bad next hop '{}'", hop);
            sprout.error = unresolvable;
            return;
        }
        wanted = net::wanted_of(uri);
        if (how.protocol)
            wanted.transport = how.protocol;
    }
    auto found = host_.locator().locate(wanted);
    if (!found) {
        log_.info("t_relay: {}: {}", wanted.host, found.error().text);
        sprout.error = unresolvable;
        return;
    }
    sprout.targets = *found;
}

std::string_view Tm::via_line(Request& request, const net::Listener& from, net::Protocol protocol,
                              std::string_view branch)
{
    const CoreSettings& core = host_.core();
    Arena& arena = request.arena();
    const std::string_view rport = request.add_local_rport ? ";rport" : "";
    const std::string_view wanted = via_params(request);
    const ViaFields fields = via_fields(request);
    const std::string_view host = fields.address.empty() ? request.advertised_host : fields.address;
    const std::uint16_t port = fields.port ? fields.port : request.advertised_port;
    if (!host.empty() || port != 0) {
        const std::string own = from.host();
        return arena.concat("Via: SIP/2.0/", transport_text(protocol), " ",
                            host.empty() ? std::string_view{own} : host, ":",
                            std::to_string(port ? port : from.port()), ";branch=", branch, rport, wanted);
    }
    // Most requests leave by few sockets: the first half of the line is kept.
    const std::string_view start = via_texts_.with([&](std::vector<std::string>& texts) -> std::string_view {
        if (texts.size() <= from.index)
            texts.resize(from.index + 1);
        std::string& text = texts[from.index];
        if (text.empty()) {
            const std::string shown = from.advertised_host.empty() && !core.advertised_address.empty()
                                          ? core.advertised_address
                                          : from.host();
            const std::uint16_t usual =
                from.advertised_port == 0 && core.advertised_port ? core.advertised_port : from.port();
            text = format("Via: SIP/2.0/{} {}:{};branch=", transport_text(from.protocol), shown, usual);
        }
        return text;
    });
    return arena.concat(start, branch, rport, wanted);
}

// Builds the message for one server. False, with the error in the sprout, when no socket can send there.
bool Tm::prepare(Request& request, Cell& cell, Sprout& sprout, const net::Target& target)
{
    const CoreSettings& core = host_.core();
    const net::UdpSize size_rule{static_cast<std::size_t>(std::max(core.udp_mtu, 0)),
                                 request.udp_mtu_proto ? request.udp_mtu_proto : core.udp_mtu_try_proto};
    net::Protocol protocol = target.protocol;
    char ip[64];
    for (int attempt = 0; attempt < 2; ++attempt) {
        const net::Listener* const from = sprout.socket && sprout.socket->protocol == protocol &&
                                                  sprout.socket->bound.family == target.to.family
                                              ? sprout.socket
                                              : host_.network().pick(protocol, target.to);
        if (!from) {
            if (attempt > 0)
                return true; // no socket for the larger transport: the datagram leaves as it is
            log_.info("t_relay: no socket to send {} to {}", net::to_text(protocol), target.to.text());
            sprout.error = unreachable;
            return false;
        }
        sprout.to = {protocol, target.to, from, {}, !request.forward_no_connect && !core.tcp_no_connect};
        const auto branch = print({cell.index, cell.generation, sprout.serial}, seed_, request.arena());
        sip::ForwardParts parts;
        parts.request_uri = sprout.uri;
        parts.via = via_line(request, *from, protocol, branch);
        if (!cell.own) {
            parts.source.address = request.received().source.ip_text(ip);
            parts.source.port = request.received().source.port;
            parts.source.force_rport = request.force_rport || core.force_rport;
        }
        parts.content_length = net::is_stream(protocol);
        sip::Edits* const edits = sprout.edits ? sprout.edits : &request.edits();
        sip::Edits* const before = request.swap_edits(edits);
        parts.hop = hop_of(request, *from);
        request.swap_edits(before);
        sprout.bytes = sip::forward_request(request.message(), *edits, parts, request.arena());
        const net::Protocol better = net::protocol_for(sprout.bytes.size(), protocol, size_rule);
        if (better == protocol)
            return true;
        protocol = better;
    }
    return true;
}

Leg* Tm::publish(Request& request, Cell& cell, Sprout& sprout, std::uint8_t branch, const How& how)
{
    Saved& saved = *cell.saved;
    const auto keep = [&](std::string_view text) { return cell.store.copy(blocks_, text); };
    Leg& leg = *cell.store.make<Leg>(blocks_);
    leg.sent = keep(sprout.bytes);
    leg.uri = sprout.uri == saved.ruri_shown ? saved.ruri_shown : keep(sprout.uri);
    leg.dst_uri = keep(sprout.dst_uri);
    leg.path = keep(sprout.path);
    leg.ruid = keep(sprout.ruid);
    leg.instance = keep(sprout.instance);
    leg.reply_route = sprout.routes.reply.empty() ? std::string_view{} : keep(sprout.routes.reply);
    leg.failure_route = sprout.routes.branch_failure.empty() ? saved.routes.branch_failure
                                                             : keep(sprout.routes.branch_failure);
    leg.to = sprout.to;
    const bool failover = host_.core().use_dns_failover && !how.no_failover && !(saved.wishes & no_failover);
    if (failover && sprout.targets.size() > 1) {
        leg.more_count = static_cast<std::uint8_t>(sprout.targets.size() - 1);
        auto* const more = reinterpret_cast<net::Target*>(
            cell.store.allocate(blocks_, leg.more_count * sizeof(net::Target)));
        std::copy(sprout.targets.begin() + 1, sprout.targets.end(), more);
        leg.more = more;
    }
    leg.flags = sprout.flags;
    leg.reg_id = sprout.reg_id;
    leg.q = static_cast<std::int16_t>(sprout.q);
    leg.serial = sprout.serial;
    leg.branch = branch;
    leg.round = cell.round;
    leg.forced_socket = sprout.socket;
    leg.replica = how.replica;
    leg.state = cell.invite ? ClientState::calling : ClientState::trying;
    const Instant at = now();
    leg.out_at = at + std::chrono::milliseconds{fr(cell)};
    if (!net::is_stream(leg.to.protocol)) {
        leg.again_ms = t1(cell);
        leg.again_at = at + std::chrono::milliseconds{leg.again_ms};
    }
    (saved.last_leg ? saved.last_leg->next : saved.legs) = &leg;
    saved.last_leg = &leg;
    (void)request;
    return &leg;
}

// New branches: which of the replies so far still count (failure_reply_mode, t_drop_replies).
void Tm::forget_replies(Cell& cell)
{
    if (!std::exchange(cell.failing, false))
        return; // not a serial step: a first set, or a branch that took the place of another
    char mode = std::exchange(cell.saved->drop_mode, '\0');
    if (mode == 0)
        mode = settings_.failure_reply_mode == 0 ? 'n' : settings_.failure_reply_mode == 2 ? 'l' : 'a';
    for (Leg* leg = cell.saved->legs; leg; leg = leg->next)
        if (leg->is_done() && leg->round < cell.round &&
            (mode == 'a' || (mode == 'l' && leg->round + 1 == cell.round)))
            leg->dropped = true;
}

int Tm::fork(Request& request, State& s, const How& how)
{
    Cell& cell = *s.cell;
    const bool in_request = request.route() != Route::failure && request.route() != Route::branch;
    const std::span<Sprout> sprouts = collect(request, s);
    if (sprouts.empty()) {
        log_.info("t_relay: no branches for forwarding");
        return 0;
    }
    bool armed = false;
    std::uint16_t serial = 0;
    std::uint8_t branch = 0;
    {
        const Locked locked{cell.lock};
        if (!cell.saved || cell.has_final() || cell.cancelled)
            return 0;
        Saved& saved = *cell.saved;
        if (in_request) { // later edits, flags and routes count too
            if (!saved.lumps_kept)
                save_edits(request, cell);
            save_flags(request, cell);
        }
        serial = cell.serials;
        cell.serials = static_cast<std::uint16_t>(cell.serials + sprouts.size());
        branch = cell.branches;
        ++cell.round;
        armed = !saved.routes.branch.empty();
    }
    const Prior before{request.ruri(),          request.dst_uri(),    request.path(), request.ruri_changed(),
                       request.forced_socket(), request.branch_flags, request.route()};
    const Turn turn{*this, cell, armed && !s.holds_turn};
    if (armed) {
        std::uint8_t number = branch;
        for (Sprout& sprout : sprouts) {
            run_branch_route(request, s, sprout, number);
            if (!sprout.dropped) // a dropped branch's number is the next one's
                ++number;
        }
        request.set_route(before.route);
        if (before.ruri_changed)
            request.set_ruri(before.ruri);
        else
            request.revert_ruri();
        request.set_dst_uri(before.dst_uri);
        request.set_path(before.path);
        request.force_socket(before.socket);
        request.branch_flags = before.branch_flags;
        s.used_ruri = request.ruri().data();
        s.used_dst = request.dst_uri().data();
    }
    int error = server_error; // all dropped
    for (Sprout& sprout : sprouts) {
        sprout.serial = serial++;
        if (sprout.dropped)
            continue;
        if (!sprout.path.empty()) {
            if (!sprout.edits)
                sprout.edits = &request.arena().make<sip::Edits>(request.edits().copy(request.arena()));
            sprout.edits->prepend_header(request.message(),
                                         request.arena().concat("Route: ", sprout.path, "\r\n"));
        }
        locate(request, how, sprout);
        if (sprout.error == 0)
            (void)prepare(request, cell, sprout, sprout.targets.front());
        if (sprout.error != 0)
            error = sprout.error;
    }
    bool too_late = false;
    {
        const Locked locked{cell.lock};
        too_late = !cell.saved || cell.has_final() || cell.cancelled;
        if (!too_late) {
            forget_replies(cell);
            if (armed)
                cell.saved->flags = request.flags, cell.saved->extended_flags = request.extended_flags;
            for (Sprout& sprout : sprouts) {
                if (sprout.dropped || sprout.error != 0)
                    continue;
                sprout.leg = publish(request, cell, sprout, branch++, how);
            }
            cell.branches = branch;
            schedule(cell);
        }
    }
    if (too_late)
        return 0;
    int sent = 0;
    for (Sprout& sprout : sprouts) {
        if (!sprout.leg)
            continue;
        const bool let_go = host_.run_onsend(request, sprout.to, sprout.bytes);
        if (let_go && send_leg(cell, *sprout.leg, sprout.bytes)) {
            ++sent;
        } else if (let_go && try_next(cell, *sprout.leg, request.arena())) {
            ++sent;
        } else if (let_go &&
                   settings_.failure_exec_mode) { // counts as a branch that failed, for the failure route
            ++sent;
            fail_later(cell, sprout.leg->serial);
        } else { // as if it had never been
            error = unreachable;
            const Locked locked{cell.lock};
            sprout.leg->state = ClientState::terminated;
            sprout.leg->superseded = true;
            sprout.leg->again_at = sprout.leg->out_at = task::never;
        }
    }
    if (sent == 0)
        return -error;
    if (wants(cell, Moment::branch_sent))
        for (Sprout& sprout : sprouts)
            if (sprout.leg)
                tell(cell, Moment::branch_sent, &request, nullptr, 0, {}, sprout.leg->branch, {}, &sprout.to);
    return sent;
}

bool Tm::send_leg(Cell& cell, Leg& leg, std::string_view bytes)
{
    if (const auto sent = host_.network().send(leg.to, bytes); !sent) {
        log_.info("{} to {}:{}: {}", name_of(cell.method), net::to_text(leg.to.protocol), leg.to.to.text(),
                  sent.error().text);
        host_.locator().failed({leg.to.protocol, leg.to.to});
        return false;
    }
    if (Trail* const trail = host_.trail())
        trail->note(Trail::Way::out, cell.saved->call_id, cell.method, cell.cseq, 0,
                    {leg.to.protocol, leg.to.to});
    return true;
}

// The next server of the list gets the same message with another Via: a new client transaction, the same
// branch for the script (RFC 3263 4.3).
bool Tm::try_next(Cell& cell, Leg& leg, Arena& arena)
{
    for (const Leg* from = &leg; from->more_count > 0;) {
        const net::Target target = from->more[0];
        const net::Listener* const socket = from->forced_socket &&
                                                    from->forced_socket->protocol == target.protocol &&
                                                    from->forced_socket->bound.family == target.to.family
                                                ? from->forced_socket
                                                : host_.network().pick(target.protocol, target.to);
        auto parsed = sip::Message::parse(from->sent, arena);
        if (!parsed || !(*parsed)->top_via())
            return false;
        const sip::Message& message = **parsed;
        Leg* fresh = nullptr;
        std::string_view bytes;
        {
            const Locked locked{cell.lock};
            if (!cell.saved || cell.has_final() || cell.cancelled)
                return false;
            fresh = cell.store.make<Leg>(blocks_);
            *fresh = *from;
            fresh->next = nullptr;
            fresh->reply = {};
            fresh->reply_size = 0;
            fresh->more = from->more + 1;
            fresh->more_count = static_cast<std::uint8_t>(from->more_count - 1);
            fresh->serial = cell.serials++;
            fresh->code = 0;
            fresh->faked = fresh->replied = fresh->superseded = fresh->timed_out = false;
            fresh->state = cell.invite ? ClientState::calling : ClientState::trying;
            fresh->cancelling = Cancelling::no;
            fresh->again_at = fresh->out_at = fresh->cancel_again_at = task::never;
        }
        if (socket) {
            const auto branch = print({cell.index, cell.generation, fresh->serial}, seed_, arena);
            const std::string own = socket->host();
            sip::Edits edits{arena};
            edits.replace(message, message.top_via()->whole,
                          arena.concat("SIP/2.0/", transport_text(target.protocol), " ", own, ":",
                                       std::to_string(socket->port()), ";branch=", branch,
                                       message.top_via()->has_rport ? ";rport" : ""));
            bytes = sip::apply(message, edits, arena);
        }
        {
            const Locked locked{cell.lock};
            if (!cell.saved)
                return false;
            leg.superseded = true;
            leg.again_at = leg.out_at = task::never;
            fresh->sent = cell.store.copy(blocks_, bytes);
            fresh->to = {target.protocol, target.to, socket, {}, leg.to.may_connect};
            const Instant at = now();
            fresh->superseded = !socket;
            if (socket) {
                fresh->out_at = at + std::chrono::milliseconds{fr(cell)};
                if (!net::is_stream(target.protocol)) {
                    fresh->again_ms = t1(cell);
                    fresh->again_at = at + std::chrono::milliseconds{fresh->again_ms};
                }
            }
            cell.saved->last_leg->next = fresh;
            cell.saved->last_leg = fresh;
            schedule(cell);
        }
        if (socket && send_leg(cell, *fresh, bytes))
            return true;
        const Locked locked{cell.lock};
        fresh->superseded = true;
        fresh->again_at = fresh->out_at = task::never;
        from = fresh;
    }
    return false;
}

// An ACK to a 2xx is between the user agents: it passes without a transaction (RFC 3261 16.11, 17.1.1.3). One
// to a negative reply ends here.
Verdict Tm::relay_ack(Request& request, const How& how)
{
    {
        const Hold invite{*this, invite_of(request)};
        if (invite.cell) {
            if (absorb(request, *invite.cell) == Begun::absorbed)
                return Verdict::stop();
            if (wants(*invite.cell, Moment::ack_in))
                tell(*invite.cell, Moment::ack_in, nullptr, &request, 0, {}, -1);
        }
    }
    Sprout sprout;
    sprout.uri = request.ruri();
    sprout.dst_uri = request.dst_uri();
    sprout.path = request.path();
    sprout.socket = request.forced_socket();
    locate(request, how, sprout);
    if (sprout.error != 0) {
        request.last_error = sprout.error;
        return {-sprout.error};
    }
    const net::Target& target = sprout.targets.front();
    const net::Listener* const from = sprout.socket && sprout.socket->protocol == target.protocol
                                          ? sprout.socket
                                          : host_.network().pick(target.protocol, target.to);
    if (!from) {
        request.last_error = unreachable;
        return {-unreachable};
    }
    char ip[64];
    sip::ForwardParts parts;
    parts.request_uri = sprout.uri;
    const std::uint64_t salts[] = {seed_.a};
    parts.via = via_line(request, *from, target.protocol,
                         sip::stateless_branch(request.message(),
                                               {reinterpret_cast<const char*>(salts), sizeof salts},
                                               request.arena()));
    parts.source = {request.received().source.ip_text(ip), request.received().source.port,
                    request.force_rport, false};
    parts.content_length = net::is_stream(target.protocol);
    parts.hop = hop_of(request, *from);
    const auto bytes = sip::forward_request(request.message(), request.edits(), parts, request.arena());
    const net::Destination to{
        target.protocol, target.to, from, {}, !request.forward_no_connect && !host_.core().tcp_no_connect};
    if (!host_.run_onsend(request, to, bytes) || !host_.network().send(to, bytes)) {
        request.last_error = unreachable;
        return {-unreachable};
    }
    if (Trail* const trail = host_.trail())
        trail->note(Trail::Way::out, request.message(), {to.protocol, to.to});
    return Verdict::yes();
}

} // namespace sipyard::tm
