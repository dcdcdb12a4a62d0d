// modules/presence_reginfo/package.h - the event package "reg" as the presence server drives it (RFC 3680 4)
#pragma once

#include "core/base/clock.h"
#include "modules/presence/api.h"
#include "modules/presence_reginfo/local.h"
#include "modules/presence_reginfo/state.h"

#include <string>
#include <string_view>

namespace sipyard::presence_reginfo {

struct Settings {
    int default_expires = 3600;          // seconds; Kamailio's parameter
    bool aggregate_presentities = false; // Kamailio's
    int min_expires = 60, max_expires = 86400;
    bool reg_notify_refresh = false;
    std::string usrloc_table = {}; // empty: only what is published
};

// Thread-safe: all it has is set at construction. Throws StartupError for settings that contradict each
// other.
class RegPackage final : public presence::EventPackage {
public:
    // `local`: null without a location table.
    RegPackage(const Settings& settings, const Clock& clock, LocalContacts* local);

    const presence::Traits& traits() const override { return traits_; }
    std::variant<presence::DocumentPtr, presence::Refusal>
    parse(const presence::PublishView& publish) override;
    void prepare(const presence::SubscribeView& subscribe) override;
    presence::CompositePtr merge(std::string_view presentity,
                                 std::span<const presence::Publication> publications,
                                 const presence::CompositePtr& before) override;
    presence::BodyPtr render(std::string_view presentity, const presence::Composite& composite,
                             const presence::Variant& variant) override;
    // Nobody's business: as if he had never registered.
    presence::BodyPtr render_blocked(std::string_view presentity, const presence::Variant& variant) override;

private:
    const Aggregate aggregate_;
    const RefreshIsNews refresh_;
    const presence::Traits traits_;
    const Clock& clock_;
    LocalContacts* const local_;
};

} // namespace sipyard::presence_reginfo
