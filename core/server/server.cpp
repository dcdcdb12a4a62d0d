// core/server/server.cpp - wiring: configuration, modules, script, sockets, in the order they need each other
#include "core/server/server.h"

#include "core/base/text.h"
#include "core/module/locator_settings.h"
#include "core/script/globals.h"
#include "core/server/commands.h"
#include "core/server/rpc_socket.h"
#include "core/server/sockets.h"
#include "core/sip/message.h"

#include <sched.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>
#include <utility>

namespace sipyard::server {

namespace {

std::size_t usable_cores()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return std::max<std::size_t>(1, static_cast<std::size_t>(CPU_COUNT(&set)));
}

net::Settings network_settings(const CoreSettings& core)
{
    net::Settings net;
    const auto seconds = [](int count) { return Duration{std::chrono::seconds{count}}; };
    net.tcp_max_connections = static_cast<std::size_t>(std::max(core.tcp_max_connections, 0));
    net.tls_max_connections = static_cast<std::size_t>(std::max(core.tls_max_connections, 0));
    net.max_per_source = static_cast<std::size_t>(std::max(core.tcp_accept_iplimit, 1));
    net.connection_lifetime = seconds(core.tcp_connection_lifetime);
    net.connect_timeout = seconds(core.tcp_connect_timeout);
    net.send_timeout = seconds(core.tcp_send_timeout);
    net.message_timeout = seconds(core.tcp_msg_read_timeout);
    net.first_bytes_timeout =
        std::min(net.first_bytes_timeout, net.message_timeout); // a stranger gets no more time than a phone
    const auto largest = static_cast<std::size_t>(
        std::max(core.msg_recv_max_size, 1024)); // of any message, whatever carries it
    net.max_message = std::min(static_cast<std::size_t>(std::max(core.tcp_rd_buf_size, 1024)), largest);
    net.max_datagram = std::min(net.max_datagram, largest);
    net.crlf_ping = core.tcp_crlf_ping;
    net.no_connect = core.tcp_no_connect;
    net.accept_no_content_length = core.tcp_accept_no_cl;
    net.reuse_port = core.tcp_reuse_port;
    net.tcp_keepalive = core.tcp_keepalive != 0;
    net.keepalive_idle = core.tcp_keepidle;
    net.keepalive_interval = core.tcp_keepintvl;
    net.keepalive_count = core.tcp_keepcnt;
    net.free_bind = core.ip_free_bind;
    net.mhomed = core.mhomed != 0;
    net.strict_match = core.tcp_connection_match != 0;
    if (core.maxbuffer > 0)
        net.receive_buffer = core.maxbuffer;
    if (core.maxsndbuffer > 0)
        net.send_buffer = core.maxsndbuffer;
    return net;
}

net::Resolver::Settings resolver_settings(const CoreSettings& core)
{
    net::Resolver::Settings dns;
    dns.try_ipv6 = core.dns_try_ipv6;
    dns.cache = core.use_dns_cache;
    dns.servers = core.dns_servers;
    if (core.dns_retr_time > 0)
        dns.timeout = std::chrono::seconds{core.dns_retr_time};
    if (core.dns_retr_no > 0)
        dns.tries = core.dns_retr_no;
    dns.cache = dns.cache && core.dns_cache_init;
    dns.search_list = core.dns_use_search_list;
    dns.negative_ttl = std::chrono::seconds{std::max(core.dns_cache_negative_ttl, 0)};
    if (core.dns_cache_min_ttl > 0)
        dns.least_ttl = std::chrono::seconds{core.dns_cache_min_ttl};
    if (core.dns_cache_max_ttl > 0)
        dns.most_ttl = std::chrono::seconds{core.dns_cache_max_ttl};
    return dns;
}

// While a script is compiled again: only modules that are loaded already, each once.
class ReloadLoader final : public script::ModuleLoader {
public:
    explicit ReloadLoader(Loader& loader) : loader_{loader} {}
    Result<const AnyManifest*> load(std::string_view what, const std::vector<std::string>&) override
    {
        const auto slash = what.rfind('/');
        if (slash != std::string_view::npos)
            what.remove_prefix(slash + 1);
        if (what.ends_with(".so"))
            what.remove_suffix(3);
        if (std::find(seen_.begin(), seen_.end(), what) != seen_.end())
            return invalid(format("attempting to load the same module twice ({})", what));
        seen_.emplace_back(what);
        for (const auto& module : loader_.loaded())
            for (const auto& named : module->as_loaded)
                if (named->name == what)
                    return const_cast<const AnyManifest*>(named.get());
        return invalid(format("module '{}' is not loaded; a reload cannot add modules", what));
    }

private:
    Loader& loader_;
    std::vector<std::string> seen_;
};

// What a reload did with the global parameters that differ.
struct Changed {
    std::vector<std::string> applied, need_restart;
};

// The linked script brings these along, and debug= is the journal's.
constexpr std::string_view at_run_time[] = {"debug",           "log_prefix",           "log_prefix_mode",
                                            "max_while_loops", "max_recursive_level",  "return_mode",
                                            "check_via",       "latency_limit_action", "latency_limit_cfg",
                                            "latency_log",     "latency_cfg_log"};

// `known` is what is in force, by name as written; it follows what is applied, so that the next reload
// compares well. `fixed`: what the command line has decided.
Changed compare(std::map<std::string, std::string>& known, const std::map<std::string, std::string>& fresh,
                std::string_view fixed)
{
    Changed changed;
    std::set<std::string> names;
    for (const auto* const side : {&std::as_const(known), &fresh})
        for (const auto& [name, value] : *side)
            names.insert(name);
    for (const std::string& name : names) {
        const auto was = known.find(name);
        const auto is = fresh.find(name);
        const auto* const param = script::find_global(name);
        if ((was != known.end() && is != fresh.end() && was->second == is->second) || !param ||
            name == fixed || param->effect != script::GlobalParam::Effect::acts)
            continue;
        if (std::find(std::begin(at_run_time), std::end(at_run_time), name) == std::end(at_run_time)) {
            changed.need_restart.push_back(name);
            continue;
        }
        changed.applied.push_back(name);
        if (is == fresh.end())
            known.erase(name);
        else
            known[name] = is->second;
    }
    return changed;
}

std::string joined(const std::vector<std::string>& names)
{
    std::string all;
    for (const std::string& name : names)
        all += (all.empty() ? "" : ", ") + name;
    return all;
}

bool busy(task::Runtime& runtime)
{
    for (std::size_t i = 0; i < runtime.workers(); ++i)
        if (runtime.worker(i).stats().fibers_live != 0)
            return true;
    return false;
}

// What a reload may not change: listen, loadmodule and modparam lines. The first difference in words, or "".
std::string forbidden_change(const script::ast::Config& before, const script::ast::Config& after)
{
    const auto same_line = [](const ListenLine& a, const ListenLine& b) {
        return a.protocol == b.protocol && a.host == b.host && a.port == b.port && a.name == b.name &&
               a.advertised_host == b.advertised_host && a.advertised_port == b.advertised_port;
    };
    if (!std::equal(before.settings.listen.begin(), before.settings.listen.end(),
                    after.settings.listen.begin(), after.settings.listen.end(), same_line))
        return "listen lines changed";
    for (std::size_t i = 0; i < std::max(before.modules.size(), after.modules.size()); ++i) {
        const auto* const a = i < before.modules.size() ? &before.modules[i] : nullptr;
        const auto* const b = i < after.modules.size() ? &after.modules[i] : nullptr;
        if (!a || !b || a->name != b->name)
            return format("loadmodule lines changed: {} instead of {}",
                          b ? format("\"{}\"", b->name) : std::string{"nothing"},
                          a ? format("\"{}\"", a->name) : std::string{"nothing"});
        for (std::size_t p = 0; p < std::max(a->params.size(), b->params.size()); ++p) {
            const auto* const was = p < a->params.size() ? &a->params[p] : nullptr;
            const auto* const is = p < b->params.size() ? &b->params[p] : nullptr;
            if (!was || !is || was->name != is->name || was->value != is->value)
                return format("modparam(\"{}\", \"{}\") changed", a->name, (is ? is : was)->name);
        }
    }
    return {};
}

} // namespace

