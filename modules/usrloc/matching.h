// modules/usrloc/matching.h - which stored binding a Contact of a REGISTER means (RFC 3261 10.3, RFC 5626 6,
// RFC 5627)
#pragma once

#include "modules/usrloc/api.h"

namespace sipyard::usrloc {

enum class Matching : unsigned char {
    contact,
    contact_and_call_id,
    contact_and_path,
    call_id
}; // matching_mode 0 to 3

const ContactView* match(std::span<const ContactView> there, const ContactView& wanted, Matching how);

// RFC 3261 19.1.4; URIs that cannot be read compare as texts.
bool same_contact(std::string_view a, std::string_view b);

} // namespace sipyard::usrloc
