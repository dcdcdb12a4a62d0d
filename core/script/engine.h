// core/script/engine.h - links configurations into programs and runs their routes: the server's door to the
// script
#pragma once

#include "core/module/host.h"
#include "core/script/ast.h"
#include "core/script/diagnostic.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sipyard::script {

class Program; // program.h
class Globals; // runtime_globals.h

// A module as the script meets it. The manifest outlives the engine; the object is null until it is
// constructed.
struct ModuleInstance {
    const AnyManifest* manifest = nullptr;
    void* object = nullptr;
};

// How a core reply_route ended (spec/script 12).
struct ReplyVerdict {
    Verdict verdict;
    bool dropped = false; // the reply goes no further, not even to a transaction
};

// One per server. Life: declare() once the configuration is parsed, then the modules are constructed (they
// may compile formats meanwhile), then link() and install(); link() and install() again is a reload. The run_
// functions may be called on any worker, on a fiber or off one; the others belong to the thread that starts
// or reloads the server.
class Engine {
public:
    static constexpr std::size_t most_programs =
        4; // live at a time: the one in force and those with running scripts

    explicit Engine(Host& host);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // The modules whose variables formats may name from now on, in load order, and the defines for $def(X).
    // Objects may follow later, by another call or by link().
    void declare(const std::vector<ModuleInstance>& modules);

    // Resolves every name, pattern, format and constant argument. `modules` is parallel to config.modules.
    // Null when something is wrong: all of it is in `diagnostics`.
    std::shared_ptr<Program> link(const ast::Config& config, const std::vector<ModuleInstance>& modules,
                                  Diagnostics& diagnostics);
    // From now on new messages run this program; those under way finish with theirs. `overloaded` when
    // most_programs are still running.
    Result<void> install(std::shared_ptr<Program> program);
    bool ready() const; // a program is in force

    // --- running ---------------------------------------------------------------------------------
    // Each leaves request.dropped telling whether the script ended with drop, and request.return_code as $rc.
    Verdict run_request(Request& request);
    ReplyVerdict run_reply(Request& request);                   // without a reply_route: code 1, not dropped
    Verdict run_event(std::string_view name, Request& request); // code 1 when there is no such route
    Result<Verdict> run_route(Route kind, std::string_view name, Request& request); // not_found
    // onsend_route for a message about to leave: false when it must not.
    bool run_onsend(Request& request, const net::Destination& to, std::string_view bytes);

    bool has_event(std::string_view name) const;
    bool has_route(Route kind, std::string_view name) const;
    bool has_reply_route() const { return has_route(Route::core_reply, "0"); }
    bool has_onsend() const { return has_route(Route::onsend, "0"); }

    // --- for Host --------------------------------------------------------------------------------
    // Errors name the unknown variable or transformation. What is compiled stays good as long as the engine
    // lives.
    Result<std::shared_ptr<const Host::Format>> compile_format(std::string_view text);
    Result<std::shared_ptr<const VariableRef>> compile_variable(std::string_view text);

    // log_prefix as evaluated for this request (once per message with log_prefix_mode 0); "" when there is
    // none.
    std::string_view log_prefix(Request& request);

    // Custom globals of the program in force: what cfg.get, cfg.seti and cfg.sets work on. Null when there is
    // none.
    std::shared_ptr<Globals> globals() const;

    struct Parts; // for this room
    Parts& parts() { return *parts_; }

private:
    std::unique_ptr<Parts> parts_;
};

} // namespace sipyard::script
