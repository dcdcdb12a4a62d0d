// modules/tm/match.cpp - which transaction a request belongs to; making one; what came again
#include "modules/tm/tm.h"

#include "core/base/text.h"
#include "core/module/stateless.h"
#include "core/sip/message.h"

namespace sipyard::tm {

std::string_view name_of(sip::Method method) { return sip::to_text(method); }

State& Tm::state(Request& request)
{
    State& s = request.at(slot_);
    s.tm = this;
    return s;
}

Cell* Tm::match(const sip::Message& request, bool as_invite)
{
    return requests_.find_and_hold(server_key(request, seed_, matching_, as_invite));
}

Cell* Tm::find_held(TransactionId id)
{
    Cell* const cell = slabs_.at(id.index);
    if (!cell || !id)
        return nullptr;
    const Locked locked{cell->lock};
    if (cell->generation != id.generation || !cell->in_use || cell->gone)
        return nullptr;
    ++cell->holds;
    return cell;
}

Cell* Tm::find_call(std::string_view call_id, std::uint32_t cseq)
{
    Cell* found = nullptr;
    slabs_.each([&](Cell& cell) {
        if (found)
            return;
        const Locked locked{cell.lock};
        if (cell.in_use && !cell.gone && cell.invite && cell.cseq == cseq && cell.saved &&
            cell.saved->call_id == call_id) {
            ++cell.holds;
            found = &cell;
        }
    });
    return found;
}

std::size_t Tm::source_place(const net::Address& source) const
{
    std::uint64_t words[2];
    std::memcpy(words, source.bytes.data(), sizeof words);
    std::uint64_t hash = (words[0] ^ seed_.a) * 0x9e3779b97f4a7c15ull;
    hash = (hash ^ (hash >> 29) ^ words[1] ^ seed_.b) * 0xbf58476d1ce4e5b9ull;
    return (hash >> 40) & 0xffff;
}

Cell* Tm::make_cell(sip::Method method)
{
    task::Worker* const worker = task::Worker::current();
    Cell* const cell = worker ? slabs_.take(*worker) : nullptr;
    if (!cell)
        return nullptr;
    const Locked locked{cell->lock};
    cell->method = method;
    cell->invite = method == sip::Method::invite;
    cell->created = now();
    cell->holds = 1;
    cell->in_use = true;
    return cell;
}

Result<Begun> Tm::begin(Request& request)
{
    State& s = state(request);
    if (s.cell)
        return Begun::existing;
    const sip::Message& message = request.message();
    if (!message.is_request() || message.is_http() || !message.can_be_answered() || !message.cseq())
        return invalid("only SIP requests that can be answered have a transaction");
    if (message.method() == sip::Method::ack) {
        const Hold held{*this, match(message)};
        if (held.cell && absorb(request, *held.cell) == Begun::absorbed)
            return Begun::absorbed;
        return invalid("an ACK has no transaction of its own");
    }
    const std::size_t place = source_place(request.received().source);
    if ((*sources_)[place].load(std::memory_order_relaxed) >=
        static_cast<std::uint32_t>(settings_.max_per_source)) {
        const Hold held{*this, match(message)};
        if (held.cell)
            return absorb(request, *held.cell);
        count_.refused_source.add();
        return Error{ErrorKind::overloaded,
                     format("{} has too many transactions", request.received().source.text())};
    }
    Cell* const fresh = make_cell(message.method());
    if (!fresh) {
        const Hold held{*this, match(message)};
        if (held.cell)
            return absorb(request, *held.cell);
        count_.refused.add();
        return Error{ErrorKind::overloaded, "there are too many transactions"};
    }
    fresh->key = server_key(message, seed_, matching_);
    fresh->received = request.received();
    fresh->back = reply_destination(request);
    fresh->cseq = message.cseq()->number;
    fresh->source = static_cast<std::uint16_t>(place);
    if (Cell* const other = requests_.insert_or_hold(*fresh)) {
        const Hold held{*this, other};
        recycle(*fresh);
        return absorb(request, *other);
    }
    (*sources_)[place].fetch_add(1, std::memory_order_relaxed);
    if (fresh->invite || message.to_tag().empty()) {
        fresh->call = call_key(message, seed_, message.method_text());
        fresh->in_calls = true;
        calls_.insert(*fresh);
    }
    count_.uas.add();
    s.cell = fresh; // with the hold it was made with
    save(request, *fresh);
    request.set_responder(*this);
    if (watcher_count_ != 0) {
        ask_watchers(request, *fresh);
        if (wants(*fresh, Moment::created))
            tell(*fresh, Moment::created, &request, nullptr, 0, {}, -1);
    }
    if (fresh->invite) {
        const bool wanted = s.wishes & with_auto_100 ? true
                            : s.wishes & no_auto_100 ? false
                                                     : settings_.auto_inv_100 != 0;
        if (wanted)
            send_trying(request, *fresh);
    }
    return Begun::created;
}

TransactionId Tm::of(Request& request)
{
    State* const s = request.find(slot_);
    if (!s || !s->cell)
        return {};
    s->owes_end = false; // who asks may answer later
    return s->cell->id();
}

// What the transaction needs once the script is through: everything is copied.
void Tm::save(Request& request, Cell& cell)
{
    State& s = state(request);
    const sip::Message& message = request.message();
    // An AVP's value counts for this transaction, in seconds.
    const auto seconds_of = [&](const VariableRef& avp) -> std::uint32_t {
        const Value value = avp.get(request);
        const auto number = value.is_integer() ? std::optional{value.number()} : parse_int(value.text());
        return number && *number > 0 && *number < 1'000'000 ? static_cast<std::uint32_t>(*number * 1000) : 0;
    };
    if (fr_avp_ && s.terms.fr == 0)
        s.terms.fr = seconds_of(*fr_avp_);
    if (fr_inv_avp_ && s.terms.fr_inv == 0)
        s.terms.fr_inv = seconds_of(*fr_inv_avp_);
    const Locked locked{cell.lock};
    // One block does for most: the request, what is sent (a little longer), and one branch.
    const std::size_t expected = sizeof(Saved) + sizeof(Leg) + 2 * message.buffer().size() + 512;
    Saved& saved = *cell.store.make<Saved>(blocks_, expected);
    cell.saved = &saved;
    const auto keep = [&](std::string_view text) { return cell.store.copy(blocks_, text); };
    saved.request = keep(message.buffer());
    const auto same_place = [&](std::string_view part) {
        return part.empty() ? part : saved.request.substr(message.offset_of(part), part.size());
    };
    saved.call_id = same_place(message.call_id());
    saved.from = message.from() ? same_place(message.from()->uri) : std::string_view{};
    saved.ruri_shown = same_place(message.uri_text());
    if (request.ruri_changed())
        saved.ruri = keep(request.ruri());
    saved.ruri_changed = request.ruri_changed();
    saved.dst_uri = keep(request.dst_uri());
    saved.path = keep(request.path());
    saved.force_rport = request.force_rport;
    saved.add_local_rport = request.add_local_rport;
    saved.routes = {keep(s.routes.branch), keep(s.routes.failure), keep(s.routes.reply),
                    keep(s.routes.branch_failure)};
    saved.terms = s.terms;
    saved.wishes = s.wishes;
    save_edits(request, cell);
    save_flags(request, cell);
    const std::uint32_t life =
        cell.invite
            ? (saved.terms.max_life_inv ? saved.terms.max_life_inv
                                        : static_cast<std::uint32_t>(settings_.max_inv_lifetime))
            : (saved.terms.max_life_other ? saved.terms.max_life_other
                                          : static_cast<std::uint32_t>(settings_.max_noninv_lifetime));
    cell.life_until = cell.created + std::chrono::milliseconds{life};
    request.share_avps(saved.avps, true);
    schedule(cell);
}

void Tm::save_edits(Request& request, Cell& cell)
{
    Saved& saved = *cell.saved;
    saved.edits = nullptr;
    if (!request.has_edits())
        return;
    sip::Edit* first = nullptr;
    sip::Edit** tail = &first;
    for (const sip::Edit* e = request.edits().first(); e; e = e->next) {
        *tail = cell.store.make<sip::Edit>(blocks_);
        **tail = *e;
        (*tail)->text = cell.store.copy(blocks_, e->text);
        (*tail)->next = nullptr;
        tail = &(*tail)->next;
    }
    saved.edits = first;
}

void Tm::save_flags(const Request& request, Cell& cell)
{
    Saved& saved = *cell.saved;
    saved.flags = request.flags;
    saved.extended_flags = request.extended_flags;
    saved.branch_flags = request.branch_flags;
    saved.forced_socket = request.forced_socket();
    saved.mtu_protocol = request.udp_mtu_proto;
    saved.forward_no_connect = request.forward_no_connect;
    saved.reply_no_connect = request.reply_no_connect;
    saved.advertised_port = request.advertised_port;
    if (saved.advertised_host != request.advertised_host)
        saved.advertised_host = cell.store.copy(blocks_, request.advertised_host);
    if (saved.reply_headers != request.reply_headers())
        saved.reply_headers = cell.store.copy(blocks_, request.reply_headers());
    cell.back.may_connect = !request.reply_no_connect;
}

Begun Tm::absorb(Request& request, Cell& cell)
{
    const bool ack = request.message().method() == sip::Method::ack;
    std::string_view again;
    net::Destination to;
    {
        const Locked locked{cell.lock};
        const ServerStep next = step(cell.state, ack ? ServerEvent::ack : ServerEvent::request_again,
                                     cell.invite, cell.is_reliable());
        if (ack && cell.state <= ServerState::accepted)
            return Begun::existing; // an ACK to a 2xx that carries the INVITE's branch: for the script
        cell.state = next.next;
        if (next.what == ServerDo::send_again && cell.reply_size != 0) {
            again = request.arena().copy({cell.reply.data, cell.reply_size});
            to = cell.back;
        } else if (next.what == ServerDo::end_soon) {
            cell.again_at = task::never;
            cell.out_at = task::never;
            settle(cell);
            schedule(cell);
        }
    }
    count_.retransmissions.add();
    if (!again.empty())
        (void)host_.network().send(to, again);
    return Begun::absorbed;
}

// Before the script: the ACK to a reply of ours carries our tag, which the server would take for a stateless
// one.
bool Tm::take_request(Request& request)
{
    const sip::Message& message = request.message();
    if (message.method() == sip::Method::ack) {
        const StatelessReplies* const stateless = host_.stateless();
        if (stateless && stateless->is_own_tag(message.to_tag())) {
            const Hold held{*this, match(message)};
            if (held.cell && absorb(request, *held.cell) == Begun::absorbed)
                return true;
        }
    }
    return takers_.take(request);
}

Cell* Tm::invite_of(Request& request)
{
    const sip::Message& message = request.message();
    if (message.method() == sip::Method::cancel)
        return match(message, true);
    if (Cell* const cell = match(message)) // RFC 2543 clients, and those that keep the branch
        return cell;
    return calls_.find_and_hold(call_key(message, seed_, "INVITE"));
}

Verdict Tm::check_trans(Request& request)
{
    const sip::Message& message = request.message();
    if (message.is_reply()) {
        const auto* via = message.top_via();
        const auto ticket = via ? read_ticket(via->branch, seed_) : std::nullopt;
        const Hold held{*this, ticket ? find_held({ticket->index, ticket->generation}) : nullptr};
        return Verdict::of(held.cell != nullptr);
    }
    State& s = state(request);
    if (s.cell)
        return Verdict::yes();
    if (message.method() == sip::Method::ack) {
        const Hold held{*this, invite_of(request)};
        if (!held.cell)
            return Verdict::no();
        return absorb(request, *held.cell) == Begun::absorbed ? Verdict::stop() : Verdict::yes();
    }
    const Hold own{*this, match(message)};
    if (own.cell)
        return absorb(request, *own.cell) == Begun::absorbed ? Verdict::stop() : Verdict::yes();
    if (message.method() != sip::Method::cancel)
        return Verdict::no();
    const Hold invite{*this, invite_of(request)};
    return Verdict::of(invite.cell != nullptr);
}

bool Tm::is_merged(Request& request)
{
    const sip::Message& message = request.message();
    if (!message.is_request() || !message.to_tag().empty() || message.method() == sip::Method::cancel ||
        message.method() == sip::Method::ack)
        return false;
    const State* const s = request.find(slot_);
    return calls_.has_other(call_key(message, seed_, message.method_text()), s ? s->cell : nullptr);
}

std::string_view Tm::local_tag(Request& request)
{
    if (const StatelessReplies* const stateless = host_.stateless())
        return stateless->to_tag(request.message(), request.arena());
    const Key key = call_key(request.message(), seed_, "tag");
    return request.arena().copy(format("{:x}", key.a));
}

} // namespace sipyard::tm