Server::Server(Options options, const Clock& clock, log::Journal& journal)
    : options_{std::move(options)}, clock_{clock}, journal_{journal}, loader_{Loader::builtin()}
{
}

Server::~Server()
{
    if (running_)
        (void)stop();
    if (host_)
        host_->destroy_modules();
}

bool Server::load()
{
    auto config = script::parse_config(options_.config, options_.load, loader_, diagnostics_);
    report_ = diagnostics_.report();
    if (!config)
        return false;
    config_ = std::make_unique<script::ast::Config>(std::move(*config));
    apply_options();
    if (!apply_params())
        return false;

    const CoreSettings& core = config_->settings;
    task::Runtime::Settings task;
    task.workers = core.worker_threads > 0 ? static_cast<std::size_t>(core.worker_threads) : usable_cores();
    task.max_fibers = static_cast<std::size_t>(std::max(core.max_fibers, 16));
    runtime_ = std::make_unique<task::Runtime>(task, clock_, journal_);
    network_ = std::make_unique<net::Network>(network_settings(core), *runtime_, journal_);
    resolver_ = std::make_unique<net::Resolver>(resolver_settings(core), *runtime_);
    locator_ = std::make_unique<net::Locator>(locator_settings(core), *resolver_, *network_, clock_);
    host_ = std::make_unique<ServerHost>(ServerHost::Parts{*runtime_, *network_, *resolver_, *locator_,
                                                           clock_, journal_, core,
                                                           options_.action == Options::Action::check});
    engine_ = std::make_unique<script::Engine>(*host_);
    host_->set_engine(engine_.get());
    add_server_commands(*this);

    const auto instances = [this] {
        std::vector<script::ModuleInstance> list;
        for (const auto& use : config_->modules) {
            LoadedModule* const owner = loader_.owner_of(use.manifest);
            list.push_back({use.manifest, owner ? owner->instance.get() : nullptr});
        }
        return list;
    };
    engine_->declare(instances());
    if (const auto made = host_->construct(loader_); !made) {
        report_ +=
            format("{}: error: {}\nERROR: bad config file (1 errors)\n", options_.config, made.error().text);
        return false;
    }
    auto program = engine_->link(*config_, instances(), diagnostics_);
    report_ = diagnostics_.report();
    if (!program)
        return false;
    if (const auto installed = engine_->install(std::move(program)); !installed) {
        report_ += installed.error().text + "\n";
        return false;
    }
    auto listeners = listeners_of(core);
    if (!listeners) {
        report_ += format("{}\nERROR: bad config file (1 errors)\n", listeners.error().text);
        return false;
    }
    for (net::Listener& listener : *listeners)
        network_->add_listener(std::move(listener));
    return true;
}

