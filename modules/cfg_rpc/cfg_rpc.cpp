// modules/cfg_rpc/cfg_rpc.cpp - reads and changes the script's custom globals, and core.debug, while the
// server runs
#include "core/base/guarded.h"
#include "core/base/text.h"
#include "core/json/value.h"
#include "core/module/module.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::cfg_rpc {

class CfgRpc {
public:
    struct Settings {};
    static Manifest<CfgRpc> manifest();

    CfgRpc(const Settings&, Host& host) : host_{host}, first_debug_{host.journal().threshold()} {}

private:
    using JsonValue = json::Value;
    using Held = Host::GlobalValue;
    // "group" or "group[5]", and a name in it.
    struct Place {
        std::string group, name;
        std::optional<std::int64_t> instance;
        std::string text() const
        {
            return instance ? format("{}[{}].{}", group, *instance, name) : format("{}.{}", group, name);
        }
    };
    struct Change {
        Place place;
        Held value;
    };
    static constexpr std::size_t most_delayed = 1000;

    static const JsonValue& param_of(const JsonValue& params, std::size_t index, std::string_view name)
    {
        return params.is_object() ? params[name] : params[index];
    }
    static Result<Place> place_of(const JsonValue& params)
    {
        Place place;
        std::string_view group = param_of(params, 0, "group").text();
        if (const auto bracket = group.find('['); bracket != std::string_view::npos && group.ends_with(']')) {
            place.instance = parse_int(group.substr(bracket + 1, group.size() - bracket - 2));
            if (!place.instance)
                return invalid(format("'{}' is no group with an instance", group));
            group = group.substr(0, bracket);
        }
        place.group = group;
        place.name = param_of(params, 1, "name").text();
        if (place.group.empty())
            return invalid("expected a group and a name");
        return place;
    }
    static Result<Held> integer_of(const JsonValue& value)
    {
        const auto number = value.is_integer()  ? std::optional{value.integer()}
                            : value.is_string() ? parse_int(value.text())
                                                : std::nullopt;
        if (!number)
            return invalid("expected a group, a name and an integer");
        return Held{*number};
    }
    static Result<Held> text_of(const JsonValue& value)
    {
        if (!value.is_string() && !value.is_integer())
            return invalid("expected a group, a name and a text");
        return Held{value.is_integer() ? std::to_string(value.integer()) : std::string{value.text()}};
    }
    static Result<Held> either_of(const JsonValue& value)
    {
        return value.is_integer() ? integer_of(value) : text_of(value);
    }
    static JsonValue to_json(const Held& value)
    {
        const auto* const number = std::get_if<std::int64_t>(&value);
        return number ? JsonValue{*number} : JsonValue{std::get<std::string>(value)};
    }
    static bool is_debug(const Place& place)
    {
        return place.group == "core" && place.name == "debug" && !place.instance;
    }

    Result<Held> read(const Place& place) const
    {
        if (is_debug(place))
            return Held{std::int64_t{host_.journal().threshold()}};
        return host_.global(place.group, place.name, place.instance);
    }
    Result<void> write(const Place& place, const Held& value)
    {
        if (!is_debug(place)) {
            TRY(const Held before, host_.global(place.group, place.name, std::nullopt));
            TRYV(host_.set_global(place.group, place.name, place.instance, value));
            if (!place.instance) // what cfg.reset goes back to: the value before the first change
                first_.with([&](auto& first) { first.emplace(std::pair{place.group, place.name}, before); });
            return {};
        }
        const auto* const level = std::get_if<std::int64_t>(&value);
        if (!level || *level < -5 || *level > 9)
            return invalid("core.debug is a level from -5 (alert) to 3 (debug)");
        host_.journal().set_threshold(static_cast<int>(*level));
        return {};
    }

