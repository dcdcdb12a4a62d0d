// modules/usrloc/settings.h - the parameters of the location store, with Kamailio's names and defaults
#pragma once

#include "core/db/database.h"

#include <string>
#include <vector>

namespace sipyard::usrloc {

struct Settings {
    db::Url db_url =
        must(db::Url::parse("mysql://kamailio:kamailiorw@localhost/kamailio")); // the manual's default
    int db_mode = 0;
    int timer_interval = 60;
    bool use_domain = false;
    bool desc_time_order = false;
    int matching_mode = 0;
    int cseq_delay = 20;
    int nat_bflag = -1;
    int hash_size = 10;
    std::vector<std::string> preload;
    std::string xavp_contact;
    bool handle_lost_tcp = false, close_expired_tcp = false;
    bool db_load = true, db_timer_clean = false, db_clean_tcp = false, skip_remote_socket = false;
    bool server_id_filter = false, version_table = true;
    int expires_type = 0;
    int fetch_rows = 2000;
    int rm_expired_delay = 0;
    int max_stored = 1'000'000; // ours: contacts of one domain

    std::string user_column = "username", domain_column = "domain", contact_column = "contact",
                expires_column = "expires", q_column = "q", callid_column = "callid", cseq_column = "cseq",
                methods_column = "methods", flags_column = "flags", cflags_column = "cflags",
                user_agent_column = "user_agent", received_column = "received", socket_column = "socket",
                path_column = "path", ruid_column = "ruid", instance_column = "instance",
                reg_id_column = "reg_id", server_id_column = "server_id",
                connection_id_column = "connection_id", keepalive_column = "keepalive",
                partition_column = "partition", last_modified_column = "last_modified";

    // Accepted so that configurations load; a warning names those that are set to something else than this.
    int timer_procs = 0, db_check_update = 0, db_insert_update = 0, db_update_as_insert = 0, db_ops_ruid = 1,
        db_raw_fetch_type = 0, db_insert_null = 0, load_rank = 1, ka_mode = 0, ka_filter = 0, ka_timeout = 0,
        ka_loglevel = 255;
    std::string ka_method = "OPTIONS", ka_from = "sip:server@kamailio.org", ka_domain = "kamailio.org",
                ka_logmsg = " to-uri: [$tu] remote-addr: [$sas]";
};

} // namespace sipyard::usrloc
