// modules/dialog/settings.h - the parameters of the dialog module; Kamailio's names and defaults
#pragma once

#include "core/db/url.h"

#include <string>

namespace sipyard::dialog {

struct Settings {
    bool enable_stats = true;
    int hash_size = 4096;
    std::string rr_param = "did";
    int dlg_flag = -1;
    std::string timeout_avp;
    int default_timeout = 43'200, early_timeout = 300, noack_timeout = 60, end_timeout = 300; // seconds
    std::string dlg_extra_hdrs, lreq_callee_headers;
    int dlg_match_mode = 0;
    bool detect_spirals = true;
    db::Url db_url = must(db::Url::parse("mysql://kamailio:kamailiorw@localhost/kamailio"));
    int db_mode = 0, db_update_period = 60;
    bool db_skip_load = false;
    std::string table_name = "dialog", call_id_column = "callid", from_uri_column = "from_uri",
                from_tag_column = "from_tag", to_uri_column = "to_uri", to_tag_column = "to_tag",
                from_cseq_column = "caller_cseq", to_cseq_column = "callee_cseq",
                from_route_column = "caller_route_set", to_route_column = "callee_route_set",
                from_contact_column = "caller_contact", to_contact_column = "callee_contact",
                from_sock_column = "caller_sock", to_sock_column = "callee_sock", h_id_column = "hash_id",
                h_entry_column = "hash_entry", state_column = "state", start_time_column = "start_time",
                timeout_column = "timeout", sflags_column = "sflags", iflags_column = "iflags",
                toroute_name_column = "toroute_name", req_uri_column = "req_uri", xdata_column = "xdata";
    std::string vars_table_name = "dialog_vars", vars_h_id_column = "hash_id",
                vars_h_entry_column = "hash_entry", vars_key_column = "dialog_key",
                vars_value_column = "dialog_value";
    std::string profiles_with_value, profiles_no_value;
    bool send_bye = false, wait_ack = true, timeout_noreset = false, track_cseq_updates = false;
    int ka_timer = 0, ka_interval = 0, ka_failed_limit = 1;
    int h_id_start = 0, h_id_step = 1;
    int max_dialogs = 1'000'000; // ours
    // Accepted, and a warning when they are set: nothing here does what they ask for.
    int db_fetch_rows = 200, initial_cbs_inscript = 1, dlg_filter_mode = 0, timer_procs = 0, enable_dmq = 0,
        keep_proxy_rr = 0;
    std::string bridge_controller, bridge_contact, event_callback;
};

} // namespace sipyard::dialog
