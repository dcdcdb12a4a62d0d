// modules/presence_dialoginfo/presence_dialoginfo.cpp - event package dialog: who is on the phone
#include "core/module/module.h"
#include "modules/presence/api.h"
#include "modules/presence_dialoginfo/package.h"

namespace sipyard::presence_dialoginfo {

class PresenceDialoginfo {
public:
    using Settings = presence_dialoginfo::Settings;
    static Manifest<PresenceDialoginfo> manifest();

    PresenceDialoginfo(const Settings& settings, Host& host) : package_{settings, counters_in(host)}
    {
        host.service<presence::Api>().add(package_);
    }

private:
    static Counters counters_in(Host& host)
    {
        const auto counter = [&host](std::string_view name, std::string_view about) -> Counter& {
            return host.counter("presence_dialoginfo", name, about);
        };
        return {counter("documents", "Published documents read"),
                counter("refused", "Published documents refused"),
                counter("merges", "Times the dialogs of a user were put together"),
                counter("renderings", "Documents written, each for all watchers who see the same")};
    }

    DialogPackage package_; // called by the presence server, on any worker
};

Manifest<PresenceDialoginfo> PresenceDialoginfo::manifest()
{
    return {
        .name = "presence_dialoginfo",
        .about = "Event package dialog: who is on the phone, for lamps and call pick-up (RFC 4235)",
        .needs = {need<presence::Api>()},
        .params =
            {param("force_single_dialog", &Settings::force_single_dialog,
                   "One dialog in a document, the most interesting"),
             param("force_dummy_dialog", &Settings::force_dummy_dialog,
                   "A terminated dialog in a document that would have none"),
             param("idle_body", &Settings::idle_body,
                   "The document without dialogs: empty, none, dummy or last"),
             param("dummy_id", &Settings::dummy_id,
                   "Id of the dummy dialog: hash of the presentity, or kamailio"),
             param("dialog_privacy", &Settings::dialog_privacy,
                   "What watchers see: full, anonymous or state"),
             param("partial_notify", &Settings::partial_notify, "Documents of partial state after the first"),
             param("lax_namespace", &Settings::lax_namespace,
                   "Takes published documents without a namespace"),
             param("suppress_own_dialogs", &Settings::suppress_own_dialogs,
                   "A watcher is not told of his own calls with the user"),
             param("quirks", &Settings::quirks, "What single phones need, by their User-Agent"),
             param("quirk_rules", &Settings::quirk_rules,
                   "A further rule, before the shipped ones: regular expression => quirks"),
             param("notify_interval_ms", &Settings::notify_interval_ms,
                   "Least time between two NOTIFYs of a subscription"),
             param("default_expires", &Settings::default_expires,
                   "Seconds of a SUBSCRIBE or PUBLISH without Expires"),
             param("min_expires", &Settings::min_expires, "Least seconds of a subscription"),
             param("max_expires", &Settings::max_expires, "Most seconds of a subscription or publication"),
             param("min_publish_expires", &Settings::min_publish_expires, "Least seconds of a publication")},
    };
}

} // namespace sipyard::presence_dialoginfo

SIPYARD_MODULE(sipyard::presence_dialoginfo::PresenceDialoginfo)
