// modules/tm/functions.cpp - the script's words: relaying, answering, looking up, arming routes
#include "modules/tm/tm.h"

#include "core/base/text.h"
#include "core/sip/build.h"
#include "core/sip/message.h"

#include <charconv>

namespace sipyard::tm {

namespace {

std::uint16_t port_of(const std::optional<std::int64_t>& port)
{
    return port && *port > 0 && *port < 65'536 ? static_cast<std::uint16_t>(*port) : std::uint16_t{0};
}

// "proto:host:port", each but the host optional; an IPv6 address has brackets.
bool read_proxy(std::string_view text, How& how)
{
    for (const auto& [name, protocol] : {std::pair{std::string_view{"udp:"}, net::Protocol::udp},
                                         std::pair{std::string_view{"tcp:"}, net::Protocol::tcp},
                                         std::pair{std::string_view{"tls:"}, net::Protocol::tls}}) {
        if (text.size() > name.size() && iequals(text.substr(0, name.size()), name)) {
            how.protocol = protocol;
            text.remove_prefix(name.size());
            break;
        }
    }
    const auto bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
    const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
    how.host = text.substr(0, colon);
    if (colon != std::string_view::npos) {
        const auto port = parse_int(text.substr(colon + 1));
        if (!port || *port <= 0 || *port > 65'535)
            return false;
        how.port = static_cast<std::uint16_t>(*port);
    }
    return !how.host.empty();
}

} // namespace

// --- relaying ------------------------------------------------------------------------------------

Verdict Tm::t_relay_addr(Request& r, std::string_view host, std::optional<std::int64_t> port)
{
    How how;
    how.host = host;
    how.port = port_of(port);
    how.protocol = r.received().protocol;
    return relay_how(r, how);
}

template <net::Protocol protocol>
Verdict Tm::t_relay_proto(Request& r, std::optional<std::string_view> host, std::optional<std::int64_t> port)
{
    How how;
    how.host = host.value_or("");
    how.port = port_of(port);
    how.protocol = protocol;
    return relay_how(r, how);
}
template Verdict Tm::t_relay_proto<net::Protocol::udp>(Request&, std::optional<std::string_view>,
                                                       std::optional<std::int64_t>);
template Verdict Tm::t_relay_proto<net::Protocol::tcp>(Request&, std::optional<std::string_view>,
                                                       std::optional<std::int64_t>);
template Verdict Tm::t_relay_proto<net::Protocol::tls>(Request&, std::optional<std::string_view>,
                                                       std::optional<std::int64_t>);

// t_relay_to(), (proxy), (flags), (proxy, flags). Flags: 1 no 100, 2 no reply on failure, 4 no failover.
Verdict Tm::t_relay_to(Request& r, std::optional<std::string_view> proxy,
                       std::optional<std::string_view> flags)
{
    How how;
    const auto number_of = [](std::string_view text) -> std::optional<std::int64_t> {
        text = trim(text);
        if (!text.starts_with("0x") && !text.starts_with("0X"))
            return parse_int(text);
        std::int64_t bits = 0;
        const auto [end, wrong] = std::from_chars(text.data() + 2, text.data() + text.size(), bits, 16);
        return wrong == std::errc{} && end == text.data() + text.size() ? std::optional{bits} : std::nullopt;
    };
    std::int64_t bits = 0;
    if (flags) {
        const auto number = number_of(*flags);
        if (!number) {
            log_.error("t_relay_to: '{}' are no flags", *flags);
            return Verdict::no();
        }
        bits = *number;
    }
    const auto alone = proxy && !flags ? number_of(*proxy) : std::nullopt;
    if (alone)
        bits = *alone;
    else if (proxy && !proxy->empty() && !read_proxy(*proxy, how)) {
        log_.error("t_relay_to: '{}' is no proto:host:port", *proxy);
        return Verdict::no();
    }
    if (!how.host.empty() && !how.protocol)
        how.protocol = r.received().protocol;
    how.no_100 = (bits & 1) != 0;
    how.no_reply = (bits & 2) != 0;
    how.no_failover = (bits & 4) != 0;
    return relay_how(r, how);
}

Verdict Tm::t_forward_nonack(Request& r, std::optional<std::string_view> host,
                             std::optional<std::int64_t> port)
{
    if (r.message().method() == sip::Method::ack)
        return Verdict::no();
    return host ? t_relay_addr(r, *host, port) : relay_how(r, {});
}

Verdict Tm::t_newtran(Request& r)
{
    const auto begun = begin(r);
    if (!begun) {
        if (begun.error().kind == ErrorKind::overloaded)
            (void)r.reply({503, "Service Unavailable", "Retry-After: 5\r\n", {}, {}});
        log_.info("t_newtran: {}", begun.error().text);
        return Verdict::no();
    }
    if (*begun == Begun::existing) {
        log_.info("t_newtran: the transaction exists already");
        return {-5}; // as Kamailio's E_SCRIPT class of errors: negative
    }
    state(r).owes_end = *begun == Begun::created && r.route() == Route::request;
    return *begun == Begun::absorbed ? Verdict::stop() : Verdict::yes();
}

Verdict Tm::t_replicate(Request& r, std::optional<std::string_view> uri, std::optional<std::int64_t> port)
{
    How how;
    how.replica = true;
    how.no_reply = true;
    if (uri && !uri->starts_with("sip:") && !uri->starts_with("sips:")) {
        how.host = *uri;
        how.port = port_of(port);
        how.protocol = r.received().protocol;
        return relay_how(r, how);
    }
    const std::string_view before = r.dst_uri();
    if (uri)
        r.set_dst_uri(*uri);
    const Verdict verdict = relay_how(r, how);
    r.set_dst_uri(before);
    State& s = state(r);
    s.ruri_used = false; // the request itself is still to be dealt with
    return verdict;
}

template <net::Protocol protocol>
Verdict Tm::t_replicate_proto(Request& r, std::string_view host, std::optional<std::int64_t> port)
{
    How how;
    how.host = host;
    how.port = port_of(port);
    how.protocol = protocol;
    how.replica = how.no_reply = true;
    const Verdict verdict = relay_how(r, how);
    state(r).ruri_used = false;
    return verdict;
}
template Verdict Tm::t_replicate_proto<net::Protocol::udp>(Request&, std::string_view,
                                                           std::optional<std::int64_t>);
template Verdict Tm::t_replicate_proto<net::Protocol::tcp>(Request&, std::string_view,
                                                           std::optional<std::int64_t>);
template Verdict Tm::t_replicate_proto<net::Protocol::tls>(Request&, std::string_view,
                                                           std::optional<std::int64_t>);

Verdict Tm::t_replicate_to(Request& r, std::string_view protocol, std::string_view host_port)
{
    How how;
    if (!read_proxy(r.arena().concat(protocol, ":", host_port), how) || !how.protocol) {
        log_.error("t_replicate_to: '{}', '{}' is no protocol and host:port", protocol, host_port);
        return Verdict::no();
    }
    how.replica = how.no_reply = true;
    const Verdict verdict = relay_how(r, how);
    state(r).ruri_used = false;
    return verdict;
}

// --- answering -----------------------------------------------------------------------------------

Verdict Tm::t_reply(Request& r, std::int64_t code, Literal reason)
{
    State& s = state(r);
    if (!s.cell) {
        log_.error("t_reply: there is no transaction yet (t_newtran)");
        return Verdict::no();
    }
    if (code < 100 || code > 699) {
        code = settings_.default_code;
        reason.text = settings_.default_reason;
    }
    // A reply route looks at the reply; the request it answers is kept with the transaction.
    Request* request = &r;
    if (r.message().is_reply()) {
        request = rebuild(*s.cell, r.arena(), Route::failure);
        if (!request)
            return Verdict::no();
    }
    std::string_view headers;
    if (code / 100 == 3) { // where else to try: the destination set
        if (r.ruri_changed())
            headers = r.arena().concat("Contact: <", r.ruri(), ">\r\n");
        for (const Branch& branch : r.branches())
            headers = r.arena().concat(headers, "Contact: <", branch.uri, ">\r\n");
    }
    const auto given = reply(*request, {static_cast<int>(code), reason.text, headers, {}, {}});
    if (!given) {
        log_.info("t_reply({}): {}", code, given.error().text);
        return Verdict::no();
    }
    return Verdict::yes();
}

Verdict Tm::t_send_reply(Request& r, std::int64_t code, std::string_view reason)
{
    State& s = state(r);
    if (!s.cell) {
        const Verdict made = t_newtran(r);
        if (made.code <= 0)
            return made;
    }
    return t_reply(r, code, {reason});
}

Verdict Tm::t_retransmit_reply(Request& r)
{
    State& s = state(r);
    const Hold found{*this, s.cell || !r.message().is_request() ? nullptr : match(r.message())};
    Cell* const cell = s.cell ? s.cell : found.cell;
    if (!cell)
        return Verdict::no();
    std::string_view bytes;
    net::Destination to;
    {
        const Locked locked{cell->lock};
        if (!cell->reply_size)
            return Verdict::no();
        bytes = r.arena().copy({cell->reply.data, cell->reply_size});
        to = cell->back;
    }
    return Verdict::of(host_.network().send(to, bytes).has_value());
}

// Nothing more will be done for it: the wait begins, replies or not.
Verdict Tm::t_release(Request& r)
{
    State& s = state(r);
    if (!s.cell)
        return Verdict::no();
    s.owes_end = false;
    Cell& cell = *s.cell;
    const Locked locked{cell.lock};
    if (!has_pending(cell))
        end_unanswered(cell);
    return Verdict::yes();
}

// Under its lock: it goes without an answer, as a script wants it, and waits for stragglers.
bool Tm::end_unanswered(Cell& cell)
{
    if (cell.has_final() || cell.suspended)
        return false;
    cell.state = cell.invite ? ServerState::confirmed : ServerState::completed;
    settle(cell);
    schedule(cell);
    return true;
}

// The script that made it is over. Nobody is left who could answer when it has no branch, no reply and nobody
// asked for its id: kept to the end of its lifetime it would only be in the way, as Kamailio has it too.
void Tm::end_unless_used(Cell& cell)
{
    bool ended = false;
    {
        const Locked locked{cell.lock};
        ended = cell.in_use && !cell.gone && cell.code <= 100 && cell.saved && !cell.saved->legs &&
                end_unanswered(cell);
    }
    if (ended)
        log_.warn("the script neither relayed nor answered nor released the transaction of the {}",
                  sip::to_text(cell.method));
}

// --- looking up ----------------------------------------------------------------------------------

Verdict Tm::t_lookup_request(Request& r)
{
    State& s = state(r);
    if (s.cell)
        return Verdict::yes();
    const Hold found{*this, match(r.message())};
    return Verdict::of(found.cell != nullptr);
}

Verdict Tm::t_lookup_cancel(Request& r, std::optional<std::int64_t> take_flags)
{
    if (r.message().method() != sip::Method::cancel)
        return Verdict::no();
    const Hold invite{*this, invite_of(r)};
    if (!invite.cell)
        return Verdict::no();
    if (take_flags.value_or(0) != 0) {
        const Locked locked{invite.cell->lock};
        if (invite.cell->saved)
            r.flags = invite.cell->saved->flags;
    }
    return Verdict::yes();
}

// 0 when the INVITE was there and its branches have their CANCELs, 1 when there is none.
Verdict Tm::t_relay_cancel(Request& r)
{
    if (r.message().method() != sip::Method::cancel)
        return Verdict::no();
    {
        const Hold invite{*this, invite_of(r)};
        if (!invite.cell)
            return Verdict::yes();
    }
    const Verdict done = relay_cancel(r, {});
    return done.code < 0 ? Verdict::no() : Verdict::stop();
}

Verdict Tm::t_is_retr_async_reply(Request& r)
{
    const State& s = state(r);
    if (!s.cell || !s.leg || !r.message().is_reply())
        return Verdict::no();
    const Locked locked{s.cell->lock};
    return Verdict::of(s.cell->suspended && s.leg->replied);
}

// --- arming routes -------------------------------------------------------------------------------

// "" and "0" disarm.
template <std::string_view Routes::*which>
Verdict Tm::t_on(Request& r, Literal name)
{
    State& s = state(r);
    const std::string_view text = name.text == "0" ? std::string_view{} : name.text;
    const bool of_branch = r.route() == Route::branch; // there it is the branch's own
    if (!s.cell || of_branch) {
        s.routes.*which = r.arena().copy(text);
        if (!of_branch || which != &Routes::failure)
            return Verdict::yes();
    }
    const Locked locked{s.cell->lock};
    if (s.cell->saved)
        s.cell->saved->routes.*which = s.cell->store.copy(blocks_, text);
    return Verdict::yes();
}
template Verdict Tm::t_on<&Routes::branch>(Request&, Literal);
template Verdict Tm::t_on<&Routes::failure>(Request&, Literal);
template Verdict Tm::t_on<&Routes::reply>(Request&, Literal);
template Verdict Tm::t_on<&Routes::branch_failure>(Request&, Literal);

Verdict Tm::t_is_set(Request& r, Literal what)
{
    State& s = state(r);
    Routes armed = s.routes;
    if (s.cell) {
        const Locked locked{s.cell->lock};
        if (s.cell->saved)
            armed = s.cell->saved->routes;
    }
    if (what.text == "branch_route")
        return Verdict::of(!armed.branch.empty());
    if (what.text == "failure_route")
        return Verdict::of(!armed.failure.empty());
    if (what.text == "onreply_route")
        return Verdict::of(!armed.reply.empty());
    log_.error("t_is_set: '{}' is none of branch_route, failure_route, onreply_route", what.text);
    return Verdict::no();
}

} // namespace sipyard::tm
