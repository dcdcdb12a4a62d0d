// core/module/core_settings.h - the global parameters a module or the server acts on (spec/script 5)
#pragma once

#include "core/net/address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sipyard {

// listen= / socket= as written, not yet resolved to addresses.
struct ListenLine {
    std::optional<net::Protocol> protocol;      // none: udp and what else is enabled
    std::string                  host;          // ip, name, interface or empty for all
    std::uint16_t                port = 0;      // 0: the default port
    std::string                  advertised_host;
    std::uint16_t                advertised_port = 0;
    std::string                  name;
    bool                         virtual_address = false;
    std::string                  file;          // where it stands, for messages
    int                          line = 0;
};
struct AliasLine {
    std::optional<net::Protocol> protocol;
    std::string                  host;
    std::uint16_t                port = 0;      // 0: any
};

// Set while the configuration is read; read-only afterwards. Defaults are Kamailio's unless noted.
struct CoreSettings {
    int         debug = 0;
    bool        log_stderror = false, log_color = false;
    std::string log_facility = "LOG_DAEMON", log_name, log_prefix;
    int         log_prefix_mode = 0;
    bool        fork = true;
    int         worker_threads = 0;                    // ours: 0 = one per usable core
    std::vector<ListenLine> listen;
    std::vector<AliasLine>  alias;
    std::uint16_t port = 5060, tls_port_no = 5061;
    bool        auto_aliases = true;
    std::string advertised_address;
    std::uint16_t advertised_port = 0;
    int         auto_bind_ipv6 = 0, ip_free_bind = 0, mhomed = 0;
    bool        disable_tcp = false, enable_tls = false;
    int         tcp_connection_lifetime = 120, tcp_max_connections = 2048, tls_max_connections = 2048,
                tcp_accept_iplimit = 1024, tcp_connect_timeout = 10, tcp_send_timeout = 10, tcp_rd_buf_size = 16384,
                tcp_keepalive = 1, tcp_keepidle = 0, tcp_keepintvl = 0, tcp_keepcnt = 0, tcp_msg_read_timeout = 20;
    bool        tcp_accept_no_cl = false, tcp_accept_aliases = false, tcp_crlf_ping = true, tcp_no_connect = false,
                tcp_reuse_port = false;
    int         udp_mtu = 0, maxbuffer = 262'144, maxsndbuffer = 0, sql_buffer_size = 65'535,
                msg_recv_max_size = 32'767;
    bool        dns = false, rev_dns = false, dns_try_ipv6 = true, dns_try_naptr = false, use_dns_cache = true,
                use_dns_failover = false, force_rport = false, local_rport = false, reply_to_via = false;
    int         dns_retr_time = -1, dns_retr_no = -1;
    bool        server_signature = true, user_agent_header_set = false;
    std::string server_header = "Server: sipyard", user_agent_header = "User-Agent: sipyard";
    int         sip_warning = 0, server_id = 0;
    int         max_while_loops = 100, max_recursive_level = 256, max_branches = 12, return_mode = 0;
    bool        onsend_route_reply = false, http_reply_parse = false;
    int         received_route_mode = 0, latency_limit_action = 0, latency_limit_cfg = 0, latency_cfg_log = 0,
                latency_log = 0, pv_buffer_size = 8192, msg_time = 1;
    std::string user, group, workdir, rundir = "/run/sipyard", pid_file;
    std::string version_table = "version", stats_name_separator = "_";
    int         open_files_limit = -1;
    std::string config_file;
    int         max_fibers = 16'384;                   // ours: suspended requests in all
};

} // namespace sipyard