    // --- commands ---
    Result<JsonValue> list_command(const JsonValue& params)
    {
        const auto wanted = param_of(params, 0, "group").text();
        JsonValue list = JsonValue::array();
        if (wanted.empty() || wanted == "core")
            list.add("core: debug");
        for (const auto& one : host_.globals())
            if (wanted.empty() || wanted == one.group)
                list.add(format("{}: {}", one.group, one.name));
        if (list.size() == 0)
            return invalid(format("no group {}", wanted));
        return list;
    }
    Result<JsonValue> get_command(const JsonValue& params)
    {
        TRY(Place place, place_of(params));
        if (!place.name.empty()) {
            TRY(const Held value, read(place));
            return to_json(value);
        }
        JsonValue all = JsonValue::object();
        if (place.group == "core")
            all.set("debug", host_.journal().threshold());
        for (const auto& one : host_.globals()) {
            if (one.group != place.group)
                continue;
            place.name = one.name;
            TRY(const Held value, read(place));
            all.set(one.name, to_json(value));
        }
        if (all.size() == 0)
            return invalid(format("no group {}", place.group));
        return all;
    }
    Result<JsonValue> change(const JsonValue& params, Result<Held> (*value_of)(const JsonValue&),
                             bool delayed)
    {
        TRY(Place place, place_of(params));
        TRY(Held value, value_of(param_of(params, 2, "value")));
        if (!delayed) {
            TRYV(write(place, value));
            return JsonValue{"set"};
        }
        TRY(const Held now, read(place)); // not_found at once, not at the commit
        if (now.index() != value.index())
            return invalid(format("{} is of the other type", place.text()));
        const bool taken = delayed_.with([&](auto& changes) {
            if (changes.size() >= most_delayed)
                return false;
            changes.push_back({std::move(place), std::move(value)});
            return true;
        });
        return taken ? Result<JsonValue>{JsonValue{"prepared"}}
                     : Error{ErrorKind::overloaded, "too many changes wait for cfg.commit"};
    }
    Result<JsonValue> set_int(const JsonValue& params) { return change(params, integer_of, false); }
    Result<JsonValue> set_text(const JsonValue& params) { return change(params, text_of, false); }
    Result<JsonValue> set_either(const JsonValue& params) { return change(params, either_of, false); }
    Result<JsonValue> delay_int(const JsonValue& params) { return change(params, integer_of, true); }
    Result<JsonValue> delay_text(const JsonValue& params) { return change(params, text_of, true); }
    Result<JsonValue> delay_either(const JsonValue& params) { return change(params, either_of, true); }
    Result<JsonValue> commit_command(const JsonValue&)
    {
        const auto changes = delayed_.with([](auto& waiting) { return std::exchange(waiting, {}); });
        for (const Change& one : changes)
            TRYV(write(one.place, one.value));
        return JsonValue::object().set("changed", changes.size());
    }
    Result<JsonValue> rollback_command(const JsonValue&)
    {
        return JsonValue::object().set(
            "dropped", delayed_.with([](auto& waiting) { return std::exchange(waiting, {}).size(); }));
    }
    Result<JsonValue> diff_command(const JsonValue&)
    {
        const auto changes = delayed_.with([](auto& waiting) { return waiting; });
        JsonValue list = JsonValue::array();
        for (const Change& one : changes) {
            const auto now = read(one.place);
            list.add(JsonValue::object()
                         .set("variable", one.place.text())
                         .set("old", now ? to_json(*now) : JsonValue{})
                         .set("new", to_json(one.value)));
        }
        return list;
    }
    // The common values as they were before the first change; instances keep theirs.
    Result<JsonValue> reset_command(const JsonValue& params)
    {
        TRY(const Place place, place_of(params));
        if (place.group == "core") {
            host_.journal().set_threshold(first_debug_);
            return JsonValue{"reset"};
        }
        bool known = false;
        for (const auto& one : host_.globals())
            known = known || one.group == place.group;
        if (!known)
            return invalid(format("no group {}", place.group));
        const auto first = first_.with([](auto& values) { return values; });
        for (const auto& [key, value] : first)
            if (key.first == place.group)
                TRYV(host_.set_global(key.first, key.second, std::nullopt, value));
        return JsonValue{"reset"};
    }
    Result<JsonValue> help_command(const JsonValue& params)
    {
        TRY(const Place place, place_of(params));
        if (is_debug(place))
            return JsonValue{"Log threshold: 3 debug, 2 info, 1 notice, 0 warnings, -1 errors"};
        for (const auto& one : host_.globals())
            if (one.group == place.group && one.name == place.name)
                return JsonValue{one.about};
        return invalid(format("no such variable: {}", place.text()));
    }

    Host& host_;
    const int first_debug_;
    Guarded<std::vector<Change>> delayed_;
    Guarded<std::map<std::pair<std::string, std::string>, Held>> first_; // before the first change
};

Manifest<CfgRpc> CfgRpc::manifest()
{
    using M = CfgRpc;
    return {
        .name = "cfg_rpc",
        .about = "Commands that read and change custom global parameters and core.debug",
        .commands = {command("cfg.list", &M::list_command, "Names of the variables: [GROUP]"),
                     command("cfg.get", &M::get_command, "A value, or all of a group: GROUP [NAME]"),
                     command("cfg.seti", &M::set_int, "Sets a number: GROUP NAME VALUE"),
                     command("cfg.set_now_int", &M::set_int, "As cfg.seti"),
                     command("cfg.sets", &M::set_text, "Sets a text: GROUP NAME VALUE"),
                     command("cfg.set_now_string", &M::set_text, "As cfg.sets"),
                     command("cfg.set", &M::set_either, "Sets a number or a text: GROUP NAME VALUE"),
                     command("cfg.set_delayed_int", &M::delay_int,
                             "Prepares a change for cfg.commit: GROUP NAME VALUE"),
                     command("cfg.set_delayed_string", &M::delay_text,
                             "Prepares a change for cfg.commit: GROUP NAME VALUE"),
                     command("cfg.set_delayed", &M::delay_either,
                             "Prepares a change for cfg.commit: GROUP NAME VALUE"),
                     command("cfg.commit", &M::commit_command, "Makes the prepared changes"),
                     command("cfg.rollback", &M::rollback_command, "Drops the prepared changes"),
                     command("cfg.diff", &M::diff_command, "The prepared changes"),
                     command("cfg.reset", &M::reset_command,
                             "A group's values as the configuration has them: GROUP"),
                     command("cfg.help", &M::help_command, "What a variable means: GROUP NAME")},
    };
}

} // namespace sipyard::cfg_rpc

SIPYARD_MODULE(sipyard::cfg_rpc::CfgRpc)
