// modules/pua/sending.cpp - one publication on its way: PUBLISH and its answers, or the presence server of
// this process (RFC 3903 4)
#include "modules/pua/pua.h"

#include "core/base/text.h"
#include "core/sip/message.h"

#include <algorithm>

namespace sipyard::pua {

namespace {

std::uint32_t number_in(const sip::Message& reply, sip::HeaderName field)
{
    // Retry-After may have a comment and parameters behind its seconds (RFC 3261 20.33).
    const std::string_view text = trim(reply.value(field));
    const auto digits = text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(parse_uint(digits).value_or(0), UINT32_MAX));
}

// What the presence server of this process says, in the words of a reply.
int code_of(const Error& error)
{
    switch (error.kind) {
    case ErrorKind::invalid: return 400;
    case ErrorKind::not_found: return 489;
    default: return 503;
    }
}

constexpr std::string_view local_tag = "local"; // in place of an entity tag: it goes by our own id

} // namespace

bool Pua::is_local(std::string_view presentity) const
{
    if (mode_ != Mode::automatic)
        return mode_ == Mode::local;
    sip::Uri uri;
    return presence_ && settings_.outbound_proxy.empty() && sip::read(presentity, uri).empty() &&
           host_.is_myself(uri.host_plain(), uri.port, {});
}

void Pua::send(const SendingPtr& sending)
{
    sent_.add();
    if (is_local(sending->key.presentity))
        send_local(sending);
    else
        send_request(sending);
}

void Pua::send_local(const SendingPtr& sending)
{
    const Order& order = sending->order;
    presence::EventPackage* const package = presence_->find(sending->key.event);
    Answered answer;
    if (!package) {
        answer.code = 489;
        answered(*sending, answer);
        return;
    }
    const presence::Traits& traits = package->traits();
    presence::LocalPublication local;
    local.package = sending->key.event;
    local.id = sending->key.id;
    local.expires = std::min(order.expires, traits.publish.most);
    // A refresh, too, carries the document: the presence server may have lost it.
    if (order.document) {
        local.content_type = order.document->content_type;
        local.body = order.document->body;
    }
    const auto presentity = presence_->presentity_of(sending->key.presentity, traits);
    const auto done = [&]() -> Result<void> {
        if (!presentity)
            return Error{ErrorKind::invalid, presentity.error().text};
        local.presentity = *presentity;
        return presence_->publish(local);
    }();
    answer.code = done ? 200 : code_of(done.error());
    answer.expires = local.expires;
    answer.etag = local_tag;
    if (!done)
        log_.warn("{} of {} is not published: {}", sending->key.event, sending->key.presentity,
                  done.error().text);
    answered(*sending, answer);
}

void Pua::send_request(const SendingPtr& sending)
{
    const Order& order = sending->order;
    const Key& key = sending->key;
    std::string headers = format("Event: {}\r\nExpires: {}\r\n", key.event, order.expires);
    if (!order.if_match.empty())
        headers += "SIP-If-Match: " + order.if_match + "\r\n";
    if (order.document)
        headers += order.document->headers;
    const bool with_body = order.document && order.with_body;
    const std::string_view body = with_body ? std::string_view{order.document->body} : std::string_view{};
    if (sending->digest)
        headers += sending->digest->lines({"PUBLISH", key.presentity, body});
    tm::Outgoing out;
    out.method = "PUBLISH";
    out.request_uri = key.presentity;
    out.next_hop = settings_.outbound_proxy;
    out.from = sending->from;
    out.to = sending->to;
    out.call_id = sending->call_id;
    out.cseq = sending->cseq;
    out.headers = headers;
    if (with_body)
        out.content_type = order.document->content_type;
    out.body = body;
    const auto sent = tm_.send(out, [this, sending](const tm::Incoming& in) { on_reply(sending, in); });
    if (sent)
        return;
    log_.warn("PUBLISH {}: {}", key.presentity, sent.error().text);
    Answered answer;
    answer.code = 503;
    answered(*sending, answer);
}

void Pua::on_reply(const SendingPtr& sending, const tm::Incoming& in)
{
    if (in.code < 200 || in.repeated)
        return;
    if (in.reply && sending->digest && (in.code == 401 || in.code == 407)) {
        if (const auto taken = sending->digest->challenged(in.reply->message()); taken) {
            // RFC 3261 22.2: the same request again, with the next number.
            sending->cseq = table_.with([&](Table& table) {
                const auto at = table.entries.find(sending->key);
                return at == table.entries.end() ? sending->cseq + 1 : ++at->second.cseq;
            });
            start(sending);
            return;
        } else {
            log_.warn("PUBLISH {}: {}", sending->key.presentity, taken.error().text);
        }
    }
    if (sending->digest && in.code / 100 == 2)
        sending->digest->new_request();
    Answered answer;
    answer.code = in.code;
    if (in.reply) {
        const sip::Message& reply = in.reply->message();
        answer.etag = trim(reply.value(sip::HeaderName::sip_etag));
        answer.expires = number_in(reply, sip::HeaderName::expires);
        answer.min_expires = number_in(reply, sip::HeaderName::min_expires);
        answer.retry_after = number_in(reply, sip::HeaderName::retry_after);
    }
    answered(*sending, answer);
}

void Pua::answered(const Sending& sending, const Answered& answer)
{
    if (host_.runtime().stopping())
        return; // tm ends what is under way: that says nothing about the publication
    const Key& key = sending.key;
    enum class Outcome { well, later, refused } outcome = Outcome::well;
    const Next next = table_.with([&](Table& table) -> Next {
        const auto at = table.entries.find(key);
        if (at == table.entries.end())
            return {};
        const int failures = at->second.record.failures();
        const Order order = at->second.record.answered(answer, host_.clock().now());
        if (order.what != Order::What::forget && at->second.record.failures() > failures)
            outcome = Outcome::later;
        else if (answer.code >= 300 && order.what != Order::What::send && answer.code != 412)
            outcome = Outcome::refused;
        return settle(table, at, order);
    });
    if (outcome == Outcome::later) {
        failed_.add();
        log_.warn("PUBLISH {} ({}) was answered {}, tried again later", key.presentity, key.event,
                  answer.code);
    } else if (outcome == Outcome::refused) {
        refused_.add();
        log_.warn("PUBLISH {} ({}) was refused with {}", key.presentity, key.event, answer.code);
    }
    go_on(next, key);
}

} // namespace sipyard::pua
