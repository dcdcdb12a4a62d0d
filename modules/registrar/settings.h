// modules/registrar/settings.h - the registrar's parameters, with Kamailio's names and defaults
#pragma once

#include <string>

namespace sipyard::registrar {

struct Settings {
    int default_expires = 3600, default_expires_range = 0, expires_range = 0, expires_max_deviation = 0;
    int min_expires = 60, min_expires_mode = 0, max_expires = 0;
    int default_q = 0;
    std::string realm_prefix;
    bool append_branches = true;
    bool case_sensitive = false;
    std::string received_avp, received_param = "received", reg_callid_avp;
    int max_contacts = 0, retry_after = 0;
    int sock_flag = -1;
    std::string sock_hdr_name;
    int sock_mode = 0;
    bool method_filtering = false;
    bool use_path = false;
    int path_mode = 2;
    bool path_use_received = false, path_check_local = false;
    std::string xavp_cfg, xavp_rcd;
    int xavp_rcd_mask = 0;
    bool gruu_enabled = true;
    int outbound_mode = 0, regid_mode = 0, flow_timer = 0;
    int contact_max_size = 512;
    std::string event_callback;
    int lookup_filter_mode = 0;
    bool use_expired_contacts = false;
};

} // namespace sipyard::registrar
