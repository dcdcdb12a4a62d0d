// modules/rtimer/definition.cpp - reading timers and what they run
#include "modules/rtimer/definition.h"

namespace sipyard {

Result<rtimer::Definition> FromText<rtimer::Definition>::parse(std::string_view text)
{
    rtimer::Definition timer;
    for (const auto part : split(text, ';')) {
        if (trim(part).empty())
            continue;
        std::string_view rest = part;
        const auto name = trim(cut(rest, '='));
        auto value = trim(rest);
        if (iequals(name, "name")) {
            timer.name = value;
        } else if (iequals(name, "mode")) {
            const auto mode = parse_uint(value);
            if (!mode || *mode > 1000)
                return invalid(format("mode={} is not a number of processes", value));
            timer.mode = static_cast<int>(*mode);
        } else if (iequals(name, "interval")) {
            const bool micro = value.ends_with('u') || value.ends_with('U');
            if (micro)
                value.remove_suffix(1);
            const auto number = parse_uint(value);
            if (!number || *number == 0 || *number > 4'000'000'000)
                return invalid(format("interval={} is not a time of at least 1", trim(rest)));
            timer.interval = micro ? Duration{std::chrono::microseconds{*number}}
                                   : Duration{std::chrono::seconds{*number}};
            if (*timer.interval < 1ms)
                return invalid(format("interval={}: less than 1000u is not possible", trim(rest)));
        } else {
            return invalid(format("'{}' is nothing a timer has: expected name, interval or mode", name));
        }
    }
    if (timer.name.empty())
        return invalid("the timer has no name=");
    return timer;
}

Result<rtimer::Exec> FromText<rtimer::Exec>::parse(std::string_view text)
{
    rtimer::Exec exec;
    for (const auto part : split(text, ';')) {
        if (trim(part).empty())
            continue;
        std::string_view rest = part;
        const auto name = trim(cut(rest, '='));
        if (iequals(name, "timer"))
            exec.timer = trim(rest);
        else if (iequals(name, "route"))
            exec.route = trim(rest);
        else
            return invalid(format("'{}': expected timer= or route=", name));
    }
    if (exec.timer.empty() || exec.route.empty())
        return invalid(format("'{}': timer= and route= are needed", text));
    return exec;
}

} // namespace sipyard
