// modules/presence/handle_publish.cpp - PUBLISH: the request's way from the script to the resource and its
// answer (RFC 3903 6)
#include "core/base/text.h"
#include "core/sip/message.h"
#include "modules/presence/event_header.h"
#include "modules/presence/presence.h"

#include <algorithm>

namespace sipyard::presence {

// The request gets its server transaction, so that copies of it are absorbed (spec presence 1.4).
Presence::Begun Presence::begin(Request& request, Counter& refused, Verdict& verdict)
{
    const auto begun = tm_.begin(request);
    if (!begun) {
        verdict = refuse(request, {503, "Service Unavailable", "Retry-After: 5\r\n"}, refused);
        return Begun::stop;
    }
    if (*begun == tm::Begun::absorbed) {
        verdict = Verdict::stop();
        return Begun::stop;
    }
    wait_loaded();
    return Begun::go_on;
}

Verdict Presence::refuse(Request& request, const Refusal& refusal, Counter& counter)
{
    counter.add();
    if (const auto sent = request.reply({refusal.code, refusal.reason, refusal.headers, {}, {}}); !sent)
        log_.warn("{} to {}: {}", refusal.code, request.message().method_text(), sent.error().text);
    return Verdict::no();
}

// Just after the start the answer to "is there such a state" is not known yet.
void Presence::wait_loaded()
{
    // Many may wait at once, and an event has one waiter; at a start nobody minds some milliseconds.
    const Instant patience = host_.clock().now() + 2s;
    while (!loaded() && host_.clock().now() < patience && !host_.runtime().stopping())
        task::sleep_until(host_.clock().now() + 10ms);
}

const Presence::Known* Presence::meant(const sip::Message& request) const
{
    const auto* const event = request.event();
    if (!event)
        return nullptr;
    return packages_.with([&](const auto& all) -> const Known* {
        const Known* best = nullptr; // "dialog;sla" is meant rather than "dialog"
        for (const auto& one : all) {
            const Traits& traits = one->package->traits();
            if (is_meant(traits, event->package, event->params.text()) &&
                (!best || traits.identity_params.size() > best->package->traits().identity_params.size()))
                best = one.get();
        }
        return best;
    });
}

std::string Presence::allow_events() const
{
    std::vector<std::string> names;
    packages_.with([&](const auto& all) {
        for (const auto& one : all) {
            const std::string& token = one->package->traits().name;
            if (std::find(names.begin(), names.end(), token) == names.end())
                names.push_back(token);
        }
    });
    return names.empty() ? std::string{} : "Allow-Events: " + join(names, ", ") + "\r\n";
}

Verdict Presence::handle_publish(Request& request, std::optional<std::string_view> sender)
{
    Verdict verdict;
    if (begin(request, common_->counts.publish_refused, verdict) == Begun::stop)
        return verdict;
    Counts& counts = common_->counts;
    const auto deny = [&](const Refusal& refusal) {
        return refuse(request, refusal, counts.publish_refused);
    };
    const sip::Message& message = request.message();
    const Known* const known = meant(message);
    const Traits nothing;
    const Traits& traits = known ? known->package->traits() : nothing;
    const auto key = presentity_of(request.ruri(), traits);
    if (!key)
        return deny({404, "Not Found", {}});
    if (!known)
        return deny({489, "Bad Event", allow_events()});
    PublishRules rules;
    rules.lifetimes = lifetimes(traits.publish);
    rules.short_expires = settings_.min_expires_action == 2 ? ShortExpires::raise : ShortExpires::refuse;
    rules.max_body = settings_.max_publish_body.bytes;
    auto read = read_publish(message, traits, rules);
    if (const auto* const refusal = std::get_if<Refusal>(&read))
        return deny(*refusal);
    const PublishOrder& order = std::get<PublishOrder>(read);
    if (!loaded() && !order.if_match.empty()) // it may be among those that have not been read yet
        return deny({503, "Service Unavailable", "Retry-After: 2\r\n"});

    std::optional<int> priority;
    if (!settings_.xavp_cfg.empty())
        request.with_avps([&](AvpStore& store) {
            const Value value = store.xavps.get(settings_.xavp_cfg, 0, "priority", 0);
            if (value.is_integer())
                priority = static_cast<int>(value.number());
        });
    std::variant<Granted, Refusal> outcome;
    ResourcePtr resource;
    const auto ticket =
        on(*known, *key, Missing::make, Fanout::later, [&](Resource& r, Now now, Effects& effects) {
            outcome = r.publish(order, sender.value_or(""), priority, now, effects);
            if (effects.more)
                resource = r.shared_from_this();
        });
    if (!ticket)
        return deny({503, "Service Unavailable", "Retry-After: 10\r\n"});
    if (const auto* const refusal = std::get_if<Refusal>(&outcome)) {
        if (refusal->code == 412)
            counts.conditional_failed.add();
        return deny(*refusal);
    }
    wait_written(*ticket);
    const Granted& granted = std::get<Granted>(outcome);
    const std::uint32_t offset = common_->expires_offset;
    const std::uint32_t shown = granted.expires == 0       ? 0
                                : granted.expires > offset ? granted.expires - offset
                                                           : 1;
    const std::string headers = format("Expires: {}\r\nSIP-ETag: {}\r\n", shown, granted.etag);
    counts.publish_ok.add();
    const auto replied = request.reply({200, "OK", headers, {}, {}});
    if (resource) // watchers after the publisher (spec presence 3.3)
        fan_out(resource);
    return Verdict::of(replied.has_value());
}

} // namespace sipyard::presence
