// core/script/catalogue.h - what the names in a script mean: the loaded modules' variables and
// transformations, defines
#pragma once

#include "core/script/engine.h"
#include "core/script/program.h"
#include "core/script/var_table.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::script {

// One per engine. Changed at start and reload only; every use is under Engine::Parts::linking.
class Catalogue {
public:
    struct Variable {
        const VariableSpec* spec = nullptr;
        const ModuleCell* cell = nullptr;
    };

    // Adds what is new and fills in objects. A name two modules give belongs to the first.
    void declare(const std::vector<ModuleInstance>& modules);
    ModuleCell& cell(const AnyManifest* manifest); // made when it is new

    const Variable* variable(std::string_view name) const;
    const TransformationSpec* transformation(std::string_view class_name, std::string_view op) const;
    bool has_class(std::string_view class_name) const;
    std::string_view nearest_variable(std::string_view name) const;
    std::string_view nearest_class(std::string_view name) const;
    std::string_view nearest_op(std::string_view class_name, std::string_view op) const;

    VarNames vars;
    std::map<std::string, std::string> defines; // for $def(X)
    std::shared_ptr<Globals> globals;           // of the program being linked, then of the one in force

private:
    std::deque<ModuleCell> cells_; // addresses stay
    std::map<std::string, Variable, std::less<>> variables_;
    std::map<std::string, std::map<std::string, const TransformationSpec*, std::less<>>, std::less<>>
        classes_;
};

} // namespace sipyard::script
