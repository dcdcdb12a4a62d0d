// core/script/runtime_globals.h - custom global parameters: group.name with instances, changed while running
// (spec/script 7)
#pragma once

#include "core/base/arena.h"
#include "core/base/guarded.h"
#include "core/base/result.h"
#include "core/module/value.h"
#include "core/script/ast.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sipyard::script {

// The parameters of one configuration. Which there are is fixed; their values change by command. Thread-safe.
class Globals {
public:
    using Held = std::variant<std::int64_t, std::string>;
    struct Listed {
        std::string group, name, description;
        Held value;
    };

    explicit Globals(const std::vector<ast::CustomGlobal>& declared);

    // Number of the variable, for get(); nothing when it has not been declared.
    std::optional<std::size_t> find(std::string_view group, std::string_view name) const;
    bool has_group(std::string_view group) const;
    std::vector<std::string_view> names() const; // "group.name", for "did you mean"
    // The value of that instance if it has one of its own, else the common one. A text is copied into the
    // arena.
    Value get(std::size_t variable, std::optional<std::int64_t> instance, Arena& arena) const;

    // not_found: no such group or name. invalid: a text for a number. An instance that is new is made.
    Result<void> set(std::string_view group, std::string_view name, std::optional<std::int64_t> instance,
                     Held value);
    std::vector<Listed> list() const;

private:
    struct Variable {
        std::string group, name, description;
        bool integer = false;
        Held value;
        std::map<std::int64_t, Held> instances;
    };
    Guarded<std::vector<Variable>> variables_;
    std::map<std::string, std::size_t, std::less<>> numbers_; // by "group.name"; never changes
};

} // namespace sipyard::script
