// core/script/globals_table.cpp - the table of global parameters (spec/script 5)
#include "core/base/format.h"
#include "core/script/globals.h"

namespace sipyard::script {

namespace {

using S = CoreSettings;
using P = GlobalParam;
using T = GlobalParam::Type;

P number(std::string_view names, int S::*to, std::int64_t least = INT32_MIN, std::int64_t most = INT32_MAX)
{
    return {names, T::integer, P::Effect::acts, to, least, most};
}
P flag(std::string_view names, bool S::*to) { return {names, T::boolean, P::Effect::acts, to}; }
P text(std::string_view names, std::string S::*to) { return {names, T::text, P::Effect::acts, to}; }
P name(std::string_view names, std::string S::*to) { return {names, T::text_or_id, P::Effect::acts, to}; }
P port(std::string_view names, std::uint16_t S::*to)
{
    return {names, T::integer, P::Effect::acts, to, 0, 65'535};
}
P special(std::string_view names, T type, P::Apply apply) { return {names, type, P::Effect::acts, apply}; }
P silent(std::string_view names, std::int64_t least = INT32_MIN, std::int64_t most = INT32_MAX)
{
    return {names, T::integer, P::Effect::silent, {}, least, most};
}
P ignored(std::string_view names, T type = T::integer) { return {names, type, P::Effect::none, {}}; }
// The same with the reason; `met` says which values get what they ask for all the same.
P ignored(std::string_view names, T type, std::string_view why, bool (*met)(const GlobalValue&) = nullptr,
          std::int64_t least = INT32_MIN, std::int64_t most = INT32_MAX)
{
    return {names, type, P::Effect::none, {}, least, most, why, met};
}
bool off(const GlobalValue& value) { return value.number == 0; }
bool in_hosts(const GlobalValue& value) // what core/sip takes in a host (is_host_text)
{
    return value.text.find_first_not_of("._-") == std::string::npos;
}

Result<void> no_sctp(S&, const GlobalValue& value)
{
    if (value.number == 1)
        return Error{ErrorKind::unsupported, "sctp support is not compiled in"};
    return {};
}

const std::vector<GlobalParam>& table()
{
    static const std::vector<GlobalParam> rows = {
        // logging
        number("debug", &S::debug),
        flag("log_stderror", &S::log_stderror),
        flag("log_color", &S::log_color),
        {"log_facility", T::id, P::Effect::acts, &S::log_facility},
        text("log_name", &S::log_name),
        text("log_prefix", &S::log_prefix),
        number("log_prefix_mode", &S::log_prefix_mode, 0, 1),
        text("log_engine_type", &S::log_engine_type),
        text("log_engine_data", &S::log_engine_data),
        silent("memdbg|mem_dbg"),
        silent("memlog|mem_log"),
        ignored("mem_summary"),
        ignored("mem_safety"),
        ignored("mem_join"),
        ignored("mem_add_size"),
        ignored("mem_status_mode"),
        ignored("corelog|core_log"),
        ignored("sip_parser_log"),
        ignored("sip_parser_log_oneline"),
        ignored("sip_parser_mode"),
        number("latency_log", &S::latency_log),
        number("latency_cfg_log", &S::latency_cfg_log),
        number("latency_limit_db", &S::latency_limit_db, 0),
        number("latency_limit_action", &S::latency_limit_action, 0),
        number("latency_limit_cfg", &S::latency_limit_cfg, 0),
        // workers: one per usable core, whatever the number of children says
        number("worker_threads", &S::worker_threads, 0, 1024),
        number("max_fibers", &S::max_fibers, 1, 1 << 24),
        silent("children", 0, 65'535),
        silent("tcp_children", 0, 65'535),
        {"socket_workers", T::integer, P::Effect::acts, {}, 0, 65'535}, // the parser hands it to the next
                                                                        // socket
        flag("fork", &S::fork),
        ignored("fork_delay"),
        ignored("modinit_delay"),
        ignored("wait_worker1_mode"),
        ignored("wait_worker1_time"),
        ignored("wait_worker1_usleep"),
        ignored("verbose_startup"),
        // What would wait runs on fibers: there are no workers to set aside for it, whatever the async
        // parameters say.
        ignored("udp_receiver_mode", T::integer, "every worker reads every socket", nullptr, 0, 2),
        ignored("async_workers", T::integer, "what waits is suspended, no worker is set aside for it",
                nullptr, 0, 65'535),
        ignored("async_usleep", T::integer, "what waits is suspended, no worker is set aside for it"),
        ignored("async_nonblock", T::integer, "what waits is suspended, no worker is set aside for it"),
        special("async_workers_group", T::text,
                [](S& s, const GlobalValue& v) -> Result<void> {
                    s.async_workers_group.push_back(v.text);
                    return {};
                }),
        // sockets
        {"listen", T::sockets, P::Effect::acts, {}},
        {"socket", T::sockets, P::Effect::acts, {}},
        {"alias|domain", T::sockets, P::Effect::acts, {}},
        port("port", &S::port),
        port("tls_port_no", &S::tls_port_no),
        flag("auto_aliases|auto_domains", &S::auto_aliases),
        {"advertised_address", T::host, P::Effect::acts, &S::advertised_address},
        port("advertised_port", &S::advertised_port),
        number("auto_bind_ipv6", &S::auto_bind_ipv6),
        ignored("bind_ipv6_link_local", T::integer, "link-local addresses are not bound", off),
        ignored("ipv6_hex_style", T::text),
        number("ip_free_bind|ipfreebind|ip_nonlocal_bind", &S::ip_free_bind),
        number("mhomed", &S::mhomed),
        ignored("tos", T::any),
        ignored("pmtu_discovery"),
        ignored("mcast", T::text),
        ignored("mcast_ttl"),
        ignored("mcast_loopback", T::boolean),
        number("maxbuffer", &S::maxbuffer, 0),
        number("maxsndbuffer", &S::maxsndbuffer, 0),
        number("udp_mtu", &S::udp_mtu, 0, 65'535),
        special("udp_mtu_try_proto", T::protocol,
                [](S& s, const GlobalValue& v) -> Result<void> {
                    s.udp_mtu_try_proto.reset();
                    for (const auto protocol : {net::Protocol::tcp, net::Protocol::tls})
                        if (net::to_text(protocol) == v.text)
                            s.udp_mtu_try_proto = protocol;
                    if (v.text == "sctp")
                        return Error{ErrorKind::unsupported, "sctp support is not compiled in"};
                    return {};
                }),
        ignored("udp4_raw"),
        ignored("udp4_raw_mtu"),
        ignored("udp4_raw_ttl"),
        ignored("udp_accept_proxy"),
        // TCP
        flag("disable_tcp", &S::disable_tcp),
        number("tcp_connection_lifetime", &S::tcp_connection_lifetime),
        number("tcp_max_connections", &S::tcp_max_connections),
        number("tcp_accept_iplimit", &S::tcp_accept_iplimit),
        number("tcp_connect_timeout", &S::tcp_connect_timeout),
        number("tcp_send_timeout", &S::tcp_send_timeout),
        flag("tcp_accept_no_cl", &S::tcp_accept_no_cl),
        flag("tcp_accept_aliases", &S::tcp_accept_aliases),
        number("tcp_rd_buf_size", &S::tcp_rd_buf_size, 512, 16 << 20),
        number("tcp_keepalive", &S::tcp_keepalive),
        number("tcp_keepidle", &S::tcp_keepidle),
        number("tcp_keepintvl", &S::tcp_keepintvl),
        number("tcp_keepcnt", &S::tcp_keepcnt),
        flag("tcp_crlf_ping", &S::tcp_crlf_ping),
        flag("tcp_no_connect", &S::tcp_no_connect),
        flag("tcp_reuse_port", &S::tcp_reuse_port),
        number("tcp_connection_match", &S::tcp_connection_match, 0, 1),
        number("tcp_msg_read_timeout", &S::tcp_msg_read_timeout),
        ignored("tcp_msg_data_timeout"),
        ignored("tcp_check_timer"),
        ignored("tcp_accept_hep3"),
        ignored("tcp_accept_haproxy"),
        ignored("tcp_accept_protocols", T::any),
        ignored("tcp_source_ipv4", T::host),
        ignored("tcp_source_ipv6", T::host),
        ignored("tcp_fd_cache"),
        ignored("tcp_buf_write|tcp_async"),
        ignored("tcp_conn_wq_max"),
        ignored("tcp_wq_max"),
        ignored("tcp_wq_blk_size"),
        ignored("tcp_defer_accept"),
        ignored("tcp_delayed_ack"),
        ignored("tcp_syncnt"),
        ignored("tcp_linger2"),
        ignored("tcp_listen_backlog"),
        ignored("tcp_poll_method", T::text_or_id),
        ignored("tcp_clone_rcvbuf"),
        ignored("tcp_accept_unique"),
        ignored("tcp_wait_data"),
        ignored("tcp_script_mode"),
        ignored("tcp_close_rst"),
        ignored("tcp_main_threads"),
        // TLS and SCTP
        flag("enable_tls|tls_enable", &S::enable_tls),
        special("disable_tls|tls_disable", T::boolean,
                [](S& s, const GlobalValue& v) -> Result<void> {
                    s.enable_tls = v.number == 0;
                    return {};
                }),
        number("tls_max_connections", &S::tls_max_connections),
        silent("tls_threads_mode"),
        ignored("tls_connection_match_domain", T::boolean),
        ignored("tls_method", T::text_or_id),
        ignored("tls_verify", T::boolean),
        ignored("tls_certificate", T::text),
        ignored("tls_private_key", T::text),
        ignored("tls_ca_list", T::text),
        ignored("tls_require_certificate", T::boolean),
        ignored("tls_handshake_timeout"),
        ignored("tls_send_timeout"),
        ignored("tls_log"),
        special("enable_sctp", T::integer, no_sctp),
        silent("disable_sctp"),
        silent("sctp_children", 0, 65'535),
        // DNS
        // received= is put wherever RFC 3261 18.2.1 asks for it: no look-up may leave it out
        ignored("dns", T::boolean, "received= is put wherever RFC 3261 18.2.1 asks for it, without a look-up",
                off),
        ignored("rev_dns|dns_rev_via", T::boolean,
                "received= is put wherever RFC 3261 18.2.1 asks for it, without a look-up", off),
        flag("dns_try_ipv6", &S::dns_try_ipv6),
        flag("dns_try_naptr", &S::dns_try_naptr),
        flag("dns_srv_lb|dns_srv_loadbalancing", &S::dns_srv_lb),
        flag("use_dns_cache|dns_use_cache", &S::use_dns_cache),
        flag("dns_cache_init", &S::dns_cache_init),
        flag("use_dns_failover|dns_use_failover", &S::use_dns_failover),
        number("dns_udp_pref|dns_udp_preference", &S::dns_udp_pref),
        number("dns_tcp_pref|dns_tcp_preference", &S::dns_tcp_pref),
        number("dns_tls_pref|dns_tls_preference", &S::dns_tls_pref),
        silent("dns_sctp_pref|dns_sctp_preference"),
        number("dns_retr_time", &S::dns_retr_time),
        number("dns_retr_no", &S::dns_retr_no),
        ignored("dns_servers_no"),
        flag("dns_use_search_list", &S::dns_use_search_list),
        ignored("dns_search_full_match", T::boolean),
        number("dns_cache_negative_ttl", &S::dns_cache_negative_ttl),
        number("dns_cache_min_ttl", &S::dns_cache_min_ttl),
        number("dns_cache_max_ttl", &S::dns_cache_max_ttl),
        ignored("dns_cache_flags"),
        ignored("dns_cache_mem"),
        ignored("dns_cache_gc_interval"),
        ignored("dns_cache_del_nonexp|dns_cache_delete_nonexpired"),
        ignored("dns_cache_rec_pref"),
        ignored("dns_naptr_ignore_rfc", T::boolean),
        ignored("dns_slow_query_ms"),
        // ours: the servers to ask, "192.0.2.53, 192.0.2.54:5353"; "" is the system's
        special("dns_servers", T::text,
                [](S& s, const GlobalValue& v) -> Result<void> {
                    TRY(s.dns_servers, net::parse_addresses(v.text, 53));
                    return {};
                }),
        flag("use_dst_blocklist|dst_blocklist|use_dst_blacklist|dst_blacklist", &S::use_dst_blocklist),
        number("dst_blocklist_expire|dst_blocklist_ttl", &S::dst_blocklist_expire, 1, 86'400),
        ignored("dst_blocklist_mem"),
        ignored("dst_blocklist_gc_interval"),
        ignored("dst_blocklist_init"),
        ignored("dst_blocklist_udp_imask"),
        ignored("dst_blocklist_tcp_imask"),
        ignored("dst_blocklist_tls_imask"),
        ignored("dst_blocklist_sctp_imask"),
        // messages
        flag("force_rport|add_rport", &S::force_rport),
        flag("local_rport", &S::local_rport),
        flag("reply_to_via", &S::reply_to_via),
        flag("check_via", &S::check_via),
        flag("phone2tel", &S::phone2tel),
        flag("server_signature", &S::server_signature),
        text("server_header", &S::server_header),
        special("user_agent_header", T::text,
                [](S& s, const GlobalValue& v) -> Result<void> {
                    s.user_agent_header = v.text;
                    s.user_agent_header_set = true;
                    return {};
                }),
        number("sip_warning", &S::sip_warning),
        number("server_id", &S::server_id),
        number("msg_recv_max_size", &S::msg_recv_max_size, 1, 1 << 24),
        ignored("msg_clone_extra_size"),
        ignored("msg_apply_changes_mode"),
        ignored("msg_time"),
        ignored("http_reply_parse|http_reply_hack", T::boolean,
                "HTTP has a parser of its own and never reaches the SIP one", off),
        text("xavp_via_params", &S::xavp_via_params),
        text("xavp_via_fields", &S::xavp_via_fields),
        text("xavp_via_reply_params", &S::xavp_via_reply_params),
        ignored("uri_host_extra_chars", T::text, "a host is letters, digits, '.', '-' and '_'", in_hosts),
        text("hdr_name_extra_chars", &S::hdr_name_extra_chars),
        // script
        number("max_while_loops", &S::max_while_loops, 0, INT32_MAX),
        number("max_recursive_level", &S::max_recursive_level, 1, INT32_MAX),
        number("max_branches", &S::max_branches, 1, 31),
        number("return_mode", &S::return_mode),
        flag("onsend_route_reply", &S::onsend_route_reply),
        number("received_route_mode", &S::received_route_mode),
        ignored("pv_buffer_size", T::integer, "a value is as long as it is", nullptr, 1, 1 << 24),
        ignored("pv_buffer_slots"),
        ignored("pv_cache_limit"),
        ignored("pv_cache_action"),
        ignored("route_locks_size"),
        ignored("rpc_exec_delta"),
        special("cfgengine|cfg_engine", T::text_or_id,
                [](S&, const GlobalValue& v) -> Result<void> {
                    if (v.text != "native" && v.text != "default")
                        return Error{ErrorKind::unsupported,
                                     format("cfgengine {} is not supported, only native is", v.text)};
                    return {};
                }),
        // the process
        name("user|uid", &S::user),
        name("group|gid", &S::group),
        name("chroot", &S::chroot),
        name("workdir|wdir", &S::workdir),
        name("rundir|run_dir", &S::rundir),
        text("version_table", &S::version_table),
        text("stats_name_separator", &S::stats_name_separator),
        ignored("sql_buffer_size", T::integer, "a statement is as long as it is", nullptr, 512, 1 << 24),
        number("open_files_limit", &S::open_files_limit),
        {"mpath", T::paths, P::Effect::acts, {}},
        {"loadpath", T::paths, P::Effect::acts, {}},
        ignored("shm_mem|shm|shm_mem_size"),
        ignored("shm_force_alloc", T::boolean),
        ignored("mlock_pages", T::boolean),
        ignored("real_time"),
        ignored("rt_prio"),
        ignored("rt_policy"),
        ignored("rt_timer1_prio|rt_fast_timer_prio"),
        ignored("rt_timer1_policy|rt_ftimer_policy"),
        ignored("rt_timer2_prio|rt_stimer_prio"),
        ignored("rt_timer2_policy|rt_stimer_policy"),
        ignored("disable_core_dump", T::boolean),
        ignored("exit_timeout|ser_kill_timeout"),
    };
    return rows;
}

} // namespace

std::span<const GlobalParam> global_params() { return table(); }

} // namespace sipyard::script
