// modules/tm/settings.h - the module's parameters, with Kamailio's names and defaults
#pragma once

#include <string>

namespace sipyard::tm {

struct Settings {
    // Timers, milliseconds.
    int fr_timer = 30'000, fr_inv_timer = 120'000, max_inv_lifetime = 180'000, max_noninv_lifetime = 32'000,
        wt_timer = 5'000, delete_timer = 200, retr_timer1 = 500, retr_timer2 = 4'000;
    int noisy_ctimer = 1, restart_fr_on_each_reply = 1;
    int auto_inv_100 = 1;
    std::string auto_inv_100_reason = "trying -- your call is important to us";
    int unix_tx_timeout = 500, aggregate_challenges = 1, reparse_invite = 1;
    std::string ac_extra_hdrs;
    int blst_503 = 0, blst_503_def_timeout = 0, blst_503_min_timeout = 0, blst_503_max_timeout = 3600,
        blst_methods_add = 1, blst_methods_lookup = -1;
    int cancel_b_method = 1, reparse_on_dns_failover = 1;
    std::string on_sl_reply, contacts_avp, contact_flows_avp, fr_timer_avp, fr_inv_timer_avp, tw_append;
    int unmatched_cancel = 0, ruri_matching = 1, via1_matching = 1, callid_matching = 0,
        callid_cseq_matching = 0, pass_provisional_replies = 0;
    int default_code = 500;
    std::string default_reason = "Server Internal Error";
    int disable_6xx_block = 0, local_ack_mode = 0, failure_reply_mode = 3, faked_reply_prio = 0,
        local_cancel_reason = 1, e2e_cancel_reason = 1, remap_503_500 = 1, failure_exec_mode = 0,
        dns_reuse_rcv_socket = 0;
    std::string xavp_contact, event_callback, event_callback_lres_sent;
    int relay_100 = 0, rich_redirect = 1, exec_time_check = 1, reply_relay_mode = 1, enable_uac_fr = 0;
    // Ours.
    int max_transactions = 500'000, max_per_source = 250'000;
};

} // namespace sipyard::tm
