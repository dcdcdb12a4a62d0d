// modules/tm/ua_alarms.cpp - the earliest job decides when the timer rings
#include "modules/tm/ua_alarms.h"

#include <optional>
#include <vector>

namespace sipyard::tm {

Alarms::~Alarms()
{
    runtime_.on_every_worker([this](task::Worker& worker) {
        if (worker.index() == 0)
            timer_.reset();
    });
}

Alarms::Id Alarms::at(Instant when, task::Job job)
{
    bool sooner = false;
    const Id id = waiting_.with([&](Waiting& w) {
        const Id made{when, ++w.serials};
        w.jobs.emplace(made, std::move(job));
        sooner = when < w.armed;
        if (sooner)
            w.armed = when;
        return made;
    });
    if (sooner)
        runtime_.worker(0).post([this] { arm(); });
    return id;
}

void Alarms::cancel(Id& id)
{
    if (!id)
        return;
    // The job goes outside of the lock: what it holds may be the last of its kind.
    const auto gone = waiting_.with([&](Waiting& w) { return w.jobs.extract(id); });
    id = {};
}

void Alarms::arm()
{
    if (!timer_)
        timer_ = std::make_unique<task::Timer>(runtime_.worker(0), [this] { on_time(); });
    const Instant next = waiting_.with([](Waiting& w) {
        w.armed = w.jobs.empty() ? task::never : w.jobs.begin()->first.when;
        return w.armed;
    });
    if (next == task::never)
        timer_->cancel();
    else
        timer_->arm(next);
}

void Alarms::on_time()
{
    const Instant now = runtime_.clock().now();
    std::vector<task::Job> due;
    waiting_.with([&](Waiting& w) {
        while (!w.jobs.empty() && w.jobs.begin()->first.when <= now) {
            due.push_back(std::move(w.jobs.begin()->second));
            w.jobs.erase(w.jobs.begin());
        }
    });
    for (task::Job& job : due)
        job();
    arm();
}

} // namespace sipyard::tm
