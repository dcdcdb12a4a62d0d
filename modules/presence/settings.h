// modules/presence/settings.h - the parameters of the presence server; Kamailio's names where it has them
#pragma once

#include "core/base/units.h"

#include <cstdint>
#include <string>

namespace sipyard::presence {

struct Settings {
    // --- Kamailio's ---
    std::string db_url; // empty: nothing is stored
    std::string presentity_table = "presentity", active_watchers_table = "active_watchers",
                watchers_table = "watchers";
    int clean_period = 100, db_update_period = 5, subs_db_mode = 1, publ_cache = 1, fetch_rows = 500; // s
    int cseq_offset = 0, expires_offset = 0;
    int max_expires = 3600, min_expires = 0, min_expires_action = 1; // seconds; 0: what the package says
    std::string server_address;
    int subs_htable_size = 9, pres_htable_size = 9; // powers of two
    bool timeout_rm_subs = true, sip_uri_match = false, subs_respond_200 = true;
    std::string xavp_cfg;
    int retrieve_order = 0;
    std::string retrieve_order_by = "priority";
    // --- ours ---
    int publ_db_mode = -1; // -1: 0 with publ_cache 2, else 1
    Milliseconds db_commit_timeout{500};
    std::string tel_domain;
    int server_id = 0; // in entity tags
    ByteCount max_publish_body{65'536};
    int max_publications = 64;                                                           // of a resource
    int max_resources = 1'000'000, max_subscriptions = 1'000'000;                        // in all
    int max_subscriptions_per_resource = 50'000, max_subscriptions_per_watcher = 10'000; // 0: no limit
    int subs_expiry_grace = 5, pending_lifetime = 259'200;                               // seconds
    bool expire_body = false, replace_same_callid = true, hide_block = false, conditional_notify = true;
    std::string accept_policy = "strict", notify_error_policy = "tolerant";
    int notify_fail_limit = 3;
    int version_start = 0;
    std::string version_policy = "change";
    std::string notify_headers = "";
    int restore_notify_rate = 500; // a second
    // --- Kamailio's, without effect here ---
    int waitn_time = 5, notifier_poll_rate = 10, notifier_processes = 1, startup_mode = 1,
        send_fast_notify = 1, db_table_lock_type = 1, subs_remove_match = 0, timer_mode = 1,
        pres_subs_mode = 1;
    // --- Kamailio's, not supported: a warning when they are set ---
    int force_delete = 0, enable_sphere_check = 0, local_log_level = 2, enable_dmq = 0, delete_same_subs = 0;
    std::string local_log_facility;
};

} // namespace sipyard::presence
