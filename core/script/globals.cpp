// core/script/globals.cpp - finding and storing global parameters; the table is in globals_table.cpp
#include "core/script/globals.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/script/token.h"

#include <map>

namespace sipyard::script {

namespace {

const std::map<std::string_view, const GlobalParam*>& by_name()
{
    static const std::map<std::string_view, const GlobalParam*> index = [] {
        std::map<std::string_view, const GlobalParam*> all;
        for (const GlobalParam& param : global_params())
            for (std::string_view rest = param.names; !rest.empty();)
                all.emplace(cut(rest, '|'), &param);
        return all;
    }();
    return index;
}

} // namespace

const GlobalParam* find_global(std::string_view name)
{
    const auto found = by_name().find(name);
    return found == by_name().end() ? nullptr : found->second;
}

std::string_view first_name(const GlobalParam& param)
{
    std::string_view rest = param.names;
    return cut(rest, '|');
}

Result<void> apply_global(const GlobalParam& param, const GlobalValue& value, CoreSettings& settings)
{
    if (!value.is_text && (value.number < param.least || value.number > param.most))
        return invalid(format("{} is out of range for {}, {} to {}", value.number, first_name(param),
                              param.least, param.most));
    if (const auto* apply = std::get_if<GlobalParam::Apply>(&param.store))
        return (*apply)(settings, value);
    if (const auto* number = std::get_if<int CoreSettings::*>(&param.store))
        settings.*(*number) = static_cast<int>(value.number);
    else if (const auto* flag = std::get_if<bool CoreSettings::*>(&param.store))
        settings.*(*flag) = value.number != 0;
    else if (const auto* text = std::get_if<std::string CoreSettings::*>(&param.store))
        settings.*(*text) = value.is_text ? value.text : std::to_string(value.number);
    else if (const auto* port = std::get_if<std::uint16_t CoreSettings::*>(&param.store))
        settings.*(*port) = static_cast<std::uint16_t>(value.number);
    return {};
}

bool is_reserved(std::string_view word) { return is_keyword(word) || find_global(word) != nullptr; }

std::vector<std::string_view> global_names()
{
    std::vector<std::string_view> names;
    for (const auto& [name, param] : by_name())
        names.push_back(name);
    return names;
}

} // namespace sipyard::script
