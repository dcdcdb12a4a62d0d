// modules/presence_dialoginfo/package.h - the event package "dialog" (RFC 4235)
#pragma once

#include "core/base/units.h"
#include "core/module/counter.h"
#include "modules/presence/api.h"
#include "modules/presence_dialoginfo/quirks.h"
#include "modules/presence_dialoginfo/render.h"
#include "modules/presence_dialoginfo/view.h"

#include <string_view>
#include <vector>

namespace sipyard::presence_dialoginfo {

struct Settings {
    // --- Kamailio's ---
    bool force_single_dialog = false;
    bool force_dummy_dialog = false;
    // --- ours ---
    IdleBody idle_body = IdleBody::empty;
    DummyId dummy_id = DummyId::presentity;
    Privacy dialog_privacy = Privacy::full;
    bool partial_notify = false;
    bool lax_namespace = false;
    bool suppress_own_dialogs = false;
    bool quirks = true;
    std::vector<QuirkRule> quirk_rules;
    Milliseconds notify_interval_ms{0};
    // A publisher may keep an ended call for the ten seconds of pua_dialoginfo's terminated_lifetime; Yealink
    // phones may be set to subscribe for thirty.
    int default_expires = 3600, min_expires = 30, max_expires = 3600, min_publish_expires = 1; // seconds
};

struct Counters {
    Counter &documents, &refused, &merges, &renderings;
};

// Thread-safe: all it has is set at construction. Throws StartupError for settings that contradict each
// other.
class DialogPackage final : public presence::EventPackage {
public:
    DialogPackage(const Settings& settings, Counters counters);

    const presence::Traits& traits() const override { return traits_; }
    std::variant<presence::DocumentPtr, presence::Refusal>
    parse(const presence::PublishView& publish) override;
    presence::CompositePtr merge(std::string_view presentity,
                                 std::span<const presence::Publication> publications,
                                 const presence::CompositePtr& before) override;
    presence::Variant variant(const presence::SubscribeView& subscribe) override;
    presence::BodyPtr render(std::string_view presentity, const presence::Composite& composite,
                             const presence::Variant& variant) override;
    presence::BodyPtr partial(std::string_view presentity, const presence::Composite& before,
                              const presence::Composite& now, const presence::Variant& variant) override;
    bool is_over(const presence::Composite& composite, const presence::Variant& variant) override;
    presence::BodyPtr render_blocked(std::string_view presentity, const presence::Variant& variant) override;

private:
    const Settings settings_;
    const presence::Traits traits_;
    const QuirkTable quirks_;
    const Counters counters_;
};

} // namespace sipyard::presence_dialoginfo
