// modules/presence_reginfo/state.h - what is known of a user's registrations, from all sources, as one state
#pragma once

#include "modules/presence/api.h"
#include "modules/presence_reginfo/registration.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace sipyard::presence_reginfo {

struct Published final : presence::Document {
    explicit Published(std::vector<Registration> its_registrations)
        : registrations{std::move(its_registrations)}
    {
    }
    const std::vector<Registration> registrations;
};

struct State final : presence::Composite {
    std::vector<Registration> registrations; // the presentity's own first, the others by their aor
    // Of presence::Body: contacts that have ended may leave the document without anybody being told.
    presence::ContentHash essence;
    std::vector<std::uint64_t> ended;
};

enum class Aggregate : unsigned char { newest, all }; // publications
// no: that a contact was refreshed (its time, its event, its CSeq) is not worth a NOTIFY.
enum class RefreshIsNews : unsigned char { no, yes };

// Registrations of one aor are one; of contacts with one id the newest counts. `local`: contacts of the
// presentity in this server's own location table. Without anything the state is `init` (RFC 3680 4.7.1).
std::shared_ptr<const State> merge_state(std::string_view presentity,
                                         std::span<const presence::Publication> publications,
                                         std::span<const Contact> local, Aggregate aggregate,
                                         RefreshIsNews refresh);

} // namespace sipyard::presence_reginfo
