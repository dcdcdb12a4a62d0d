// core/script/ifexp.h - the expressions of #!ifexp and #!defexp (spec/script 2)
#pragma once

#include "core/base/result.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sipyard::script {

using IfexpValue = std::variant<std::int64_t, std::string>;

// The value of a defined name, nothing when it is not defined. A define without a value gives "".
using IfexpNames = std::function<std::optional<std::string>(std::string_view name)>;

// Numbers, "strings" and 'strings', names (undefined: 0, without value: 1, else their value as number or
// string),
// + - * / % == != < <= > >= ! && || ( ). `+` joins two strings. Fails with a sentence that holds the
// offending text.
Result<IfexpValue> evaluate_ifexp(std::string_view text, const IfexpNames& names);

bool is_true(const IfexpValue& value); // non-zero, non-empty

} // namespace sipyard::script
