// modules/htable/matcher.h - which items are meant: eq, ne, re, sw and $shtcn's prefixes
#pragma once

#include "core/base/regex.h"
#include "core/base/result.h"
#include "modules/htable/table.h"

#include <optional>
#include <string_view>

namespace sipyard::htable {

// Keeps a view of the text it compares with: for the duration of a call.
class MatcherView {
public:
    enum class Op : unsigned char { all, equal, differs, regex, prefix };
    // op: eq ne re sw. Patterns are POSIX extended, letters of either case.
    static Result<MatcherView> parse(std::string_view op, std::string_view text);
    // "~~regex", "~%prefix", "eqtext", "**" for all; without an operator a regex.
    static Result<MatcherView> parse_counted(std::string_view expression);

    bool matches(std::string_view text) const;
    bool matches(const Held& value) const; // an integer is compared as its digits

private:
    Op op_ = Op::all;
    std::string_view text_;
    std::optional<Regex> regex_;
};

} // namespace sipyard::htable
