// modules/presence_reginfo/presence_reginfo.cpp - where a user is registered: the event package reg (RFC
// 3680)
#include "core/module/module.h"
#include "modules/presence/api.h"
#include "modules/presence_reginfo/package.h"
#include "modules/usrloc/api.h"

#include <optional>

namespace sipyard::presence_reginfo {

class PresenceReginfo {
public:
    using Settings = presence_reginfo::Settings;
    static Manifest<PresenceReginfo> manifest();

    PresenceReginfo(const Settings& settings, Host& host)
        : package_{settings, host.clock(), make_local(settings, host)}
    {
        host.service<presence::Api>().add(package_);
    }

private:
    LocalContacts* make_local(const Settings& settings, Host& host)
    {
        if (settings.usrloc_table.empty())
            return nullptr;
        auto* const location = host.try_service<usrloc::Api>();
        if (!location)
            throw StartupError{"usrloc_table needs the module usrloc"};
        location->announce_changes();
        return &local_.emplace(*location, settings.usrloc_table, host.service<presence::Api>(), host.clock(),
                               host.logger("presence_reginfo"));
    }
    void contact_changed(const usrloc::ContactChanged& event)
    {
        if (local_)
            local_->changed(event);
    }

    std::optional<LocalContacts> local_; // set at construction; thread-safe
    RegPackage package_;                 // called by the presence server, on any worker
};

Manifest<PresenceReginfo> PresenceReginfo::manifest()
{
    using M = PresenceReginfo;
    return {
        .name = "presence_reginfo",
        .about = "Event package reg: where a user is registered, and what becomes of it (RFC 3680)",
        .needs = {need<presence::Api>(), may_need<usrloc::Api>()},
        .params =
            {param("default_expires", &Settings::default_expires,
                   "Seconds of a SUBSCRIBE or PUBLISH without Expires"),
             param("aggregate_presentities", &Settings::aggregate_presentities,
                   "Publications are put together; else the newest one is shown"),
             param("min_expires", &Settings::min_expires, "Least seconds of a subscription or publication"),
             param("max_expires", &Settings::max_expires, "Most seconds of a subscription or publication"),
             param("reg_notify_refresh", &Settings::reg_notify_refresh, "A refreshed contact is news, too"),
             param("usrloc_table", &Settings::usrloc_table,
                   "Location table of this server whose contacts are shown; empty: only what is published")},
        .listeners = {on(&M::contact_changed)},
    };
}

} // namespace sipyard::presence_reginfo

SIPYARD_MODULE(sipyard::presence_reginfo::PresenceReginfo)
