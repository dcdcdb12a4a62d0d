// modules/rtimer/definition.h - "name=ta;interval=10;mode=1" and "timer=ta;route=TOCK" as values
#pragma once

#include "core/base/clock.h"
#include "core/base/from_text.h"

#include <optional>
#include <string>
#include <string_view>

namespace sipyard::rtimer {

struct Definition {
    std::string name;
    std::optional<Duration> interval; // none: default_interval
    int mode = 0;
};

struct Exec {
    std::string timer, route;
};

} // namespace sipyard::rtimer

template <>
struct sipyard::FromText<sipyard::rtimer::Definition> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "a timer: name=TEXT;interval=SECONDS;mode=NUMBER";
    static Result<rtimer::Definition> parse(std::string_view text);
};
template <>
struct sipyard::FromText<sipyard::rtimer::Exec> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "timer=NAME;route=ROUTE";
    static Result<rtimer::Exec> parse(std::string_view text);
};
