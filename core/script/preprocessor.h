// core/script/preprocessor.h - defines, substitutions and conditions; the lexer finds the directives
// (spec/script 2)
#pragma once

#include "core/base/regex.h"
#include "core/base/result.h"
#include "core/script/diagnostic.h"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::script {

class Preprocessor {
public:
    static constexpr std::size_t most_defines = 512; // the operator's, not counting those of the server
    static constexpr std::size_t deepest_ifdef = 512;
    // A text with variables valid at start becomes plain text.
    using Expand = std::function<Result<std::string>(std::string_view)>;

    // Defines what every configuration finds: KAMAILIO_5 ..., KAMAILIO_VERSION, OS_NAME, SIPYARD.
    explicit Preprocessor(Expand expand);

    enum class Existing : unsigned char { error, keep, replace };
    // Value empty: defined without value. Fails with "already defined: ID" and when there are too many.
    Result<void> define(const std::string& id, std::string value, Existing existing);
    // True when it was defined.
    bool undef(const std::string& id);
    bool is_defined(std::string_view id) const { return defines_.find(id) != defines_.end(); }
    std::optional<std::string> value(std::string_view id) const;
    void module_loaded(std::string_view module); // MOD_x
    // "ID" or "ID=ENV"; `quoted` puts double quotes around. Fails when the variable is missing.
    Result<void> define_from_environment(std::string_view spec, bool quoted, bool may_be_missing);
    Result<void> define_expression(const std::string& id, std::string_view expression, bool quoted);

    // The "/re/repl/flags" of #!subst. `as_define`: ID and value are a define too.
    enum class AlsoDefine : unsigned char { no, plain, quoted };
    Result<void> add_substitution(std::string_view text, AlsoDefine also);
    // A string, variable or include name with every rule applied in order.
    std::string substituted(std::string text) const;

    // Conditions. `active` says whether the text is to be read.
    bool active() const { return conditions_.empty() || conditions_.back().active; }
    Result<void> begin_if(bool holds, Position at); // fails when they nest too deep
    Result<bool> evaluate(std::string_view expression) const;
    bool flip();   // #!else: false when there is nothing to flip
    bool end_if(); // #!endif: false when there is none
    // More ifs than endifs; their places.
    std::vector<Position> open() const;

    std::map<std::string, std::string> defines() const { return {defines_.begin(), defines_.end()}; }

private:
    struct Condition {
        bool active = false, outer = false, flipped = false;
        Position at{};
    };
    struct Rule {
        Substitution substitution;
        std::string replacement; // variables expanded
    };
    Expand expand_;
    std::map<std::string, std::string, std::less<>> defines_;
    std::size_t own_defines_ = 0;
    std::vector<Rule> rules_;
    std::vector<Condition> conditions_;
};

// The expansion used when nobody gives a better one: $env(X), $envn(X) and $$; $def(X) is known inside a
// file.
Result<std::string> expand_environment(std::string_view text);

} // namespace sipyard::script
