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
    std::optional<net::Protocol> protocol; // none: udp and what else is enabled
    std::string host;                      // ip, name, interface or empty for all
    std::uint16_t port = 0;                // 0: the default port
    std::uint16_t port_end = 0;            // of a range of ports; 0: only `port`
    std::string advertised_host;
    std::uint16_t advertised_port = 0;
    std::string name;
    bool virtual_address = false;
    int workers = 0;        // socket_workers or workers=; 0: as usual
    std::string group_name; // agname=
    std::string file;       // where it stands, for messages
    int line = 0;
};
struct AliasLine {
    std::optional<net::Protocol> protocol;
    std::string host;
    std::uint16_t port = 0; // 0: any
};

// Set while the configuration is read; read-only afterwards. Defaults are Kamailio's unless noted.
struct CoreSettings {
    int debug = 0;
    bool log_stderror = false, log_color = false;
    std::string log_facility = "LOG_DAEMON", log_name, log_prefix;
    int log_prefix_mode = 0;
    std::string log_engine_type, log_engine_data;
    bool fork = true;
    int worker_threads = 0; // ours: 0 = one per usable core
    std::vector<ListenLine> listen;
    std::vector<AliasLine> alias;
    std::uint16_t port = 5060, tls_port_no = 5061;
    bool auto_aliases = true;
    std::string advertised_address;
    std::uint16_t advertised_port = 0;
    int auto_bind_ipv6 = 0, bind_ipv6_link_local = 0, ip_free_bind = 0, mhomed = 0;
    bool disable_tcp = false, enable_tls = false;
    int tcp_connection_lifetime = 120, tcp_max_connections = 2048, tls_max_connections = 2048,
        tcp_accept_iplimit = 1024, tcp_connect_timeout = 10, tcp_send_timeout = 10, tcp_rd_buf_size = 16384,
        tcp_keepalive = 1, tcp_keepidle = 0, tcp_keepintvl = 0, tcp_keepcnt = 0, tcp_msg_read_timeout = 20,
        tcp_connection_match = 0;
    bool tcp_accept_no_cl = false, tcp_accept_aliases = false, tcp_crlf_ping = true, tcp_no_connect = false,
         tcp_reuse_port = false;
    std::optional<net::Protocol> udp_mtu_try_proto;   // above udp_mtu; none: no change of transport
    std::vector<std::string> async_workers_group;     // "name=g;workers=4;nonblock=0;usleep=0" each
    int udp_mtu = 0, maxbuffer = 0, maxsndbuffer = 0, // of sockets; 0: the network's own choice
        msg_recv_max_size = 32'767;
    bool dns_try_ipv6 = true, dns_try_naptr = false, use_dns_cache = true, use_dns_failover = false,
         force_rport = false, local_rport = false, reply_to_via = false, check_via = false,
         dns_srv_lb = false, dns_cache_init = true, dns_use_search_list = true,
         phone2tel = true;            // a SIP URI with user=phone counts as tel ($rz)
    std::string hdr_name_extra_chars; // taken in header names beside those of a token
    int dns_retr_time = -1, dns_retr_no = -1, dns_udp_pref = 30, dns_tcp_pref = 20, dns_tls_pref = 10,
        dns_cache_negative_ttl = 60, dns_cache_min_ttl = 0, dns_cache_max_ttl = 0;
    std::vector<net::Address> dns_servers; // ours: asked instead of the system's; port 0 is 53
    bool use_dst_blocklist = false;
    int dst_blocklist_expire = 60;                                       // seconds
    std::string xavp_via_params, xavp_via_fields, xavp_via_reply_params; // xavp names
    bool server_signature = true, user_agent_header_set = false;
    std::string server_header = "Server: sipyard", user_agent_header = "User-Agent: sipyard";
    int sip_warning = 0, server_id = 0;
    int max_while_loops = 100, max_recursive_level = 256, max_branches = 12, return_mode = 0;
    bool onsend_route_reply = false;
    int received_route_mode = 0;
    int latency_limit_action = 0, latency_limit_cfg = 0, latency_limit_db = 0; // microseconds; 0: no limit
    int latency_log = -1, latency_cfg_log = 3;                                 // levels
    std::string user, group, chroot, workdir, rundir = "/run/sipyard", pid_file;
    std::string version_table = "version", stats_name_separator = "_";
    int open_files_limit = -1;
    std::string config_file;
    int max_fibers = 16'384; // ours: suspended requests in all
};

} // namespace sipyard
