// core/script/engine.cpp - linking, installing and running programs
#include "core/script/engine.h"

#include "core/script/actions.h"
#include "core/script/engine_parts.h"
#include "core/script/linker.h"
#include "core/script/reference.h"
#include "core/sip/message.h"

#include <algorithm>
#include <chrono>

namespace sipyard::script {

namespace {

constexpr std::string_view unnamed = "0";

// A function threw: that is a bug or a lack of memory, and the caller of the phone should not wait for a
// timer to learn it.
void give_up(Request& request, const Program& program, std::string_view what)
{
    program.log.error("a script function failed with an exception: {}", what);
    const auto& message = request.message();
    const bool answerable = message.is_request() && message.method() != sip::Method::ack;
    if (!answerable || request.answered)
        return;
    Reply reply;
    reply.code = 500;
    reply.reason = "Server Internal Error";
    if (const auto sent = request.reply(reply); !sent)
        program.log.error("no 500 could be sent: {}", sent.error().text);
}

struct Ended {
    int code = 1;
    bool dropped = false;
};

// Runs a route block from the outside: a new run with flags of its own.
Ended run_top(Engine::Parts& parts, const Program& program, const RouteCode& route, Request& request,
              const net::Destination* to = nullptr, std::string_view bytes = {})
{
    const auto kind_before = request.route();
    request.set_route(route.kind);
    request.script_flags = 0; // setsflag counts for one run of the script (spec/script 17)
    Ended ended;
    Entry entry{parts, program, request};
    Run& run = entry.run();
    const int level_before = run.context.level;
    const auto* const to_before = std::exchange(run.context.sending_to, to);
    const auto bytes_before = std::exchange(run.context.sending, bytes);
    try {
        ended.code = run_route_code(run, route);
        ended.dropped = run.dropped;
    } catch (const std::exception& thrown) {
        give_up(request, program, thrown.what());
        ended.code = 0;
    } catch (...) {
        give_up(request, program, "unknown");
        ended.code = 0;
    }
    run.context.level = level_before;
    run.context.sending_to = to_before;
    run.context.sending = bytes_before;
    request.dropped = ended.dropped;
    request.set_route(kind_before);
    return ended;
}

// latency_cfg_log: how long a route block took. Looks at the clock only when the line would be written.
class Stopwatch {
public:
    Stopwatch(const Program& program, std::string_view what)
        : program_{program}, what_{what}, on_{program.log.enabled(program.latency_route_log)},
          start_{on_ ? program.host.clock().now() : Instant{}}
    {
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;
    ~Stopwatch()
    {
        if (!on_)
            return;
        const auto took =
            std::chrono::duration_cast<std::chrono::microseconds>(program_.host.clock().now() - start_)
                .count();
        if (took >= program_.latency_limit_route)
            program_.log.line(program_.latency_route_log, {},
                              format("{}-route executed in: {} usec", what_, took));
    }

private:
    const Program& program_;
    const std::string_view what_;
    const bool on_;
    const Instant start_;
};

} // namespace

Engine::Engine(Host& host) : parts_{std::make_unique<Parts>(host)} {}
Engine::~Engine() = default;

void Engine::declare(const std::vector<ModuleInstance>& modules)
{
    const std::lock_guard lock{parts_->linking};
    parts_->catalogue.declare(modules);
}

std::shared_ptr<Program> Engine::link(const ast::Config& config, const std::vector<ModuleInstance>& modules,
                                      Diagnostics& diagnostics)
{
    const std::lock_guard lock{parts_->linking};
    Catalogue& catalogue = parts_->catalogue;
    catalogue.declare(modules);
    auto program = std::make_shared<Program>(parts_->host);
    program->globals = std::make_shared<Globals>(config.globals);
    const auto globals_before = std::exchange(catalogue.globals, program->globals);
    auto defines_before = std::exchange(catalogue.defines, config.defines);
    program->max_loops = config.settings.max_while_loops;
    program->max_level = config.settings.max_recursive_level;
    program->raw_codes = config.settings.return_mode != 0;
    program->prefix_each_action = config.settings.log_prefix_mode != 0;
    program->latency_limit_action = config.settings.latency_limit_action;
    program->latency_limit_route = config.settings.latency_limit_cfg;
    program->latency_log = static_cast<log::Level>(std::clamp(config.settings.latency_log, -5, 3));
    program->latency_route_log = static_cast<log::Level>(std::clamp(config.settings.latency_cfg_log, -5, 3));
    program->check_via = config.settings.check_via;
    for (std::uint32_t file = 0; !diagnostics.file_name(file).empty(); ++file)
        program->files.emplace_back(diagnostics.file_name(file));
    const std::size_t errors_before = diagnostics.errors();
    Linker{*parts_, *program, config, modules, diagnostics}.link();
    if (diagnostics.errors() == errors_before)
        return program;
    catalogue.globals = globals_before; // the program in force goes on with its own
    catalogue.defines = std::move(defines_before);
    return nullptr;
}

Result<void> Engine::install(std::shared_ptr<Program> program)
{
    const int current = parts_->current.load();
    for (std::size_t place = 0; place < most_programs; ++place) {
        if (static_cast<int>(place) == current || parts_->running(place) != 0)
            continue;
        parts_->programs[place] = std::move(program);
        parts_->current.store(static_cast<int>(place));
        // Others that nobody runs any more go now rather than at the next reload.
        for (std::size_t other = 0; other < most_programs; ++other)
            if (other != place && parts_->running(other) == 0)
                parts_->programs[other].reset();
        return {};
    }
    return Error{ErrorKind::overloaded,
                 format("scripts of {} earlier configurations are still running", most_programs - 1)};
}

bool Engine::ready() const { return parts_->current.load() >= 0; }

// --- running -------------------------------------------------------------------------------------

Verdict Engine::run_request(Request& request)
{
    const Pin pin{*parts_};
    const RouteCode* const route = pin.program() ? pin.program()->route(Route::request, unnamed) : nullptr;
    if (!route)
        return Verdict::yes();
    const Stopwatch watch{*pin.program(), "request"};
    return {run_top(*parts_, *pin.program(), *route, request).code};
}

// spec/script 12: drop discards, and so does falling off the end with a code that is not positive; exit does
// not.
ReplyVerdict Engine::run_reply(Request& request)
{
    const Pin pin{*parts_};
    if (!pin.program())
        return {Verdict::yes(), false};
    const Program& program = *pin.program();
    const RouteCode* const route = program.route(Route::core_reply, unnamed);
    Ended ended;
    if (route) {
        const Stopwatch watch{program, "reply"};
        ended = run_top(*parts_, program, *route, request);
        if (!ended.dropped && ended.code < 0)
            program.log.warn("reply_route ended with {}: the reply is discarded", ended.code);
    }
    bool dropped = ended.dropped || ended.code <= 0;
    // check_via is settled here because its place is behind the reply route and before transactions are
    // asked.
    if (const auto* via = request.message().top_via();
        !dropped && program.check_via && via && !parts_->host.is_myself(via->host, via->port, std::nullopt)) {
        program.log.error("host in first via!=me : {}:{}", via->host, via->port_or_default());
        dropped = true;
    }
    return {Verdict{ended.code}, dropped};
}

Verdict Engine::run_event(std::string_view name, Request& request)
{
    const Pin pin{*parts_};
    const RouteCode* const route = pin.program() ? pin.program()->route(Route::event, name) : nullptr;
    return route ? Verdict{run_top(*parts_, *pin.program(), *route, request).code} : Verdict::yes();
}

Result<Verdict> Engine::run_route(Route kind, std::string_view name, Request& request)
{
    const Pin pin{*parts_};
    const RouteCode* const route = pin.program() ? pin.program()->route(kind, name) : nullptr;
    if (!route)
        return Error{ErrorKind::not_found, format("{}[{}] does not exist", kind, name)};
    return Verdict{run_top(*parts_, *pin.program(), *route, request).code};
}

bool Engine::run_onsend(Request& request, const net::Destination& to, std::string_view bytes)
{
    const Pin pin{*parts_};
    const RouteCode* const route = pin.program() ? pin.program()->route(Route::onsend, unnamed) : nullptr;
    return !route || !run_top(*parts_, *pin.program(), *route, request, &to, bytes).dropped;
}

bool Engine::has_event(std::string_view name) const { return has_route(Route::event, name); }

bool Engine::has_route(Route kind, std::string_view name) const
{
    const Pin pin{*parts_};
    return pin.program() && pin.program()->route(kind, name);
}

// --- for Host ------------------------------------------------------------------------------------

Result<std::shared_ptr<const Host::Format>> Engine::compile_format(std::string_view text)
{
    const std::lock_guard lock{parts_->linking};
    auto arena = std::make_unique<Arena>();
    Trouble trouble;
    VariableLinker linker{parts_->catalogue, *arena};
    const Expr* const expr = linker.format(text, trouble);
    if (!expr)
        return Error{ErrorKind::not_found, trouble.message};
    return std::shared_ptr<const Host::Format>{
        std::make_shared<CompiledFormat>(*parts_, *expr, std::move(arena))};
}

Result<std::shared_ptr<const VariableRef>> Engine::compile_variable(std::string_view text)
{
    const std::lock_guard lock{parts_->linking};
    auto arena = std::make_unique<Arena>();
    Trouble trouble;
    VariableLinker linker{parts_->catalogue, *arena};
    const Expr* const expr = linker.variable(text, trouble);
    if (!expr)
        return Error{ErrorKind::not_found, trouble.message};
    Trouble ignored; // read-only ones may be compiled too
    const Place* const place = linker.place(text, ignored);
    return std::shared_ptr<const VariableRef>{
        std::make_shared<Reference>(*parts_, *expr, place, text, std::move(arena))};
}

std::string_view Engine::log_prefix(Request& request)
{
    const Pin pin{*parts_};
    if (!pin.program() || !pin.program()->prefix)
        return {};
    Entry entry{*parts_, *pin.program(), request};
    return request.arena().copy(log_prefix_of(entry.run()));
}

std::shared_ptr<Globals> Engine::globals() const
{
    const Pin pin{*parts_};
    return pin.program() ? pin.program()->globals : nullptr;
}

} // namespace sipyard::script
