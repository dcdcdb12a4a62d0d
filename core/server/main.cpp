// core/server/main.cpp - the process: options, daemon mode, user, pid file, signals
#include "core/base/clock.h"
#include "core/log/json.h"
#include "core/log/log.h"
#include "core/server/describe.h"
#include "core/server/options.h"
#include "core/server/process.h"
#include "core/server/server.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace {

using namespace sipyard;
using server::Options;

constexpr int exit_bad = 255; // Kamailio's exit status for anything wrong before it runs

void print(std::FILE* to, std::string_view text) { std::fwrite(text.data(), 1, text.size(), to); }

int check(const Options& options, log::Journal& journal, const Clock& clock)
{
    server::Server server{options, clock, journal};
    const bool good = server.load();
    print(stderr, server.report());
    if (!good)
        return exit_bad;
    print(stdout, server.socket_list());
    std::fflush(stdout);
    print(stderr, "config file ok, exiting...\n");
    return 0;
}

std::unique_ptr<log::Sink> sink_for(const Options& options, const CoreSettings& core, bool in_foreground)
{
    auto sink = core.log_stderror && in_foreground
                    ? log::stderr_sink(options.colour || core.log_color)
                    : log::syslog_sink(core.log_name.empty() ? "sipyard" : core.log_name, core.log_facility);
    return core.log_engine_type == "json" ? log::json_sink(std::move(sink)) : std::move(sink);
}

int run(const Options& options, log::Journal& journal, const Clock& clock, server::Daemon& daemon)
{
    // Signals are taken by this thread alone; every thread made from here on has them blocked.
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1})
        ::sigaddset(&signals, signal);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);

    bool clean = true;
    {
        server::Server server{options, clock, journal};
        const bool good = server.load();
        print(stderr, server.report());
        if (!good)
            return exit_bad;
        const CoreSettings& core = server.settings();
        if (!core.fork)
            daemon.stay();
        const bool in_foreground = options.foreground || !core.fork || !daemon.detached();
        if (const auto made = server::prepare_process(core); !made) {
            print(stderr, "error: " + made.error().text + "\n");
            return exit_bad;
        }
        server.on_stop_request([] { ::kill(::getpid(), SIGTERM); });
        journal.set_sink(
            sink_for(options, core, in_foreground)); // the workers' first lines go where they belong
        if (const auto started = server.start(); !started) {
            print(stderr, "error: " + started.error().text + "\n");
            return exit_bad;
        }
        if (const auto dropped = server::drop_privileges(core, server.rpc_path()); !dropped) {
            print(stderr, "error: " + dropped.error().text + "\n");
            return exit_bad;
        }
        const server::PidFile pid_file{core.pid_file};
        if (!pid_file.error().empty()) {
            print(stderr, "error: " + pid_file.error() + "\n");
            return exit_bad;
        }
        print(stderr, server.socket_list());
        journal.start();
        const log::Logger log{journal, "core"};
        for (const std::string& name : options.ignored)
            log.notice("option {} has no effect", name);
        daemon.ready();

        for (;;) {
            int signal = 0;
            ::sigwait(&signals, &signal);
            if (signal == SIGHUP) {
                journal.reopen();
                log.notice("log reopened");
                continue;
            }
            if (signal == SIGUSR1)
                continue; // Kamailio prints memory statistics; ours are in `sipyardctl stats`
            log.notice("signal {}: finishing what is in hand, then stopping", signal);
            break;
        }
        clean = server.stop();
        if (!clean) {
            // A driver holds a thread in a foreign call: nothing can be destroyed under its feet.
            log.critical("a database driver did not return; leaving without it");
            journal.stop();
            pid_file.remove();
            ::_exit(1);
        }
    }
    journal.stop();
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    auto options = server::parse_options(argc, argv);
    if (!options) {
        print(stderr, options.error().text + "\n");
        return exit_bad;
    }
    const SystemClock clock;
    switch (options->action) {
    case Options::Action::version: print(stdout, server::version_text() + "\n"); return 0;
    case Options::Action::internals:
        print(stdout, server::version_text() + "\nmodules:\n" + server::list_modules());
        return 0;
    case Options::Action::help: print(stdout, server::usage()); return 0;
    case Options::Action::describe: {
        const auto text = server::describe_module(options->describe);
        if (!text) {
            print(stderr, text.error().text + "\n");
            return exit_bad;
        }
        print(stdout, *text);
        return 0;
    }
    case Options::Action::check: {
        log::Journal journal{log::stderr_sink(options->colour)};
        return check(*options, journal, clock);
    }
    case Options::Action::run: break;
    }
    // The process detaches before it has threads; the parent waits for the verdict of the start.
    server::Daemon daemon;
    if (!options->foreground) {
        if (const auto verdict = daemon.detach())
            return *verdict;
    }
    log::Journal journal{log::stderr_sink(options->colour)};
    try {
        return run(*options, journal, clock, daemon);
    } catch (const StartupError& error) {
        print(stderr, std::string{"error: "} + error.what() + "\n");
        return exit_bad;
    }
}
