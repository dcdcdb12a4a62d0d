// modules/presence_reginfo/registration.h - the registrations of a user as values (RFC 3680 5)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::presence_reginfo {

enum class RegistrationState : unsigned char { init, active, terminated };
enum class ContactState : unsigned char { active, terminated };
enum class ContactEvent : unsigned char {
    registered,
    created,
    refreshed,
    shortened,
    expired,
    deactivated,
    probation,
    unregistered,
    rejected,
};
std::string_view to_text(RegistrationState state);
std::string_view to_text(ContactState state);
std::string_view to_text(ContactEvent event);
std::optional<RegistrationState> registration_state(std::string_view text);
std::optional<ContactState> contact_state(std::string_view text);
std::optional<ContactEvent> contact_event(std::string_view text);

// Points in time are epoch seconds: documents say how long from now, which would be wrong a second later.
struct Contact {
    std::string id, uri;
    ContactState state = ContactState::active;
    ContactEvent event = ContactEvent::registered;
    std::int64_t expires_at = 0;       // 0: not told
    std::int64_t registered_since = 0; // 0: not told
    std::string q, call_id, display_name, display_lang;
    std::optional<std::uint32_t> cseq, retry_after;
    std::vector<std::pair<std::string, std::string>> unknown_params; // name, value
    friend bool operator==(const Contact&, const Contact&) = default;
};
struct Registration {
    std::string aor, id;
    RegistrationState state = RegistrationState::init; // as it would be without contacts
    std::vector<Contact> contacts;
    friend bool operator==(const Registration&, const Registration&) = default;
};

// Active if any contact is; terminated if there are only such that have just ended.
RegistrationState state_of(const Registration& registration);

} // namespace sipyard::presence_reginfo
