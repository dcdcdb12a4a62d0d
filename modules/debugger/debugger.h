// modules/debugger/debugger.h - what the script does, action by action, and what its message looks like by
// now
#pragma once

#include "core/module/module.h"
#include "core/module/script_tracer.h"

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::debugger {

class Debugger final : public ScriptTracer {
public:
    struct Settings {
        bool cfgtrace = false, log_assign = false;
        int breakpoint = 0, log_level = -1, step_usleep = 100'000, step_loops = 200, mod_hash_size = 0,
            mod_level_mode = 0, mod_facility_mode = 0, cfgpkgcheck = 0, reset_msgid = 0, cfgtest = 0;
        std::string log_level_name, log_facility, log_prefix = "*** cfgtrace:";
        std::vector<std::string> mod_level, mod_facility;
    };
    static Manifest<Debugger> manifest();

    Debugger(const Settings& settings, Host& host);

    void on_step(Request& request, const ScriptStep& step) override;

private:
    using JsonValue = json::Value;

    Verdict dbg_breakpoint(Request& request, std::string_view mode);
    Verdict dbg_pv_dump(Request& request, std::optional<std::int64_t> mask,
                        std::optional<std::string_view> level);
    Verdict dbg_sip_msg(Request& request, std::optional<std::string_view> level,
                        std::optional<std::string_view> facility);
    Result<JsonValue> list(const JsonValue& params);
    Result<JsonValue> trace(const JsonValue& params);

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const log::Level level_;
    const std::string level_name_;
    std::atomic<bool> breakpoint_told_{false};
};

// Lines of `before` that are not in `after`, each with "- " in front, then the new ones; in order.
std::string line_changes(std::string_view before, std::string_view after);

} // namespace sipyard::debugger
