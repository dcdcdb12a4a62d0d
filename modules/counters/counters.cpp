// modules/counters/counters.cpp - counters the script makes and moves, and commands that read any counter
#include "core/base/text.h"
#include "core/json/value.h"
#include "core/module/module.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::counters {

class Counters {
public:
    struct Settings {
        std::vector<std::string> script_counter;
        std::string script_cnt_grp_name = "script";
    };
    static Manifest<Counters> manifest();

    Counters(const Settings& settings, Host& host)
        : settings_{settings}, host_{host}, log_{host.logger("counters")}
    {
        for (const std::string& text : settings.script_counter)
            declare(text);
    }

private:
    // "[group.]name[( |:)description]"
    void declare(std::string_view text)
    {
        const auto end = text.find_first_of(" :");
        const auto name = text.substr(0, end);
        const auto about = end == std::string_view::npos ? std::string_view{} : trim(text.substr(end + 1));
        const auto [group, own] = taken_apart(name);
        if (own.empty() || group.empty())
            throw StartupError{
                format("script_counter '{}': expected [group.]name, then a description", text)};
        const auto key = format("{}.{}", group, own);
        if (known_.count(key) != 0)
            throw StartupError{format("script_counter '{}' is declared twice", key)};
        known_[key] = &host_.counter(group, own, about.empty() ? "custom script counter" : about);
    }
    struct Parts {
        std::string_view group, name;
    };
    Parts taken_apart(std::string_view name) const
    {
        const auto dot = name.find('.');
        if (dot == std::string_view::npos)
            return {settings_.script_cnt_grp_name, name};
        return {name.substr(0, dot), name.substr(dot + 1)};
    }
    Counter* find(std::string_view name) const
    {
        auto found = known_.find(name);
        if (found == known_.end() && name.find('.') == std::string_view::npos)
            found = known_.find(format("{}.{}", settings_.script_cnt_grp_name, name));
        if (found != known_.end())
            return found->second;
        log_.error("there is no counter '{}' (modparam script_counter)", name);
        return nullptr;
    }

    Verdict increment(Request&, std::string_view name)
    {
        Counter* const counter = find(name);
        if (counter)
            counter->add();
        return Verdict::of(counter != nullptr);
    }
    Verdict add(Request&, std::string_view name, std::int64_t n)
    {
        Counter* const counter = find(name);
        if (counter)
            counter->add(n);
        return Verdict::of(counter != nullptr);
    }
    Verdict reset(Request&, std::string_view name)
    {
        Counter* const counter = find(name);
        if (counter)
            counter->reset();
        return Verdict::of(counter != nullptr);
    }

    // --- commands: about every counter of the server, not the script's alone ---
    using JsonValue = json::Value;
    static std::string_view text(const JsonValue& params, std::size_t index, std::string_view name)
    {
        return (params.is_object() ? params[name] : params[index]).text();
    }
    Result<const Counter*> asked(const JsonValue& params) const
    {
        const auto group = text(params, 0, "group"), name = text(params, 1, "name");
        for (const Counter* counter : host_.counters())
            if (counter->group() == group && counter->name() == name)
                return counter;
        return invalid(group.empty() || name.empty()
                           ? std::string{"expected a group and the name of a counter"}
                           : format("no counter {}.{}", group, name));
    }
    Result<JsonValue> get_command(const JsonValue& params)
    {
        TRY(const Counter* const counter, asked(params));
        return JsonValue{counter->value()};
    }
    Result<JsonValue> reset_command(const JsonValue& params)
    {
        TRY(const Counter* const counter, asked(params));
        host_.counter(counter->group(), counter->name(), counter->about()).reset();
        return JsonValue{"reset"};
    }
    Result<JsonValue> help_command(const JsonValue& params)
    {
        TRY(const Counter* const counter, asked(params));
        return JsonValue{counter->about()};
    }
    Result<JsonValue> groups_command(const JsonValue&)
    {
        JsonValue list = JsonValue::array();
        std::map<std::string, bool> seen;
        for (const Counter* counter : host_.counters())
            if (seen.emplace(counter->group(), true).second)
                list.add(counter->group());
        return list;
    }
    Result<JsonValue> names_command(const JsonValue& params)
    {
        return group_of(
            params, [](JsonValue& list, const Counter& counter) { list.add(counter.name()); },
            JsonValue::array());
    }
    Result<JsonValue> values_command(const JsonValue& params)
    {
        return group_of(
            params,
            [](JsonValue& list, const Counter& counter) { list.set(counter.name(), counter.value()); },
            JsonValue::object());
    }
    template <class Put>
    Result<JsonValue> group_of(const JsonValue& params, Put put, JsonValue list) const
    {
        const auto group = text(params, 0, "group");
        for (const Counter* counter : host_.counters())
            if (counter->group() == group)
                put(list, *counter);
        if (list.size() == 0)
            return invalid(group.empty() ? std::string{"expected the name of a group"}
                                         : format("no group {}", group));
        return list;
    }

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    std::map<std::string, Counter*, std::less<>>
        known_; // the script's, by "group.name"; never changes after the start
};

Manifest<Counters> Counters::manifest()
{
    using M = Counters;
    return {
        .name = "counters",
        .about = "Counters of the script, and commands that read counters",
        .params = {param("script_counter", &Settings::script_counter,
                         "Makes a counter: [group.]name[ description]"),
                   param("script_cnt_grp_name", &Settings::script_cnt_grp_name,
                         "Group of counters that name none")},
        .functions = {function("cnt_inc", &M::increment, "Adds 1 to the counter"),
                      function("cnt_add", &M::add, "Adds a number to the counter"),
                      function("cnt_reset", &M::reset, "Sets the counter to 0")},
        .commands = {command("cnt.get", &M::get_command, "Value of a counter: GROUP NAME"),
                     command("cnt.reset", &M::reset_command, "Sets a counter to 0: GROUP NAME"),
                     command("cnt.grps_list", &M::groups_command, "The groups of counters"),
                     command("cnt.var_list", &M::names_command, "Names of a group's counters: GROUP"),
                     command("cnt.grp_get_all", &M::values_command, "Names and values of a group: GROUP"),
                     command("cnt.help", &M::help_command, "What a counter counts: GROUP NAME")},
    };
}

} // namespace sipyard::counters

SIPYARD_MODULE(sipyard::counters::Counters)
