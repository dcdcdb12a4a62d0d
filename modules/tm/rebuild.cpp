// modules/tm/rebuild.cpp - the transaction's request once more, in another fiber's arena; who runs its routes
#include "modules/tm/tm.h"

#include "core/sip/message.h"

namespace sipyard::tm {

State::~State()
{
    if (!cell)
        return;
    if (owes_end)
        tm->end_unless_used(*cell);
    tm->release(*cell);
}

void Tm::attach(Request& request, Cell& cell)
{
    State& s = state(request);
    if (s.cell == &cell)
        return;
    {
        const Locked locked{cell.lock};
        ++cell.holds;
    }
    if (s.cell)
        release(*s.cell);
    s.cell = &cell;
}

// The hold of the caller outlives the call, so the stored texts stay where they are.
Request* Tm::rebuild(Cell& cell, Arena& arena, Route route)
{
    std::string_view text;
    {
        const Locked locked{cell.lock}; // whoever made it may still be saving
        if (!cell.saved)
            return nullptr;
        text = cell.saved->request;
    }
    auto parsed = sip::Message::parse(text, arena);
    if (!parsed)
        return nullptr; // it could be parsed when it came
    Request& request = arena.make<Request>(host_, arena, **parsed, cell.received, route);
    attach(request, cell);
    fill(request, cell, nullptr);
    request.set_responder(*this);
    return &request;
}

// What the transaction knows: of the request, or of one of its branches for its replies.
void Tm::fill(Request& request, Cell& cell, Leg* leg)
{
    Saved& saved = *cell.saved;
    {
        const Locked locked{cell.lock};
        request.flags = saved.flags;
        request.extended_flags = saved.extended_flags;
        request.branch_flags = leg ? leg->flags : saved.branch_flags;
        request.reply_no_connect = saved.reply_no_connect;
        if (request.message().is_request()) {
            if (saved.ruri_changed)
                request.set_ruri(saved.ruri);
            request.set_dst_uri(saved.dst_uri);
            request.set_path(saved.path);
            request.force_socket(saved.forced_socket);
            request.force_rport = saved.force_rport;
            request.add_local_rport = saved.add_local_rport;
            request.forward_no_connect = saved.forward_no_connect;
            request.udp_mtu_proto = saved.mtu_protocol;
            request.advertised_host = saved.advertised_host;
            request.advertised_port = saved.advertised_port;
            if (!saved.reply_headers.empty())
                request.append_to_reply(saved.reply_headers);
            for (const sip::Edit* e = saved.edits; e; e = e->next)
                request.edits().note(*e);
        }
    }
    request.share_avps(saved.avps, false);
}

Turn::Turn(Tm&, Cell& cell, bool wanted)
{
    if (!wanted)
        return;
    {
        const Locked locked{cell.lock};
        if (!cell.turn_taken) {
            cell.turn_taken = true;
            cell_ = &cell;
            return;
        }
    }
    Waiter waiting; // its event is made outside the lock
    {
        const Locked locked{cell.lock};
        if (!cell.turn_taken) {
            cell.turn_taken = true;
            cell_ = &cell;
            return;
        }
        Waiter** last = &cell.waiters;
        while (*last)
            last = &(*last)->next;
        *last = &waiting;
    }
    cell_ = &cell;
    if (waiting.granted.wait())
        return;
    // The server stops: what is left to do is done out of turn.
    const Locked locked{cell.lock};
    for (Waiter** at = &cell.waiters; *at; at = &(*at)->next) {
        if (*at == &waiting) {
            *at = waiting.next;
            cell_ = nullptr;
            return;
        }
    }
}

Turn::~Turn()
{
    if (!cell_)
        return;
    std::optional<task::Event> granted;
    {
        const Locked locked{cell_->lock};
        if (Waiter* const next = cell_->waiters) {
            cell_->waiters = next->next;
            granted = next->granted;
        } else {
            cell_->turn_taken = false;
        }
    }
    if (granted)
        granted->signal();
}

} // namespace sipyard::tm
