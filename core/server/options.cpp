// core/server/options.cpp - reading the command line
#include "core/server/options.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/server/version.h"

#include <getopt.h>

namespace sipyard::server {

namespace {

enum Long : int {
    opt_alias = 256,
    opt_subst,
    opt_substdef,
    opt_substdefs,
    opt_server_id,
    opt_loadmodule,
    opt_modparam,
    opt_log_engine,
    opt_debug,
    opt_cfg_print,
    opt_atexit,
    opt_all_errors,
    opt_describe,
    opt_worker_threads,
    opt_help,
    opt_version,
};

const option long_options[] = {
    {"alias", required_argument, nullptr, opt_alias},
    {"domain", required_argument, nullptr, opt_alias},
    {"subst", required_argument, nullptr, opt_subst},
    {"substdef", required_argument, nullptr, opt_substdef},
    {"substdefs", required_argument, nullptr, opt_substdefs},
    {"server-id", required_argument, nullptr, opt_server_id},
    {"loadmodule", required_argument, nullptr, opt_loadmodule},
    {"modparam", required_argument, nullptr, opt_modparam},
    {"log-engine", required_argument, nullptr, opt_log_engine},
    {"debug", required_argument, nullptr, opt_debug},
    {"cfg-print", no_argument, nullptr, opt_cfg_print},
    {"atexit", required_argument, nullptr, opt_atexit},
    {"all-errors", no_argument, nullptr, opt_all_errors},
    {"describe", required_argument, nullptr, opt_describe},
    {"worker-threads", required_argument, nullptr, opt_worker_threads},
    {"help", no_argument, nullptr, opt_help},
    {"version", no_argument, nullptr, opt_version},
    {nullptr, 0, nullptr, 0},
};

// mod:name:type:value, type s or i; the value may hold colons.
Result<script::LoadOptions::Param> parse_modparam(std::string_view text)
{
    const std::string_view whole = text;
    script::LoadOptions::Param param;
    param.module = cut(text, ':');
    param.name = cut(text, ':');
    const std::string_view type = cut(text, ':');
    param.value = text;
    param.integer = type == "i" || type == "int";
    if (param.module.empty() || param.name.empty() || !(param.integer || type == "s" || type == "str"))
        return invalid(format("--modparam={}: expected module:name:s|i:value", whole));
    return param;
}

Result<int> number_of(std::string_view name, std::string_view text)
{
    const auto number = parse_int(text);
    if (!number || *number < INT32_MIN || *number > INT32_MAX)
        return invalid(format("{} {}: expected a number", name, text));
    return static_cast<int>(*number);
}

} // namespace

Result<Options> parse_options(int argc, char** argv)
{
    Options options;
    optind = 1;
    opterr = 0;
    for (;;) {
        const int c = ::getopt_long(
            argc, argv, ":f:cA:L:l:DEedP:G:w:Y:u:g:m:M:n:N:a:TSx:X:vIhb:rR:tQ:W:O:", long_options, nullptr);
        if (c == -1)
            break;
        const std::string_view value = optarg ? optarg : "";
        switch (c) {
        case 'f': options.config = value; break;
        case 'c': options.action = Options::Action::check; break;
        case 'A': {
            std::string_view rest = value;
            const std::string_view name = cut(rest, '=');
            if (name.empty())
                return invalid("-A: expected ID or ID=value");
            options.load.defines.emplace_back(name, rest);
            break;
        }
        case 'L':
            for (const auto piece : split(value, ':'))
                if (!piece.empty())
                    options.load.module_paths.emplace_back(piece);
            break;
        case 'l': options.load.listen.emplace_back(value); break;
        case 'D': options.foreground = true; break;
        case 'E': options.log_stderr = true; break;
        case 'e': options.colour = true; break;
        case 'd': ++options.debug_steps; break;
        case 'P': options.pid_file = value; break;
        case 'G': options.group_pid_file = value; break;
        case 'w': options.workdir = value; break;
        case 'Y': options.rundir = value; break;
        case 'u': options.user = value; break;
        case 'g': options.group = value; break;
        case 'a':
            if (value != "no" && value != "yes" && value != "auto")
                return invalid(format("-a {}: expected no, yes or auto", value));
            options.auto_aliases = std::string{value};
            break;
        case 'T': options.no_tcp = true; break;
        case 'm':
        case 'M':
        case 'n':
        case 'N': {
            TRY(const int count, number_of(std::string_view{c == 'm'   ? "-m"
                                                            : c == 'M' ? "-M"
                                                            : c == 'n' ? "-n"
                                                                       : "-N"},
                                           value));
            if (count <= 0)
                return invalid(format("-{} {}: expected a number above 0", static_cast<char>(c), value));
            options.ignored.push_back(format("-{}", static_cast<char>(c)));
            break;
        }
        case 'S':
        case 'x':
        case 'X':
        case 'b':
        case 'r':
        case 'R':
        case 't':
        case 'Q':
        case 'W':
        case 'O': options.ignored.push_back(format("-{}", static_cast<char>(c))); break;
        case 'v':
        case opt_version: options.action = Options::Action::version; break;
        case 'I': options.action = Options::Action::internals; break;
        case 'h':
        case opt_help: options.action = Options::Action::help; break;
        case opt_alias: options.load.aliases.emplace_back(value); break;
        case opt_subst: options.load.substs.emplace_back(value); break;
        case opt_substdef: options.load.substdefs.emplace_back(value); break;
        case opt_substdefs: options.load.substdefs_quoted.emplace_back(value); break;
        case opt_server_id: {
            TRY(options.server_id, number_of("--server-id", value));
            break;
        }
        case opt_worker_threads: {
            TRY(const int count, number_of("--worker-threads", value));
            if (count < 1 || count > 256)
                return invalid(format("--worker-threads={}: expected 1 to 256", value));
            options.worker_threads = count;
            break;
        }
        case opt_loadmodule: options.load.load_modules.emplace_back(value); break;
        case opt_modparam: {
            TRY(auto param, parse_modparam(value));
            options.load.params.push_back(std::move(param));
            break;
        }
        case opt_debug: {
            TRY(options.debug, number_of("--debug", value));
            break;
        }
        case opt_describe:
            options.action = Options::Action::describe;
            options.describe = value;
            break;
        case opt_log_engine:
        case opt_cfg_print:
        case opt_atexit:
        case opt_all_errors: options.ignored.emplace_back(argv[optind - 1]); break;
        case ':': return invalid(format("option {} needs a value", argv[optind - 1]));
        default: return invalid(format("unknown option {}; see sipyard -h", argv[optind - 1]));
        }
    }
    if (optind < argc)
        return invalid(format("unexpected argument '{}'; see sipyard -h", argv[optind]));
    return options;
}

std::string version_text()
{
    return format("version: sipyard {} (routing scripts of Kamailio 5.8)", version);
}

std::string usage()
{
    return "usage: sipyard [options]\n"
           "  -f FILE          configuration (default /etc/sipyard/sipyard.cfg)\n"
           "  -c               check the configuration and exit: 0 good, 255 bad\n"
           "  -D               stay in the foreground (-DD too)\n"
           "  -E, -e           log to stderr, with colours\n"
           "  -d               one more log level each time; --debug=N sets it\n"
           "  -A ID[=VALUE]    define a preprocessor identifier\n"
           "  -L DIRS          module folders, before the built-in ones\n"
           "  -l SPEC          listen address (udp:127.0.0.1:5060), replaces the file's\n"
           "  -a yes|no|auto   count reverse DNS names of local addresses as ours\n"
           "  -T               no TCP\n"
           "  -P FILE, -G FILE write the process id there\n"
           "  -w DIR, -Y DIR   working directory, runtime directory (sockets)\n"
           "  -u USER, -g GROUP\n"
           "  --loadmodule=M --modparam=M:NAME:s|i:VALUE --alias=NAME --server-id=N\n"
           "  --subst=EXPR --substdef=EXPR --substdefs=EXPR\n"
           "  --worker-threads=N  worker threads (default: one per usable core)\n"
           "  --describe MODULE   what a module offers, as its manifest says\n"
           "  -v, -h           version, this text\n"
           "Accepted without effect: -m -M -n -N -x -X -S -b -r -R -t -W -O --log-engine --all-errors\n";
}

} // namespace sipyard::server
