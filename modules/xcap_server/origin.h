// modules/xcap_server/origin.h - how the client calls this server: the front of absolute URLs in answers
#pragma once

#include "core/base/arena.h"

#include <string>
#include <string_view>

namespace sipyard::xcap_server {

struct OriginRules {
    int scheme = -1;      // modparam directory_scheme: -1 as asked, 0 http, 1 https
    std::string hostname; // modparam directory_hostname; empty: as asked
};

struct Origin {
    std::string_view scheme;    // "http" or "https"
    std::string_view authority; // host[:port]
};

// `target` as in the request line: the authority of an absolute one wins over Host (RFC 7230 5.4). A name
// that is more than host[:port] is not repeated to anybody; then `local` stands for it, the address asked.
// Views point into the arguments.
Origin origin_of(const OriginRules& rules, bool encrypted, std::string_view target, std::string_view host,
                 std::string_view local);

} // namespace sipyard::xcap_server
