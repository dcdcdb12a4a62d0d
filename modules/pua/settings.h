// modules/pua/settings.h - the parameters of the pua module; Kamailio's names and defaults
#pragma once

#include <string>

namespace sipyard::pua {

struct Settings {
    std::string db_url, db_table = "pua"; // db_url empty: nothing is kept
    int min_expires = 0, default_expires = 3600;
    std::string outbound_proxy;
    std::string mode = "auto";      // ours: auto, local, sip
    int max_publications = 100'000; // ours
    // Accepted, and a warning when they are set: nothing here does what they ask for.
    int hash_size = 9, update_period = 100, dlginfo_increase_version = 0, reginfo_increase_version = 0,
        db_mode = 0, db_table_lock_write = 1, check_remote_contact = 1, fetch_rows = 500;
};

} // namespace sipyard::pua
