// modules/tm/ua_callee.cpp - requests within our dialogs, and how they are answered (RFC
// 3261 12.2.2, 13.3, 14.2, RFC 3262 3)
#include "modules/tm/ua_set.h"

#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/module/stateless.h"
#include "core/sip/build.h"
#include "core/sip/lists.h"

#include <algorithm>

namespace sipyard::tm {
namespace {

sip::Source source_of(const net::Received& from, const std::string& ip)
{
    return {ip, from.source.port, false, false};
}

sip::EventType event_of(const sip::Message& message)
{
    const auto* const event = message.event();
    return event ? *event : sip::EventType{};
}

} // namespace

void DialogSet::begin_callee(Request& request, TransactionId transaction)
{
    Fork& fork = *forks_.front();
    fork.role = CallRole::callee;
    const auto method = request.message().method();
    fork.has_call = method == sip::Method::invite;
    if (!fork.has_call)
        note_subscription(fork, method == sip::Method::refer ? "refer" : event_of(request.message()).package,
                          event_of(request.message()).id(), false, request.message().expires());
    note_peer(fork, request.message());
    fork.open.their_invite = fork.has_call;
    fork.their_sdp = request.message().body();
    fork.theirs.push_back({transaction, method, std::string{request.message().buffer()}, request.received(),
                           reply_destination(request), true});
}

void DialogSet::on_request(Request& request, TransactionId transaction)
{
    const auto& message = request.message();
    Fork* fork = fork_by_tag(message.from_tag());
    if (!fork && message.method() == sip::Method::notify && we_call_ && first_ &&
        first_->method != "INVITE" && !first_failed_ && !finished_) {
        // The NOTIFY came before the 2xx, or from another fork (RFC 6665 4.4.1).
        auto dialog = sip::Dialog::from_notify(from_, to_, call_id, first_->cseq, message);
        if (dialog && forks_.size() < 32) {
            fork = &add_fork(std::move(*dialog));
            const bool refer = first_->method == "REFER";
            note_subscription(*fork, refer ? "refer" : event_of(message).package, event_of(message).id(),
                              true, {});
        }
    }
    if (!fork || fork->told_end || finished_) {
        common_.counts.unknown.add();
        (void)request.reply({481, "Call/Transaction Does Not Exist", {}, {}, {}});
        return;
    }
    take(*fork, request, transaction);
}

void DialogSet::take(Fork& fork, Request& request, TransactionId transaction)
{
    const auto& message = request.message();
    if (fork.dialog.take_turn(message) != sip::Turn::next) {
        (void)request.reply(
            {500, "Server Internal Error", "Reason: SIP;cause=500;text=\"CSeq out of order\"\r\n", {}, {}});
        return;
    }
    const auto method = message.method();
    if (method == sip::Method::bye) {
        take_bye(fork, request);
        return;
    }
    if (method == sip::Method::prack && !take_prack(fork, request))
        return;
    const bool offer = method == sip::Method::invite || method == sip::Method::update;
    if (offer && !take_offer(fork, request))
        return;
    if (method == sip::Method::notify || method == sip::Method::subscribe || method == sip::Method::refer)
        fork.dialog.refresh_target(message);
    fork.theirs.push_back({transaction, method, std::string{message.buffer()}, request.received(),
                           reply_destination(request), false});

    const bool same_sdp = offer && (message.body().empty() || message.body() == fork.their_sdp);
    if (offer && !message.body().empty())
        fork.their_sdp = message.body();
    const auto event = event_of(message);
    std::optional<bool> ends; // of a NOTIFY
    if (method == sip::Method::notify) {
        sip::SubscriptionState state;
        (void)sip::read(message.value(sip::HeaderName::subscription_state), state);
        ends = iequals(state.state, "terminated");
        if (!*ends &&
            std::any_of(fork.subscriptions.begin(), fork.subscriptions.end(),
                        [&](const Subscription& s) { return s.ours && iequals(s.event, event.package); })) {
            std::uint32_t seconds = 0;
            const auto expires = state.params.find("expires");
            note_subscription(fork, event.package, event.id(), true,
                              expires && sip::read(*expires, seconds).empty() ? std::optional{seconds}
                                                                              : std::nullopt);
        }
    }
    if (!owner_->on_request({{id, fork.number}, transaction, request, same_sdp}))
        default_answer(fork, request, transaction);
    if (ends && *ends) {
        drop_subscription(fork, event.package, event.id(), true);
        // The owner's answer is in the queue before this.
        post([number = fork.number](DialogSet& set) {
            if (Fork* const done = set.fork_by(number))
                set.check_over(*done);
        });
    }
}

void DialogSet::take_bye(Fork& fork, Request& request)
{
    if (!fork.has_call) {
        (void)request.reply({481, "Call/Transaction Does Not Exist", {}, {}, {}});
        return;
    }
    const CallStep next = step(fork.call, fork.role, CallEvent::remote_bye);
    (void)request.reply({200, "OK", {}, {}, {}});
    // What is open is over with the call (15.1.2).
    const auto open = std::move(fork.theirs);
    fork.theirs.clear();
    for (const Theirs& theirs : open)
        (void)common_.tm.reply(theirs.id, {487, "Request Terminated", {}, {}, {}});
    fork.open.their_invite = fork.open.their_update = false;
    fork.call = next.next;
    if (next.action == CallAction::end || next.action == CallAction::refuse_and_end)
        end_call(fork, Ended::remote_bye, 0, &request.message());
}

bool DialogSet::take_prack(Fork& fork, Request& request)
{
    sip::RAck rack;
    const bool good = fork.reliable &&
                      sip::read(request.message().value(sip::HeaderName::rack), rack).empty() &&
                      rack.rseq == fork.reliable->rseq && rack.cseq.number == fork.reliable->cseq;
    if (!good) {
        (void)request.reply({481, "Call/Transaction Does Not Exist", {}, {}, {}});
        return false;
    }
    common_.alarms.cancel(fork.reliable->alarm);
    fork.reliable.reset();
    owner_->on_prack({id, fork.number}, rack.rseq);
    post([number = fork.number](DialogSet& set) { // after the answer to the PRACK itself
        if (Fork* const acknowledged = set.fork_by(number))
            set.prack_came(*acknowledged);
    });
    return true;
}

void DialogSet::prack_came(Fork& fork)
{
    while (!fork.reliable && !fork.after_prack.empty()) {
        const Fork::Later later = std::move(fork.after_prack.front());
        fork.after_prack.pop_front();
        reply(fork.number, later.id,
              {later.code, later.reason, later.headers, later.content_type, later.body}, later.reliable);
    }
}

bool DialogSet::take_offer(Fork& fork, Request& request)
{
    const auto& message = request.message();
    const bool invite = message.method() == sip::Method::invite;
    if (invite && fork.call != CallState::confirmed) {
        // The ACK to the first one is still to come, or it comes from a fork that is not answered (14.2).
        (void)request.reply(
            {500, "Server Internal Error", format("Retry-After: {}\r\n", crypto::random_below(11)), {}, {}});
        return false;
    }
    Unanswered now = fork.open;
    if (fork.role == CallRole::callee && fork.call < CallState::answered)
        now.their_invite = false; // an UPDATE beside the first INVITE
    switch (invite ? their_invite(now) : their_update(now, !message.body().empty())) {
    case OfferVerdict::pending:
        common_.counts.glare.add();
        (void)request.reply({491, "Request Pending", {}, {}, {}});
        return false;
    case OfferVerdict::too_soon:
        (void)request.reply(
            {500, "Server Internal Error", format("Retry-After: {}\r\n", crypto::random_below(11)), {}, {}});
        return false;
    case OfferVerdict::go: break;
    }
    if (session_answer(session_, SessionFields::of(message), &fork.session).too_small) {
        (void)request.reply({422,
                             "Session Interval Too Small",
                             format("Min-SE: {}\r\n", std::max(session_.min_se, 90u)),
                             {},
                             {}});
        return false;
    }
    note_peer(fork, message);
    (invite ? fork.open.their_invite : fork.open.their_update) = true;
    return true;
}

void DialogSet::default_answer(Fork& fork, Request& request, TransactionId transaction)
{
    const auto& message = request.message();
    int code = 405;
    switch (message.method()) {
    case sip::Method::info:
    case sip::Method::options:
    case sip::Method::prack: code = 200; break;
    case sip::Method::update: code = message.body().empty() ? 200 : 488; break;
    case sip::Method::invite: code = 488; break;
    case sip::Method::refer: code = 403; break;
    case sip::Method::notify:
        code = std::any_of(fork.subscriptions.begin(), fork.subscriptions.end(),
                           [&](const Subscription& s) {
                               return s.ours && iequals(s.event, event_of(message).package);
                           })
                   ? 200
                   : 489;
        break;
    default: break;
    }
    const std::string_view headers =
        code == 405 ? "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, NOTIFY, UPDATE, PRACK, INFO\r\n" : "";
    reply(fork.number, transaction, {code, sip::default_reason(code), headers, {}, {}}, false);
}

// --- answers -------------------------------------------------------------------------------------

void DialogSet::reply(std::uint32_t number, TransactionId transaction, const Reply& reply, bool reliable)
{
    Fork* const fork = fork_by(number);
    if (!fork)
        return;
    const auto theirs = std::find_if(fork->theirs.begin(), fork->theirs.end(),
                                     [&](const Theirs& t) { return t.id == transaction; });
    if (theirs != fork->theirs.end())
        give(*fork, *theirs, reply, reliable);
}

std::string DialogSet::reply_headers(const Fork&, const Theirs& theirs, const Reply& reply,
                                     const std::string& more) const
{
    std::string headers{reply.headers};
    const bool dialog = theirs.method == sip::Method::invite || theirs.method == sip::Method::update ||
                        theirs.method == sip::Method::subscribe || theirs.method == sip::Method::refer ||
                        theirs.method == sip::Method::notify;
    if (dialog && reply.code > 100 && reply.code < 300 && !has_line(reply.headers, "Contact"))
        headers += "Contact: " + contact_ + "\r\n";
    return headers + more;
}

void DialogSet::give(Fork& fork, Theirs& theirs, const Reply& given, bool reliable)
{
    Reply reply = given;
    const bool invite = theirs.method == sip::Method::invite;
    if (reply.reason.empty())
        reply.reason = sip::default_reason(reply.code);
    if (invite && reply.code > 100 && reply.code < 300 && fork.reliable) {
        // One at a time, and no 2xx before the PRACK (RFC 3262 3).
        if (fork.after_prack.size() < 16)
            fork.after_prack.push_back({theirs.id, reply.code, std::string{reply.reason},
                                        std::string{reply.headers}, std::string{reply.content_type},
                                        std::string{reply.body}, reliable});
        return;
    }
    if (invite && reply.code > 100 && reply.code < 300 && !reply.body.empty()) {
        fork.sdp_type = reply.content_type;
        fork.sdp = reply.body;
    }
    if (reply.code < 200) {
        if (theirs.initial && reply.code > 100)
            fork.call = step(fork.call, fork.role, CallEvent::provisional).next;
        std::string more;
        if (reliable && invite && reply.code > 100) {
            if (fork.rseq == 0)
                fork.rseq =
                    static_cast<std::uint32_t>(crypto::random_below(0x3fffffff)); // RFC 3262 3: 1 .. 2^31-1
            more = format("Require: 100rel\r\nRSeq: {}\r\n", ++fork.rseq);
        }
        const std::string headers = reply_headers(fork, theirs, reply, more);
        reply.headers = headers;
        const auto sent = common_.tm.reply(theirs.id, reply);
        if (more.empty() || !sent)
            return;
        Arena arena;
        const auto parsed = sip::Message::parse(theirs.bytes, arena);
        const auto cseq = parsed && (*parsed)->cseq() ? (*parsed)->cseq()->number : 0;
        fork.reliable = OurReliable{theirs.id,
                                    fork.rseq,
                                    cseq,
                                    reply.code,
                                    std::string{reply.reason},
                                    headers,
                                    std::string{reply.content_type},
                                    std::string{reply.body},
                                    t1,
                                    now() + t1_64,
                                    {}};
        fork.reliable->alarm = alarm(t1, [number = fork.number, rseq = fork.rseq](DialogSet& set) {
            set.repeat_reliable(number, rseq);
        });
        return;
    }
    if (invite && reply.code < 300) {
        give_2xx_to_invite(fork, theirs, reply);
        return;
    }
    std::string more;
    if (theirs.method == sip::Method::update && reply.code < 300) {
        Arena arena;
        if (const auto parsed = sip::Message::parse(theirs.bytes, arena)) {
            fork.dialog.refresh_target(**parsed);
            const auto session = session_answer(session_, SessionFields::of(**parsed),
                                                fork.session.interval ? &fork.session : nullptr);
            if (!has_line(reply.headers, "Session-Expires"))
                more = session.lines;
            if (session.timer.interval)
                set_session(fork, session.timer);
        }
    }
    const std::string headers = reply_headers(fork, theirs, reply, more);
    reply.headers = headers;
    (void)common_.tm.reply(theirs.id, reply);
    const bool initial = theirs.initial;
    const auto method = theirs.method;
    sip::EventType event;
    Arena arena;
    const auto parsed = sip::Message::parse(theirs.bytes, arena);
    if (parsed)
        event = event_of(**parsed);
    if (reply.code < 300 && parsed && (method == sip::Method::subscribe || method == sip::Method::refer)) {
        const bool none =
            method == sip::Method::refer && iequals(line_value(reply.headers, "Refer-Sub"), "false");
        if (!none)
            note_subscription(fork, method == sip::Method::refer ? "refer" : event.package, event.id(), false,
                              (*parsed)->expires());
    }
    const TransactionId transaction = theirs.id;
    answered(fork, transaction); // `theirs` is gone
    if (initial && reply.code >= 300) {
        if (fork.has_call) {
            fork.call = step(fork.call, fork.role, CallEvent::failure).next;
            if (fork.why == Ended::local_bye)
                fork.why = Ended::failed;
        }
        fork.subscriptions.clear();
        end_fork(fork, fork.why, reply.code);
    }
}

void DialogSet::answered(Fork& fork, TransactionId transaction)
{
    const auto theirs = std::find_if(fork.theirs.begin(), fork.theirs.end(),
                                     [&](const Theirs& t) { return t.id == transaction; });
    if (theirs == fork.theirs.end())
        return;
    if (theirs->method == sip::Method::invite)
        fork.open.their_invite = false;
    if (theirs->method == sip::Method::update)
        fork.open.their_update = false;
    fork.theirs.erase(theirs);
    send_waiting(fork);
}

void DialogSet::give_2xx_to_invite(Fork& fork, Theirs& theirs, const Reply& given)
{
    Arena arena;
    const auto parsed = sip::Message::parse(theirs.bytes, arena);
    if (!parsed || !(*parsed)->cseq())
        return;
    const sip::Message& invite = **parsed;
    fork.dialog.refresh_target(invite);
    const auto session =
        session_answer(session_, SessionFields::of(invite), fork.session.interval ? &fork.session : nullptr);
    const std::string headers = reply_headers(
        fork, theirs, given, has_line(given.headers, "Session-Expires") ? std::string{} : session.lines);
    Reply reply = given;
    reply.headers = headers;
    if (const auto sent = common_.tm.reply(theirs.id, reply); !sent) { // cancelled, or timed out meanwhile
        common_.log.info("{}: {}", call_id, sent.error().text);
        return;
    }
    // A transaction sends a 2xx once; the copies until the ACK are the user agent's (13.3.1.4).
    const auto& core = common_.host.core();
    const std::string ip = theirs.from.source.ip();
    sip::ReplyParts parts;
    parts.to_tag = local_tag;
    parts.headers = headers;
    parts.server = core.server_signature ? std::string_view{core.server_header} : std::string_view{};
    parts.content_type = reply.content_type;
    parts.body = reply.body;
    parts.source = source_of(theirs.from, ip);
    OurAnswer answer;
    answer.cseq = invite.cseq()->number;
    answer.bytes = sip::build_reply(invite, reply.code, reply.reason, parts, arena);
    answer.to = theirs.back;
    answer.next = t1;
    answer.until = now() + t1_64;
    answer.alarm = alarm(
        t1, [number = fork.number, cseq = answer.cseq](DialogSet& set) { set.repeat_answer(number, cseq); });
    fork.answer = std::move(answer);
    if (theirs.initial)
        fork.call = step(fork.call, fork.role, CallEvent::success).next;
    fork.their_sdp = invite.body();
    if (session.timer.interval)
        set_session(fork, session.timer);
    const TransactionId transaction = theirs.id;
    answered(fork, transaction);
}

void DialogSet::repeat_answer(std::uint32_t number, std::uint32_t cseq)
{
    Fork* const fork = fork_by(number);
    if (!fork || !fork->answer || fork->answer->cseq != cseq)
        return;
    OurAnswer& answer = *fork->answer;
    if (now() >= answer.until) {
        common_.counts.no_ack.add();
        fork->answer.reset();
        // The dialog stands, the session should not (13.3.1.4).
        if (fork->call == CallState::answered || fork->call == CallState::confirmed) {
            fork->call = CallState::ending;
            fork->why = fork->bye_wanted ? Ended::local_bye : Ended::no_ack;
            if (fork->bye_headers.empty())
                fork->bye_headers = "Reason: SIP;cause=408;text=\"No ACK\"\r\n";
            send_bye(*fork);
        }
        return;
    }
    (void)common_.host.network().send(answer.to, answer.bytes);
    answer.next = std::min(2 * answer.next, t2);
    answer.alarm = alarm(std::min<Duration>(answer.next, answer.until - now()),
                         [number, cseq](DialogSet& set) { set.repeat_answer(number, cseq); });
}

void DialogSet::repeat_reliable(std::uint32_t number, std::uint32_t rseq)
{
    Fork* const fork = fork_by(number);
    if (!fork || !fork->reliable || fork->reliable->rseq != rseq)
        return;
    OurReliable& out = *fork->reliable;
    if (now() >= out.until) { // RFC 3262 3: the request is refused
        const TransactionId transaction = out.id;
        fork->reliable.reset();
        fork->after_prack.clear();
        reply(number, transaction, {504, "Server Time-out", {}, {}, {}}, false);
        return;
    }
    (void)common_.tm.reply(out.id, {out.code, out.reason, out.headers, out.content_type, out.body});
    out.next *= 2; // without the limit of T2 (RFC 3262 3)
    out.alarm = alarm(std::min<Duration>(out.next, out.until - now()),
                      [number, rseq](DialogSet& set) { set.repeat_reliable(number, rseq); });
}

bool DialogSet::on_ack(const sip::Message& ack)
{
    Fork* const fork = fork_by_tag(ack.from_tag());
    if (!fork || !ack.cseq() || !fork->answer || fork->answer->cseq != ack.cseq()->number)
        return false;
    common_.alarms.cancel(fork->answer->alarm);
    fork->answer.reset();
    fork->call = step(fork->call, fork->role, CallEvent::ack).next;
    if (!ack.body().empty())
        fork->their_sdp = ack.body();
    owner_->on_ack({id, fork->number}, ack.cseq()->number, ack);
    if (fork->bye_wanted && fork->call == CallState::confirmed)
        bye(fork->number, fork->bye_headers, 0);
    else
        send_waiting(*fork);
    return true;
}

void DialogSet::on_cancel(TransactionId transaction)
{
    for (const auto& fork : forks_) {
        const auto theirs = std::find_if(fork->theirs.begin(), fork->theirs.end(),
                                         [&](const Theirs& t) { return t.id == transaction; });
        if (theirs == fork->theirs.end())
            continue;
        if (theirs->initial)
            fork->why = Ended::remote_cancel;
        if (fork->reliable)
            common_.alarms.cancel(fork->reliable->alarm);
        fork->reliable.reset();
        fork->after_prack.clear();
        give(*fork, *theirs, {487, "Request Terminated", {}, {}, {}}, false);
        return;
    }
}

} // namespace sipyard::tm
