// modules/pv/sockets.h - sockets of this server by their text or name
#pragma once

#include "core/module/host.h"
#include "core/module/request.h"

#include <string_view>

namespace sipyard::pv {

// "udp:127.0.0.1:5060", in the request's arena.
std::string_view listener_text(Request& request, const net::Listener& socket);
// By "proto:ip:port"; without proto or port the first that fits. Null when we have none.
const net::Listener* find_listener(Request& request, std::string_view text);
const net::Listener* find_named_listener(Request& request, std::string_view name);

} // namespace sipyard::pv
