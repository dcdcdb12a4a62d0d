// modules/tm/extras.cpp - what tmx and the $T variables ask: the transaction in hand, its stored messages;
// suspending it
#include "modules/tm/tm.h"

#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/sip/message.h"

namespace sipyard::tm {

std::string crypto_token() { return crypto::random_token(16); }

int Tm::branch_index(Request& request)
{
    const State* const s = request.find(slot_);
    return s && s->branch >= 0 ? s->branch : 0;
}

Info Tm::info(Request& request)
{
    Info info;
    const State* const s = request.find(slot_);
    if (!s || !s->cell)
        return info;
    Cell& cell = *s->cell;
    info.id = cell.id();
    info.in_reply_or_failure = s->reply_code != 0;
    info.reply_code = s->reply_code;
    info.reply_reason = s->reply_reason;
    info.reply_ruid = s->reply_ruid;
    info.reply_is_local = s->reply_faked;
    info.reply_is_last = s->last_reply;
    info.has_reply_last = s->reply_code != 0;
    const Locked locked{cell.lock};
    if (!info.in_reply_or_failure)
        info.reply_code = cell.code;
    info.branches = cell.branches;
    info.canceled = cell.cancelled;
    return info;
}

Value Tm::of_branch(Request& request, std::string_view what)
{
    const State* const s = request.find(slot_);
    if (!s || !s->cell || !s->leg)
        return {};
    const Locked locked{s->cell->lock};
    if (what == "uri")
        return request.arena().copy(s->leg->uri);
    if (what == "flags")
        return static_cast<std::int64_t>(s->leg->flags);
    return {};
}

Request* Tm::stored_request(Request& request)
{
    const State* const s = request.find(slot_);
    if (!s || !s->cell || !request.message().is_reply() || !s->cell->saved)
        return nullptr;
    return rebuild(*s->cell, request.arena(), Route::failure);
}

Request* Tm::stored_reply(Request& request)
{
    const State* const s = request.find(slot_);
    return s ? s->reply : nullptr;
}

Request* Tm::stored_invite(Request& request)
{
    const auto method = request.message().method();
    if (!request.message().is_request() || (method != sip::Method::cancel && method != sip::Method::ack))
        return nullptr;
    const Hold invite{*this, invite_of(request)};
    return invite.cell && invite.cell->saved ? rebuild(*invite.cell, request.arena(), Route::request)
                                             : nullptr;
}

void Tm::flush_flags(Request& request, bool extended)
{
    const State* const s = request.find(slot_);
    if (!s || !s->cell)
        return;
    const Locked locked{s->cell->lock};
    if (!s->cell->saved)
        return;
    if (extended)
        s->cell->saved->extended_flags = request.extended_flags;
    else
        s->cell->saved->flags = request.flags;
}

bool Tm::drop(Request& request, int code)
{
    State& s = state(request);
    if (!s.cell)
        return false;
    Cell& cell = *s.cell;
    cancel_legs(cell, reason_for(code, request.arena()), -1, true);
    const Locked locked{cell.lock};
    if (!cell.has_final()) { // nothing goes up; what the branches still say is absorbed
        cell.code = cell.final_code = static_cast<std::uint16_t>(code);
        cell.state = cell.invite ? ServerState::confirmed : ServerState::completed;
    }
    settle(cell);
    schedule(cell);
    return true;
}

// In a branch-failure route: the failed branch's destination becomes the request's again.
bool Tm::reuse_branch(Request& request)
{
    State& s = state(request);
    if (!s.cell || !s.leg || !request.message().is_request())
        return false;
    {
        const Locked locked{s.cell->lock};
        request.set_ruri(s.leg->uri);
        request.set_path(s.leg->path);
        request.set_dst_uri(s.leg->dst_uri);
        request.force_socket(s.leg->forced_socket);
        request.branch_flags = s.leg->flags;
    }
    return true;
}

bool Tm::is_known(Request& request)
{
    const State* const s = request.find(slot_);
    if ((s && s->cell) || !request.message().is_request())
        return false;
    const Hold found{*this, match(request.message())};
    return found.cell != nullptr;
}

Counts Tm::counts()
{
    Counts counts;
    counts.live = slabs_.live();
    slabs_.each([&](Cell& cell) {
        const Locked locked{cell.lock};
        counts.waiting += cell.in_use && cell.waiting;
    });
    const auto value = [](const Counter& counter) { return static_cast<std::uint64_t>(counter.value()); };
    counts.total = value(count_.uas);
    counts.local = value(count_.uac);
    counts.rpl_received = value(count_.rpl_received);
    counts.rpl_generated = value(count_.rpl_generated);
    counts.rpl_sent = value(count_.rpl_sent);
    counts.rpl_relayed = value(count_.rpl_relayed);
    counts.rpl_absorbed = value(count_.rpl_absorbed);
    for (std::size_t i = 0; i < 5; ++i)
        counts.by_class[i] = value(*count_.by_class[i]);
    return counts;
}

// --- suspending ----------------------------------------------------------------------------------

Result<TransactionId> Tm::suspend(Request& request)
{
    State& s = state(request);
    if (!s.cell) {
        TRY(const Begun begun, begin(request));
        if (begun == Begun::absorbed)
            return Error{ErrorKind::other, "a retransmission was absorbed"};
    }
    Cell& cell = *s.cell;
    const Locked locked{cell.lock};
    if (cell.has_final() || !cell.saved)
        return Error{ErrorKind::not_found, "the transaction has had its final reply"};
    if (cell.suspended)
        return Error{ErrorKind::unique, "the transaction is suspended already"};
    if (request.message().is_request()) {
        save_edits(request, cell);
        save_flags(request, cell);
        if (request.ruri_changed() && (!cell.saved->ruri_changed || cell.saved->ruri != request.ruri())) {
            cell.saved->ruri = cell.store.copy(blocks_, request.ruri());
            cell.saved->ruri_changed = true;
        }
        cell.saved->dst_uri = cell.store.copy(blocks_, request.dst_uri());
    }
    cell.suspended = true;
    state(request).owes_end = false;
    cell.life_until = std::min(cell.life_until, now() + std::chrono::milliseconds{fr(cell)});
    schedule(cell);
    return cell.id();
}

Result<void> Tm::resume(TransactionId id, std::string_view route)
{
    const Hold held{*this, find_held(id)};
    if (!held.cell)
        return Error{ErrorKind::not_found, "the transaction is gone"};
    Cell& cell = *held.cell;
    {
        const Locked locked{cell.lock};
        if (!cell.suspended)
            return Error{ErrorKind::unique, "the transaction is not suspended"};
        if (cell.has_final() || !cell.saved)
            return Error{ErrorKind::not_found, "the transaction has had its final reply"};
        cell.suspended = false;
        cell.saved->resume_route = cell.store.copy(blocks_, route);
        // From here on the usual time counts again.
        const auto life = cell.invite ? settings_.max_inv_lifetime : settings_.max_noninv_lifetime;
        cell.life_until = cell.created + std::chrono::milliseconds{life};
        schedule(cell);
    }
    task::Worker* const worker = task::Worker::current();
    (worker ? worker : cell.owner)->spawn_always([this, id] {
        const Hold mine{*this, find_held(id)};
        if (!mine.cell)
            return;
        const Turn turn{*this, *mine.cell};
        std::string_view name;
        {
            const Locked locked{mine.cell->lock};
            if (!mine.cell->saved || mine.cell->has_final())
                return;
            name = mine.cell->saved->resume_route;
        }
        Request* const request = rebuild(*mine.cell, task::Fiber::current()->arena(), Route::failure);
        if (!request)
            return;
        State& s = state(*request);
        s.holds_turn = true;
        s.leg = nullptr;
        bool alone = true;
        {
            const Locked locked{mine.cell->lock};
            alone = mine.cell->branches == 0;
        }
        if (!alone) { // branches went out before: the R-URI has been used
            s.ruri_used = true;
            s.used_ruri = request->ruri().data();
            s.used_dst = request->dst_uri().data();
        }
        const auto ran = host_.run_route(Route::request, name, *request);
        if (!ran)
            log_.error("route[{}] to continue with is not there", name);
        const Locked locked{mine.cell->lock};
        if (mine.cell->saved) {
            mine.cell->saved->flags = request->flags;
            mine.cell->saved->extended_flags = request->extended_flags;
        }
    });
    return {};
}

} // namespace sipyard::tm
