// modules/presence/deliver.cpp - NOTIFYs leave and their answers come back
#include "core/module/local_request.h"
#include "core/sip/message.h"
#include "modules/presence/presence.h"

namespace sipyard::presence {

// Called with a strand held: sending may wait for DNS and takes strands of tm's, so other fibers do it. One
// for all whose next hop is an address, one for each that has to be looked up: a dead name server holds up
// nobody else.
void Presence::deliver(std::vector<Notification> notifications)
{
    common_->counts.in_flight.add(static_cast<std::int64_t>(notifications.size()));
    common_->counts.sent.add(static_cast<std::int64_t>(notifications.size()));
    std::vector<Notification> quick;
    quick.reserve(notifications.size());
    task::Worker* const here = task::Worker::current();
    task::Worker& worker = here ? *here : host_.runtime().worker(0);
    for (Notification& one : notifications) {
        if (needs_dns(one))
            worker.spawn_always(
                [this, mine = std::make_unique<Notification>(std::move(one))] { send(*mine); });
        else
            quick.push_back(std::move(one));
    }
    if (!quick.empty())
        worker.spawn_always([this, all = std::move(quick)] {
            for (const Notification& one : all)
                send(one);
        });
}

void Presence::send(const Notification& n)
{
    // An arena of its own: that of the fiber would grow with each of a batch.
    Arena arena;
    const tm::Outgoing out = compose(n, arena);
    if ((!out.socket || out.socket->protocol == net::Protocol::udp) &&
        out.body.size() + out.headers.size() + 400 > 1300)
        common_->counts.oversize.add();
    struct Link { // shared by the two ways a result comes
        Way way;
        std::weak_ptr<Subscription> to;
        std::shared_ptr<Common> common;
        std::uint32_t cseq;
    };
    const auto link = std::make_shared<Link>(Link{n.way, n.to, common_, n.cseq});
    const auto sent = tm_.send(out, [this, link](const tm::Incoming& incoming) {
        if (incoming.code < 200)
            return;
        link->common->counts.in_flight.add(-1);
        if (const SubscriptionPtr subscription = link->to.lock())
            on_reply(subscription, link->cseq, link->way, incoming);
    });
    if (sent)
        return;
    common_->counts.in_flight.add(-1);
    common_->counts.failed.add();
    log_.info("NOTIFY to {}: {}", n.way.contact.view(), sent.error().text);
    Outcome outcome;
    outcome.lost = n.way.may_connect ? Outcome::Lost::unreachable : Outcome::Lost::flow;
    post(n.to->resource, [to = n.to, cseq = n.cseq, outcome](Resource& r, Now now, Effects& effects) {
        r.answered(*to, cseq, outcome, now, effects);
    });
}

void Presence::on_reply(const SubscriptionPtr& subscription, std::uint32_t cseq, const Way& way,
                        const tm::Incoming& incoming)
{
    const Outcome outcome = outcome_of(incoming, way);
    if (outcome.code < 200 || outcome.code >= 300)
        common_->counts.failed.add();
    if (outcome.lost == Outcome::Lost::timeout)
        common_->counts.timeouts.add();
    if (host_.has_event_route("presence:notify-reply")) {
        const auto& reply = incoming.reply;
        offer_to_script(subscription, cseq, outcome,
                        reply ? std::string{reply->message().buffer()} : std::string{},
                        reply ? reply->received() : net::Received{});
        return;
    }
    post(subscription->resource, [subscription, cseq, outcome](Resource& r, Now now, Effects& effects) {
        r.answered(*subscription, cseq, outcome, now, effects);
    });
}

// event_route[presence:notify-reply]: the request it sees is the reply. It may have the subscription deleted.
void Presence::offer_to_script(const SubscriptionPtr& subscription, std::uint32_t cseq, Outcome outcome,
                               std::string bytes, net::Received from)
{
    task::Worker* const here = task::Worker::current();
    (here ? *here : host_.runtime().worker(0))
        .spawn_always([this, subscription, cseq, outcome, from, text = std::move(bytes)] {
            Arena arena;
            std::optional<LocalRequest> nobody; // when no reply came
            Request* request = nullptr;
            if (const auto message =
                    text.empty() ? Result<sip::Message*>{Error{}} : sip::Message::parse(text, arena)) {
                request = &arena.make<Request>(host_, arena, **message, from, Route::event);
            } else {
                nobody.emplace(host_, Route::event);
                request = &**nobody;
            }
            (void)on(subscription->resource, Fanout::now, [&](Resource& r, Now now, Effects&) {
                if (!subscription->gone)
                    note_handled(*request, r, *subscription, now);
            });
            request->at(slot_).no_reply = nobody.has_value();
            (void)host_.run_event_route("presence:notify-reply", *request);
            const bool remove = !settings_.xavp_cfg.empty() && request->with_avps([&](AvpStore& store) {
                return store.xavps.get(settings_.xavp_cfg, 0, "delete_subscription", 0).number() == 1;
            });
            (void)on(subscription->resource, Fanout::now, [&](Resource& r, Now now, Effects& effects) {
                if (remove)
                    r.drop(*subscription, "timeout", effects, now);
                else
                    r.answered(*subscription, cseq, outcome, now, effects);
            });
        });
}

} // namespace sipyard::presence