void Server::apply_options()
{
    CoreSettings& core = config_->settings;
    core.config_file = options_.config;
    if (options_.debug)
        core.debug = *options_.debug;
    core.debug += options_.debug_steps;
    if (options_.log_stderr)
        core.log_stderror = true;
    if (options_.no_tcp)
        core.disable_tcp = true;
    if (options_.worker_threads)
        core.worker_threads = *options_.worker_threads;
    if (options_.server_id)
        core.server_id = *options_.server_id;
    if (options_.auto_aliases)
        core.auto_aliases = *options_.auto_aliases != "no";
    if (!options_.rundir.empty())
        core.rundir = options_.rundir;
    if (!options_.workdir.empty())
        core.workdir = options_.workdir;
    if (!options_.user.empty())
        core.user = options_.user;
    if (!options_.group.empty())
        core.group = options_.group;
    if (!options_.pid_file.empty())
        core.pid_file = options_.pid_file;
    journal_.set_threshold(core.debug);
    if (!core.log_engine_type.empty() &&
        core.log_engine_type != "json") // the sink is the process's: main.cpp
        log::Logger{journal_, "core"}.warn(
            "log_engine_type \"{}\" is not supported: lines are written as usual", core.log_engine_type);
    // "M" leaves out the line end of a message: there is none. Others change the keys.
    if (core.log_engine_data.find_first_not_of("Ma") != std::string::npos)
        log::Logger{journal_, "core"}.warn("log_engine_data \"{}\" has no effect", core.log_engine_data);
}

// modparam values into the modules' settings; a value its type refuses is reported where it stands.
bool Server::apply_params()
{
    for (const auto& use : config_->modules) {
        LoadedModule* const owner = loader_.owner_of(use.manifest);
        for (const auto& param : use.params) {
            const auto set = param.spec->set(owner->settings.get(), param.value);
            if (!set)
                diagnostics_.error(
                    param.at,
                    format("parameter <{}> of module <{}>: {}", param.name, use.name, set.error().text),
                    param.spec->expected);
        }
    }
    report_ = diagnostics_.report();
    return !diagnostics_.failed();
}

