// core/script/catalogue.cpp - names of variables and transformations
#include "core/script/catalogue.h"

#include "core/base/text.h"

namespace sipyard::script {

namespace {
// The variables the language has without any module (spec/script 14, end).
constexpr std::string_view built_in[] = {"rc",   "retcode", "env",  "envn",  "def",    "defn",
                                         "defv", "defs",    "null", "var",   "vn",     "vz",
                                         "sel",  "cfg",     "snd",  "sndto", "sndfrom"};
} // namespace

ModuleCell& Catalogue::cell(const AnyManifest* manifest)
{
    for (ModuleCell& known : cells_)
        if (known.manifest == manifest)
            return known;
    cells_.push_back({manifest, nullptr});
    return cells_.back();
}

void Catalogue::declare(const std::vector<ModuleInstance>& modules)
{
    for (const ModuleInstance& module : modules) {
        ModuleCell& known = cell(module.manifest);
        if (module.object &&
            known.object != module.object) // a reload finds it there, and scripts are reading it
            known.object = module.object;
        for (const VariableSpec& spec : module.manifest->variables)
            for (const auto name : split(spec.name, '|'))
                variables_.try_emplace(std::string{name}, Variable{&spec, &known});
        for (const TransformationSpec& spec : module.manifest->transformations)
            classes_[spec.class_name].try_emplace(spec.op, &spec);
    }
}

const Catalogue::Variable* Catalogue::variable(std::string_view name) const
{
    const auto found = variables_.find(name);
    return found == variables_.end() ? nullptr : &found->second;
}

const TransformationSpec* Catalogue::transformation(std::string_view class_name, std::string_view op) const
{
    const auto found = classes_.find(class_name);
    if (found == classes_.end())
        return nullptr;
    auto spec = found->second.find(op);
    if (spec == found->second.end())
        spec = found->second.find(""); // a class that takes any op
    return spec == found->second.end() ? nullptr : spec->second;
}

bool Catalogue::has_class(std::string_view class_name) const
{
    return classes_.find(class_name) != classes_.end();
}

std::string_view Catalogue::nearest_variable(std::string_view name) const
{
    std::vector<std::string_view> known{std::begin(built_in), std::end(built_in)};
    for (const auto& [key, variable] : variables_)
        known.push_back(key);
    return nearest(name, known);
}

std::string_view Catalogue::nearest_class(std::string_view name) const
{
    std::vector<std::string_view> known;
    for (const auto& [key, ops] : classes_)
        known.push_back(key);
    return nearest(name, known);
}

std::string_view Catalogue::nearest_op(std::string_view class_name, std::string_view op) const
{
    std::vector<std::string_view> known;
    if (const auto found = classes_.find(class_name); found != classes_.end())
        for (const auto& [key, spec] : found->second)
            known.push_back(key);
    return nearest(op, known);
}

} // namespace sipyard::script
