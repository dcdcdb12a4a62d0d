// core/script/pattern.h - a regular expression of the script with short cuts for the simple ones
#pragma once

#include "core/base/regex.h"
#include "core/base/result.h"

#include <string>
#include <string_view>

namespace sipyard::script {

// POSIX extended syntax, unanchored. Patterns of plain characters ("^00", "^\+", "friendly") are compared
// directly, and
// "^49(15|16)" looks at the 49 before it asks the expression. Immutable; may be shared between threads.
class Pattern {
public:
    static Result<Pattern> compile(std::string_view pattern, Regex::Case letters);
    bool matches(std::string_view subject) const;
    std::string_view text() const { return regex_.pattern(); }

private:
    enum class Kind : unsigned char { regex, prefix, equal, contains };
    explicit Pattern(Regex regex) : regex_{std::move(regex)} {}
    bool starts(std::string_view subject) const;

    Regex regex_;
    std::string literal_; // lower-case when case does not matter
    Kind kind_ = Kind::regex;
    bool has_prefix_ = false; // of `regex`: literal_ must stand at the start
    bool any_case_ = false;
};

} // namespace sipyard::script
