// modules/rtimer/rtimer.cpp - routes that run every so many seconds
#include "core/module/module.h"
#include "core/module/route_timer.h"
#include "modules/rtimer/definition.h"

#include <algorithm>
#include <memory>
#include <vector>

namespace sipyard::rtimer {

class Rtimer {
public:
    struct Settings {
        Seconds default_interval{120};
        std::vector<Definition> timers;
        std::vector<Exec> execs;
    };
    static Manifest<Rtimer> manifest();

    Rtimer(const Settings& settings, Host& host)
        : log_{host.logger("rtimer")}, timers_{timers_of(settings, host, log_)}
    {
        if (!host.checking())
            for (const auto& timer : timers_)
                timer->enable(true);
    }

private:
    using Timers = std::vector<std::unique_ptr<RouteTimer>>;
    static Timers timers_of(const Settings& settings, Host& host, const log::Logger& log);

    const log::Logger log_;
    const Timers timers_;
};

Rtimer::Timers Rtimer::timers_of(const Settings& settings, Host& host, const log::Logger& log)
{
    Counter& skipped =
        host.counter("rtimer", "skipped", "Runs left out because the one before was still going on");
    const auto is_timer = [&settings](const std::string& name) {
        return std::count_if(settings.timers.begin(), settings.timers.end(),
                             [&](const Definition& t) { return t.name == name; });
    };
    for (const Exec& exec : settings.execs)
        if (is_timer(exec.timer) == 0)
            throw StartupError{format("exec: there is no timer '{}'", exec.timer)};
    Timers timers;
    for (const Definition& definition : settings.timers) {
        if (is_timer(definition.name) > 1)
            throw StartupError{format("the timer '{}' is defined twice", definition.name)};
        if (definition.mode > 1)
            log.warn("timer {}: mode={} has no effect, it runs once in each interval", definition.name,
                     definition.mode);
        RouteTimer::Settings timer{.name = definition.name,
                                   .routes = {},
                                   .interval = definition.interval.value_or(std::chrono::seconds{
                                       std::max<std::int64_t>(settings.default_interval.count, 1)}),
                                   .worker = timers.size()};
        for (const Exec& exec : settings.execs)
            if (exec.timer == definition.name)
                timer.routes.push_back(exec.route);
        if (timer.routes.empty())
            log.warn("timer {} runs nothing: there is no exec for it", definition.name);
        else
            timers.push_back(std::make_unique<RouteTimer>(host, log, std::move(timer), skipped));
    }
    return timers;
}

Manifest<Rtimer> Rtimer::manifest()
{
    return {
        .name = "rtimer",
        .about = "Routes that run every so many seconds",
        .params = {param("default_interval", &Settings::default_interval,
                         "Seconds between two runs where a timer names none"),
                   param("timer", &Settings::timers, "A timer: name=ta;interval=10;mode=1"),
                   param("exec", &Settings::execs, "A route it runs: timer=ta;route=TOCK")},
    };
}

} // namespace sipyard::rtimer

SIPYARD_MODULE(sipyard::rtimer::Rtimer)
