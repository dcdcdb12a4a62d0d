// modules/presence_mwi/presence_mwi.cpp - messages wait: the event package message-summary (RFC 3842)
#include "core/module/module.h"
#include "modules/presence/api.h"
#include "modules/presence_mwi/package.h"

namespace sipyard::presence_mwi {

class PresenceMwi {
public:
    using Settings = presence_mwi::Settings;
    static Manifest<PresenceMwi> manifest();

    PresenceMwi(const Settings& settings, Host& host) : package_{settings}
    {
        host.service<presence::Api>().add(package_);
    }

private:
    SummaryPackage package_; // called by the presence server, on any worker
};

Manifest<PresenceMwi> PresenceMwi::manifest()
{
    return {
        .name = "presence_mwi",
        .about = "Event package message-summary: the lamp for waiting messages (RFC 3842)",
        .needs = {need<presence::Api>()},
        .params = {param("default_expires", &Settings::default_expires,
                         "Seconds of a SUBSCRIBE or PUBLISH without Expires"),
                   param("min_expires", &Settings::min_expires,
                         "Least seconds of a subscription or publication"),
                   param("max_expires", &Settings::max_expires,
                         "Most seconds of a subscription or publication"),
                   param("mwi_idle", &Settings::mwi_idle,
                         "The body while nothing is published: no, or none for a NOTIFY without one")},
    };
}

} // namespace sipyard::presence_mwi

SIPYARD_MODULE(sipyard::presence_mwi::PresenceMwi)
