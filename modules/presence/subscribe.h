// modules/presence/subscribe.h - a SUBSCRIBE taken apart and checked, as far as the message alone tells (RFC
// 6665 4.2.1, the table of spec presence 4.1)
#pragma once

#include "modules/presence/checks.h"

namespace sipyard::presence {

struct SubscribeRules {
    Lifetimes lifetimes;
    ShortExpires short_expires = ShortExpires::refuse;
    bool accept_anything = false; // accept_policy=lenient, or the quirk of a phone
};

// Views into the message, and into `storage` for a joined Accept.
struct SubscribeOrder {
    std::string_view call_id, from_tag, to_tag, contact; // contact: the URI
    std::string_view event, params;                      // of the Event header as they came
    std::string_view accept, user_agent, suppress, content_type, body;
    std::uint32_t cseq = 0, expires = 0;

    // Steps 7 to 9: a refusal that counts only when the dialog of steps 5 and 6 is there.
    std::optional<Refusal> refusal;
};

// Steps 2 and 3, or what is to be done.
std::variant<SubscribeOrder, Refusal> read_subscribe(const sip::Message& request, const Traits& traits,
                                                     const SubscribeRules& rules, std::string& storage);

} // namespace sipyard::presence
