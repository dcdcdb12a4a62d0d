// core/server/server.h - one server: loaded from a configuration, started, reloaded, stopped. Two may live in
// one process
#pragma once

#include "core/base/clock.h"
#include "core/log/log.h"
#include "core/module/core_settings.h"
#include "core/net/locator.h"
#include "core/net/network.h"
#include "core/net/resolver.h"
#include "core/script/ast.h"
#include "core/script/diagnostic.h"
#include "core/script/engine.h"
#include "core/server/dispatcher.h"
#include "core/server/host.h"
#include "core/server/loader.h"
#include "core/server/options.h"
#include "core/task/runtime.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace sipyard::server {

class RpcSocket;

class Server {
public:
    // `clock` and `journal` outlive the server. Not thread-safe but for reload() and the host.
    Server(Options options, const Clock& clock, log::Journal& journal);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Reads and checks the configuration, constructs the modules, links the script. On failure report()
    // explains.
    bool load();
    // What the reader should see: errors and warnings with file:line:column, or "" when there is nothing to
    // say.
    const std::string& report() const { return report_; }

    Result<void> start(); // binds, starts the workers, runs the start-up event routes
    // Finishes what is in hand (5 s), then stops everything. False when a thread is stuck in a foreign call.
    bool stop();

    // Compiles the configuration again and swaps the script (DESIGN 3 "Reload"). The text says what changed
    // or why not.
    Result<std::string> reload();

    const CoreSettings& settings() const { return config_->settings; }
    ServerHost& host() { return *host_; }
    net::Network& network() { return *network_; }
    task::Runtime& runtime() { return *runtime_; }
    script::Engine& engine() { return *engine_; }
    Loader& loader() { return loader_; }
    const Clock& clock() const { return clock_; }
    log::Journal& journal() { return journal_; }
    Instant started_at() const { return started_at_; }
    std::int64_t started_unix() const { return started_unix_; }
    std::string rpc_path() const;
    std::string socket_list() const; // "Listening on" and "Aliases", as -c prints them
    const script::ast::Config& config() const { return *config_; }
    // Asked for by core.kill and by signals: main waits for it.
    void request_stop();
    void on_stop_request(std::function<void()> callback) { on_stop_request_ = std::move(callback); }

private:
    void apply_options();
    bool apply_params();
    Options options_;
    const Clock& clock_;
    log::Journal& journal_;
    Loader loader_;
    script::Diagnostics diagnostics_;
    std::string report_;
    std::unique_ptr<script::ast::Config> config_;
    std::unique_ptr<task::Runtime> runtime_;
    std::unique_ptr<net::Network> network_;
    std::unique_ptr<net::Resolver> resolver_;
    std::unique_ptr<net::Locator> locator_;
    std::unique_ptr<script::Engine> engine_;
    std::unique_ptr<ServerHost> host_;
    std::unique_ptr<Dispatcher> dispatcher_;
    std::unique_ptr<RpcSocket> rpc_;
    std::function<void()> on_stop_request_;
    Instant started_at_{};
    std::int64_t started_unix_ = 0;
    bool running_ = false;
    std::mutex reloading_; // one at a time: they come from RPC connections
};

} // namespace sipyard::server
