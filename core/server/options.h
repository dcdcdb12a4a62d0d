// core/server/options.h - the command line (spec/script 3): Kamailio's letters and long names
#pragma once

#include "core/base/result.h"
#include "core/script/parser.h"

#include <optional>
#include <string>
#include <vector>

namespace sipyard::server {

struct Options {
    enum class Action : unsigned char { run, check, version, help, describe, internals };
    Action action = Action::run;
    std::string config = "/etc/sipyard/sipyard.cfg";
    script::LoadOptions load;
    bool foreground = false, log_stderr = false, colour = false, no_tcp = false;
    int debug_steps = 0;      // -d: each adds 1
    std::optional<int> debug; // --debug=N
    std::string pid_file, group_pid_file, workdir, rundir, user, group;
    std::optional<int> worker_threads; // ours: --worker-threads
    std::optional<int> server_id;
    std::optional<std::string> auto_aliases; // -a no|yes|auto
    std::string describe;                    // --describe MODULE
    std::vector<std::string> ignored;        // options that have no meaning here, for one notice
};

Result<Options> parse_options(int argc, char** argv);
std::string usage();
std::string version_text(); // first line, as -v prints it

} // namespace sipyard::server
