// modules/presence/publish.h - a PUBLISH taken apart and checked, as far as the message alone tells (RFC
// 3903 6, the table of spec presence 3.1)
#pragma once

#include "modules/presence/checks.h"

namespace sipyard::presence {

struct PublishRules {
    Lifetimes lifetimes;
    ShortExpires short_expires = ShortExpires::refuse;
    std::size_t max_body = 65'536;
};

// Views into the message.
struct PublishOrder {
    std::string_view if_match; // empty: an initial publication
    std::string content_type;  // lower case, without parameters
    std::string_view body;
    std::uint32_t expires = 0;
    // Steps 6 to 10: a refusal that counts only when the entity tag of step 5 is known.
    std::optional<Refusal> refusal;
};

// Steps 3 and 4, or what is to be done.
std::variant<PublishOrder, Refusal> read_publish(const sip::Message& request, const Traits& traits,
                                                 const PublishRules& rules);

} // namespace sipyard::presence
