// core/module/via_params.h - what the script wants in a Via: the xavps named by xavp_via_params and its
// sisters
#pragma once

#include "core/module/request.h"

#include <cstdint>
#include <string_view>

namespace sipyard {

// Parameters for the Via we put on a request (xavp_via_params) or for the top Via of our replies
// (xavp_via_reply_params):
// ";name=value" for each field of the xavp, newest last, ";name" when the value is empty. Names that are no
// token and values that would leave the parameter are passed over with a line in the log. "" without the
// parameter; in the arena.
std::string_view via_params(Request& request);
std::string_view reply_via_params(Request& request);

// $xavp(NAME=>address) and $xavp(NAME=>port) of xavp_via_fields, in place of the socket's own. Empty and 0:
// the socket's.
struct ViaFields {
    std::string_view address;
    std::uint16_t port = 0;
};
ViaFields via_fields(Request& request);

} // namespace sipyard
