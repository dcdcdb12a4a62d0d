// modules/timer/declaration.cpp - reading declare_timer
#include "modules/timer/declaration.h"

namespace sipyard {

// slow and fast name Kamailio's two timer queues; there is one here, both are as good.
Result<timer::Declaration> FromText<timer::Declaration>::parse(std::string_view text)
{
    timer::Declaration timer;
    std::string_view rest = text;
    timer.name = trim(cut(rest, '='));
    const auto parts = split(rest, ',');
    timer.route = trim(parts[0]);
    const std::uint64_t interval = parts.size() > 1 ? parse_uint(trim(parts[1])).value_or(0) : 0;
    if (timer.name.empty() || timer.route.empty() || interval == 0 || interval > 4'000'000'000 ||
        parts.size() > 4)
        return invalid(format("'{}' is not {}", text, expected));
    timer.interval = std::chrono::milliseconds{interval};
    const auto queue = parts.size() > 2 ? trim(parts[2]) : std::string_view{};
    if (!queue.empty() && !iequals(queue, "slow") && !iequals(queue, "fast"))
        return invalid(format("'{}': '{}' is neither slow nor fast", text, queue));
    const auto state = parts.size() > 3 ? trim(parts[3]) : std::string_view{};
    if (!state.empty() && !iequals(state, "enable"))
        return invalid(format("'{}': '{}' is not enable", text, state));
    timer.enabled = !state.empty();
    return timer;
}

} // namespace sipyard
