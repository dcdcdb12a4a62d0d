// core/server/version.h - the version of this server and the Kamailio release whose language it speaks
#pragma once

#include <string_view>

namespace sipyard::server {

inline constexpr std::string_view version = "0.1.0";

} // namespace sipyard::server
