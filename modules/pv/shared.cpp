// modules/pv/shared.cpp - $shv: values all workers share
#include "modules/pv/pv.h"

#include "core/json/value.h"

namespace sipyard {

Result<pv::SharedInit> FromText<pv::SharedInit>::parse(std::string_view text)
{
    const auto equal = text.find('=');
    const auto name = trim(text.substr(0, equal));
    const auto value = equal == std::string_view::npos ? std::string_view{} : text.substr(equal + 1);
    if (name.empty() || value.size() < 2 || value[1] != ':' || (value[0] != 'i' && value[0] != 's'))
        return invalid(format("'{}' is not {}", text, expected));
    if (value[0] == 's')
        return pv::SharedInit{std::string{name}, OwnedValue{Value{value.substr(2)}}};
    const auto number = parse_int(value.substr(2));
    if (!number)
        return invalid(format("'{}' is not a number", value.substr(2)));
    return pv::SharedInit{std::string{name}, OwnedValue{Value{*number}}};
}

namespace pv {

Value Pv::shared(Request& request, std::string_view name)
{
    return shared_.with([&](const Shared& all) -> Value {
        const auto found = all.find(name);
        if (found == all.end())
            return 0;
        const Value value = found->second.view();
        return value.is_text() ? Value{request.arena().copy(value.text())} : value;
    });
}

bool Pv::set_shared(Request&, std::string_view name, const Value& value)
{
    OwnedValue kept{value.is_null() ? Value{0} : value};
    shared_.with([&](Shared& all) {
        const auto found = all.find(name);
        if (found != all.end())
            found->second = std::move(kept);
        else
            all.emplace(std::string{name}, std::move(kept));
    });
    return true;
}

namespace {

json::Value to_json(std::string_view name, const Value& value)
{
    auto made = json::Value::object();
    made.set("name", name).set("type", value.is_integer() ? "int" : "string");
    return value.is_integer() ? made.set("value", value.number()) : made.set("value", value.text());
}

} // namespace

Result<json::Value> Pv::shared_get(const json::Value& params)
{
    const std::string name{params.is_array() ? params[std::size_t{0}].text() : params["name"].text()};
    return shared_.with([&](const Shared& all) -> Result<json::Value> {
        if (name.empty()) {
            auto list = json::Value::array();
            for (const auto& [key, value] : all)
                list.add(to_json(key, value.view()));
            return list;
        }
        const auto found = all.find(name);
        if (found == all.end())
            return Error{ErrorKind::not_found, format("there is no shared variable '{}'", name)};
        return to_json(name, found->second.view());
    });
}

Result<json::Value> Pv::shared_set(const json::Value& params)
{
    const bool list = params.is_array();
    const auto& value = list ? params[std::size_t{2}] : params["value"];
    const std::string name{list ? params[std::size_t{0}].text() : params["name"].text()};
    const auto type = list ? params[std::size_t{1}].text() : params["type"].text();
    if (name.empty() || value.is_null())
        return invalid("expected name, type (int or str) and value");
    OwnedValue made;
    if (type == "int") {
        const auto number = value.is_integer() ? std::optional{value.integer()} : parse_int(value.text());
        if (!number)
            return invalid(format("'{}' is not a number", value.text()));
        made = OwnedValue{Value{*number}};
    } else if (type == "str" || type == "string") {
        made = OwnedValue{
            Value{value.is_integer() ? std::string_view{std::to_string(value.integer())} : value.text()}};
    } else {
        return invalid(format("'{}' is neither int nor str", type));
    }
    shared_.with([&](Shared& all) { all[name] = std::move(made); });
    return json::Value::object();
}

} // namespace pv
} // namespace sipyard
