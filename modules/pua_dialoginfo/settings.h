// modules/pua_dialoginfo/settings.h - the parameters of pua_dialoginfo; Kamailio's names
#pragma once

#include <string>

namespace sipyard::pua_dialoginfo {

struct Settings {
    bool include_callid = true, include_tags = true, include_localremote = true;
    int override_lifetime = 0;
    int include_req_uri = -1; // -1: the To URI if it is ours, else the Request-URI
    bool caller_confirmed = false, callee_trying = false;
    int send_publish_flag = -1, disable_caller_publish_flag = -1, disable_callee_publish_flag = -1;
    bool use_pubruri_avps = false;
    std::string pubruri_caller_avp, pubruri_callee_avp;
    int refresh_pubruri_avps_flag = -1;
    std::string pubruri_caller_dlg_var = "pubruri_caller", pubruri_callee_dlg_var = "pubruri_callee";
    std::string local_identity_dlg_var;
    std::string caller_entity_when_publish_disabled, callee_entity_when_publish_disabled;
    int publish_dialog_req_within = 0;
    bool attribute_display = false, use_uuid = true;
    // OpenSIPS' and ours.
    std::string caller_spec_param, callee_spec_param;
    bool publish_on_trying = true, publish_target_changes = false, trust_pai = false;
    int branch_mode = 1, terminated_lifetime = 10;
    std::string terminated_mode = "expire";
};

} // namespace sipyard::pua_dialoginfo
