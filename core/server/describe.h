// core/server/describe.h - a module's manifest as text: sipyard --describe, and what `make docs` compares
// with
#pragma once

#include "core/base/result.h"

#include <string>
#include <string_view>

namespace sipyard::server {

// JSON: name, about, params (name, type, default, about), functions, variables, commands, event_routes.
Result<std::string> describe_module(std::string_view name);
std::string list_modules(); // one name a line

} // namespace sipyard::server
