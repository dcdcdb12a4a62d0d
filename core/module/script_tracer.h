// core/module/script_tracer.h - told of each action of the script before it runs; a debugger offers it as a
// service
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace sipyard {

class Request;

// Where the script is. Texts live as long as the program.
struct ScriptStep {
    std::string_view file, route, word; // "/etc/x.cfg", "DEFAULT_ROUTE", "setflag"
    std::uint32_t line = 0;
    int action = 0; // Kamailio's number of the kind of action; 0: none is known
};

// A script linked while a module offers this calls it; others have nothing between their actions.
struct ScriptTracer {
    static constexpr std::string_view name = "script_tracer";
    virtual ~ScriptTracer() = default;
    bool tracing() const { return on_.load(std::memory_order_relaxed); }
    virtual void on_step(Request& request, const ScriptStep& step) = 0; // on any worker; may not suspend

protected:
    std::atomic<bool> on_{false};
};

} // namespace sipyard
