// modules/pv/pv.h - the module: variables with a memory, functions on variables, the manifest
#pragma once

#include "core/base/guarded.h"
#include "core/json/value.h"
#include "core/module/module.h"
#include "modules/pv/avp_key.h"
#include "modules/pv/branches.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::pv {

// One `shvset` value: "name=i:5" or "name=s:text".
struct SharedInit {
    std::string name;
    OwnedValue value;
};

// What stands for the time of a message: seconds of the wall clock when it was first asked.
enum class Zone : unsigned char { local, utc };

// A part of a broken-down time: $time(year).
struct TimePart {
    enum class Meaning : unsigned char { sec, min, hour, mday, mon, year, wday, yday, isdst };
    static constexpr std::string_view expected = "sec, min, hour, mday, mon, year, wday, yday or isdst";
    static constexpr Word<Meaning> words[] = {
        {"sec", Meaning::sec},   {"min", Meaning::min},   {"hour", Meaning::hour},
        {"mday", Meaning::mday}, {"mon", Meaning::mon},   {"year", Meaning::year},
        {"wday", Meaning::wday}, {"yday", Meaning::yday}, {"isdst", Meaning::isdst},
    };
};
struct ClockPart {
    enum class Meaning : unsigned char { seconds, microseconds, both };
    static constexpr std::string_view expected = "s, u, sn, un or Sn";
    static constexpr Word<Meaning> words[] = {
        {"s", Meaning::seconds},       {"sn", Meaning::seconds}, {"u", Meaning::microseconds},
        {"un", Meaning::microseconds}, {"Sn", Meaning::both},
    };
};

class Pv {
public:
    struct Settings {
        std::vector<SharedInit> shvset;
    };
    static Manifest<Pv> manifest();
    Pv(const Settings& settings, Host& host);

private:
    // Of one request.
    struct State {
        std::int64_t time = 0; // 0: not asked yet
        Branch script_branch;
    };

    // --- time_variables.cpp ----------------------------------------------------------------------
    static void add_time_variables(Variables& to);
    std::int64_t message_time(Request& request);
    template <Zone zone>
    Value time_part(Request& request, const OneOf<TimePart>& part);
    template <Zone zone>
    Value time_text(Request& request, std::string_view format);
    Value message_seconds(Request& request);
    Value message_date(Request& request);
    Value start_seconds(Request& request);
    Value now_seconds(Request& request);
    Value now_date(Request& request);
    Value clock_part(Request& request, const OneOf<ClockPart>& part);

    // --- shared.cpp ------------------------------------------------------------------------------
    Value shared(Request& request, std::string_view name);
    bool set_shared(Request& request, std::string_view name, const Value& value);
    Result<json::Value> shared_get(const json::Value& params);
    Result<json::Value> shared_set(const json::Value& params);

    // --- functions.cpp ---------------------------------------------------------------------------
    static std::vector<FunctionSpec> functions();
    Verdict is_set(Request& request, const VariableRef& variable);
    Verdict unset(Request& request, const VariableRef& variable);
    Verdict is_int(Request& request, const VariableRef& variable);
    Verdict type_of(Request& request, const VariableRef& variable, std::string_view type);
    Verdict not_empty(Request& request, const VariableRef& variable);
    template <XavpList AvpStore::*family>
    Verdict print(Request& request);
    template <XavpList AvpStore::*family>
    Verdict remove(Request& request, std::string_view name);
    template <XavpList AvpStore::*family>
    Verdict remove_child(Request& request, std::string_view root, std::string_view field);
    template <XavpList AvpStore::*family>
    Verdict set_child(Request& request, std::string_view root, std::string_view field, const Value& value);
    template <XavpList AvpStore::*family>
    Verdict set_child_text(Request& request, std::string_view root, std::string_view field,
                           std::string_view value);
    template <XavpList AvpStore::*family>
    Verdict set_child_number(Request& request, std::string_view root, std::string_view field,
                             std::int64_t value);
    template <XavpList AvpStore::*family>
    Verdict explode(Request& request, std::string_view params, std::string_view root);
    template <XavpList AvpStore::*family>
    Verdict implode(Request& request, std::string_view root, const VariableRef& to);
    Verdict copy(Request& request, std::string_view from, std::int64_t index, std::string_view to,
                 std::optional<std::int64_t> at);
    Verdict explode_list(Request& request, std::string_view list, std::string_view separator,
                         std::string_view mode, std::string_view root);
    Verdict script_branch_set_ruri(Request& request);
    Verdict script_branch_append(Request& request);
    Verdict script_branch_reset(Request& request);
    Value script_branch(Request& request, const OneOf<BranchPart>& part);
    bool set_script_branch(Request& request, const OneOf<BranchPart>& part, const Value& value);

    using Shared = std::map<std::string, OwnedValue, std::less<>>;
    const log::Logger log_;
    const Clock& clock_;
    const std::int64_t started_;
    const Slot<State> state_;
    Guarded<Shared> shared_;
};

} // namespace sipyard::pv

template <>
struct sipyard::FromText<sipyard::pv::SharedInit> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "name=i:number or name=s:text";
    static Result<pv::SharedInit> parse(std::string_view text);
};
