// core/log/line.h - how a log line is written (for the files of this room)
#pragma once

#include "core/log/log.h"

namespace sipyard::log {

// ` 0(4711) INFO: [prefix]<name>: text`, as Kamailio's operators and their log filters know it.
std::string line_of(Level level, std::string_view prefix, std::string_view name, std::string_view text);

enum class LineEnd : unsigned char { kept, shown };
// Control characters become \n, \r, \xNN; a tab stays, and so do line ends where they are kept.
std::string printable(std::string_view text, LineEnd line_ends);

} // namespace sipyard::log
