// core/script/program.h - a linked configuration: routes as nodes in one arena, ready to run on any worker
#pragma once

#include "core/base/arena.h"
#include "core/script/node.h"
#include "core/script/runtime_globals.h"

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::script {

// A module's object, which is constructed after formats that name its variables may have been compiled. Lives
// as long as the engine.
struct ModuleCell {
    const AnyManifest* manifest = nullptr;
    void* object = nullptr;
};

struct RouteCode {
    std::string name;
    sipyard::Route kind = sipyard::Route::request;
    Block body;
};

// Immutable once linked, except for the globals, which guard themselves.
class Program {
public:
    explicit Program(Host& h) : host{h}, log{h.logger("core")}, script_log{h.logger("script")} {}

    Host& host;
    log::Logger log, script_log;
    Arena arena;                      // all nodes and constant texts
    std::vector<std::string> files;   // names, by Position::file
    std::shared_ptr<Globals> globals; // shared with whoever changes them by command
    const Expr* prefix = nullptr;     // log_prefix; null without
    int max_loops = 100, max_level = 256;
    bool raw_codes = false; // return_mode other than 0: conditions are != 0, functions keep their codes
    bool prefix_each_action = false;                                // log_prefix_mode 1
    std::int64_t latency_limit_action = 0, latency_limit_route = 0; // microseconds; 0: none
    log::Level latency_log = log::Level::err, latency_route_log = log::Level::dbg;
    bool check_via = false; // replies whose top Via is not ours go no further

    RouteCode* route(sipyard::Route kind, std::string_view name) const
    {
        const auto found = by_name_[index(kind)].find(name);
        return found == by_name_[index(kind)].end() ? nullptr : found->second;
    }
    RouteCode* add_route(sipyard::Route kind, std::string_view name)
    {
        auto made = std::make_unique<RouteCode>();
        made->name = name;
        made->kind = kind;
        RouteCode* const route = made.get();
        code_.push_back(std::move(made));
        by_name_[index(kind)].emplace(route->name, route);
        return route;
    }
    bool is_true(std::int64_t condition) const { return raw_codes ? condition != 0 : condition > 0; }

private:
    static std::size_t index(sipyard::Route kind) // position of its bit
    {
        return static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(kind)));
    }
    std::vector<std::unique_ptr<RouteCode>> code_;
    std::array<std::map<std::string, RouteCode*, std::less<>>, 8> by_name_;
};

} // namespace sipyard::script
