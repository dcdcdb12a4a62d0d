// core/script/pvar.h - the text of a pseudo-variable taken apart: $(name(inner)[index]{class.op,args})
// (spec/script 15, 16)
#pragma once

#include "core/base/result.h"

#include <optional>
#include <string_view>
#include <vector>

namespace sipyard::script {

// The views point into the text that was read.
struct PvarText {
    std::string_view text;                 // all of it, '$' included
    std::string_view name;                 // "hdr", "rU", "from.user", "?"
    std::optional<std::string_view> inner; // between the parentheses after the name; may be empty
    std::optional<std::string_view> index; // between the brackets
    std::string_view steps;                // "{s.len}{...}" as written, braces included
};

// Reads the variable at the start of `text` (a '$' and not "$$"); what follows it is the caller's.
Result<PvarText> read_pvar(std::string_view text);

// A transformation as written: class and op around the first dot, and what follows the first comma.
struct StepText {
    std::string_view class_name, op;
    std::optional<std::string_view> arguments; // not split; nothing without a comma
};
// Reads "{class.op,...}" at the start of `steps` and removes it. For an op whose argument is raw text
// (`is_raw` says which), the brace that ends it is the first one that ends the text or stands before the next
// "{class.".
Result<StepText> take_step(std::string_view& steps,
                           bool (*is_raw)(const void* who, std::string_view class_name, std::string_view op),
                           const void* who);

// Arguments split at ','. One that would be empty because a comma follows at once is that comma: "0,," is "0"
// and ",".
std::vector<std::string_view> split_arguments(std::string_view arguments);

} // namespace sipyard::script
