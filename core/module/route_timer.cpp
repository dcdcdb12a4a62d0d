// core/module/route_timer.cpp - routes by the clock
#include "core/module/route_timer.h"

#include "core/module/local_request.h"
#include "core/task/runtime.h"

namespace sipyard {

RouteTimer::RouteTimer(Host& host, log::Logger log, Settings settings, Counter& skipped)
    : host_{host}, log_{log}, settings_{std::move(settings)}, skipped_{skipped},
      worker_{host.runtime().worker(settings_.worker % host.runtime().workers())},
      timer_{std::make_unique<task::Timer>(worker_, [this] { due(); })}
{
}

RouteTimer::~RouteTimer()
{
    host_.runtime().on_every_worker([this](task::Worker& worker) {
        if (&worker == &worker_)
            timer_.reset();
    });
}

void RouteTimer::enable(bool on)
{
    if (enabled_.exchange(on) == on || !on)
        return;
    worker_.post([this] {
        next_ = worker_.now() + settings_.interval;
        timer_->arm(next_);
    });
}

void RouteTimer::due()
{
    if (!enabled())
        return;
    const Instant now = worker_.now();
    next_ = next_ + settings_.interval;
    if (next_ <= now) // after a stall the missed ticks are not made up for
        next_ = now + settings_.interval;
    timer_->arm(next_);
    if (running_.exchange(true)) {
        skipped_.add();
        return;
    }
    if (!worker_.spawn([this] { run(); })) { // no room for new work: better late than in the way of calls
        running_ = false;
        skipped_.add();
    }
}

void RouteTimer::run()
{
    const struct Ended {
        std::atomic<bool>& running;
        ~Ended() { running = false; }
    } ended{running_};
    for (const std::string& route : settings_.routes) {
        LocalRequest request{host_, Route::request};
        const auto ran = host_.run_route(Route::request, route, *request);
        if (!ran && !missing_told_.exchange(true))
            log_.error("timer {}: route[{}]: {}", settings_.name, route, ran.error().text);
    }
}

} // namespace sipyard
