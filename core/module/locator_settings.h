// core/module/locator_settings.h - how servers are found, as the global parameters say
#pragma once

#include "core/module/core_settings.h"
#include "core/net/locator.h"

namespace sipyard {

inline net::Locator::Settings locator_settings(const CoreSettings& core)
{
    net::Locator::Settings settings;
    settings.naptr = core.dns_try_naptr;
    settings.weights = core.dns_srv_lb;
    settings.failover = core.use_dns_failover;
    settings.udp_pref = core.dns_udp_pref;
    settings.tcp_pref = core.dns_tcp_pref;
    settings.tls_pref = core.dns_tls_pref;
    settings.use_blocklist = core.use_dst_blocklist;
    settings.blocklist_time = std::chrono::seconds{core.dst_blocklist_expire};
    return settings;
}

} // namespace sipyard
