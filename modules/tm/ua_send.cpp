// modules/tm/ua_send.cpp - requests of a dialog set as they leave: first ones, in-dialog ones, ACK, BYE, and
// the same once more
#include "modules/tm/ua_set.h"

#include "core/base/text.h"
#include "core/crypto/random.h"

#include <algorithm>

namespace sipyard::tm {
namespace {

constexpr int most_glares = 3, most_resizes = 2;

bool is_offer(const Sent& sent)
{
    return sent.method == "INVITE" || (sent.method == "UPDATE" && !sent.body.empty());
}

// Contact belongs to requests that make a dialog or move its target (RFC 3261 12.2.1.1, RFC 6665 4.1.2.1).
bool carries_contact(std::string_view method)
{
    return method == "INVITE" || method == "UPDATE" || method == "SUBSCRIBE" || method == "NOTIFY" ||
           method == "REFER";
}

} // namespace

void DialogSet::begin() { transmit(first_); }

std::shared_ptr<Sent> DialogSet::make(std::string_view method, const Fork& fork) const
{
    auto sent = std::make_shared<Sent>();
    sent->method = method;
    sent->fork = fork.number;
    sent->tells_owner = false;
    return sent;
}

void DialogSet::transmit(const std::shared_ptr<Sent>& sent)
{
    Fork* const fork = sent->fork ? fork_by(sent->fork) : nullptr;
    if (sent->fork && !fork)
        return;
    sip::Path path{sent->request_uri, {}, {}};
    if (fork) {
        path = fork->dialog.path();
        if (path.request_uri.empty())
            path.request_uri = path.next_hop =
                first_ ? first_->request_uri : ""; // a peer that gave no Contact
        sent->cseq = fork->dialog.next_cseq();
    } else {
        sent->cseq = ++cseq_;
    }
    ++sent->round;
    if (!fork && first_)
        sent->final_seen = false;

    std::string headers = path.route;
    headers += sent->headers;
    if (carries_contact(sent->method) && !has_line(sent->headers, "Contact"))
        headers += "Contact: " + contact_ + "\r\n";
    const bool invite = sent->method == "INVITE", update = sent->method == "UPDATE";
    if (invite || update) {
        if (!has_line(sent->headers, "Supported"))
            headers += invite ? "Supported: 100rel, timer\r\n" : "Supported: timer\r\n";
        if (!has_line(sent->headers, "Allow"))
            headers +=
                "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, UPDATE, PRACK, INFO, MESSAGE\r\n";
        if (!has_line(sent->headers, "Session-Expires"))
            headers += session_lines(session_, fork ? &fork->session : nullptr);
    }
    sent->credentials = digest_.lines({sent->method, path.request_uri, sent->body});
    headers += sent->credentials;
    if (!sent->body.empty() && (invite || update || sent->method == "PRACK") && fork) {
        fork->sdp_type = sent->content_type;
        fork->sdp = sent->body;
    }

    Outgoing out;
    out.method = sent->method;
    out.request_uri = path.request_uri;
    out.next_hop =
        sent->next_hop.empty() ? std::string_view{path.next_hop} : std::string_view{sent->next_hop};
    out.from = fork ? std::string_view{fork->dialog.local()} : std::string_view{from_};
    out.to = fork ? std::string_view{fork->dialog.remote()} : std::string_view{to_};
    out.call_id = call_id;
    out.cseq = sent->cseq;
    out.headers = headers;
    out.content_type = sent->content_type;
    out.body = sent->body;
    out.socket = sent->socket ? sent->socket : socket_;
    out.connection = sent->connection ? sent->connection : connection_;
    out.final_timeout = sent->final_timeout;
    out.ringing_timeout = sent->ringing_timeout;
    out.run_local_route = sent->run_local_route;
    if (fork && invite) {
        fork->open.our_invite = true;
        fork->invite_out = sent;
    }
    if (fork && update)
        fork->open.our_update = true;

    const std::uint32_t round = sent->round;
    const auto begun = common_.tm.send(out, [self = weak_from_this(), sent, round](const Incoming& in) {
        const auto set = self.lock();
        if (!set)
            return;
        // The message lives on the fiber that brought it; ours is another one.
        auto copy = std::make_shared<Arrived>();
        copy->code = in.code;
        copy->reason = in.reason;
        copy->last = in.last;
        copy->repeated = in.repeated;
        if (in.reply) {
            copy->bytes = in.reply->message().buffer();
            copy->from = in.reply->received();
        }
        set->post([sent, round, copy](DialogSet& s) { s.on_reply(sent, round, *copy); });
    });
    if (begun) {
        sent->transaction = *begun;
        return;
    }
    post([sent, round, text = begun.error().text](DialogSet& s) {
        Arrived none;
        none.code = 503;
        none.reason = text;
        none.last = true;
        s.on_reply(sent, round, none);
    });
}

// One offer at a time (RFC 3261 14.1): ours wait for ours, and for theirs.
void DialogSet::transmit_when_free(Fork& fork, const std::shared_ptr<Sent>& sent)
{
    if (sent->round == 0)
        digest_.new_request();
    const bool early_update = sent->method == "UPDATE" && fork.call == CallState::early;
    const bool closed = is_offer(*sent) && (our_offer(fork.open) != OfferVerdict::go ||
                                            (fork.call == CallState::answered && !early_update));
    if (closed || (is_offer(*sent) && !fork.waiting.empty())) {
        if (fork.waiting.size() < 16) {
            fork.waiting.push_back(sent);
            return;
        }
        post([sent](DialogSet& s) {
            Arrived none;
            none.code = 503;
            none.reason = "Too many requests wait";
            none.last = true;
            s.on_reply(sent, sent->round, none);
        });
        return;
    }
    if (sent->method == "SUBSCRIBE" || sent->method == "REFER") {
        // A NOTIFY may come before the 2xx (RFC 6665 4.4.1, RFC 3515 2.4.4); the usage begins with the
        // request.
        const bool refer = sent->method == "REFER";
        sip::EventType event;
        (void)sip::read(line_value(sent->headers, "Event"), event);
        note_subscription(fork, refer ? "refer" : event.package, event.id(), true, {});
    }
    transmit(sent);
}

void DialogSet::send_waiting(Fork& fork)
{
    while (!fork.waiting.empty() && our_offer(fork.open) == OfferVerdict::go &&
           fork.call != CallState::answered && !fork.glare_alarm) {
        const auto next = fork.waiting.front();
        fork.waiting.pop_front();
        transmit(next);
    }
}

void DialogSet::send_ack(Fork& fork, const OurAck& ack)
{
    sip::Path path = fork.dialog.path();
    if (path.request_uri.empty())
        path.request_uri = path.next_hop = first_ ? first_->request_uri : "";
    const std::string headers = path.route + ack.headers + ack.credentials;
    Outgoing out;
    out.method = "ACK";
    out.request_uri = path.request_uri;
    out.next_hop = path.next_hop;
    out.from = fork.dialog.local();
    out.to = fork.dialog.remote();
    out.call_id = call_id;
    out.cseq = ack.cseq;
    out.headers = headers;
    out.content_type = ack.content_type;
    out.body = ack.body;
    out.socket = socket_;
    out.connection = connection_;
    if (const auto sent = common_.tm.send_once(out); !sent)
        common_.log.warn("{}: ACK: {}", call_id, sent.error().text);
}

void DialogSet::send_bye(Fork& fork)
{
    digest_.new_request();
    auto sent = make("BYE", fork);
    sent->headers = fork.bye_headers;
    transmit(sent);
}

bool DialogSet::repeat_with_credentials(const std::shared_ptr<Sent>& sent, const sip::Message& reply)
{
    if (!digest_.has_credentials())
        return false;
    if (const auto taken = digest_.challenged(reply); !taken) {
        common_.log.info("{}: {}", call_id, taken.error().text);
        return false;
    }
    common_.counts.challenged.add();
    transmit(sent);
    return true;
}

bool DialogSet::repeat_with_min_se(const std::shared_ptr<Sent>& sent, const sip::Message& reply)
{
    const auto next =
        session_after_422(std::max(session_.expires, session_.min_se), SessionFields::of(reply));
    if (!next || sent->resizes >= most_resizes)
        return false;
    ++sent->resizes;
    session_.expires = session_.expires ? *next : 0;
    session_.min_se = *next; // 7.4: Min-SE of the request that is sent again
    if (Fork* const fork = sent->fork ? fork_by(sent->fork) : nullptr; fork && fork->session.interval)
        fork->session.interval = *next;
    transmit(sent);
    return true;
}

bool DialogSet::repeat_after_glare(const std::shared_ptr<Sent>& sent)
{
    Fork* const fork = fork_by(sent->fork);
    if (!fork || !sent->retry_glare || sent->glares >= most_glares ||
        (sent->method != "INVITE" && sent->method != "UPDATE"))
        return false;
    ++sent->glares;
    common_.counts.glare.add();
    fork->waiting.push_front(sent);
    common_.alarms.cancel(fork->glare_alarm);
    fork->glare_alarm =
        alarm(glare_delay(we_call_, crypto::random_number()), [number = sent->fork](DialogSet& set) {
            if (Fork* const free = set.fork_by(number)) {
                free->glare_alarm = {};
                set.send_waiting(*free);
            }
        });
    return true;
}

void DialogSet::prack(std::uint32_t number, std::uint32_t rseq, const std::string& type,
                      const std::string& body, std::uint64_t note)
{
    Fork* const fork = fork_by(number);
    if (!fork || !first_ || fork->told_end)
        return;
    auto sent = make("PRACK", *fork);
    sent->tells_owner = true;
    sent->note = note;
    sent->headers = format("RAck: {} {} INVITE\r\n", rseq, first_->cseq);
    sent->content_type = type;
    sent->body = body;
    digest_.new_request();
    transmit(sent);
}

} // namespace sipyard::tm
