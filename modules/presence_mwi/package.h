// modules/presence_mwi/package.h - the event package "message-summary" as the presence server drives it
#pragma once

#include "core/base/from_text.h"
#include "modules/presence/api.h"
#include "modules/presence_mwi/summary.h"

#include <string_view>

namespace sipyard::presence_mwi {

// What is told while nobody has published anything.
enum class IdleBody : unsigned char {
    no,   // "Messages-Waiting: no"; some phones take a NOTIFY without a body for a mistake
    none, // no body
};

struct Settings {
    int default_expires = 3600; // seconds; Kamailio's parameter
    int min_expires = 60, max_expires = 86400;
    IdleBody mwi_idle = IdleBody::no;
};

// Thread-safe: all it has is set at construction. Throws StartupError for settings that contradict each
// other.
class SummaryPackage final : public presence::EventPackage {
public:
    explicit SummaryPackage(const Settings& settings);

    const presence::Traits& traits() const override { return traits_; }
    std::variant<presence::DocumentPtr, presence::Refusal>
    parse(const presence::PublishView& publish) override;
    // No merging: the newest publication, one that expires before one that never does (RFC 3903 6).
    presence::CompositePtr merge(std::string_view presentity,
                                 std::span<const presence::Publication> publications,
                                 const presence::CompositePtr& before) override;
    presence::BodyPtr render(std::string_view presentity, const presence::Composite& composite,
                             const presence::Variant& variant) override;
    // Nobody's business: as if there were no mailbox.
    presence::BodyPtr render_blocked(std::string_view presentity, const presence::Variant& variant) override;

private:
    const presence::Traits traits_;
    const presence::CompositePtr idle_;
};

} // namespace sipyard::presence_mwi

template <>
struct sipyard::FromText<sipyard::presence_mwi::IdleBody> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "no or none";
    static Result<presence_mwi::IdleBody> parse(std::string_view text)
    {
        if (text == "no")
            return presence_mwi::IdleBody::no;
        if (text == "none")
            return presence_mwi::IdleBody::none;
        return invalid(format("'{}' is neither no nor none", text));
    }
    static std::string print(presence_mwi::IdleBody value)
    {
        return value == presence_mwi::IdleBody::no ? "no" : "none";
    }
};
