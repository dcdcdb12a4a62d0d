// modules/tm/ua_set.cpp - a set of dialogs: its forks, usages and ends, and the session timers
#include "modules/tm/ua_set.h"

#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/sip/lists.h"

#include <algorithm>

namespace sipyard::tm {
namespace {

constexpr Duration most_subscription = std::chrono::hours{24}; // what a usage may outlive its last word by
constexpr std::size_t most_forks = 32; // a 2xx of the 33rd is not acknowledged: nobody forks that wide

} // namespace

std::string_view to_text(Ended why)
{
    constexpr std::string_view texts[] = {"failed",  "cancelled", "remote_cancel", "remote_bye", "local_bye",
                                          "expired", "no_ack",    "gone",          "other_fork", "dropped"};
    return texts[static_cast<std::size_t>(why)];
}

std::string_view line_value(std::string_view lines, std::string_view name)
{
    while (!lines.empty()) {
        std::string_view line = cut(lines, '\n');
        const auto field = trim(cut(line, ':'));
        if (sip::same_header(field, name))
            return trim(line);
    }
    return {};
}

bool has_line(std::string_view lines, std::string_view name)
{
    while (!lines.empty()) {
        std::string_view line = cut(lines, '\n');
        if (sip::same_header(trim(cut(line, ':')), name))
            return true;
    }
    return false;
}

DialogSet::DialogSet(UaCommon& common, std::uint64_t set, const DialogSetup& setup, std::string call,
                     std::string tag, std::string contact)
    : id{set}, call_id{std::move(call)}, local_tag{std::move(tag)}, common_{common}, owner_{setup.owner},
      strand_{setup.strand ? setup.strand : std::make_shared<task::Strand>()},
      from_{sip::without_tag(setup.from) + ";tag=" + local_tag}, to_{setup.to}, contact_{std::move(contact)},
      next_hop_{setup.next_hop}, socket_{setup.socket}, connection_{setup.connection}, we_call_{true},
      auto_prack_{setup.prack}, late_{setup.late}, session_{setup.session.expires, setup.session.min_se},
      digest_{setup.credentials}, first_{std::make_shared<Sent>()}, since_{common.host.clock().now()}
{
    first_->method = setup.method;
    first_->headers = setup.headers;
    first_->content_type = setup.content_type;
    first_->body = setup.body;
    first_->next_hop = setup.next_hop;
    first_->request_uri = setup.request_uri;
    first_->note = setup.note;
    first_->socket = setup.socket;
    first_->connection = setup.connection;
    first_->initial = true;
    first_->retry_glare = false;
    first_->ack = setup.ack;
    first_->final_timeout = setup.final_timeout;
    first_->ringing_timeout = setup.ringing_timeout;
    first_->run_local_route = setup.run_local_route;
}

DialogSet::DialogSet(UaCommon& common, std::uint64_t set, const CalleeSetup& setup, sip::Dialog dialog,
                     std::string contact)
    : id{set}, call_id{dialog.call_id()}, local_tag{dialog.local_tag()}, common_{common}, owner_{setup.owner},
      strand_{setup.strand ? setup.strand : std::make_shared<task::Strand>()}, from_{dialog.local()},
      to_{dialog.remote()}, contact_{std::move(contact)}, socket_{nullptr}, we_call_{false},
      auto_prack_{Who::automatic}, late_{setup.late}, session_{setup.session.expires, setup.session.min_se},
      digest_{setup.credentials}, since_{common.host.clock().now()}
{
    first_done_ = true;
    add_fork(std::move(dialog));
}

bool DialogSet::post(std::function<void(DialogSet&)> job)
{
    const auto posted = strand_->post([self = shared_from_this(), job = std::move(job)] { job(*self); });
    if (!posted)
        common_.counts.lost.add();
    return posted.has_value();
}

Alarms::Id DialogSet::alarm(Duration delay, std::function<void(DialogSet&)> job)
{
    return common_.alarms.in(delay, [self = weak_from_this(), job = std::move(job)]() mutable {
        if (const auto set = self.lock())
            set->post(std::move(job));
    });
}

Instant DialogSet::now() const { return common_.host.clock().now(); }

Fork* DialogSet::fork_by(std::uint32_t number)
{
    for (const auto& fork : forks_)
        if (fork->number == number)
            return fork.get();
    return nullptr;
}

Fork* DialogSet::fork_by_tag(std::string_view remote_tag)
{
    for (const auto& fork : forks_)
        if (fork->dialog.remote_tag() == remote_tag)
            return fork.get();
    return nullptr;
}

Fork& DialogSet::add_fork(sip::Dialog dialog)
{
    return *forks_.emplace_back(std::make_unique<Fork>(++forks_made_, std::move(dialog)));
}

Fork* DialogSet::fork_of_reply(const Sent& sent, const sip::Message& message, bool& created)
{
    if (Fork* const known = fork_by_tag(message.to_tag()))
        return known;
    if (forks_.size() >= most_forks || message.to_tag().empty())
        return nullptr;
    auto dialog = sip::Dialog::as_caller(from_, to_, call_id, sent.cseq, message);
    if (!dialog) {
        common_.log.warn("{}: {}", call_id, dialog.error().text);
        return nullptr;
    }
    Fork& fork = add_fork(std::move(*dialog));
    fork.has_call = sent.method == "INVITE";
    created = true;
    return &fork;
}

// The call is over, its dialog may live on for a subscription (RFC 5057 4.1).
void DialogSet::end_call(Fork& fork, Ended why, int code, const sip::Message* message)
{
    if (fork.told_end || !fork.has_call)
        return;
    fork.call = CallState::ended;
    fork.why = why;
    for (OurAck& ack :
         fork.acks) // the owner held it back; without it the 2xx would be repeated for 64*T1 (13.2.2.4)
        if (!std::exchange(ack.sent, true))
            send_ack(fork, ack);
    stop_timers(fork);
    fork.waiting.clear();
    if (fork.is_over()) {
        end_fork(fork, why, code, message);
        return;
    }
    owner_->on_ended({{id, fork.number}, why, code, message, static_cast<int>(fork.subscriptions.size())});
    arm_leftover(fork);
}

void DialogSet::end_fork(Fork& fork, Ended why, int code, const sip::Message* message)
{
    if (fork.told_end)
        return;
    fork.told_end = true;
    fork.call = CallState::ended;
    fork.subscriptions.clear();
    fork.waiting.clear();
    stop_timers(fork);
    common_.alarms.cancel(fork.leftover_alarm);
    why_ = why;
    if (why != Ended::dropped)
        owner_->on_ended({{id, fork.number}, why, code, message, 0});
    maybe_finish();
}

// After a change of usages.
void DialogSet::check_over(Fork& fork)
{
    if (fork.told_end || !fork.is_over())
        return;
    // A SUBSCRIBE or REFER of ours that is still open may bring a usage.
    end_fork(fork, fork.has_call ? fork.why : Ended::local_bye);
}

// The last word about a set: every fork has ended and no copy of a 2xx can come any more.
void DialogSet::maybe_finish()
{
    if (finished_ || !first_done_)
        return;
    for (const auto& fork : forks_)
        if (!fork->told_end)
            return;
    finished_ = true;
    common_.alarms.cancel(cancel_guard_);
    // What the callback in hand asks for is in the queue before this.
    post([](DialogSet& set) {
        if (!set.finished_)
            return;
        set.common_.forget(set.id);
        if (set.why_ != Ended::dropped)
            set.owner_->on_ended({{set.id, 0}, set.why_, set.first_code_, nullptr, 0});
        set.owner_.reset();
    });
}

void DialogSet::note_subscription(Fork& fork, std::string_view event, std::string_view event_id, bool ours,
                                  std::optional<std::uint32_t> expires)
{
    const Duration life = expires
                              ? std::min<Duration>(std::chrono::seconds{*expires} + t1_64, most_subscription)
                              : std::chrono::hours{1};
    for (Subscription& s : fork.subscriptions)
        if (s.ours == ours && iequals(s.event, event) && s.id == event_id) {
            s.until = now() + life;
            return;
        }
    if (fork.subscriptions.size() < 16)
        fork.subscriptions.push_back({std::string{event}, std::string{event_id}, ours, now() + life});
}

void DialogSet::drop_subscription(Fork& fork, std::string_view event, std::string_view event_id, bool ours)
{
    const auto same_event = [&](const Subscription& s) { return s.ours == ours && iequals(s.event, event); };
    const auto count = std::count_if(fork.subscriptions.begin(), fork.subscriptions.end(), same_event);
    // The id of a refer subscription is optional when there is one only (RFC 3515 2.4.6).
    std::erase_if(fork.subscriptions,
                  [&](const Subscription& s) { return same_event(s) && (s.id == event_id || count == 1); });
}

// Nobody refreshes what is left when a call is over: without a word it ends some day.
void DialogSet::arm_leftover(Fork& fork)
{
    Instant latest{};
    for (const Subscription& s : fork.subscriptions)
        latest = std::max(latest, s.until);
    common_.alarms.cancel(fork.leftover_alarm);
    fork.leftover_alarm = alarm(std::max<Duration>(latest - now(), 1s), [number =
                                                                             fork.number](DialogSet& set) {
        Fork* const left = set.fork_by(number);
        if (!left || left->told_end || (left->has_call && left->call != CallState::ended))
            return;
        left->leftover_alarm = {};
        std::erase_if(left->subscriptions, [at = set.now()](const Subscription& s) { return s.until <= at; });
        if (left->subscriptions.empty())
            set.end_fork(*left, Ended::expired);
        else
            set.arm_leftover(*left);
    });
}

void DialogSet::stop_timers(Fork& fork)
{
    for (Alarms::Id* const running : {&fork.refresh_alarm, &fork.expiry_alarm, &fork.glare_alarm})
        common_.alarms.cancel(*running);
    if (fork.answer)
        common_.alarms.cancel(fork.answer->alarm);
    fork.answer.reset();
    if (fork.reliable)
        common_.alarms.cancel(fork.reliable->alarm);
    fork.reliable.reset();
    fork.after_prack.clear();
}

// --- session timers (RFC 4028) -------------------------------------------------------------------

void DialogSet::set_session(Fork& fork, const SessionTimer& timer)
{
    common_.alarms.cancel(fork.refresh_alarm);
    common_.alarms.cancel(fork.expiry_alarm);
    fork.session = timer;
    if (timer.interval == 0)
        return;
    if (timer.we_refresh)
        fork.refresh_alarm = alarm(timer.refresh_after(), [number = fork.number](DialogSet& set) {
            if (Fork* const due = set.fork_by(number))
                set.refresh_session(*due);
        });
    if (timer.peer_knows || timer.we_refresh)
        fork.expiry_alarm = alarm(timer.expires_after(), [number = fork.number](DialogSet& set) {
            Fork* const due = set.fork_by(number);
            if (!due || due->call != CallState::confirmed)
                return;
            set.common_.counts.expired.add();
            due->why = Ended::expired;
            due->bye_headers = "Reason: SIP;cause=408;text=\"Session expired\"\r\n";
            due->call = CallState::ending;
            set.send_bye(*due);
        });
}

void DialogSet::refresh_session(Fork& fork)
{
    fork.refresh_alarm = {};
    if (fork.call != CallState::confirmed)
        return;
    if (our_offer(fork.open) != OfferVerdict::go) { // whatever is under way may refresh it as well
        fork.refresh_alarm = alarm(2s, [number = fork.number](DialogSet& set) {
            if (Fork* const due = set.fork_by(number))
                set.refresh_session(*due);
        });
        return;
    }
    const bool update = fork.peer_updates && !fork.update_refused;
    auto sent = make(update ? "UPDATE" : "INVITE", fork);
    sent->refresh = true;
    sent->ack = Who::automatic;
    if (!update) {
        sent->content_type = fork.sdp_type;
        sent->body = fork.sdp;
    }
    transmit_when_free(fork, sent);
}

// What the other side can do, from its last word about it.
void DialogSet::note_peer(Fork& fork, const sip::Message& message)
{
    if (!message.has(sip::HeaderName::allow))
        return;
    fork.peer_updates = false;
    fork.peer_updates_known = true;
    for (const auto* header = message.first(sip::HeaderName::allow); header; header = message.next(*header))
        fork.peer_updates = fork.peer_updates || sip::list_has(header->value, "UPDATE");
}

// --- what the owner asks for ---------------------------------------------------------------------

void DialogSet::again(const std::string& uri, const std::string& headers)
{
    if (!first_ || !first_failed_)
        return;
    first_failed_ = first_done_ = finished_ = cancelled_ = false;
    first_->final_seen = false;
    first_->resizes = 0;
    if (!uri.empty())
        first_->request_uri = uri;
    if (!headers.empty())
        first_->headers = headers;
    digest_.new_request();
    transmit(first_);
}

void DialogSet::cancel(const std::string& headers)
{
    if (first_ && first_->method == "INVITE" && !first_->final_seen) {
        cancelled_ = true;
        (void)common_.tm.cancel(first_->transaction, headers);
        // 9.1: without a final reply in 64*T1 the transaction counts as cancelled.
        if (!cancel_guard_)
            cancel_guard_ = alarm(t1_64, [](DialogSet& set) {
                set.cancel_guard_ = {};
                if (!set.first_ || set.first_->final_seen)
                    return;
                Arrived none;
                none.code = 487;
                none.reason = "Request Terminated";
                none.last = true;
                set.on_reply(set.first_, set.first_->round, none);
            });
        return;
    }
    for (const auto& fork : forks_)
        if (fork->invite_out)
            (void)common_.tm.cancel(fork->invite_out->transaction, headers);
}

void DialogSet::bye(std::uint32_t number, const std::string& headers, int code)
{
    if (number == 0) {
        if (first_ && !first_->final_seen)
            cancel(headers);
        std::vector<std::uint32_t> numbers;
        for (const auto& fork : forks_)
            numbers.push_back(fork->number);
        for (const std::uint32_t one : numbers)
            if (Fork* const fork = fork_by(one); fork && (fork->call == CallState::answered ||
                                                          fork->call == CallState::confirmed || !we_call_))
                bye(one, headers, code);
        return;
    }
    Fork* const fork = fork_by(number);
    if (!fork || !fork->has_call || fork->told_end)
        return;
    const CallStep next = step(fork->call, fork->role, CallEvent::local_bye);
    fork->call = next.next;
    fork->bye_headers = headers;
    if (next.action != CallAction::none && next.action != CallAction::cancel)
        fork->why = Ended::local_bye;
    switch (next.action) {
    case CallAction::cancel: // an early dialog alone: BYE ends it, and leaves the others (15)
        fork->call = CallState::ending;
        fork->why = Ended::local_bye;
        send_bye(*fork);
        break;
    case CallAction::refuse:
        for (Theirs& theirs : fork->theirs)
            if (theirs.initial) {
                Reply refusal{code, {}, headers, {}, {}};
                fork->reliable.reset();
                fork->after_prack.clear();
                give(*fork, theirs, refusal, false);
                break;
            }
        break;
    case CallAction::ack_and_bye:
        if (!fork->acks.empty() && !fork->acks.back().sent) {
            fork->acks.back().sent = true;
            send_ack(*fork, fork->acks.back());
        }
        send_bye(*fork);
        break;
    case CallAction::bye: send_bye(*fork); break;
    case CallAction::bye_later: fork->bye_wanted = true; break;
    default: break;
    }
}

void DialogSet::ack(std::uint32_t number, const std::string& headers, const std::string& type,
                    const std::string& body)
{
    Fork* const fork = fork_by(number);
    if (!fork || fork->acks.empty() || fork->acks.back().sent)
        return;
    OurAck& ack = fork->acks.back();
    ack.sent = true;
    ack.headers = headers;
    ack.content_type = type;
    ack.body = body;
    if (fork->call == CallState::answered)
        fork->call = step(fork->call, fork->role, CallEvent::ack).next;
    fork->open.our_invite = false;
    if (!body.empty()) {
        fork->sdp_type = type;
        fork->sdp = body;
    }
    send_ack(*fork, ack);
    if (fork->call == CallState::confirmed)
        send_waiting(*fork);
}

void DialogSet::request(std::uint32_t number, std::shared_ptr<Sent> sent)
{
    Fork* const fork = fork_by(number);
    if (!fork || fork->told_end) {
        Arrived none;
        none.code = 481;
        none.reason = "Call/Transaction Does Not Exist";
        owner_ ? tell(told(*sent, none, nullptr, nullptr)) : void();
        return;
    }
    sent->fork = number;
    transmit_when_free(*fork, sent);
}

void DialogSet::drop(std::uint32_t number)
{
    for (const auto& fork : forks_)
        if (number == 0 || fork->number == number)
            end_fork(*fork, Ended::dropped);
    if (number == 0) {
        first_done_ = true;
        why_ = Ended::dropped;
        maybe_finish();
    }
}

void DialogSet::describe(std::vector<DialogInfo>& into, std::size_t most) const
{
    const auto age = (now() - since_) / 1s;
    if (forks_.empty() && into.size() < most)
        into.push_back({{id, 0},
                        call_id,
                        local_tag,
                        {},
                        from_,
                        to_,
                        first_ ? first_->request_uri : "",
                        "calling",
                        0,
                        age,
                        we_call_});
    for (const auto& fork : forks_)
        if (into.size() < most)
            into.push_back(
                {{id, fork->number},
                 call_id,
                 local_tag,
                 fork->dialog.remote_tag(),
                 fork->dialog.local(),
                 fork->dialog.remote(),
                 fork->dialog.target(),
                 std::string{fork->has_call ? to_text(fork->call) : std::string_view{"subscription"}},
                 static_cast<int>(fork->subscriptions.size()),
                 age,
                 we_call_});
}

} // namespace sipyard::tm
