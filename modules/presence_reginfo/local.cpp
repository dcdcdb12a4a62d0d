// modules/presence_reginfo/local.cpp - looked up, kept up to date, forgotten when nobody watches any more
#include "modules/presence_reginfo/local.h"

#include "core/base/format.h"
#include "core/task/fiber.h"
#include "core/task/worker.h"

#include <algorithm>
#include <utility>

namespace sipyard::presence_reginfo {
namespace {

constexpr Duration sweep_every = std::chrono::minutes{10};
// A SUBSCRIBE that has just looked becomes a subscription within this time or not at all.
constexpr Duration settled_after = std::chrono::minutes{1};
constexpr std::size_t most_ended = 16;
constexpr int most_readings = 8;

std::string q_text(int thousandths)
{
    if (thousandths < 0)
        return {};
    if (thousandths >= 1000)
        return "1";
    std::string text = format("0.{}{}{}", thousandths / 100, thousandths / 10 % 10, thousandths % 10);
    while (text.back() == '0')
        text.pop_back();
    if (text.back() == '.')
        text.pop_back();
    return text;
}

template <class View>
Contact contact_of(const View& view)
{
    Contact contact;
    contact.id = view.ruid;
    contact.uri = view.contact;
    contact.call_id = view.call_id;
    contact.cseq = view.cseq;
    contact.q = q_text(view.q);
    contact.expires_at = view.expires;
    return contact;
}

struct Reading final : usrloc::Reader {
    std::vector<Contact> contacts;
    void read(std::span<const usrloc::ContactView> views) override
    {
        for (const auto& view : views)
            contacts.push_back(contact_of(view));
    }
};

} // namespace

LocalContacts::LocalContacts(usrloc::Api& location, std::string table, presence::Api& presence,
                             const Clock& clock, log::Logger log)
    : location_{location}, table_{std::move(table)}, presence_{presence}, clock_{clock}, log_{log}
{
    all_.with([&](All& all) { all.swept = clock_.now(); });
}

std::size_t LocalContacts::watched() const
{
    return all_.with([](const All& all) { return all.by_aor.size(); });
}

std::string LocalContacts::aor_of(std::string_view presentity) const
{
    if (presentity.starts_with("sip:"))
        presentity.remove_prefix(4);
    return std::string{location_.uses_domain() ? presentity : presentity.substr(0, presentity.rfind('@'))};
}

void LocalContacts::look(std::string_view presentity)
{
    const std::string aor = aor_of(presentity);
    bool sweeps = false, complains = false;
    const bool room = all_.with([&](All& all) {
        const Instant now = clock_.now();
        sweeps = now - all.swept >= sweep_every;
        if (sweeps)
            all.swept = now;
        if (all.by_aor.size() >= most_watched && !all.by_aor.contains(aor)) {
            complains = !std::exchange(all.full, true);
            return false;
        }
        Watched& watched = all.by_aor[aor];
        watched.asked = now;
        if (std::find(watched.presentities.begin(), watched.presentities.end(), presentity) ==
            watched.presentities.end())
            watched.presentities.emplace_back(presentity);
        return true;
    });
    if (complains)
        log_.warn("{} users are watched: contacts of further ones are not shown", most_watched);
    if (task::Worker* const worker = sweeps ? task::Worker::current() : nullptr)
        worker->spawn_always([this] { sweep(); });
    if (room)
        read(aor);
}

std::vector<Contact> LocalContacts::contacts(std::string_view presentity)
{
    bool known = false;
    auto found = all_.with([&](All& all) {
        std::vector<Contact> contacts;
        const auto watched = all.by_aor.find(aor_of(presentity));
        known = watched != all.by_aor.end() && watched->second.known;
        if (!known)
            return contacts;
        const Watched& of = watched->second;
        contacts = of.active;
        const std::int64_t now = clock_.unix_seconds();
        for (std::size_t i = 0; i < of.ended.size(); ++i)
            if (now - of.ended_at[i] < ended_for)
                contacts.push_back(of.ended[i]);
        return contacts;
    });
    task::Worker* const worker = task::Worker::current();
    if (!known && worker)
        worker->spawn_always([this, name = std::string{presentity}] {
            look(name);
            const bool now_known = all_.with([&](All& all) {
                const auto watched = all.by_aor.find(aor_of(name));
                return watched != all.by_aor.end() && watched->second.known;
            });
            if (now_known) // else it would ask again and again
                presence_.resource_changed("reg", name);
        });
    return found;
}

// The table as it is now, unless it changes meanwhile: then once more, so an older answer never replaces a
// newer one.
void LocalContacts::read(const std::string& aor)
{
    for (int i = 0; i < most_readings; ++i) {
        std::uint64_t version = 0;
        const bool there = all_.with([&](All& all) {
            const auto watched = all.by_aor.find(aor);
            if (watched != all.by_aor.end())
                version = watched->second.version;
            return watched != all.by_aor.end();
        });
        if (!there)
            return;
        Reading reading;
        if (const auto looked = location_.lookup(table_, aor, reading); !looked) {
            log_.warn("contacts of {} are not known: {}", aor, looked.error().text);
            return;
        }
        const std::int64_t now = clock_.unix_seconds();
        const bool last = i + 1 == most_readings;
        const bool taken = all_.with([&](All& all) {
            const auto found = all.by_aor.find(aor);
            if (found == all.by_aor.end())
                return true;
            Watched& watched = found->second;
            if (watched.version != version && !last)
                return false;
            std::unordered_map<std::string, ContactEvent> events;
            for (Contact& contact : reading.contacts) {
                const auto before = std::find_if(watched.active.begin(), watched.active.end(),
                                                 [&](const Contact& one) { return one.id == contact.id; });
                contact.registered_since = before != watched.active.end() ? before->registered_since : now;
                if (!watched.known) // it is older than our interest in it
                    contact.registered_since = 0;
                if (const auto event = watched.events.find(contact.id); event != watched.events.end()) {
                    contact.event = event->second;
                    events.insert(*event);
                }
            }
            watched.active = std::move(reading.contacts);
            watched.events = std::move(events);
            watched.known = true;
            return true;
        });
        if (taken)
            return;
    }
}

void LocalContacts::changed(const usrloc::ContactChanged& event)
{
    if (event.domain != table_)
        return;
    const std::int64_t now = clock_.unix_seconds();
    const auto presentities = all_.with([&](All& all) {
        const auto found = all.by_aor.find(event.aor);
        if (found == all.by_aor.end())
            return std::vector<std::string>{};
        Watched& watched = found->second;
        ++watched.version;
        const auto before = std::find_if(watched.active.begin(), watched.active.end(),
                                         [&](const Contact& one) { return one.id == event.ruid; });
        switch (event.what) {
        case usrloc::What::inserted: watched.events[event.ruid] = ContactEvent::registered; break;
        case usrloc::What::updated: {
            const bool shorter = before != watched.active.end() && event.expires != 0 &&
                                 (before->expires_at == 0 || event.expires < before->expires_at);
            watched.events[event.ruid] = shorter ? ContactEvent::shortened : ContactEvent::refreshed;
            break;
        }
        case usrloc::What::expired:
        case usrloc::What::deleted: {
            watched.events.erase(event.ruid);
            Contact gone = contact_of(event);
            gone.state = ContactState::terminated;
            gone.event =
                event.what == usrloc::What::expired ? ContactEvent::expired : ContactEvent::unregistered;
            gone.registered_since = before != watched.active.end() ? before->registered_since : 0;
            while (!watched.ended.empty() &&
                   (watched.ended.size() >= most_ended || now - watched.ended_at.front() >= ended_for)) {
                watched.ended.erase(watched.ended.begin());
                watched.ended_at.erase(watched.ended_at.begin());
            }
            watched.ended.push_back(std::move(gone));
            watched.ended_at.push_back(now);
            break;
        }
        }
        return watched.presentities;
    });
    if (presentities.empty())
        return;
    read(event.aor);
    for (const std::string& presentity : presentities)
        presence_.resource_changed("reg", presentity);
}

// Forgets whom nobody watches.
void LocalContacts::sweep()
{
    struct Candidate {
        std::string aor;
        std::vector<std::string> presentities;
    };
    const Instant settled = clock_.now() - settled_after;
    const auto candidates = all_.with([&](All& all) {
        std::vector<Candidate> list;
        for (const auto& [aor, watched] : all.by_aor)
            if (watched.asked < settled)
                list.push_back({aor, watched.presentities});
        return list;
    });
    for (const Candidate& candidate : candidates) {
        const bool watched = std::any_of(
            candidate.presentities.begin(), candidate.presentities.end(),
            [&](const std::string& name) { return !presence_.subscriptions("reg", name).empty(); });
        if (watched)
            continue;
        all_.with([&](All& all) {
            const auto found = all.by_aor.find(candidate.aor);
            if (found != all.by_aor.end() && found->second.asked < settled) // nobody has come meanwhile
                all.by_aor.erase(found);
            all.full = all.by_aor.size() >= most_watched;
        });
    }
}

} // namespace sipyard::presence_reginfo
