// modules/timer/timer.cpp - routes that run every so many milliseconds and may be switched on and off
#include "core/module/module.h"
#include "core/module/route_timer.h"
#include "modules/timer/declaration.h"

#include <memory>
#include <vector>

namespace sipyard::timer {

class Timer {
public:
    struct Settings {
        std::vector<Declaration> timers;
    };
    static Manifest<Timer> manifest();

    Timer(const Settings& settings, Host& host)
        : log_{host.logger("timer")}, timers_{timers_of(settings, host, log_)}
    {
        if (host.checking())
            return;
        for (std::size_t i = 0; i < timers_.size(); ++i)
            timers_[i]->enable(settings.timers[i].enabled);
    }

private:
    using Timers = std::vector<std::unique_ptr<RouteTimer>>;
    static Timers timers_of(const Settings& settings, Host& host, const log::Logger& log)
    {
        Counter& skipped =
            host.counter("timer", "skipped", "Runs left out because the one before was still going on");
        Timers timers;
        for (const Declaration& one : settings.timers) {
            for (const auto& other : timers)
                if (other->name() == one.name)
                    throw StartupError{format("the timer '{}' is declared twice", one.name)};
            timers.push_back(std::make_unique<RouteTimer>(
                host, log, RouteTimer::Settings{one.name, {one.route}, one.interval, timers.size()},
                skipped));
        }
        return timers;
    }

    Verdict timer_enable(Request&, std::string_view name, std::int64_t on)
    {
        for (const auto& timer : timers_)
            if (timer->name() == name) {
                timer->enable(on != 0);
                return Verdict::yes();
            }
        log_.error("timer_enable: there is no timer '{}'", name);
        return Verdict::no();
    }

    const log::Logger log_;
    const Timers timers_;
};

Manifest<Timer> Timer::manifest()
{
    return {
        .name = "timer",
        .about = "Routes that run every so many milliseconds, switched on and off by the script",
        .params = {param("declare_timer", &Settings::timers,
                         "A timer: NAME=ROUTE,MILLISECONDS,slow|fast,enable")},
        .functions = {function("timer_enable", &Timer::timer_enable, "Switches a timer on (1) or off (0)")},
    };
}

} // namespace sipyard::timer

SIPYARD_MODULE(sipyard::timer::Timer)
