// modules/presence/handle_subscribe.cpp - SUBSCRIBE: the request's way from the script to the resource and
// its answer (RFC 6665 4.2.1)
#include "core/base/format.h"
#include "core/base/text.h"
#include "core/sip/dialog.h"
#include "core/sip/message.h"
#include "modules/presence/key.h"
#include "modules/presence/presence.h"

namespace sipyard::presence {
namespace {

// What the script left in the xavp, copied into the arena.
std::string_view from_xavp(Request& request, std::string_view name, std::string_view field)
{
    return request.with_avps(
        [&](AvpStore& store) { return request.arena().copy(store.xavps.get(name, 0, field, 0).text()); });
}

// A SUBSCRIBE as its package sees it before there is a subscription.
SubscribeView view_of(std::string_view presentity, const SubscribeOrder& order, const Arrival& arrival)
{
    return {presentity,    arrival.watcher,    order.params, order.accept,    order.user_agent,
            order.contact, order.content_type, order.body,   arrival.privacy, arrival.quirks};
}

} // namespace

// Behind a NAT or in a browser nobody but the connection it came by leads to the contact (spec presence 4.3).
bool leads_through_flow(const sip::Message& request, const net::Received& received)
{
    if (!net::is_stream(received.protocol) || request.has(sip::HeaderName::record_route))
        return false;
    const auto contacts = request.contacts();
    sip::Uri uri;
    if (contacts.empty() || !sip::read(contacts[0].uri, uri).empty())
        return false;
    if (iequals(uri.transport_text(), "ws") || iequals(uri.transport_text(), "wss") ||
        lower(uri.host).ends_with(".invalid"))
        return true;
    const auto numeric = net::Address::parse(uri.host_plain());
    return numeric && !numeric->same_ip(received.source);
}

std::string_view Presence::config_xavp() const
{
    return settings_.xavp_cfg.empty() ? std::string_view{"pres"} : std::string_view{settings_.xavp_cfg};
}

std::string Presence::local_contact(const Request& request) const
{
    if (!settings_.server_address.empty())
        return settings_.server_address;
    const net::Received& from = request.received();
    const net::Listener* const socket =
        from.listener ? from.listener : host_.network().pick(from.protocol, from.source);
    std::string uri = "sip:";
    if (socket)
        uri += socket->host() + ":" + std::to_string(socket->port());
    else
        uri += from.local.text();
    if (from.protocol != net::Protocol::udp)
        uri.append(";transport=").append(net::to_text(from.protocol));
    return uri;
}

Verdict Presence::handle_subscribe(Request& request, std::optional<std::string_view> watcher)
{
    Verdict verdict;
    const sip::Message& message = request.message();
    const bool merged = message.to_tag().empty() && tm_.is_merged(request);
    if (begin(request, common_->counts.subscribe_refused, verdict) == Begun::stop)
        return verdict;
    Counts& counts = common_->counts;
    const auto deny = [&](const Refusal& refusal) {
        return refuse(request, refusal, counts.subscribe_refused);
    };
    const Known* const known = meant(message);
    if (!known)
        return deny({489, "Bad Event", allow_events()});
    const Traits& traits = known->package->traits();
    const std::string_view quirks = from_xavp(request, config_xavp(), "quirks");
    SubscribeRules rules;
    rules.lifetimes = lifetimes(traits.subscribe);
    rules.short_expires = settings_.min_expires_action == 2 ? ShortExpires::raise : ShortExpires::refuse;
    rules.accept_anything =
        settings_.accept_policy == "lenient" || quirks.find("accept_any") != std::string_view::npos;
    std::string storage;
    auto read = read_subscribe(message, traits, rules, storage);
    if (const auto* const refusal = std::get_if<Refusal>(&read))
        return deny(*refusal);
    const SubscribeOrder& order = std::get<SubscribeOrder>(read);
    if (merged) // another branch of the same request is at work (RFC 3261 8.2.2.2)
        return deny({482, "Request merged", {}});

    const std::string contact = local_contact(request);
    const std::string local = sip::without_tag(message.value(sip::HeaderName::to));
    const std::string remote = sip::without_tag(message.value(sip::HeaderName::from));
    std::string watcher_key;
    {
        KeyRules loose{settings_.tel_domain, settings_.sip_uri_match, true};
        const std::string_view uri = watcher ? *watcher : message.from() ? message.from()->uri : "";
        auto canonical = key_of(uri, loose);
        watcher_key = canonical ? std::move(*canonical) : std::string{uri};
    }
    std::string routes_storage;
    Arrival arrival;
    arrival.way.socket = request.received().listener
                             ? request.received().listener
                             : host_.network().pick(request.received().protocol, request.received().source);
    arrival.way.connection = request.received().connection;
    arrival.way.may_connect = !leads_through_flow(message, request.received());
    if (!arrival.way.may_connect)
        arrival.way.flow = common_->texts.of(format("sip:{};transport={}", request.received().source.text(),
                                                    net::to_text(request.received().protocol)));
    arrival.routes = joined(message, sip::HeaderName::record_route, routes_storage);
    arrival.local_contact = contact;
    arrival.local = local;
    arrival.remote = remote;
    arrival.watcher = watcher_key;
    arrival.privacy = from_xavp(request, config_xavp(), "dialog_privacy");
    arrival.quirks = quirks;
    return order.to_tag.empty() ? subscribe_new(request, *known, order, arrival)
                                : subscribe_again(request, order, arrival);
}

Verdict Presence::subscribe_new(Request& request, const Known& known, const SubscribeOrder& order,
                                const Arrival& seen)
{
    Counts& counts = common_->counts;
    const auto deny = [&](const Refusal& refusal) {
        return refuse(request, refusal, counts.subscribe_refused);
    };
    const auto key = presentity_of(request.ruri(), known.package->traits());
    if (!key)
        return deny({404, "Not Found", {}});
    if (order.refusal)
        return deny(*order.refusal);
    if (draining_.load(std::memory_order_relaxed))
        return deny({503, "Service Unavailable", "Retry-After: 30\r\n"});
    if (order.expires > 0 &&
        dialogs_.size() >= static_cast<std::size_t>(std::max(settings_.max_subscriptions, 1)))
        return deny({503, "Too many subscriptions", "Retry-After: 60\r\n"});
    const SubscribeView view = view_of(*key, order, seen);
    known.package->prepare(view);
    if (const auto refusal = known.package->refuse(view))
        return deny(*refusal);
    Arrival arrival = seen;
    arrival.local_tag = tm_.local_tag(request);
    const bool counted = order.expires > 0;
    if (counted && !watchers_.add(arrival.watcher, static_cast<std::size_t>(
                                                       std::max(settings_.max_subscriptions_per_watcher, 0))))
        return deny({503, "Too many subscriptions", "Retry-After: 60\r\n"});
    std::variant<Accepted, Refusal> outcome;
    ResourcePtr resource;
    const auto ticket =
        on(known, *key, Missing::make, Fanout::now, [&](Resource& r, Now now, Effects& effects) {
            outcome = r.subscribe(order, arrival, now, effects);
            resource = r.shared_from_this();
            auto* const accepted = std::get_if<Accepted>(&outcome);
            if (!accepted)
                return;
            // Before the reply leaves: the next request of the dialog may be quick.
            if (accepted->is_new && !dialogs_.add(accepted->subscription)) {
                r.drop(*accepted->subscription, "deactivated", effects, now);
                effects.gone.clear(); // the index has another one under this name
                outcome = Refusal{482, "Request merged", {}};
                return;
            }
            note_handled(request, r, *accepted->subscription, now);
        });
    const auto* const accepted = std::get_if<Accepted>(&outcome);
    if (counted && (!ticket || !accepted || !accepted->is_new))
        watchers_.remove(arrival.watcher);
    if (!ticket)
        return deny({503, "Service Unavailable", "Retry-After: 10\r\n"});
    return conclude(request, resource, outcome, *ticket);
}

Verdict Presence::subscribe_again(Request& request, const SubscribeOrder& order, const Arrival& arrival)
{
    Counts& counts = common_->counts;
    const SubscriptionPtr s = dialogs_.find({order.call_id, order.to_tag, order.from_tag});
    if (!s) {
        if (!loaded()) // it may be among those that have not been read yet
            return refuse(request, {503, "Service Unavailable", "Retry-After: 2\r\n"},
                          counts.subscribe_refused);
        counts.unknown_dialog.add();
        return refuse(request, {481, "Subscription does not exist", {}}, counts.subscribe_refused);
    }
    if (order.expires > 0 && !order.refusal) {
        const SubscribeView view = view_of(s->resource->key, order, arrival);
        s->resource->package().prepare(view);
        if (const auto refusal = order.body.empty() ? std::nullopt : s->resource->package().refuse(view))
            return refuse(request, *refusal, counts.subscribe_refused);
    }
    std::variant<Accepted, Refusal> outcome = Refusal{481, "Subscription does not exist", {}};
    const auto ticket = on(s->resource, Fanout::now, [&](Resource& r, Now now, Effects& effects) {
        outcome = r.resubscribe(*s, order, arrival, now, effects);
        if (std::holds_alternative<Accepted>(outcome))
            note_handled(request, r, *s, now);
    });
    if (!ticket && ticket.error().kind != ErrorKind::lost)
        return refuse(request, {503, "Service Unavailable", "Retry-After: 10\r\n"}, counts.subscribe_refused);
    if (const auto* const refusal = std::get_if<Refusal>(&outcome); refusal && refusal->code == 481)
        counts.unknown_dialog.add();
    return conclude(request, s->resource, outcome, ticket ? *ticket : Writer::Ticket{});
}

Verdict Presence::conclude(Request& request, const ResourcePtr& resource,
                           std::variant<Accepted, Refusal>& outcome, const Writer::Ticket& ticket)
{
    if (const auto* const refusal = std::get_if<Refusal>(&outcome))
        return refuse(request, *refusal, common_->counts.subscribe_refused);
    const Accepted& accepted = std::get<Accepted>(outcome);
    wait_written(ticket);
    const std::string headers =
        format("Expires: {}\r\nContact: <{}>\r\n", accepted.expires, accepted.local_contact);
    common_->counts.subscribe_ok.add();
    const auto replied = request.reply({accepted.code,
                                        accepted.code == 204   ? "No Notification"
                                        : accepted.code == 202 ? "Accepted"
                                                               : "OK",
                                        headers,
                                        {},
                                        {}});
    // Only now: on a stream the 2xx comes before its NOTIFY (R4). The job of a resource that died with this
    // very fetch is done here.
    const SubscriptionPtr s = accepted.subscription;
    (void)resource->strand.run([&] {
        Effects effects;
        resource->replied(*s, Now::of(host_.clock()), effects);
        (void)settle(resource, effects, Fanout::now);
    });
    return Verdict::of(replied.has_value());
}

void Presence::note_handled(Request& request, Resource& resource, const Subscription& s, Now now)
{
    Handled& handled = request.at(slot_);
    handled.row = resource.row_of(s, now);
    handled.info = resource.info(s, now);
    handled.quirks = s.quirks.view();
}

} // namespace sipyard::presence
