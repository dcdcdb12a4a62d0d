// core/module/hop.h - the sending socket as Record-Route shows it, for edits that wait until it is known (RFC
// 3261 16.6 item 4)
#pragma once

#include "core/module/request.h"
#include "core/net/network.h"
#include "core/sip/edits.h"

#include <string_view>

namespace sipyard {

// Host and port by which others reach a socket: set_advertised_address() of the request, the socket's own
// advertised address, advertised_address=, the bound one, in this order; IPv6 in brackets. Port 5060 is left
// out (not for TLS, whose default is another). In the request's arena.
std::string_view shown_address(Request& request, const net::Listener& socket);

// The socket a request came by; for a connection we opened the one of its protocol and family. Null when
// there is none.
const net::Listener* received_socket(const Request& request);

// For ForwardParts::hop of whoever sends the request. Texts in its arena.
sip::Hop hop_of(Request& request, const net::Listener& from);

} // namespace sipyard
