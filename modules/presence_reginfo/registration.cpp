// modules/presence_reginfo/registration.cpp - the schema's words, and what state contacts make
#include "modules/presence_reginfo/registration.h"

#include <algorithm>
#include <array>

namespace sipyard::presence_reginfo {
namespace {

using namespace std::string_view_literals;

// In the order of the enumerators.
constexpr std::array registration_states{"init"sv, "active"sv, "terminated"sv};
constexpr std::array contact_states{"active"sv, "terminated"sv};
constexpr std::array contact_events{"registered"sv, "created"sv,      "refreshed"sv,
                                    "shortened"sv,  "expired"sv,      "deactivated"sv,
                                    "probation"sv,  "unregistered"sv, "rejected"sv};

template <class T, std::size_t N>
std::optional<T> among(const std::array<std::string_view, N>& words, std::string_view text)
{
    const auto found = std::find(words.begin(), words.end(), text);
    if (found == words.end())
        return {};
    return static_cast<T>(found - words.begin());
}

} // namespace

std::string_view to_text(RegistrationState state)
{
    return registration_states[static_cast<std::size_t>(state)];
}
std::string_view to_text(ContactState state) { return contact_states[static_cast<std::size_t>(state)]; }
std::string_view to_text(ContactEvent event) { return contact_events[static_cast<std::size_t>(event)]; }
std::optional<RegistrationState> registration_state(std::string_view text)
{
    return among<RegistrationState>(registration_states, text);
}
std::optional<ContactState> contact_state(std::string_view text)
{
    return among<ContactState>(contact_states, text);
}
std::optional<ContactEvent> contact_event(std::string_view text)
{
    return among<ContactEvent>(contact_events, text);
}

RegistrationState state_of(const Registration& registration)
{
    for (const Contact& contact : registration.contacts)
        if (contact.state == ContactState::active)
            return RegistrationState::active;
    return registration.contacts.empty() ? registration.state : RegistrationState::terminated;
}

} // namespace sipyard::presence_reginfo
