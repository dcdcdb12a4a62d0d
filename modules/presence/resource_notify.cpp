// modules/presence/resource_notify.cpp - what each watcher is sent and when: fan-out, versions, results (spec
// presence 4.5 to 4.8, 6.6)
#include "core/base/format.h"
#include "core/base/text.h"
#include "modules/presence/event_header.h"
#include "modules/presence/resource.h"

#include <algorithm>

namespace sipyard::presence {
namespace {

constexpr std::size_t slice = 256;                 // NOTIFYs of a fan-out before others have their turn
constexpr std::uint32_t block = 128, reserve = 32; // CSeq numbers and versions reserved ahead (5.4)
constexpr std::uint32_t last_version = 0x7fffffff; // RFC 4235 4.1: at most 31 bits

bool is_same(const BodyPtr& a, const BodyPtr& b)
{
    return a && b ? a->hash == b->hash && a->content_type == b->content_type : !a && !b;
}

} // namespace

BodyPtr Resource::current(Subscription& s)
{
    const CompositePtr& composite = this->composite();
    if (s.polite_block)
        return package_.render_blocked(key, s.rendered->variant);
    Rendered& r = *s.rendered;
    if (r.commit != composite_commit_) {
        common_.counts.renders.add();
        r.body = package_.render(key, *composite, r.variant);
        r.over = package_.is_over(*composite, r.variant);
        r.commit = composite_commit_;
    }
    return r.body;
}

BodyPtr Resource::shown(Subscription& s)
{
    switch (s.status) {
    case Status::active: return current(s);
    case Status::terminated: return s.bodiless ? BodyPtr{} : current(s);
    case Status::pending:
    case Status::waiting: break;
    }
    return {};
}

// --- the queue of those to be looked at ----------------------------------------------------------

void Resource::enqueue(Subscription& s)
{
    if (s.in_queue || s.gone)
        return;
    s.in_queue = true;
    s.before_in_queue = queue_last_;
    s.next_in_queue = nullptr;
    (queue_last_ ? queue_last_->next_in_queue : queue_first_) = &s;
    queue_last_ = &s;
}

void Resource::unqueue(Subscription& s)
{
    if (!s.in_queue)
        return;
    s.in_queue = false;
    (s.before_in_queue ? s.before_in_queue->next_in_queue : queue_first_) = s.next_in_queue;
    (s.next_in_queue ? s.next_in_queue->before_in_queue : queue_last_) = s.before_in_queue;
    s.before_in_queue = s.next_in_queue = nullptr;
}

void Resource::turn(Now now, Effects& effects)
{
    // What costs is sending; whoever has nothing to learn is passed over quickly, but not without end.
    for (std::size_t seen = 0; queue_first_ && seen < 8 * slice && effects.notifications.size() < slice;
         ++seen) {
        Subscription& s = *queue_first_;
        unqueue(s);
        attend(s, now, effects);
    }
    effects.more = queue_first_ != nullptr;
}

void Resource::kick(Subscription& s, Now now, Effects& effects) { attend(s, now, effects); }

// --- one watcher ---------------------------------------------------------------------------------

void Resource::attend(Subscription& s, Now now, Effects& effects)
{
    Notifier& n = s.notifier;
    if (s.gone || n.in_flight() || n.held() || n.last_sent() || !n.dirty())
        return; // looked at again when that is over
    bool news = false, same = false;
    if (!n.is_due()) {
        const BodyPtr body = shown(s);
        news = s.wish != Wish::any && is_news(s.last, body);
        same = is_same(s.last, body);
        if (n.has_baseline() && !news) {
            n.nothing_to_say();
            common_.counts.coalesced.add();
            return;
        }
    }
    const auto verdict = n.turn(now.at, news, same);
    if (verdict.turn == Notifier::Turn::later)
        appoint_later(s, verdict.when);
    else if (verdict.turn == Notifier::Turn::send)
        send(s, now, effects);
}

void Resource::send(Subscription& s, Now now, Effects& effects)
{
    Notifier& n = s.notifier;
    if (s.version >= last_version && !n.ending()) { // the watcher begins anew, from 0
        s.bodiless = true;
        end(s, "deactivated", 0, now, effects);
    }
    const BodyPtr full = shown(s);
    const bool suppressed = s.header_only || s.wish == Wish::any;
    BodyPtr body = suppressed ? BodyPtr{} : full;
    bool partial = false;
    if (body && !n.is_due() && n.has_baseline() && s.last && s.last_composite && !s.polite_block) {
        if (BodyPtr changes = package_.partial(key, *s.last_composite, *composite_, s.rendered->variant)) {
            body = std::move(changes);
            partial = true;
        }
    }
    if (body) {
        const bool repeated = s.had_document && !partial && !s.last_was_partial &&
                              s.sent_hash == body->hash && !common_.version_every;
        if (!s.had_document)
            s.version = common_.version_start;
        else if (!repeated)
            ++s.version;
        s.had_document = true;
        s.last_was_partial = partial;
        s.sent_hash = body->hash;
    }
    const std::uint32_t cseq = ++s.local_cseq;
    if (s.stored && (cseq + reserve > s.cseq_ceiling || s.version + reserve > s.version_ceiling)) {
        s.cseq_ceiling = cseq + block;
        s.version_ceiling = s.version + block;
        write(s, now, effects);
    }
    s.last = full;
    s.last_composite = full ? composite_ : CompositePtr{};
    const Duration interval =
        std::max(package_.traits().notify_interval, Duration{std::chrono::milliseconds{s.pace.least_ms}});
    n.sent(now.at, cseq, interval);
    effects.notifications.push_back({s.shared_from_this(), cseq, s.version, s.way,
                                     headers_of(s, full, common_.conditional && (body || suppressed), now),
                                     std::move(body)});
    s.header_only = false;
    if (s.wish == Wish::tag)
        s.wish = suppressed ? Wish::tag : Wish::none; // over with the first document that differs
    if (s.pace.most_ms > 0 && !n.ending())
        appoint_later(s, now.at + std::chrono::milliseconds{s.pace.most_ms});
}

std::string Resource::headers_of(const Subscription& s, const BodyPtr& full, bool tagged, Now now) const
{
    std::string lines;
    lines.reserve(200);
    lines.append("Event: ").append(event_line(s.event.view(), s.params.view()));
    lines.append("\r\nContact: <").append(s.local_contact.view()).append(">\r\nSubscription-State: ");
    if (s.status == Status::terminated) {
        lines.append("terminated;reason=").append(s.reason.empty() ? "timeout" : s.reason.view());
        if (s.retry_after > 0)
            lines.append(";retry-after=").append(std::to_string(s.retry_after));
    } else {
        const auto left = s.expires <= now.at ? 0 : (s.expires - now.at + 999ms) / std::chrono::seconds{1};
        lines.append(s.status == Status::active ? "active" : "pending");
        lines.append(";expires=").append(std::to_string(left));
        for (const std::string_view name : {"max-rate", "min-rate"}) // RFC 6446 6: what is in force
            if (name == "max-rate" ? s.pace.least_ms > 0 : s.pace.most_ms > 0)
                lines.append(";").append(name).append("=").append(
                    sip::ParamsView{s.params.view()}.find(name).value_or("1"));
    }
    lines.append("\r\n");
    if (tagged)
        lines.append("SIP-ETag: ").append(document_tag(full)).append("\r\n");
    lines.append(common_.notify_headers);
    return lines;
}

void Resource::answered(Subscription& s, std::uint32_t cseq, const Outcome& outcome, Now now,
                        Effects& effects)
{
    if (s.gone)
        return;
    s.last_code = static_cast<std::uint16_t>(outcome.code);
    const bool fine = outcome.code >= 200 && outcome.code < 300;
    const bool was_last = s.notifier.last_sent();
    const auto left = s.expires <= now.at ? 0 : (s.expires - now.at) / std::chrono::seconds{1};
    switch (s.notifier.answered(now.at, cseq, outcome, common_.failures, static_cast<std::uint32_t>(left))) {
    case Notifier::After::ignore: return;
    case Notifier::After::remove:
        if (!was_last)
            common_.counts.removed.add();
        if (outcome.lost == Outcome::Lost::flow)
            common_.counts.flow_lost.add();
        drop(s, "timeout", effects, now);
        return;
    case Notifier::After::give_up:
        s.bodiless = true;
        end(s, "probation", 0, now, effects);
        break;
    case Notifier::After::go_on:
        // All that it could see is over and has been told (RFC 4235 3.4).
        if (fine && s.status == Status::active && !s.polite_block && !s.notifier.ending() &&
            is_same(s.last, current(s)) && s.rendered->over) {
            s.bodiless = true;
            end(s, "noresource", 0, now, effects);
        }
        break;
    }
    attend(s, now, effects);
}

// --- time ----------------------------------------------------------------------------------------

void Resource::appoint_expiry(Subscription& s)
{
    const Instant when = s.expires + std::chrono::seconds{common_.grace};
    if (when >= s.appointed)
        return; // who comes too early looks and comes again
    s.appointed = when;
    appointments_.push_back({when, s.weak_from_this(), true});
    std::push_heap(appointments_.begin(), appointments_.end());
}

void Resource::appoint_later(Subscription& s, Instant when)
{
    if (when >= s.later)
        return;
    s.later = when;
    appointments_.push_back({when, s.weak_from_this(), false});
    std::push_heap(appointments_.begin(), appointments_.end());
}

void Resource::come_due(Subscription& s, Now now, Effects& effects)
{
    s.appointed = Instant{INT64_MAX};
    if (s.gone || s.notifier.ending())
        return;
    const bool pending = s.status == Status::pending || s.status == Status::waiting;
    if (now.at >= s.expires + std::chrono::seconds{common_.grace}) {
        common_.counts.expired_subscriptions.add();
        s.bodiless = !common_.expire_body || s.status != Status::active;
        end(s, "timeout", 0, now, effects);
    } else if (pending && now.unix - s.since >= common_.pending_lifetime) {
        s.bodiless = true;
        end(s, "giveup", 0, now, effects);
    } else {
        appoint_expiry(s);
        return;
    }
    attend(s, now, effects);
}

void Resource::tick(Now now, Effects& effects)
{
    bool lost = false;
    for (std::size_t i = kept_.size(); i-- > 0;) {
        if (kept_[i].expires > now.at)
            continue;
        erase(kept_[i], effects);
        common_.counts.expired_publications.add();
        lost = true;
    }
    if (lost)
        commit(now, {}, effects);
    while (!appointments_.empty() && appointments_.front().when <= now.at) {
        std::pop_heap(appointments_.begin(), appointments_.end());
        const Appointment item = std::move(appointments_.back());
        appointments_.pop_back();
        const SubscriptionPtr s = item.who.lock();
        if (!s)
            continue;
        if (item.expiry && item.when == s->appointed) {
            come_due(*s, now, effects);
        } else if (!item.expiry && item.when == s->later) {
            s->later = Instant{INT64_MAX};
            if (s->pace.most_ms > 0 && !s->gone && !s->notifier.ending() && !s->notifier.in_flight() &&
                now.at - s->notifier.sent_at() >= std::chrono::milliseconds{s->pace.most_ms})
                s->notifier.must_send(); // silent for too long (RFC 6446 5.3)
            attend(*s, now, effects);
        }
    }
}

Instant Resource::next_wake() const
{
    Instant when{appointments_.empty() ? INT64_MAX : appointments_.front().when.ns};
    for (const Kept& kept : kept_)
        when = std::min(when, kept.expires);
    return when;
}

} // namespace sipyard::presence
