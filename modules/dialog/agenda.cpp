// modules/dialog/agenda.cpp - when something is to be done with a dialog
#include "modules/dialog/agenda.h"

namespace sipyard::dialog {

Agenda::~Agenda()
{
    runtime_.on_every_worker([this](task::Worker& worker) {
        if (worker.index() == 0)
            timer_.reset();
    });
}

void Agenda::add(const Item& item)
{
    const bool first = queue_.with([&](Queue& queue) {
        queue.push(item);
        return queue.top().when == item.when;
    });
    if (first)
        runtime_.worker(0).post([this] { arm(); });
}

void Agenda::arm()
{
    const Instant when =
        queue_.with([](const Queue& queue) { return queue.empty() ? Instant{INT64_MAX} : queue.top().when; });
    if (when == Instant{INT64_MAX})
        return;
    if (!timer_)
        timer_ = std::make_unique<task::Timer>(runtime_.worker(0), [this] { fire(); });
    timer_->arm(when);
}

void Agenda::fire()
{
    const Instant now = runtime_.clock().now();
    auto due = queue_.with([&](Queue& queue) {
        std::vector<Item> items;
        while (!queue.empty() && queue.top().when <= now && items.size() < at_once) {
            items.push_back(queue.top());
            queue.pop();
        }
        return items;
    });
    if (!due.empty())
        runtime_.worker(0).spawn_always([this, items = std::move(due)] {
            for (const Item& item : items)
                due_(item);
        });
    arm();
}

} // namespace sipyard::dialog
