// modules/pv/uri_text.h - changes to parts of a URI, for the variables and transformations that make them
#pragma once

#include "core/base/arena.h"
#include "core/sip/uri.h"

#include <string_view>

namespace sipyard::pv {

// "" takes the user away, and its password with it.
void put_user(sip::Uri& uri, std::string_view user);
// A tel URI becomes a SIP URI; a maddr parameter goes, it would still lead to the old host.
void put_host(sip::Uri& uri, std::string_view host, Arena& arena);
// ";a=1;b" without all parameters of that name (any letter case).
std::string_view without_param(std::string_view params, std::string_view name, Arena& arena);

} // namespace sipyard::pv
