// core/sip/via.h - Via header field: one hop (RFC 3261 20.42, RFC 3581)
#pragma once

#include "core/sip/complaint.h"
#include "core/sip/params.h"
#include "core/sip/transport.h"

#include <cstdint>
#include <string_view>

namespace sipyard::sip {

struct Via {
    std::string_view whole;          // this value, without its neighbours in a comma list
    std::string_view protocol;       // "SIP"
    std::string_view version;        // "2.0"
    std::string_view transport_text; // as sent
    Transport transport = Transport::none;
    std::string_view host;    // sent-by, IPv6 with its brackets
    std::uint16_t port = 0;   // 0: absent
    std::string_view sent_by; // "host:port" as sent
    ParamsView params;
    std::string_view branch; // "" when absent
    std::string_view received;
    std::string_view maddr;
    std::string_view rport_text; // all of "rport" or "rport=5060" as it stands, "" when absent
    std::uint16_t rport = 0;     // its value, 0 when it has none
    std::uint16_t ttl = 0;
    bool has_rport = false;
    bool has_alias = false; // RFC 5923

    // Made by an RFC 3261 element: the branch starts with the magic cookie (any letter case, RFC 4475 3.2.1:
    // and more follows).
    bool has_cookie() const;
    std::uint16_t port_or_default() const { return port ? port : default_port(transport); }
};

Complaint read(std::string_view text, Via& out);

} // namespace sipyard::sip
