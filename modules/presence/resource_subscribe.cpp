// modules/presence/resource_subscribe.cpp - subscriptions of a resource: made, refreshed, ended (RFC 6665
// 4.2.1, spec presence 4)
#include "core/base/format.h"
#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/sip/uri.h"
#include "modules/presence/key.h"
#include "modules/presence/resource.h"

#include <algorithm>

namespace sipyard::presence {
namespace {

constexpr std::uint32_t block = 128; // of CSeq numbers and versions reserved in the database (5.4)

std::int64_t seconds_until(Instant when, Instant now)
{
    return when <= now ? 0 : (when - now + 999ms) / std::chrono::seconds{1};
}

int number_of(Status status)
{
    switch (status) {
    case Status::active: return 1;
    case Status::pending: return 2;
    case Status::terminated: return 3;
    case Status::waiting: return 4;
    }
    return 1;
}

// The user and host of an address without tag, for the columns of Kamailio's table.
KeyParts uri_parts(std::string_view address)
{
    sip::NameAddr value;
    sip::Uri uri;
    if (!sip::read(address, value).empty() || !sip::read(value.uri, uri).empty())
        return {};
    return {uri.user, uri.host};
}

Refusal blocked(const Decision& decision)
{
    if (decision.reason == "noresource")
        return {404, "Not Found", {}};
    const std::string retry =
        decision.retry_after ? format("Retry-After: {}\r\n", decision.retry_after) : std::string{};
    return {403, "Forbidden", retry};
}

} // namespace

SubscribeView Resource::view_of(const Subscription& s) const
{
    return {key,
            s.watcher(),
            s.params.view(),
            s.accept.view(),
            s.user_agent.view(),
            s.way.contact.view(),
            s.content_type.view(),
            s.body.view(),
            s.privacy.view(),
            s.quirks.view()};
}

Rendered* Resource::rendered_for(Variant variant)
{
    for (const auto& one : rendered_) {
        if (one->variant == variant) {
            ++one->users;
            return one.get();
        }
    }
    rendered_.push_back(std::make_unique<Rendered>());
    rendered_.back()->variant = std::move(variant);
    rendered_.back()->users = 1;
    return rendered_.back().get();
}

void Resource::let_go(Rendered*& rendered)
{
    if (rendered && --rendered->users == 0)
        rendered_.erase(std::find_if(rendered_.begin(), rendered_.end(),
                                     [&](const auto& one) { return one.get() == rendered; }));
    rendered = nullptr;
}

bool Resource::set_status(Subscription& s, const Decision& decision)
{
    const bool changed = s.status != decision.status || s.polite_block != decision.polite_block;
    s.status = decision.status;
    s.polite_block = decision.polite_block;
    s.reason = common_.texts.of(decision.reason);
    s.retry_after = decision.retry_after;
    return changed;
}

Notifier::Target Resource::take(Subscription& s, const SubscribeOrder& order, const Arrival& arrival)
{
    const bool other = s.way.contact.view() != order.contact || !(s.way.connection == arrival.way.connection);
    s.way = arrival.way;
    s.way.contact = common_.texts.of(order.contact);
    s.local_contact = common_.texts.of(arrival.local_contact);
    s.event = common_.texts.of(order.event);
    s.params = common_.texts.of(order.params);
    s.accept = common_.texts.of(order.accept);
    s.user_agent = common_.texts.of(order.user_agent);
    s.privacy = common_.texts.of(arrival.privacy);
    s.quirks = common_.texts.of(arrival.quirks);
    if (!order.body.empty()) { // a refresh without one keeps the filter it has (RFC 4660)
        s.content_type = common_.texts.of(order.content_type);
        s.body = common_.texts.of(order.body);
    }
    s.pace = pace_of(order.params);
    s.remote_cseq = order.cseq;
    return other ? Notifier::Target::other : Notifier::Target::same;
}

SubscriptionPtr Resource::make(const SubscribeOrder& order, const Arrival& arrival)
{
    OwnTexts texts{
        {order.call_id, arrival.local_tag, order.from_tag, arrival.local, arrival.remote, arrival.watcher}};
    auto s =
        std::make_shared<Subscription>(shared_from_this(), std::move(texts),
                                       common_.next_subscription.fetch_add(1, std::memory_order_relaxed));
    (void)take(*s, order, arrival);
    s->routes = common_.texts.of(arrival.routes);
    s->rendered = rendered_for(package_.variant(view_of(*s)));
    return s;
}

void Resource::admit(const SubscriptionPtr& s)
{
    s->place = static_cast<std::uint32_t>(subscriptions_.size());
    subscriptions_.push_back(s);
    watcher_count.store(subscriptions_.size(), std::memory_order_relaxed);
    common_.counts.subscriptions.add();
    appoint_expiry(*s);
}

// A phone that restarted begins anew with its old Call-ID: it must not be told everything twice (4.4).
void Resource::replace_same(const SubscribeOrder& order, Now now, Effects& effects)
{
    for (std::size_t i = subscriptions_.size(); i-- > 0;) {
        const SubscriptionPtr s = subscriptions_[i];
        if (s->call_id() == order.call_id && s->from_tag() == order.from_tag)
            drop(*s, "deactivated", effects, now);
    }
}

void Resource::condition(Subscription& s, std::string_view suppress, Kind kind, bool status_changed,
                         Accepted& accepted)
{
    s.wish = Wish::none;
    s.header_only = false;
    if (!common_.conditional || suppress.empty() || !holds(suppress, shown(s)))
        return;
    s.wish = wish_of(suppress);
    common_.counts.suppressed.add();
    const Answer answer = answer_of(kind, true, status_changed);
    accepted.code = answer.code == 200 ? accepted.code : answer.code;
    s.header_only = answer.header_only;
    if (!answer.notify) {
        s.last = shown(s);
        s.notifier.settled();
    }
}

std::variant<Accepted, Refusal> Resource::subscribe(const SubscribeOrder& order, const Arrival& arrival,
                                                    Now now, Effects& effects)
{
    if (order.refusal)
        return *order.refusal;
    if (order.expires > 0 && subscriptions_.size() >= common_.max_subscriptions)
        return Refusal{503, "Too many watchers", "Retry-After: 60\r\n"};
    (void)composite();
    const SubscriptionPtr s = make(order, arrival);
    const Decision decision = package_.authorize(view_of(*s));
    if (decision.status == Status::terminated && !common_.hide_block) {
        let_go(s->rendered);
        return blocked(decision);
    }
    set_status(*s, decision);
    s->fetch = order.expires == 0 || decision.status == Status::terminated;
    s->since = now.unix;
    s->local_cseq = static_cast<std::uint32_t>(crypto::random_below(1U << 30));
    s->expires = now.at + std::chrono::seconds{order.expires};
    Accepted accepted{common_.ok_code, order.expires, s, std::string{arrival.local_contact}, !s->fetch};
    s->notifier.subscribed(now.at, Notifier::Target::same);
    condition(*s, order.suppress, order.expires == 0 ? Kind::fetch : Kind::initial, false, accepted);
    s->notifier.hold();
    if (s->fetch) {
        if (s->status != Status::terminated) {
            s->bodiless = s->status != Status::active;
            set_status(*s, {Status::terminated, "timeout", 0, s->polite_block});
        } else {
            s->bodiless = true;
        }
        s->notifier.end();
        return accepted;
    }
    if (common_.replace_same_callid)
        replace_same(order, now, effects);
    admit(s);
    if (common_.store_subscriptions) {
        s->cseq_ceiling = s->local_cseq + block;
        s->version_ceiling = block;
        write(*s, now, effects);
    }
    tell(*s, "subscribe", now, effects);
    return accepted;
}

std::variant<Accepted, Refusal> Resource::resubscribe(Subscription& s, const SubscribeOrder& order,
                                                      const Arrival& arrival, Now now, Effects& effects)
{
    if (s.gone || s.notifier.ending() || !iequals(s.event.view(), order.event) ||
        !is_same_usage(s.params.view(), order.params))
        return Refusal{481, "Subscription does not exist", {}};
    if (std::uint64_t{order.cseq} + common_.cseq_offset <= s.remote_cseq)
        return Refusal{500, "CSeq out of order", {}};
    if (order.refusal) {
        s.remote_cseq = order.cseq;
        return *order.refusal;
    }
    const auto target = take(s, order, arrival);
    Accepted accepted{common_.ok_code, order.expires, s.shared_from_this(),
                      std::string{arrival.local_contact}, false};
    s.expires = now.at + std::chrono::seconds{order.expires};
    s.notifier.subscribed(now.at, target);
    s.notifier.hold();
    if (order.expires == 0) {
        condition(s, order.suppress, Kind::ending, false, accepted);
        if (accepted.code == 204) {
            drop(s, "timeout", effects, now);
            return accepted;
        }
        s.bodiless = s.status != Status::active;
        end(s, "timeout", 0, now, effects);
        return accepted;
    }
    Rendered* const before = s.rendered;
    s.rendered = rendered_for(package_.variant(view_of(s)));
    Rendered* old = before;
    let_go(old);
    const Decision decision = package_.authorize(view_of(s));
    const bool changed = set_status(s, decision);
    if (s.status == Status::terminated) {
        s.bodiless = true;
        end(s, decision.reason.empty() ? "rejected" : decision.reason, decision.retry_after, now, effects);
        return accepted;
    }
    condition(s, order.suppress, Kind::refresh, changed, accepted);
    appoint_expiry(s);
    if (s.stored)
        write(s, now, effects);
    if (changed)
        tell(s, s.status == Status::active ? "approved" : "subscribe", now, effects);
    return accepted;
}

void Resource::replied(Subscription& s, Now now, Effects& effects)
{
    s.notifier.release();
    attend(s, now, effects);
}

void Resource::end(Subscription& s, std::string_view reason, std::uint32_t retry_after, Now now,
                   Effects& effects)
{
    set_status(s, {Status::terminated, std::string{reason}, retry_after, s.polite_block});
    s.notifier.end();
    if (s.stored)
        effects.changes.emplace_back(
            DropSubscription{std::string{s.call_id()}, std::string{s.to_tag()}, std::string{s.from_tag()}});
    s.stored = false;
    tell(s, reason, now, effects);
}

void Resource::remove(Subscription& s, Effects& effects)
{
    if (s.gone)
        return;
    s.gone = true;
    unqueue(s);
    let_go(s.rendered);
    s.last.reset();
    s.last_composite.reset();
    if (s.stored)
        effects.changes.emplace_back(
            DropSubscription{std::string{s.call_id()}, std::string{s.to_tag()}, std::string{s.from_tag()}});
    s.stored = false;
    if (s.fetch)
        return;
    const SubscriptionPtr mine = std::move(subscriptions_[s.place]);
    if (s.place + 1 < subscriptions_.size()) {
        subscriptions_[s.place] = std::move(subscriptions_.back());
        subscriptions_[s.place]->place = s.place;
    }
    subscriptions_.pop_back();
    watcher_count.store(subscriptions_.size(), std::memory_order_relaxed);
    common_.counts.subscriptions.add(-1);
    effects.gone.push_back(mine);
}

void Resource::forget()
{
    for (const auto& s : subscriptions_) {
        unqueue(*s);
        s->gone = true;
        s->rendered = nullptr;
    }
    common_.counts.subscriptions.add(-static_cast<std::int64_t>(subscriptions_.size()));
    subscriptions_.clear();
    rendered_.clear();
}

void Resource::drop(Subscription& s, std::string_view event, Effects& effects, Now now)
{
    if (s.gone)
        return;
    if (s.status != Status::terminated) { // else it has been told already
        set_status(s, {Status::terminated, std::string{event}, 0, s.polite_block});
        tell(s, event, now, effects);
    }
    remove(s, effects);
}

void Resource::terminate(Subscription& s, std::string_view reason, std::uint32_t retry_after, Now now,
                         Effects& effects)
{
    if (s.gone || s.notifier.ending())
        return;
    s.bodiless = true;
    end(s, reason, retry_after, now, effects);
    enqueue(s);
    effects.more = true;
}

void Resource::terminate(std::string_view reason, std::uint32_t retry_after, Now now, Effects& effects)
{
    for (const auto& s : subscriptions_)
        terminate(*s, reason, retry_after, now, effects);
}

void Resource::rules_changed(Now now, Effects& effects)
{
    (void)composite();
    for (const auto& one : subscriptions_) {
        Subscription& s = *one;
        if (s.notifier.ending())
            continue;
        const Decision decision = package_.authorize(view_of(s));
        Rendered* old = s.rendered;
        s.rendered = rendered_for(package_.variant(view_of(s)));
        let_go(old);
        const Status before = s.status;
        const bool changed = set_status(s, decision);
        if (s.status == Status::terminated) {
            terminate(s, decision.reason.empty() ? "rejected" : decision.reason, decision.retry_after, now,
                      effects);
            continue;
        }
        if (changed) {
            s.notifier.must_send();
            if (s.stored)
                write(s, now, effects);
        } else {
            s.notifier.changed(); // other rules may show other parts
        }
        enqueue(s);
        if (before != s.status)
            tell(s, s.status == Status::active ? "approved" : "subscribe", now, effects);
    }
    effects.more = effects.more || queue_first_ != nullptr;
}

void Resource::tell(const Subscription& s, std::string_view event, Now now, Effects& effects) const
{
    if (package_.traits().winfo_peer.empty())
        return;
    effects.told.push_back({identity, std::string{event}, info(s, now)});
}

StoredSubscription Resource::row_of(const Subscription& s, Now now) const
{
    StoredSubscription row;
    row.presentity = key;
    const auto watcher = parts_of(s.watcher());
    const auto to = uri_parts(s.texts[OwnTexts::local]), from = uri_parts(s.texts[OwnTexts::remote]);
    row.watcher_user = watcher.user;
    row.watcher_domain = watcher.domain;
    row.to_user = to.user;
    row.to_domain = to.domain;
    row.from_user = from.user;
    row.from_domain = from.domain;
    row.event = identity;
    row.event_id = s.params.view().starts_with(";") ? s.params.view().substr(1) : s.params.view();
    row.to_tag = s.to_tag();
    row.from_tag = s.from_tag();
    row.call_id = s.call_id();
    row.contact = s.way.contact.view();
    row.local_contact = s.local_contact.view();
    row.record_route = s.routes.view();
    row.socket = s.way.socket ? s.way.socket->text() : std::string{};
    row.user_agent = s.user_agent.view();
    row.reason = s.reason.view();
    row.local_cseq = s.local_cseq;
    row.remote_cseq = s.remote_cseq;
    row.version = s.version;
    row.expires = now.unix + seconds_until(s.expires, now.at);
    row.status = number_of(s.status);
    row.flags = s.way.may_connect ? 0 : 1;
    return row;
}

void Resource::write(Subscription& s, Now now, Effects& effects)
{
    if (!common_.store_subscriptions)
        return;
    StoredSubscription row = row_of(s, now);
    row.local_cseq = s.cseq_ceiling;
    row.version = s.version_ceiling;
    effects.changes.emplace_back(PutSubscription{std::move(row)});
    s.stored = true;
}

SubscriptionPtr Resource::restore(const StoredSubscription& row, const Arrival& arrival, Now now)
{
    if (row.call_id.empty() || row.to_tag.empty() || row.contact.empty() || row.expires <= now.unix ||
        row.status == 3)
        return {};
    SubscribeOrder order;
    order.call_id = row.call_id;
    order.from_tag = row.from_tag;
    order.contact = row.contact;
    const std::string type = package_.traits().name;
    const std::string params = row.event_id.empty() ? "" : ";" + row.event_id;
    order.event = type;
    order.params = params;
    order.user_agent = row.user_agent;
    order.cseq = row.remote_cseq;
    const SubscriptionPtr s = make(order, arrival);
    s->status = row.status == 2 ? Status::pending : row.status == 4 ? Status::waiting : Status::active;
    s->reason = common_.texts.of(row.reason);
    s->since = now.unix;
    s->expires = now.at + std::chrono::seconds{row.expires - now.unix};
    s->local_cseq = s->cseq_ceiling = row.local_cseq;
    s->version = s->version_ceiling = row.version;
    s->had_document = true; // a gap in the versions is legal with full state (RFC 4235 4.3)
    s->stored = true;
    s->notifier.restored();
    admit(s);
    return s;
}

SubscriptionInfo Resource::info(const Subscription& s, Now now) const
{
    SubscriptionInfo info;
    info.presentity = key;
    info.watcher = s.watcher();
    info.contact = s.way.contact.view();
    info.call_id = s.call_id();
    info.to_tag = s.to_tag();
    info.from_tag = s.from_tag();
    info.event_params = s.params.view();
    info.user_agent = s.user_agent.view();
    info.reason = s.reason.view();
    info.status = s.status;
    info.expires_in = seconds_until(s.expires, now.at);
    info.subscribed_for = now.unix - s.since;
    info.id = s.id;
    info.cseq = s.local_cseq;
    info.version = s.version;
    info.last_code = s.last_code;
    info.in_flight = s.notifier.in_flight();
    info.dirty = s.notifier.dirty();
    info.failures = static_cast<int>(s.notifier.failures());
    return info;
}

} // namespace sipyard::presence
