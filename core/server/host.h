// core/server/host.h - the Host of a running server: services, databases, counters, events, names that are
// ours
#pragma once

#include "core/base/guarded.h"
#include "core/module/host.h"
#include "core/module/stateless.h"
#include "core/module/trail.h"
#include "core/script/engine.h"
#include "core/server/loader.h"

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sipyard::server {

// What a command of the server itself or of a module is, by name.
struct CommandEntry {
    std::string module, about;
    std::function<Result<json::Value>(const json::Value&)> run;
};

class ServerHost final : public Host {
public:
    struct Parts {
        task::Runtime& runtime;
        net::Network& network;
        net::Resolver& resolver;
        net::Locator& locator;
        const Clock& clock;
        log::Journal& journal;
        const CoreSettings& settings;
        bool checking = false;
    };
    explicit ServerHost(const Parts& parts);
    ~ServerHost() override;

    // --- wiring, before the workers start ---
    // Constructs the modules in the order of their needs. Errors name the module and what is missing.
    Result<void> construct(Loader& loader);
    void destroy_modules(); // in reverse order
    void set_engine(script::Engine* engine) { engine_ = engine; }
    void add_command(std::string name, CommandEntry entry);
    void set_myself(std::vector<AliasLine> names) { myself_ = std::move(names); }

    // --- Host ---
    task::Runtime& runtime() override { return parts_.runtime; }
    net::Network& network() override { return parts_.network; }
    net::Resolver& resolver() override { return parts_.resolver; }
    net::Locator& locator() override { return parts_.locator; }
    const Clock& clock() override { return parts_.clock; }
    log::Journal& journal() override { return parts_.journal; }
    const CoreSettings& core() const override { return parts_.settings; }
    Result<db::Database*> database(const db::Url& url) override;
    bool checking() const override { return parts_.checking; }
    Counter& counter(std::string_view group, std::string_view name, std::string_view about) override;
    std::vector<const Counter*> counters() const override;
    bool is_myself(std::string_view host, std::uint16_t port,
                   std::optional<net::Protocol> protocol) const override;
    void add_myself_hook(std::function<bool(std::string_view, std::uint16_t)> hook) override;
    bool has_event_route(std::string_view name) const override;
    Verdict run_event_route(std::string_view name, Request& request) override;
    Result<Verdict> run_route(Route kind, std::string_view name, Request& request) override;
    bool run_onsend(Request& request, const net::Destination& to, std::string_view bytes) override;
    Result<std::shared_ptr<const Format>> compile_format(std::string_view text) override;
    Result<std::shared_ptr<const VariableRef>> compile_variable(std::string_view text) override;
    StatelessReplies* stateless() override { return &stateless_; }
    void add_message_hook(MessageHook& hook) override
    {
        message_hooks_.push_back(&hook);
    } // at construction only
    const std::vector<MessageHook*>& message_hooks() const { return message_hooks_; }
    Trail* trail() override { return &trail_; }
    void add_table(const db::Table& table) override { tables_.push_back(table); } // at construction only
    const std::vector<db::Table>& tables() const { return tables_; }
    std::vector<Command> commands() const override;
    Result<json::Value> run_command(std::string_view name, const json::Value& params) override;
    std::vector<Global> globals() const override;
    Result<GlobalValue> global(std::string_view group, std::string_view name,
                               std::optional<std::int64_t> instance) const override;
    Result<void> set_global(std::string_view group, std::string_view name,
                            std::optional<std::int64_t> instance, GlobalValue value) override;
    void at_stop(std::function<void()> f) override { at_stop_.push_back(std::move(f)); }
    void run_at_stop(); // once, on a fiber

protected:
    void* find_service(std::string_view api) override;
    void announce_any(std::type_index type, std::shared_ptr<const void> event, std::string_view key) override;
    std::uint16_t next_slot() override;
    Responder& default_responder() override { return stateless_; }

private:
    // Events about one key keep their order: each listener has strands, and a key always takes the same one.
    static constexpr std::size_t lanes = 16;
    struct EventListener {
        void* module;
        const ListenerSpec* spec;
        std::array<std::unique_ptr<task::Strand>, lanes> strand;
    };
    Result<void> construct_one(LoadedModule& module, Loader& loader, std::vector<LoadedModule*>& under_way);

    Parts parts_;
    StatelessReplies stateless_;
    Trail trail_;
    std::vector<MessageHook*> message_hooks_;
    script::Engine* engine_ = nullptr;
    std::vector<LoadedModule*> constructed_; // in order
    std::map<std::string, void*, std::less<>> services_;
    std::map<std::string, std::vector<EventListener>>
        listeners_; // by type name, equal between shared objects
    std::map<std::string, CommandEntry, std::less<>> commands_;
    std::vector<std::function<void()>> at_stop_;
    std::vector<AliasLine> myself_;
    std::vector<db::Table> tables_;
    Guarded<std::vector<std::shared_ptr<std::function<bool(std::string_view, std::uint16_t)>>>> myself_hooks_;
    mutable Guarded<std::map<std::string, std::unique_ptr<Counter>, std::less<>>> counters_;
    std::atomic<std::uint16_t> slots_{0};
};

} // namespace sipyard::server
