// modules/tm/cancel.cpp - the caller's CANCEL, and ours to branches that are not wanted any more (RFC 3261
// 9, 16.10)
#include "modules/tm/tm.h"

#include "core/sip/build.h"
#include "core/sip/message.h"

namespace sipyard::tm {

std::string_view Tm::reason_for(int code, Arena& arena) const
{
    if (!settings_.local_cancel_reason)
        return {};
    return arena.concat("Reason: SIP;cause=", std::to_string(code),
                        code == 200 ? ";text=\"Call completed elsewhere\"\r\n" : "\r\n");
}

Verdict Tm::relay_cancel(Request& request, const How& how)
{
    const sip::Message& message = request.message();
    {
        const Hold own{*this, match(message)};
        if (own.cell && own.cell->method == sip::Method::cancel &&
            absorb(request, *own.cell) == Begun::absorbed)
            return Verdict::stop();
    }
    const Hold invite{*this, invite_of(request)};
    State& s = state(request);
    if (!invite.cell) {
        if (settings_.unmatched_cancel == 2)
            return Verdict::stop();
        return settings_.unmatched_cancel == 1 ? relay_ack(request, how) : relay_request(request, s, how);
    }
    Cell& cell = *invite.cell;
    const auto begun = begin(request);
    if (begun && *begun == Begun::absorbed)
        return Verdict::stop();
    if (wants(cell, Moment::cancel_in))
        tell(cell, Moment::cancel_in, nullptr, &request, 0, {}, -1);
    std::string_view headers;
    bool pending = false, open = false, with_reason = settings_.e2e_cancel_reason != 0;
    {
        const Locked locked{cell.lock};
        open = !cell.has_final();
        pending = has_pending(cell);
        if (open)
            cell.cancelled = true;
        if (cell.saved && cell.saved->wishes & no_e2e_reason)
            with_reason = false;
    }
    if (with_reason)
        for (const auto* header = message.first(sip::HeaderName::reason); header;
             header = message.next(*header))
            headers = request.arena().concat(headers, "Reason: ", header->value, "\r\n");
    if (!settings_.ac_extra_hdrs.empty())
        for (const auto& header : message.headers())
            if (header.name.size() >= settings_.ac_extra_hdrs.size() &&
                iequals(header.name.substr(0, settings_.ac_extra_hdrs.size()), settings_.ac_extra_hdrs))
                headers = request.arena().concat(headers, header.name, ": ", header.value, "\r\n");
    (void)request.reply({200, open && pending ? "canceling" : "ok -- no more pending branches", {}, {}, {}});
    if (!open)
        return Verdict::yes();
    cancel_legs(cell, headers, -1, true);
    // Branches that had not been answered count as 487; when there is nothing else to wait for, the caller
    // has his answer.
    const Turn turn{*this, cell};
    bool done = false, bare = false;
    {
        const Locked locked{cell.lock};
        done = !cell.has_final() && !has_pending(cell);
        bare = done && cell.saved && !cell.saved->legs;
    }
    if (bare) {
        if (Request* const rebuilt = rebuild(cell, request.arena(), Route::failure))
            (void)give(cell, *rebuilt, {487, "Request Terminated", {}, {}, {}});
    } else if (done) {
        finish(cell, nullptr, {nullptr, 487, "Request Terminated", true}, request.arena());
    }
    const Locked locked{cell.lock};
    settle(cell);
    schedule(cell);
    return Verdict::yes();
}

// Every branch still at work but one. With `give_487` a branch that said nothing yet counts as answered with
// 487 at once; should it ring after all, it gets its CANCEL then.
void Tm::cancel_legs(Cell& cell, std::string_view headers, int except_branch, bool give_487)
{
    task::Fiber* const fiber = task::Fiber::current();
    Arena own;
    Arena& arena = fiber ? fiber->arena() : own;
    Leg* ringing[32];
    std::size_t count = 0;
    {
        const Locked locked{cell.lock};
        for (Leg* leg = cell.saved ? cell.saved->legs : nullptr; leg && cell.invite; leg = leg->next) {
            if (!leg->is_pending() || leg->branch == except_branch || leg->cancelling != Cancelling::no ||
                leg->replica)
                continue;
            if (leg->code >= 100 || settings_.cancel_b_method == 2) {
                if (count < std::size(ringing))
                    ringing[count++] = leg;
                continue;
            }
            leg->cancelling = Cancelling::with_first_reply;
            leg->cancel_headers = cell.store.copy(blocks_, headers);
            if (settings_.cancel_b_method == 0)
                leg->again_at = task::never;
            if (give_487) {
                leg->state = ClientState::terminated;
                leg->code = 487;
                leg->faked = true;
            }
        }
        schedule(cell);
    }
    for (std::size_t i = 0; i < count; ++i)
        send_cancel(cell, *ringing[i], headers, arena);
}

void Tm::send_cancel(Cell& cell, Leg& leg, std::string_view headers, Arena& arena)
{
    const auto sent = sip::Message::parse(leg.sent, arena);
    if (!sent)
        return;
    const auto bytes = sip::build_cancel(**sent, headers, arena);
    net::Destination to;
    {
        const Locked locked{cell.lock};
        if (!cell.saved || leg.cancelling == Cancelling::sent || leg.state == ClientState::accepted ||
            leg.state == ClientState::completed)
            return;
        leg.cancelling = Cancelling::sent;
        leg.cancel = cell.store.copy(blocks_, bytes);
        to = leg.to;
        const Instant at = now();
        leg.again_at = task::never;
        leg.out_at =
            std::min(leg.out_at,
                     at + std::chrono::milliseconds{fr(cell)}); // RFC 3261 9.1: no final answer ends it too
        if (!net::is_stream(to.protocol)) {
            leg.cancel_ms = t1(cell);
            leg.cancel_again_at = at + std::chrono::milliseconds{leg.cancel_ms};
        }
        schedule(cell);
    }
    (void)host_.network().send(to, bytes);
    if (Trail* const trail = host_.trail())
        trail->note(Trail::Way::out, cell.saved->call_id, sip::Method::cancel, cell.cseq, 0,
                    {to.protocol, to.to});
}

bool Tm::cancel_branches(Request& request, Which which)
{
    const State* const s = request.find(slot_);
    if (!s || !s->cell || !s->cell->invite)
        return false;
    Cell& cell = *s->cell;
    const auto reason = reason_for(s->reply_code ? s->reply_code : 487, request.arena());
    if (which == Which::current) {
        if (!s->leg)
            return false;
        send_cancel(cell, *s->leg, reason, request.arena());
        return true;
    }
    cancel_legs(cell, reason, which == Which::others ? s->branch : -1, false);
    if (which == Which::all) {
        const Locked locked{cell.lock};
        cell.cancelled = true;
    }
    return true;
}

Result<void> Tm::cancel_call(std::string_view call_id, std::uint32_t cseq, std::string_view headers)
{
    const Hold held{*this, find_call(call_id, cseq)};
    if (!held.cell)
        return Error{ErrorKind::not_found, format("no INVITE with Call-ID {} and CSeq {}", call_id, cseq)};
    Cell& cell = *held.cell;
    if (cell.own)
        return cancel(cell.id(), headers);
    {
        const Locked locked{cell.lock};
        if (!cell.has_final())
            cell.cancelled = true;
    }
    cancel_legs(cell, headers, -1, true);
    const Turn turn{*this, cell};
    bool done = false;
    {
        const Locked locked{cell.lock};
        done = !cell.has_final() && !has_pending(cell);
    }
    task::Fiber* const fiber = task::Fiber::current();
    Arena own;
    if (done)
        finish(cell, nullptr, {nullptr, 487, "Request Terminated", true}, fiber ? fiber->arena() : own);
    const Locked locked{cell.lock};
    settle(cell);
    schedule(cell);
    return {};
}

Result<void> Tm::reply_call(std::string_view call_id, std::uint32_t cseq, int code, std::string_view reason)
{
    const Hold held{*this, find_call(call_id, cseq)};
    if (!held.cell)
        return Error{ErrorKind::not_found, format("no INVITE with Call-ID {} and CSeq {}", call_id, cseq)};
    return reply(held.cell->id(), {code, reason, {}, {}, {}});
}

} // namespace sipyard::tm
