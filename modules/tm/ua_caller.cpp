// modules/tm/ua_caller.cpp - replies to requests of a dialog set: forks, ACK, PRACK, retries, what ends what
// (RFC 3261 13.2.2)
#include "modules/tm/ua_set.h"

#include "core/base/text.h"
#include "core/sip/lists.h"

#include <algorithm>

namespace sipyard::tm {
namespace {

bool requires_100rel(const sip::Message& message)
{
    for (const auto* header = message.first(sip::HeaderName::require); header; header = message.next(*header))
        if (sip::list_has(header->value, "100rel"))
            return true;
    return false;
}

// Requests whose 2xx moves the target (RFC 3261 12.2.1.2, RFC 6665, RFC 3515).
bool refreshes_target(std::string_view method)
{
    return method == "INVITE" || method == "UPDATE" || method == "SUBSCRIBE" || method == "REFER" ||
           method == "NOTIFY";
}

// Those whose 481 or 408 is the end of the call (RFC 5057 5.1); the others are the subscriptions'.
bool belongs_to_call(std::string_view method)
{
    return method != "SUBSCRIBE" && method != "NOTIFY" && method != "REFER";
}

} // namespace

void DialogSet::tell(const DialogReply& reply)
{
    if (owner_)
        owner_->on_reply(reply);
}

DialogReply DialogSet::told(const Sent& sent, const Arrived& arrived, const sip::Message* message,
                            const Fork* fork) const
{
    DialogReply reply;
    reply.dialog = {id, fork ? fork->number : 0};
    reply.note = sent.note;
    reply.method = sent.method;
    reply.cseq = sent.cseq;
    reply.code = arrived.code;
    reply.reason = arrived.reason;
    reply.message = message;
    reply.refresh = sent.refresh;
    return reply;
}

void DialogSet::on_reply(const std::shared_ptr<Sent>& sent, std::uint32_t round, const Arrived& arrived)
{
    if (finished_ || round != sent->round)
        return;
    Arena arena;
    const sip::Message* message = nullptr;
    if (!arrived.bytes.empty()) {
        const auto parsed = sip::Message::parse(arrived.bytes, arena);
        if (!parsed)
            return;
        message = *parsed;
    }
    if (sent->initial && sent->method == "INVITE") {
        on_invite_reply(sent, arrived, message);
    } else if (sent->initial) {
        on_other_reply(sent, arrived, message);
    } else if (Fork* const fork = fork_by(sent->fork)) {
        on_in_dialog_reply(*fork, sent, arrived, message);
    }
    if (sent->initial && arrived.last) {
        // Early dialogs that no 2xx has confirmed are over now (13.2.2.4).
        for (std::size_t i = 0; i < forks_.size(); ++i)
            if (forks_[i]->has_call &&
                (forks_[i]->call == CallState::early || forks_[i]->call == CallState::calling) &&
                !(first_failed_ && first_code_ == 0))
                end_fork(*forks_[i], first_failed_ ? Ended::failed : Ended::other_fork, first_code_, nullptr);
        if (sent->final_seen) {
            first_done_ = true;
            maybe_finish();
        }
    }
}

// --- the INVITE that began it --------------------------------------------------------------------

void DialogSet::on_invite_reply(const std::shared_ptr<Sent>& sent, const Arrived& arrived,
                                const sip::Message* message)
{
    if (arrived.code == 100)
        return;
    if (arrived.code >= 300 || !message) {
        on_first_failure(sent, arrived, message);
        return;
    }
    bool created = false;
    Fork* const fork = fork_of_reply(*sent, *message, created);
    if (!fork) { // a provisional reply without a tag, or more forks than we keep
        if (arrived.code < 200)
            tell(told(*sent, arrived, message, nullptr));
        return;
    }
    note_peer(*fork, *message);
    if (arrived.code >= 200) {
        on_invite_success(sent, arrived, *message, *fork, created);
        return;
    }
    if (fork->call != CallState::calling && fork->call != CallState::early)
        return; // it was overtaken by the 2xx
    fork->call = CallState::early;
    fork->dialog.refresh_target(*message);
    DialogReply reply = told(*sent, arrived, message, fork);
    reply.created = created;
    bool skip = false;
    take_reliable(*fork, *sent, *message, reply, skip);
    if (!skip)
        tell(reply);
}

void DialogSet::take_reliable(Fork& fork, const Sent& sent, const sip::Message& message, DialogReply& reply,
                              bool& skip)
{
    const auto rseq = message.number(sip::HeaderName::rseq);
    if (!rseq || *rseq == 0 || !requires_100rel(message))
        return;
    if (fork.reliable_order.take(*rseq) != ReliableOrder::Place::next) {
        skip = true; // a copy, or one before which another is missing (RFC 3262 4)
        return;
    }
    reply.rseq = *rseq;
    // An offer in it has to be answered in the PRACK, and that is the owner's to do: an INVITE without a body
    // was his too.
    if (auto_prack_ == Who::automatic && !(sent.body.empty() && !message.body().empty()))
        prack(fork.number, *rseq, {}, {}, 0);
}

void DialogSet::on_invite_success(const std::shared_ptr<Sent>& sent, const Arrived& arrived,
                                  const sip::Message& message, Fork& fork, bool created)
{
    const CallState before = fork.call;
    const CallStep next = step(before, CallRole::caller, CallEvent::success);
    fork.call = next.next;
    if (next.action == CallAction::ack_again) {
        for (const OurAck& ack : fork.acks)
            if (ack.sent && message.cseq() && ack.cseq == message.cseq()->number)
                send_ack(fork, ack);
        return;
    }
    if (next.action != CallAction::tell)
        return;
    sent->final_seen = true;
    common_.alarms.cancel(cancel_guard_);
    fork.dialog.confirm_routes(message);
    fork.dialog.refresh_target(message);
    fork.acks.push_back({sent->cseq, false, {}, {}, {}, sent->credentials});
    const bool late = cancelled_ || winner_ != 0;
    if (late && late_ == Late::refused) {
        common_.counts.late_refused.add();
        fork.why = cancelled_ ? Ended::cancelled : Ended::other_fork;
        fork.call = step(fork.call, CallRole::caller, CallEvent::local_bye).next;
        fork.acks.back().sent = true;
        send_ack(fork, fork.acks.back());
        send_bye(fork);
        return;
    }
    if (!late)
        winner_ = fork.number;
    set_session(fork, session_from_reply(session_, SessionFields::of(message)));
    DialogReply reply = told(*sent, arrived, &message, &fork);
    reply.created = created;
    reply.late = late;
    reply.needs_ack = sent->ack == Who::owner;
    tell(reply);
    if (sent->ack == Who::automatic)
        ack(fork.number, {}, {}, {});
}

void DialogSet::on_first_failure(const std::shared_ptr<Sent>& sent, const Arrived& arrived,
                                 const sip::Message* message)
{
    if (sent->final_seen)
        return; // after a 2xx a timeout means that no more copies come
    if (message && !cancelled_ && (arrived.code == 401 || arrived.code == 407) &&
        repeat_with_credentials(sent, *message))
        return;
    if (message && !cancelled_ && arrived.code == 422 && repeat_with_min_se(sent, *message))
        return;
    sent->final_seen = true;
    common_.alarms.cancel(cancel_guard_);
    first_failed_ = true;
    first_code_ = 0; // the owner may have it sent again: early dialogs end after his callback
    why_ = cancelled_ ? Ended::cancelled : Ended::failed;
    tell(told(*sent, arrived, message, nullptr));
    post([code = arrived.code](DialogSet& set) {
        if (!set.first_failed_)
            return; // again()
        set.first_code_ = code;
        for (std::size_t i = 0; i < set.forks_.size(); ++i)
            if (!set.forks_[i]->told_end && set.forks_[i]->call < CallState::answered)
                set.end_fork(*set.forks_[i], set.cancelled_ ? Ended::cancelled : Ended::failed, code,
                             nullptr);
        set.why_ = set.cancelled_ ? Ended::cancelled : Ended::failed;
        set.first_done_ = true;
        set.maybe_finish();
    });
}

// --- SUBSCRIBE and REFER outside of a dialog -----------------------------------------------------

void DialogSet::on_other_reply(const std::shared_ptr<Sent>& sent, const Arrived& arrived,
                               const sip::Message* message)
{
    if (arrived.code < 200 || sent->final_seen)
        return;
    if (arrived.code >= 300 || !message) {
        if (message && (arrived.code == 401 || arrived.code == 407) &&
            repeat_with_credentials(sent, *message))
            return;
        sent->final_seen = true;
        first_failed_ = true;
        first_code_ = 0;
        tell(told(*sent, arrived, message, nullptr));
        post([code = arrived.code](DialogSet& set) {
            if (!set.first_failed_)
                return;
            set.first_code_ = code;
            for (std::size_t i = 0; i < set.forks_.size(); ++i) // a NOTIFY may have made one before
                set.end_fork(*set.forks_[i], Ended::failed, code);
            set.why_ = Ended::failed;
            set.first_done_ = true;
            set.maybe_finish();
        });
        return;
    }
    sent->final_seen = true;
    bool created = false;
    Fork* const fork = fork_of_reply(*sent, *message, created);
    DialogReply reply = told(*sent, arrived, message, fork);
    reply.created = created;
    const bool refer = sent->method == "REFER";
    const bool no_subscription =
        refer && iequals(message->value(sip::HeaderName::refer_sub), "false"); // RFC 4488
    if (fork && !no_subscription) {
        fork->dialog.refresh_target(*message);
        sip::EventType event;
        (void)sip::read(line_value(sent->headers, "Event"), event);
        note_subscription(*fork, refer ? "refer" : event.package, event.id(), true, message->expires());
    }
    tell(reply);
    if (fork && no_subscription) {
        drop_subscription(*fork, "refer", {}, true);
        check_over(*fork);
    } else if (fork) {
        arm_leftover(*fork);
    }
}

// --- requests within a dialog --------------------------------------------------------------------

void DialogSet::on_in_dialog_reply(Fork& fork, const std::shared_ptr<Sent>& sent, const Arrived& arrived,
                                   const sip::Message* message)
{
    const bool invite = sent->method == "INVITE", update = sent->method == "UPDATE";
    if (arrived.code < 200) {
        if (arrived.code > 100 && sent->tells_owner && !sent->final_seen)
            tell(told(*sent, arrived, message, &fork));
        return;
    }
    if (sent->final_seen) { // a copy of a 2xx
        if (invite && arrived.code < 300)
            for (const OurAck& ack : fork.acks)
                if (ack.sent && ack.cseq == sent->cseq)
                    send_ack(fork, ack);
        return;
    }
    if (message && arrived.code < 300 && (invite || update))
        note_peer(fork, *message);
    if (invite && arrived.code >= 300)
        fork.open.our_invite = false;
    if (update)
        fork.open.our_update = false;
    if (invite)
        fork.invite_out.reset();
    if (fork.told_end && sent->method != "BYE") {
        // The dialog ended meanwhile. A 2xx to INVITE is acknowledged all the same (13.2.2.4).
        if (invite && arrived.code < 300) {
            sent->final_seen = true;
            fork.acks.push_back({sent->cseq, true, {}, {}, {}, sent->credentials});
            send_ack(fork, fork.acks.back());
        }
        return;
    }
    if (message) {
        if ((arrived.code == 401 || arrived.code == 407) && repeat_with_credentials(sent, *message))
            return;
        if (arrived.code == 422 && (invite || update) && repeat_with_min_se(sent, *message))
            return;
        if (arrived.code == 491 && repeat_after_glare(sent))
            return;
    }
    sent->final_seen = true;
    if (message && arrived.code < 300) {
        if (refreshes_target(sent->method))
            fork.dialog.refresh_target(*message);
        if (invite || update)
            set_session(fork, session_from_reply(fork.session.interval
                                                     ? SessionSettings{fork.session.interval, session_.min_se}
                                                     : session_,
                                                 SessionFields::of(*message)));
    }
    if (invite && arrived.code < 300) {
        fork.acks.push_back({sent->cseq, false, {}, {}, {}, sent->credentials});
        if (fork.acks.size() > 2)
            fork.acks.erase(fork.acks.begin());
    }
    if (sent->tells_owner || (sent->refresh && message && !message->body().empty())) {
        DialogReply reply = told(*sent, arrived, message, &fork);
        reply.needs_ack = invite && arrived.code < 300 && sent->ack == Who::owner;
        tell(reply);
    }
    if (invite && arrived.code < 300 && sent->ack == Who::automatic)
        ack(fork.number, {}, {}, {});
    after_final(fork, *sent, arrived.code, message);
    send_waiting(fork);
}

// What a final reply means for the usages of the dialog (RFC 5057 5).
void DialogSet::after_final(Fork& fork, const Sent& sent, int code, const sip::Message* message)
{
    if (sent.method == "BYE") {
        fork.call = CallState::ended;
        end_call(fork, fork.why, code, message);
        return;
    }
    sip::EventType event;
    (void)sip::read(line_value(sent.headers, "Event"), event);
    if (sent.method == "REFER") {
        const bool none =
            code >= 300 || (message && iequals(message->value(sip::HeaderName::refer_sub), "false"));
        if (none)
            drop_subscription(fork, "refer", {}, true);
    } else if (sent.method == "SUBSCRIBE") {
        if (code < 300)
            note_subscription(fork, event.package, event.id(), true,
                              message ? message->expires() : std::nullopt);
        else if (code == 481 || code == 404 || code == 489)
            drop_subscription(fork, event.package, event.id(), true);
    } else if (sent.method == "NOTIFY") {
        if (code == 481 || istarts_with(line_value(sent.headers, "Subscription-State"), "terminated"))
            drop_subscription(fork, event.package, event.id(), false);
    }
    if ((code == 481 || code == 408) && belongs_to_call(sent.method) && fork.has_call &&
        fork.call >= CallState::answered && fork.call != CallState::ended && fork.call != CallState::ending) {
        if (code == 481) { // the other side knows nothing of it: a BYE would tell it nothing
            fork.call = CallState::ended;
            end_call(fork, Ended::gone, code, message);
            return;
        }
        fork.why = Ended::gone;
        fork.bye_headers = "Reason: SIP;cause=408\r\n";
        fork.call = CallState::ending;
        send_bye(fork);
        return;
    }
    if (sent.refresh && sent.method == "UPDATE" && (code == 405 || code == 501)) {
        fork.update_refused = true; // it said it could; a re-INVITE refreshes as well
        refresh_session(fork);
    }
    check_over(fork);
}

} // namespace sipyard::tm
