// modules/tm/replies.cpp - what branches answer: matching, routes, and what goes up (RFC 3261 16.7, 17.1)
#include "modules/tm/tm.h"

#include "core/sip/build.h"
#include "core/sip/message.h"

#include <span>

namespace sipyard::tm {

bool Tm::take_reply(Request& reply)
{
    const sip::Message& message = reply.message();
    const sip::Via* const via = message.top_via();
    const auto ticket = via ? read_ticket(via->branch, seed_) : std::nullopt;
    const Hold held{*this, ticket ? find_held({ticket->index, ticket->generation}) : nullptr};
    if (!held.cell) {
        if (settings_.on_sl_reply.empty())
            return false;
        const auto ran = host_.run_route(Route::tm_reply, settings_.on_sl_reply, reply);
        return ran && (reply.dropped || ran->code == 0);
    }
    Cell& cell = *held.cell;
    count_.rpl_received.add();
    const sip::CSeq* const cseq = message.cseq();
    const int code = message.status();
    Leg* leg = nullptr;
    ClientDo what = ClientDo::nothing;
    bool late = false, cancel_now = false;
    {
        const Locked locked{cell.lock};
        leg = leg_by_serial(cell, ticket->serial);
        if (!cseq || (cseq->method != cell.method && cseq->method != sip::Method::cancel)) {
            leg = nullptr;
        } else if (cseq->method == sip::Method::cancel && cell.method != sip::Method::cancel) {
            if (leg) // our CANCEL arrived; the answer to the INVITE is what counts
                leg->cancel_again_at = task::never;
            leg = nullptr;
        } else if (!leg) {
            late = cell.invite && code / 100 == 2 && !cell.own && ticket->serial < cell.serials;
        } else {
            const ClientEvent event = code < 200   ? ClientEvent::got_1xx
                                      : code < 300 ? ClientEvent::got_2xx
                                                   : ClientEvent::got_negative;
            const ClientStep next = step(leg->state, event, cell.invite);
            cancel_now = code < 200 && leg->cancelling == Cancelling::with_first_reply;
            what = next.what;
            if (leg->state == ClientState::terminated && code >= 200)
                leg->cancelling = Cancelling::no;
            leg->state = next.next;
            const Instant at = now();
            if (code < 200) {
                if (what == ClientDo::pass) {
                    if (cell.invite) {
                        leg->again_at = task::never;
                        const bool first = leg->code == 0, risen = code >= 180 && code > leg->code;
                        const bool given_up =
                            leg->cancelling == Cancelling::sent; // RFC 3261 9.1: its time is running out
                        if (!given_up && (first || risen || settings_.restart_fr_on_each_reply))
                            leg->out_at = at + std::chrono::milliseconds{fr_inv(cell)};
                    } else if (leg->again_at != task::never) {
                        leg->again_ms = t2(cell); // RFC 3261 17.1.2.2
                    }
                }
            } else {
                leg->again_at = leg->out_at = leg->cancel_again_at = task::never;
            }
            leg->in_hand = what == ClientDo::pass_and_ack || (what == ClientDo::pass && code >= 300);
            if (what == ClientDo::pass || what == ClientDo::pass_and_ack)
                leg->code = static_cast<std::uint16_t>(code);
        }
    }
    if (late) {
        pass_late(cell, reply);
        return true;
    }
    if (!leg) {
        count_.rpl_absorbed.add();
        return true;
    }
    if (cancel_now)
        send_cancel(cell, *leg, leg->cancel_headers, reply.arena());
    if (what == ClientDo::ack_again || what == ClientDo::pass_and_ack)
        send_ack(cell, *leg, reply);
    if (what == ClientDo::pass || what == ClientDo::pass_and_ack)
        handle_reply(cell, *leg, reply, what);
    else
        count_.rpl_absorbed.add();
    const Locked locked{cell.lock};
    leg->in_hand = false;
    settle(cell);
    schedule(cell);
    return true;
}

void Tm::handle_reply(Cell& cell, Leg& leg, Request& reply, ClientDo)
{
    const sip::Message& message = reply.message();
    const int code = message.status();
    const Coming coming{&reply, code, message.reason(), false};
    attach(reply, cell);
    State& s = state(reply);
    s.leg = &leg;
    s.branch = leg.branch;
    s.reply_code = code;
    s.reply_reason = message.reason();
    s.reply_ruid = leg.ruid;
    s.reply_final = code >= 200;
    bool armed = code >= 300 || cell.own;
    {
        const Locked locked{cell.lock};
        armed = armed || !cell.saved->routes.reply.empty() || !leg.reply_route.empty();
        s.last_reply = code < 200 ? !has_pending(cell) : true;
        for (const Leg* other = cell.saved->legs; other; other = other->next)
            if (other != &leg && (other->is_pending() || other->in_hand))
                s.last_reply = false;
    }
    const Turn turn{*this, cell, armed};
    s.holds_turn = armed;
    if (wants(cell, Moment::reply_in))
        tell(cell, Moment::reply_in, nullptr, &reply, code, message.reason(), leg.branch, message.to_tag());
    if (cell.own) {
        own_reply(cell, leg, coming);
        return;
    }
    if (leg.replica) {
        count_.rpl_absorbed.add();
        return;
    }
    if (!run_reply_route(cell, leg, reply) && code < 200)
        return;
    leg_answered(cell, leg, coming, reply.arena());
    if (code < 200) {
        const Locked locked{cell.lock};
        leg.replied = true;
    }
}

// onreply_route[X], of the transaction and of the branch. False: the script dropped it.
bool Tm::run_reply_route(Cell& cell, Leg& leg, Request& reply)
{
    std::string_view names[2];
    {
        const Locked locked{cell.lock};
        names[0] = cell.saved->routes.reply;
        names[1] = leg.reply_route;
    }
    if (names[0].empty() && names[1].empty())
        return true;
    fill(reply, cell, &leg);
    reply.set_route(Route::tm_reply);
    bool kept = true;
    for (const std::string_view name : names) {
        if (name.empty() || !kept)
            continue;
        const auto ran = host_.run_route(Route::tm_reply, name, reply);
        if (!ran) {
            log_.info("onreply_route[{}] is armed but not there", name);
            continue;
        }
        kept = !reply.dropped;
        reply.dropped = false;
    }
    const Locked locked{cell.lock};
    if (cell.saved) {
        cell.saved->flags = reply.flags;
        cell.saved->extended_flags = reply.extended_flags;
    }
    leg.flags = reply.branch_flags;
    return kept;
}

void Tm::leg_answered(Cell& cell, Leg& leg, const Coming& coming, Arena& arena)
{
    const int code = coming.code;
    if (code < 200) {
        if (code > 100 || settings_.relay_100)
            pass_up(cell, coming, &leg, arena);
        return;
    }
    if (code < 300) {
        pass_up(cell, coming, &leg, arena);
        if (cell.invite)
            cancel_legs(cell, reason_for(code, arena), leg.branch, false);
        return;
    }
    bool sixth_wins = settings_.disable_6xx_block == 0;
    {
        const Locked locked{cell.lock};
        if (cell.has_final() || !cell.saved)
            return;
        if (cell.saved->wishes & no_6xx)
            sixth_wins = false;
        else if (cell.saved->wishes & with_6xx)
            sixth_wins = true;
    }
    // 503 means this server cannot: the next one of the list may (RFC 3263 4.3).
    if (code == 503 && leg.more_count > 0 && !leg.superseded && try_next(cell, leg, arena))
        return;
    if (code == 503 && settings_.blst_503 && !coming.faked)
        host_.locator().failed({leg.to.protocol, leg.to.to});
    if (code >= 600 && sixth_wins)
        cancel_legs(cell, reason_for(code, arena), leg.branch, true);
    if (!leg.failure_route.empty())
        run_branch_failure(cell, leg, coming, arena);
    {
        const Locked locked{cell.lock};
        leg.in_hand = false;
        if (coming.request && !leg.reply &&
            cell.saved->legs->next) { // it may be the best one in the end, or its challenge count
            const auto text = coming.request->message().buffer();
            leg.reply = blocks_.get(text.size());
            leg.reply_size = static_cast<std::uint32_t>(text.size());
            std::memcpy(leg.reply.data, text.data(), text.size());
        }
        if (has_pending(cell))
            return;
    }
    finish(cell, &leg, coming, arena);
}

Leg* Tm::best_leg(Cell& cell)
{
    Saved& saved = *cell.saved;
    const ChoiceRules rules{settings_.faked_reply_prio, saved.wishes & no_6xx ? false
                                                        : saved.wishes & with_6xx
                                                            ? true
                                                            : settings_.disable_6xx_block == 0};
    Leg* best = nullptr;
    int rank = 0;
    for (Leg* leg = saved.legs; leg; leg = leg->next) {
        if (leg->superseded || leg->dropped || leg->replica || leg->code < 200)
            continue;
        const int its = rank_of({leg->code, leg->faked}, rules);
        if (!best || its < rank) {
            best = leg;
            rank = its;
        }
    }
    return best;
}

// All branches have failed: the failure route may go on, else the best reply goes up.
void Tm::finish(Cell& cell, Leg* last, const Coming& coming, Arena& arena)
{
    Leg* best = nullptr;
    std::string_view stored, route;
    {
        const Locked locked{cell.lock};
        if (cell.has_final() || cell.failing || !cell.saved)
            return;
        cell.failing = true;
        best = best_leg(cell);
        route = std::exchange(cell.saved->routes.failure, {}); // to be armed again by who wants it again
        if (best && best != last && best->reply)
            stored = arena.copy({best->reply.data, best->reply_size});
    }
    Coming chosen = coming;
    if (best && best != last) {
        chosen = {nullptr, best->code, sip::default_reason(best->code), true};
        if (!stored.empty()) {
            if (auto parsed = sip::Message::parse(stored, arena)) {
                Request& reply = arena.make<Request>(host_, arena, **parsed, cell.received, Route::tm_reply);
                attach(reply, cell);
                chosen = {&reply, (*parsed)->status(), (*parsed)->reason(), false};
            }
        }
    }
    Leg* const leg = best ? best : last;
    if (wants(cell, Moment::failure))
        tell(cell, Moment::failure, nullptr, chosen.request, chosen.code, chosen.reason,
             leg ? leg->branch : -1);
    if (!route.empty() && run_failure_route(cell, route, leg, chosen, arena))
        return;
    pass_up(cell, chosen, leg, arena);
}

// True: the route has replied, or new branches are at work.
bool Tm::run_failure_route(Cell& cell, std::string_view route, Leg* leg, const Coming& coming, Arena& arena)
{
    Request* const request = rebuild(cell, arena, Route::failure);
    if (!request)
        return false;
    State& s = state(*request);
    s.leg = leg;
    s.branch = leg ? leg->branch : -1;
    s.reply_code = coming.code;
    s.reply_reason = coming.reason;
    s.reply_ruid = leg ? leg->ruid : std::string_view{};
    s.reply = coming.request;
    s.reply_faked = coming.faked;
    s.reply_final = true;
    s.last_reply = true;
    s.holds_turn = true;
    s.ruri_used = true; // it has been sent to already
    s.used_ruri = request->ruri().data();
    s.used_dst = request->dst_uri().data();
    if (leg)
        request->branch_flags = leg->flags;
    const auto ran = host_.run_route(Route::failure, route, *request);
    if (!ran) {
        log_.info("failure_route[{}] is armed but not there", route);
        return false;
    }
    const Locked locked{cell.lock};
    if (cell.saved) {
        cell.saved->flags = request->flags;
        cell.saved->extended_flags = request->extended_flags;
    }
    return cell.has_final() || cell.waiting || cell.suspended || has_pending(cell);
}

// event_route[tm:branch-failure:NAME]: a branch of its own may follow before the others are done.
void Tm::run_branch_failure(Cell& cell, Leg& leg, const Coming& coming, Arena& arena)
{
    const std::string name = "tm:branch-failure:" + std::string{leg.failure_route};
    if (!host_.has_event_route(name))
        return;
    Request* const request = rebuild(cell, arena, Route::failure);
    if (!request)
        return;
    State& s = state(*request);
    s.leg = &leg;
    s.branch = leg.branch;
    s.reply_code = coming.code;
    s.reply_reason = coming.reason;
    s.reply_ruid = leg.ruid;
    s.reply = coming.request;
    s.reply_faked = coming.faked;
    s.reply_final = true;
    s.holds_turn = true;
    s.ruri_used = true;
    s.used_ruri = request->ruri().data();
    s.used_dst = request->dst_uri().data();
    request->branch_flags = leg.flags;
    (void)host_.run_event_route(name, *request);
    const Locked locked{cell.lock};
    if (cell.saved) {
        cell.saved->flags = request->flags;
        cell.saved->extended_flags = request->extended_flags;
    }
}

// Every challenge goes up with the chosen one, so that the caller can answer them all at once (RFC 3261 16.7
// step 7).
void Tm::add_challenges(Cell& cell, const Leg* chosen, Request& reply)
{
    Arena& arena = reply.arena();
    std::string_view texts[32];
    std::size_t count = 0;
    {
        const Locked locked{cell.lock};
        for (const Leg* leg = cell.saved ? cell.saved->legs : nullptr; leg && count < std::size(texts);
             leg = leg->next)
            if (leg != chosen && !leg->superseded && !leg->dropped &&
                (leg->code == 401 || leg->code == 407) && leg->reply)
                texts[count++] = arena.copy({leg->reply.data, leg->reply_size});
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto other = sip::Message::parse(texts[i], arena);
        if (!other)
            continue;
        for (const auto name : {sip::HeaderName::www_authenticate, sip::HeaderName::proxy_authenticate})
            for (const auto* header = (*other)->first(name); header; header = (*other)->next(*header))
                reply.edits().append_header(reply.message(),
                                            arena.concat(header->name, ": ", header->value, "\r\n"));
    }
}

void Tm::pass_up(Cell& cell, const Coming& coming, Leg* leg, Arena& arena)
{
    const int code = coming.code == 503 && settings_.remap_503_500 ? 500 : coming.code;
    if (!coming.request) {
        if (Request* const request = rebuild(cell, arena, Route::failure))
            (void)give(cell, *request, {code, coming.reason, {}, {}, {}});
        return;
    }
    Request& reply = *coming.request;
    if (!claim(cell, code)) {
        count_.rpl_absorbed.add();
        return;
    }
    const sip::Message& message = reply.message();
    if (code != coming.code) // 503 would make the caller avoid this server (RFC 3261 16.7 step 6)
        reply.edits().replace(message, message.start_line().substr(message.version().size() + 1, 3), "500");
    if ((code == 401 || code == 407) && settings_.aggregate_challenges)
        add_challenges(cell, leg, reply);
    sip::ForwardReplyParts parts;
    parts.content_length = cell.is_reliable();
    const std::string_view bytes = sip::forward_reply(message, reply.edits(), parts, arena);
    count_.rpl_relayed.add();
    if (wants(cell, Moment::reply_next))
        tell(cell, Moment::reply_next, nullptr, &reply, code, message.reason(), leg ? leg->branch : -1,
             message.to_tag());
    send_up(cell, code, bytes, !(cell.invite && code / 100 == 2));
    if (wants(cell, Moment::reply_out))
        tell(cell, Moment::reply_out, nullptr, &reply, code, message.reason(), leg ? leg->branch : -1,
             message.to_tag());
    if (code >= 200)
        log_end(cell, code);
}

// A 2xx to an INVITE whose branches are forgotten already: it passes (RFC 6026 7.1).
void Tm::pass_late(Cell& cell, Request& reply)
{
    if (!claim(cell, reply.message().status()))
        return;
    sip::ForwardReplyParts parts;
    parts.content_length = cell.is_reliable();
    send_up(cell, reply.message().status(),
            sip::forward_reply(reply.message(), reply.edits(), parts, reply.arena()), false);
    count_.rpl_relayed.add();
}

// The ACK to a negative reply is ours, hop by hop (RFC 3261 17.1.1.3).
void Tm::send_ack(Cell& cell, Leg& leg, Request& reply)
{
    const auto sent = sip::Message::parse(leg.sent, reply.arena());
    if (!sent)
        return;
    const auto bytes = sip::build_ack(**sent, reply.message(), reply.arena());
    (void)host_.network().send(leg.to, bytes);
    if (Trail* const trail = host_.trail())
        trail->note(Trail::Way::out, reply.message().call_id(), sip::Method::ack, cell.cseq, 0,
                    {leg.to.protocol, leg.to.to});
}

} // namespace sipyard::tm
