// core/script/listen.h - [proto:]host[:port] as listen, socket, alias and command line write it (spec/script
// 6)
#pragma once

#include "core/base/result.h"
#include "core/module/core_settings.h"

#include <string_view>

namespace sipyard::script {

// host = ip, [ip6], ip6 without port, name, interface; port may be a range a-b; "*:" is any protocol.
// Fails with a sentence for what cannot be one, and for sctp, which is not supported.
Result<ListenLine> parse_socket(std::string_view text);
// The same as a name of ours.
Result<AliasLine> parse_alias(std::string_view text);

// -l: as listen, "udp:eth0:5060", perhaps followed by "/advertised[:port]".
Result<ListenLine> parse_listen_option(std::string_view text);

} // namespace sipyard::script
