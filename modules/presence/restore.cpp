// modules/presence/restore.cpp - after a restart: publications and subscriptions come back, watchers are told
// at a measured pace (spec presence 5.5)
#include "modules/presence/key.h"
#include "modules/presence/presence.h"

namespace sipyard::presence {

void Presence::restore()
{
    if (!store_) {
        loaded_ = true;
        return;
    }
    std::vector<SubscriptionPtr> watchers;
    const Instant begun = host_.clock().now();
    for (int attempt = 0; !load(watchers); ++attempt) {
        if (host_.runtime().stopping())
            return;
        if (attempt == 0)
            log_.warn("stored publications and subscriptions cannot be read yet");
        // Rather tell a phone that its subscription is unknown than keep it waiting for a dead database.
        if (host_.clock().now() - begun > 30s)
            loaded_ = true;
        task::sleep_until(host_.clock().now() + 2s);
    }
    loaded_ = true;
    if (!watchers.empty() || resources_.size() > 0)
        log_.info("{} resources and {} subscriptions restored", resources_.size(), watchers.size());
    pace(watchers);
}

bool Presence::load(std::vector<SubscriptionPtr>& watchers)
{
    const std::int64_t now = host_.clock().unix_seconds();
    const auto publications = store_->publications(now, [this](std::vector<StoredPublication>&& rows) {
        for (const StoredPublication& row : rows)
            restore_row(row);
    });
    if (!publications) {
        log_.info("publications: {}", publications.error().text);
        return false;
    }
    const auto subscriptions = store_->subscriptions(now, [&](std::vector<StoredSubscription>&& rows) {
        for (const StoredSubscription& row : rows)
            if (auto s = restore_row(row))
                watchers.push_back(std::move(s));
    });
    if (!subscriptions)
        log_.info("subscriptions: {}", subscriptions.error().text);
    return subscriptions.has_value();
}

void Presence::restore_row(const StoredPublication& row)
{
    const Known* const known = named(row.event);
    if (!known)
        return; // its package is not loaded: the row stays as it is
    (void)on(*known, key_from(row.user, row.domain), Missing::make, Fanout::now,
             [&](Resource& r, Now now, Effects&) { r.restore(row, now); });
}

const net::Listener* Presence::socket_named(std::string_view text)
{
    for (const auto& listener : host_.network().listeners())
        if (listener->text() == text)
            return listener.get();
    return nullptr; // gone from the configuration: one is chosen for each NOTIFY
}

SubscriptionPtr Presence::restore_row(const StoredSubscription& row)
{
    const Known* const known = named(row.event);
    if (!known || dialogs_.find({row.call_id, row.to_tag, row.from_tag}))
        return {};
    const auto address = [](const std::string& user, const std::string& domain) {
        return "<" + key_from(user, domain) + ">";
    };
    const std::string local = address(row.to_user, row.to_domain),
                      remote = address(row.from_user, row.from_domain),
                      watcher = key_from(row.watcher_user, row.watcher_domain);
    Arrival arrival;
    arrival.way.socket = socket_named(row.socket);
    arrival.way.may_connect = (row.flags & 1U) == 0;
    arrival.routes = row.record_route;
    arrival.local_contact = row.local_contact;
    arrival.local = local;
    arrival.remote = remote;
    arrival.local_tag = row.to_tag;
    arrival.watcher = watcher;
    SubscriptionPtr restored;
    (void)on(*known, row.presentity, Missing::make, Fanout::now, [&](Resource& r, Now now, Effects& effects) {
        restored = r.restore(row, arrival, now);
        if (restored && !dialogs_.add(restored)) {
            r.drop(*restored, "deactivated", effects, now);
            effects.changes.clear(); // the row is the other one's
            effects.gone.clear();
            restored = {};
        } else if (restored) {
            (void)watchers_.add(restored->watcher(), 0);
        }
    });
    return restored;
}

// What they know is not known, so each is told once; not all at the same moment.
void Presence::pace(const std::vector<SubscriptionPtr>& watchers)
{
    const auto rate = static_cast<std::size_t>(std::max(settings_.restore_notify_rate, 10));
    const std::size_t in_a_go = rate / 10;
    for (std::size_t i = 0; i < watchers.size() && !host_.runtime().stopping(); ++i) {
        if (i > 0 && i % in_a_go == 0)
            task::sleep_until(host_.clock().now() + 100ms);
        const SubscriptionPtr& s = watchers[i];
        post(s->resource, [s](Resource& r, Now now, Effects& effects) { r.kick(*s, now, effects); });
    }
}

} // namespace sipyard::presence
