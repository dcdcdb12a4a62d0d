// modules/acc/put_line.h - a line at a level that is a number in the configuration
#pragma once

#include "core/log/log.h"

#include <algorithm>
#include <string_view>

namespace sipyard::acc {

inline log::Level level_of(int number) { return static_cast<log::Level>(std::clamp(number, -5, 3)); }

// Line ends within the text are shown, not written: nobody forges a record.
inline void put_line(const log::Logger& log, log::Level level, std::string_view text)
{
    switch (level) {
    case log::Level::alert: log.alert("{}", text); break;
    case log::Level::bug:
    case log::Level::critical:
    case log::Level::crit: log.critical("{}", text); break;
    case log::Level::err: log.error("{}", text); break;
    case log::Level::warn: log.warn("{}", text); break;
    case log::Level::notice: log.notice("{}", text); break;
    case log::Level::info: log.info("{}", text); break;
    case log::Level::dbg: log.debug("{}", text); break;
    }
}

} // namespace sipyard::acc