Result<void> Server::start()
{
    dispatcher_ = std::make_unique<Dispatcher>(*host_, *engine_);
    TRYV(network_->start(*dispatcher_));
    std::vector<net::Listener> bound;
    for (const auto& listener : network_->listeners())
        bound.push_back(*listener);
    auto names = names_of(config_->settings, bound);
    if (config_->settings.auto_aliases)
        for (AliasLine& name : reverse_names(names, std::chrono::seconds{2}, reverse_lookup))
            names.push_back(std::move(name));
    host_->set_myself(std::move(names));

    auto rpc = RpcSocket::open(rpc_path(), *host_);
    if (rpc) {
        rpc_ = std::move(*rpc);
        rpc_->start(runtime_->worker(0));
    } else {
        host_->logger("core").warn("no management socket: {}", rpc.error().text);
    }
    started_at_ = clock_.now();
    started_unix_ = clock_.unix_seconds();
    runtime_->start();
    running_ = true;

    // Event routes of the start see a request of our own making.
    for (const std::string_view name : {"core:worker-one-init", "htable:mod-init"}) {
        if (!engine_->has_event(name))
            continue;
        runtime_->run_on_fiber([this, name] {
            Arena& arena = task::Fiber::current()->arena();
            static constexpr std::string_view text =
                "OPTIONS sip:local@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKstart\r\n"
                "From: <sip:local@127.0.0.1>;tag=start\r\nTo: <sip:local@127.0.0.1>\r\nCall-ID: "
                "start@127.0.0.1\r\n"
                "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
            auto message = sip::Message::parse(arena.copy(text), arena);
            if (!message)
                return;
            net::Received from;
            from.source = from.local = *net::Address::parse("127.0.0.1", 5060);
            Request request{*host_, arena, **message, from, Route::event};
            (void)engine_->run_event(name, request);
        });
    }
    return {};
}

bool Server::stop()
{
    if (!running_)
        return true;
    running_ = false;
    network_->stop_accepting();
    if (rpc_)
        runtime_->on_every_worker([this](task::Worker& worker) {
            if (worker.index() == 0)
                rpc_->stop();
        });
    runtime_->run_on_fiber([this] { host_->run_at_stop(); });
    // What is in hand may end by itself; what waits for something after that is told to.
    for (int step = 0; step < 500 && busy(*runtime_); ++step)
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    network_->stop();
    const bool clean = runtime_->stop(std::chrono::seconds{1});
    rpc_.reset();
    return clean;
}

Result<std::string> Server::reload()
{
    const std::lock_guard<std::mutex> alone{reloading_};
    script::Diagnostics diagnostics;
    ReloadLoader loader{loader_};
    auto config = script::parse_config(options_.config, options_.load, loader, diagnostics);
    if (!config)
        return invalid(diagnostics.report());
    if (const std::string change = forbidden_change(*config_, *config); !change.empty())
        return Error{ErrorKind::unsupported, change + ": this needs a restart"};
    std::vector<script::ModuleInstance> instances;
    for (const auto& use : config->modules)
        instances.push_back({use.manifest, loader_.owner_of(use.manifest)->instance.get()});
    auto program = engine_->link(*config, instances, diagnostics);
    if (!program)
        return invalid(diagnostics.report());
    TRYV(engine_->install(std::move(program)));
    const auto log = host_->logger("core");
    log.notice("script reloaded from {}", options_.config);
    std::string answer = format("reloaded {}: {} route blocks", options_.config, config->routes.size());
    const Changed changed = compare(config_->others, config->others, options_.debug ? "debug" : "");
    if (!changed.applied.empty()) {
        if (std::find(changed.applied.begin(), changed.applied.end(), "debug") != changed.applied.end())
            journal_.set_threshold(config->settings.debug + options_.debug_steps);
        log.notice("parameters applied: {}", joined(changed.applied));
        answer += format("; applied: {}", joined(changed.applied));
    }
    if (!changed.need_restart.empty()) {
        log.warn("parameters that need a restart: {}", joined(changed.need_restart));
        answer += format("; needs a restart: {}", joined(changed.need_restart));
    }
    return answer;
}

std::string Server::rpc_path() const { return config_->settings.rundir + "/sipyard_rpc.sock"; }

std::string Server::socket_list() const
{
    std::string text = "Listening on\n";
    std::vector<net::Listener> listeners;
    for (const auto& listener : network_->listeners()) {
        listeners.push_back(*listener);
        text += format("             {}", listener->text());
        if (!listener->advertised_host.empty())
            text += format(" advertise {}:{}", listener->host(), listener->port());
        if (!listener->name.empty())
            text += format(" name {}", listener->name);
        text += "\n";
    }
    text += "Aliases:\n";
    for (const AliasLine& alias : config_->settings.alias)
        text += format("             {}: {}:{}\n", alias.protocol ? net::to_text(*alias.protocol) : "*",
                       alias.host, alias.port == 0 ? std::string{"*"} : std::to_string(alias.port));
    return text;
}

void Server::request_stop()
{
    if (on_stop_request_)
        on_stop_request_();
}

} // namespace sipyard::server
