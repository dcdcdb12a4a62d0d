// modules/timer/declaration.h - "NAME=ROUTE,1000,slow,enable" as a value
#pragma once

#include "core/base/clock.h"
#include "core/base/from_text.h"

#include <string>
#include <string_view>

namespace sipyard::timer {

struct Declaration {
    std::string name, route;
    Duration interval{0}; // at least 1 ms
    bool enabled = false;
};

} // namespace sipyard::timer

template <>
struct sipyard::FromText<sipyard::timer::Declaration> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "NAME=ROUTE,MILLISECONDS,slow|fast,enable";
    static Result<timer::Declaration> parse(std::string_view text);
};
