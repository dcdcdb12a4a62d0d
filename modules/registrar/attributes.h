// modules/registrar/attributes.h - an XAVP's fields packed into bytes that the location store keeps
// (xavp_contact)
#pragma once

#include "core/module/avp.h"

#include <string>
#include <string_view>

namespace sipyard::registrar {

// The fields of the newest root of that name; "" when there is none, or more than 16 KiB of them.
std::string pack(const XavpList& xavps, std::string_view root);
// Makes a new root of that name from them.
void unpack(std::string_view packed, std::string_view root, XavpList& xavps);

} // namespace sipyard::registrar
