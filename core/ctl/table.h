// core/ctl/table.h - JSON answers as people like to read them
#pragma once

#include "core/json/value.h"

#include <string>

namespace sipyard::ctl {

// A list of objects becomes a table with a heading, an object two columns, a list of plain values a line
// each, a text itself. Control characters are shown as '.', so no answer can play with the terminal.
std::string to_table(const json::Value& answer);

} // namespace sipyard::ctl
