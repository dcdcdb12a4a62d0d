// modules/tm/timers.cpp - one wheel node per transaction for all its timers; the wait for stragglers; the end
#include "modules/tm/tm.h"

#include "core/sip/build.h"

namespace sipyard::tm {

namespace {

std::uint32_t or_else(std::uint32_t own, int common)
{
    return own ? own : static_cast<std::uint32_t>(std::max(common, 1));
}

} // namespace

std::uint32_t Tm::fr(const Cell& cell) const
{
    return or_else(cell.saved ? cell.saved->terms.fr : 0, settings_.fr_timer);
}
std::uint32_t Tm::fr_inv(const Cell& cell) const
{
    return or_else(cell.saved ? cell.saved->terms.fr_inv : 0, settings_.fr_inv_timer);
}
std::uint32_t Tm::t1(const Cell& cell) const
{
    return or_else(cell.saved ? cell.saved->terms.t1 : 0, settings_.retr_timer1);
}
std::uint32_t Tm::t2(const Cell& cell) const
{
    return or_else(cell.saved ? cell.saved->terms.t2 : 0, settings_.retr_timer2);
}

Instant Tm::now() const
{
    const task::Worker* const worker = task::Worker::current();
    return worker ? worker->now() : host_.clock().now();
}

void Tm::schedule(Cell& cell)
{
    Instant when = std::min(cell.again_at, cell.out_at);
    if (!cell.waiting && !cell.has_final())
        when = std::min(when, cell.life_until);
    for (const Leg* leg = cell.saved ? cell.saved->legs : nullptr; leg; leg = leg->next)
        when = std::min({when, leg->again_at, leg->out_at, leg->cancel_again_at});
    if (when >= cell.armed)
        return; // the node goes off earlier and is armed again then
    cell.armed = when;
    if (task::Worker::current() == cell.owner) {
        cell.timer.arm(when);
        return;
    }
    cell.owner->post([this, id = cell.id()] {
        Cell* const found = slabs_.at(id.index);
        const Locked locked{found->lock};
        if (found->generation == id.generation && found->armed != task::never)
            found->timer.arm(found->armed);
    });
}

// Once the caller has his answer and no branch is at work, only what recognises and answers stragglers is
// kept.
void Tm::settle(Cell& cell)
{
    if (cell.waiting || cell.gone || !cell.in_use)
        return;
    const bool answered = cell.own ? cell.state == ServerState::terminated
                          : cell.invite
                              ? cell.state == ServerState::accepted || cell.state == ServerState::confirmed
                              : cell.state >= ServerState::accepted;
    if (!answered)
        return;
    for (const Leg* leg = cell.saved ? cell.saved->legs : nullptr; leg; leg = leg->next)
        if (leg->is_pending() || leg->out_at != task::never || leg->again_at != task::never)
            return;
    cell.waiting = true;
    cell.again_at = task::never;
    cell.out_at = now() + std::chrono::milliseconds{settings_.wt_timer};
}

// The user's callback goes to `doomed`: what it owns is destroyed outside the lock.
void Tm::drop_store(Cell& cell, OnReply& doomed)
{
    if (!cell.saved)
        return;
    for (Leg* leg = cell.saved->legs; leg; leg = leg->next)
        blocks_.put(leg->reply);
    if (cell.saved->own) {
        doomed = std::move(cell.saved->own->on_reply);
        cell.saved->own->~Own();
    }
    cell.saved->~Saved();
    cell.saved = nullptr;
    cell.store.clear(blocks_);
}

void Tm::release(Cell& cell)
{
    bool recycle_now = false;
    OnReply doomed;
    {
        const Locked locked{cell.lock};
        if (--cell.holds != 0)
            return;
        if (cell.gone) {
            recycle_now = true;
        } else if (cell.saved && cell.has_final()) {
            // Branches that failed may have to acknowledge again: they need what they sent.
            bool needed = false;
            for (const Leg* leg = cell.saved->legs; leg && !needed; leg = leg->next)
                needed = leg->is_pending() || leg->out_at != task::never ||
                         (cell.invite && leg->state == ClientState::completed &&
                          !net::is_stream(leg->to.protocol));
            if (!needed)
                drop_store(cell, doomed);
        }
    }
    if (!recycle_now)
        return;
    if (task::Worker::current() == cell.owner)
        recycle(cell);
    else
        cell.owner->post([this, &cell] { recycle(cell); });
}

void Tm::recycle(Cell& cell)
{
    OnReply doomed;
    {
        const Locked locked{cell.lock};
        cell.timer.cancel();
        drop_store(cell, doomed);
        blocks_.put(cell.reply);
        cell.reply_size = 0;
        blocks_.put(cell.watches_block);
        cell.watches = nullptr;
        if (++cell.generation == 0)
            cell.generation = 1;
        cell.holds = 0;
        cell.state = ServerState::trying;
        cell.in_use = cell.invite = cell.own = cell.in_calls = cell.gone = cell.waiting = cell.cancelled =
            cell.suspended = false;
        cell.turn_taken = cell.logged = cell.expired = cell.failing = false;
        cell.watched = 0;
        cell.round = cell.branches = 0;
        cell.serials = cell.code = cell.final_code = 0;
        cell.again_ms = cell.cseq = 0;
        cell.again_at = cell.out_at = cell.life_until = cell.armed = task::never;
        cell.waiters = nullptr;
    }
    slabs_.give_back(cell);
}

void Tm::on_time(Cell& cell)
{
    struct Again {
        net::Destination to;
        std::string_view bytes;
    } again[16];
    std::size_t count = 0;
    bool ended = false, timeouts = false;
    TransactionId id;
    {
        const Locked locked{cell.lock};
        cell.armed = task::never;
        if (!cell.in_use || cell.gone)
            return;
        id = cell.id();
        const Instant at = now();
        ended = cell.waiting && cell.out_at <= at;
        if (!ended) {
            if (cell.again_at <= at) { // G
                const bool send =
                    step(cell.state, ServerEvent::timer_g, cell.invite, cell.is_reliable()).what ==
                    ServerDo::send_again;
                cell.again_ms = std::min(cell.again_ms * 2, t2(cell));
                cell.again_at = send ? at + std::chrono::milliseconds{cell.again_ms} : task::never;
                if (send && cell.reply_size)
                    again[count++] = {cell.back, {cell.reply.data, cell.reply_size}};
            }
            if (!cell.waiting && cell.out_at <= at) { // H
                cell.out_at = cell.again_at = task::never;
                cell.state = step(cell.state, ServerEvent::timer_h, cell.invite, cell.is_reliable()).next;
                settle(cell);
            }
            const bool expired = !cell.waiting && !cell.has_final() && cell.life_until <= at;
            if (expired) {
                cell.expired = true;
                cell.life_until = task::never;
                timeouts = true;
            }
            for (Leg* leg = cell.saved ? cell.saved->legs : nullptr; leg; leg = leg->next) {
                if (leg->again_at <= at) { // A, E
                    leg->again_ms = std::min(leg->again_ms * 2, t2(cell));
                    leg->again_at = at + std::chrono::milliseconds{leg->again_ms};
                    if (leg->is_pending() || leg->cancelling == Cancelling::with_first_reply) {
                        if (count < std::size(again))
                            again[count++] = {leg->to, leg->sent};
                    } else {
                        leg->again_at = task::never;
                    }
                }
                if (leg->cancel_again_at <= at) {
                    leg->cancel_ms = std::min(leg->cancel_ms * 2, t2(cell));
                    leg->cancel_again_at = at + std::chrono::milliseconds{leg->cancel_ms};
                    if (count < std::size(again))
                        again[count++] = {leg->to, leg->cancel};
                }
                if (leg->out_at <= at || (expired && leg->is_pending())) { // B, C, F
                    leg->out_at = leg->again_at = leg->cancel_again_at = task::never;
                    if (leg->is_pending()) {
                        leg->timed_out = true;
                        timeouts = true;
                    } else if (leg->cancelling == Cancelling::with_first_reply) {
                        leg->cancelling = Cancelling::no;
                    } else if (cell.own && cell.state == ServerState::accepted) { // M: no more 2xx
                        cell.state = ServerState::terminated;
                    }
                }
            }
            if (!timeouts)
                settle(cell);
            schedule(cell);
            ++cell.holds; // what is sent below stays where it is
        }
    }
    if (ended) {
        end(cell);
        return;
    }
    for (std::size_t i = 0; i < count; ++i)
        (void)host_.network().send(again[i].to, again[i].bytes);
    if (timeouts)
        cell.owner->spawn_always([this, id] { handle_timeouts(id); });
    release(cell);
}

void Tm::handle_timeouts(TransactionId id)
{
    const Hold held{*this, find_held(id)};
    if (!held.cell)
        return;
    Cell& cell = *held.cell;
    Arena& arena = task::Fiber::current()->arena();
    const Turn turn{*this, cell};
    for (;;) {
        Leg* leg = nullptr;
        bool cancel = false, silent = false;
        {
            const Locked locked{cell.lock};
            for (leg = cell.saved ? cell.saved->legs : nullptr;
                 leg && !(leg->timed_out && leg->is_pending() && leg->code < 200); leg = leg->next) {
            }
            if (leg) {
                cancel = cell.invite && leg->code >= 100 &&
                         leg->cancelling != Cancelling::sent; // C (RFC 3261 16.8)
                silent = leg->code == 0;
                leg->replied = leg->code > 0;
            }
        }
        if (!leg)
            break;
        if (silent)
            host_.locator().failed({leg->to.protocol, leg->to.to});
        if (silent && try_next(cell, *leg, arena))
            continue;
        if (cancel)
            send_cancel(cell, *leg, {}, arena);
        leg_failed(cell, *leg, 408, arena);
    }
    bool unanswered = false;
    {
        const Locked locked{cell.lock};
        unanswered = cell.expired && !cell.has_final() && !has_pending(cell) && !cell.own && cell.saved;
        if (unanswered && !cell.suspended &&
            (!cell.saved->legs)) { // a script that never answered: nothing is owed
            cell.state = cell.invite ? ServerState::confirmed : ServerState::completed;
            unanswered = false;
        }
        settle(cell);
        schedule(cell);
    }
    if (unanswered) {
        if (Request* const request = rebuild(cell, arena, Route::failure))
            (void)give(cell, *request, {408, "Request Timeout", {}, {}, {}});
        const Locked locked{cell.lock};
        settle(cell);
        schedule(cell);
    }
}

// A branch ends here without an answer: as if a reply with that code had come (RFC 3261 16.8, 16.9).
void Tm::leg_failed(Cell& cell, Leg& leg, int code, Arena& arena)
{
    bool quiet = false;
    {
        const Locked locked{cell.lock};
        const ClientStep next =
            step(leg.state, code == 408 ? ClientEvent::timer_out : ClientEvent::failed, cell.invite);
        if (next.what == ClientDo::nothing)
            return;
        leg.state = next.next;
        leg.code = static_cast<std::uint16_t>(code);
        leg.faked = true;
        leg.timed_out = code == 408;
        leg.again_at = task::never;
        if (leg.cancelling != Cancelling::sent)
            leg.out_at = leg.cancel_again_at = task::never;
        // noisy_ctimer=0: a lone INVITE nobody ever answered is forgotten in silence.
        quiet = code == 408 && settings_.noisy_ctimer == 0 && cell.invite && cell.branches == 1 &&
                !leg.replied && cell.saved && cell.saved->routes.failure.empty() && !cell.own;
        if (quiet) {
            cell.state = ServerState::confirmed;
            settle(cell);
            schedule(cell);
        }
    }
    if (quiet)
        return;
    const Coming coming{nullptr, code, sip::default_reason(code), true};
    if (cell.own)
        end_own(cell, leg, code, coming.reason);
    else if (!leg.replica)
        leg_answered(cell, leg, coming, arena);
}

// The wait is over.
void Tm::end(Cell& cell)
{
    if (wants(cell, Moment::ended)) { // watchers are told on a fiber, then it goes on here
        {
            const Locked locked{cell.lock};
            cell.out_at = task::never;
            ++cell.holds;
        }
        cell.owner->spawn_always([this, &cell] {
            tell(cell, Moment::ended, nullptr, nullptr, cell.final_code, {}, -1);
            cell.watched = 0;
            end(cell);
            release(cell);
        });
        return;
    }
    requests_.remove(cell);
    if (cell.in_calls)
        calls_.remove(cell);
    if (!cell.own)
        (*sources_)[cell.source].fetch_sub(1, std::memory_order_relaxed);
    {
        const Locked locked{cell.lock};
        cell.gone = true;
        if (cell.holds != 0)
            return; // who gives the last one back recycles it
    }
    recycle(cell);
}

void Tm::send_failed(const net::Destination&, std::string_view bytes, const Error&)
{
    // A request that a stream could not take after all: its branch is in the top Via.
    if (bytes.starts_with("SIP/2.0 "))
        return;
    const auto at = bytes.find("branch=z9hG4bK");
    if (at == std::string_view::npos || bytes.starts_with("CANCEL") || bytes.starts_with("ACK"))
        return;
    auto branch = bytes.substr(at + 7);
    branch = branch.substr(0, branch.find_first_of("; \r\n,"));
    const auto ticket = read_ticket(branch, seed_);
    if (!ticket)
        return;
    const Hold held{*this, find_held({ticket->index, ticket->generation})};
    if (held.cell)
        fail_later(*held.cell, ticket->serial);
}

void Tm::fail_later(Cell& cell, std::uint16_t serial)
{
    task::Worker* const worker = task::Worker::current();
    (worker ? worker : cell.owner)->spawn_always([this, id = cell.id(), serial] {
        const Hold held{*this, find_held(id)};
        if (!held.cell)
            return;
        Cell& found = *held.cell;
        Leg* leg = nullptr;
        {
            const Locked locked{found.lock};
            leg = leg_by_serial(found, serial);
        }
        if (!leg)
            return;
        Arena& arena = task::Fiber::current()->arena();
        const Turn turn{*this, found};
        host_.locator().failed({leg->to.protocol, leg->to.to});
        if (!leg->is_pending() || try_next(found, *leg, arena))
            return;
        leg_failed(found, *leg, 503, arena);
        const Locked locked{found.lock};
        settle(found);
        schedule(found);
    });
}

} // namespace sipyard::tm
