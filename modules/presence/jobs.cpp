// modules/presence/jobs.cpp - what a resource has decided is carried out: rows, appointments, NOTIFYs,
// announcements
#include "modules/presence/presence.h"

#include "core/crypto/digest.h"

namespace sipyard::presence {

ResourcePtr Presence::get(const Known& known, std::string_view key)
{
    return resources_.get(known.identity, key, [&] {
        return std::make_shared<Resource>(common_, *known.package, known.identity, std::string{key});
    });
}

// On the resource's strand: what is done here is in the order of the decisions.
Writer::Ticket Presence::settle(const ResourcePtr& resource, Effects& effects, Fanout fanout)
{
    for (const SubscriptionPtr& gone : effects.gone) {
        dialogs_.remove(*gone);
        watchers_.remove(gone->watcher());
    }
    Writer::Ticket ticket;
    if (writer_)
        ticket = writer_->write(std::hash<std::string_view>{}(resource->key), std::move(effects.changes));
    for (WatcherChanged& change : effects.told)
        host_.announce(std::move(change), resource->key);
    if (!effects.notifications.empty())
        deliver(std::move(effects.notifications));
    if (resource->is_idle()) {
        resource->dead = true;
        resources_.remove(*resource);
        return ticket;
    }
    if (const Instant when = resource->next_wake(); when < resource->appointed) {
        resource->appointed = when;
        agenda_->add(when, resource);
    }
    if (effects.more && fanout == Fanout::now)
        fan_out(resource);
    return ticket;
}

void Presence::fan_out(const ResourcePtr& resource)
{
    post(resource, [](Resource& r, Now now, Effects& effects) { r.turn(now, effects); });
}

void Presence::wait_written(const Writer::Ticket& ticket)
{
    // The store itself gives up after db_commit_timeout; changes in front of ours in the lane may take as
    // long.
    const Duration patience = 2 * std::chrono::milliseconds{settings_.db_commit_timeout.count};
    if (!ticket.wait(host_.clock().now() + patience))
        common_->counts.commit_late.add();
}

// --- what other modules ask ----------------------------------------------------------------------

Result<void> Presence::publish(const LocalPublication& publication)
{
    const Known* const known = named(publication.package);
    if (!known)
        return Error{ErrorKind::not_found, format("no event package '{}'", publication.package)};
    wait_loaded(); // an earlier run's publication of that id is replaced or taken away
    if (!loaded() && publication.body.empty())
        return Error{ErrorKind::overloaded, "what is stored has not been read yet"};
    const std::string whole = publication.package + "\n" + publication.presentity + "\n" + publication.id;
    const std::string ruid = "l" + crypto::digest(crypto::Algorithm::sha256, whole).hex().substr(0, 40);
    Result<void> outcome;
    TRY(const auto ticket, on(*known, publication.presentity, Missing::make, Fanout::now,
                              [&](Resource& resource, Now now, Effects& effects) {
                                  outcome = resource.publish_local(publication, ruid, now, effects);
                              }));
    if (outcome)
        wait_written(ticket);
    return outcome;
}

void Presence::resource_changed(std::string_view package, std::string_view presentity)
{
    if (const Known* const known = named(package))
        if (const ResourcePtr resource = resources_.find(known->identity, presentity))
            post(resource, [](Resource& r, Now now, Effects& effects) { r.changed(now, effects); });
}

void Presence::rules_changed(std::string_view package, std::string_view presentity)
{
    if (const Known* const known = named(package))
        if (const ResourcePtr resource = resources_.find(known->identity, presentity))
            post(resource, [](Resource& r, Now now, Effects& effects) { r.rules_changed(now, effects); });
}

void Presence::terminate(std::string_view package, std::string_view presentity, std::string_view reason,
                         std::uint32_t retry_after)
{
    if (const Known* const known = named(package))
        if (const ResourcePtr resource = resources_.find(known->identity, presentity))
            post(resource, [why = std::string{reason}, retry_after](Resource& r, Now now, Effects& effects) {
                r.terminate(why, retry_after, now, effects);
            });
}

CompositePtr Presence::composite(std::string_view package, std::string_view presentity)
{
    CompositePtr found;
    if (const Known* const known = named(package))
        (void)on(*known, presentity, Missing::make, Fanout::now,
                 [&](Resource& resource, Now, Effects&) { found = resource.composite(); });
    return found;
}

std::vector<SubscriptionInfo> Presence::subscriptions(std::string_view package, std::string_view presentity)
{
    std::vector<SubscriptionInfo> all;
    if (const Known* const known = named(package))
        (void)on(*known, presentity, Missing::leave, Fanout::now, [&](Resource& resource, Now now, Effects&) {
            for (const auto& s : resource.watchers())
                all.push_back(resource.info(*s, now));
        });
    return all;
}

} // namespace sipyard::presence
