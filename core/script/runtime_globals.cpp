// core/script/runtime_globals.cpp - custom global parameters
#include "core/script/runtime_globals.h"

#include "core/base/format.h"

namespace sipyard::script {

Globals::Globals(const std::vector<ast::CustomGlobal>& declared)
{
    variables_.with([&](std::vector<Variable>& all) {
        for (const ast::CustomGlobal& d : declared) {
            const std::string key = d.group + "." + d.name;
            auto found = numbers_.find(key);
            if (found == numbers_.end()) {
                found = numbers_.emplace(key, all.size()).first;
                all.push_back({d.group,
                               d.name,
                               d.description,
                               std::holds_alternative<std::int64_t>(d.value),
                               d.value,
                               {}});
            }
            if (d.instance)
                all[found->second].instances[*d.instance] = d.value;
            else
                all[found->second].value = d.value;
        }
    });
}

std::optional<std::size_t> Globals::find(std::string_view group, std::string_view name) const
{
    const auto found = numbers_.find(std::string{group} + "." + std::string{name});
    return found == numbers_.end() ? std::nullopt : std::optional{found->second};
}

bool Globals::has_group(std::string_view group) const
{
    for (const auto& [key, number] : numbers_)
        if (key.size() > group.size() && key.starts_with(group) && key[group.size()] == '.')
            return true;
    return false;
}

std::vector<std::string_view> Globals::names() const
{
    std::vector<std::string_view> all;
    for (const auto& [key, number] : numbers_)
        all.push_back(key);
    return all;
}

Value Globals::get(std::size_t variable, std::optional<std::int64_t> instance, Arena& arena) const
{
    return variables_.with([&](const std::vector<Variable>& all) -> Value {
        const Variable& v = all[variable];
        const Held* held = &v.value;
        if (instance)
            if (const auto own = v.instances.find(*instance); own != v.instances.end())
                held = &own->second;
        if (const auto* number = std::get_if<std::int64_t>(held))
            return *number;
        return arena.copy(std::get<std::string>(*held));
    });
}

Result<void> Globals::set(std::string_view group, std::string_view name, std::optional<std::int64_t> instance,
                          Held value)
{
    const auto number = find(group, name);
    if (!number)
        return Error{ErrorKind::not_found, format("no such variable: {}.{}", group, name)};
    return variables_.with([&](std::vector<Variable>& all) -> Result<void> {
        Variable& v = all[*number];
        if (v.integer != std::holds_alternative<std::int64_t>(value))
            return invalid(format("{}.{} is a {}", group, name, v.integer ? "number" : "string"));
        if (instance)
            v.instances[*instance] = std::move(value);
        else
            v.value = std::move(value);
        return {};
    });
}

std::vector<Globals::Listed> Globals::list() const
{
    return variables_.with([](const std::vector<Variable>& all) {
        std::vector<Listed> listed;
        for (const Variable& v : all)
            listed.push_back({v.group, v.name, v.description, v.value});
        return listed;
    });
}

} // namespace sipyard::script
