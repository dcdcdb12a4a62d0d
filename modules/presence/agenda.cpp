// modules/presence/agenda.cpp - when resources have something to do
#include "modules/presence/agenda.h"

#include <algorithm>

namespace sipyard::presence {
namespace {

constexpr std::size_t at_once = 256; // of one fiber, so that others get the worker in between

}

Agenda::Agenda(task::Runtime& runtime, std::function<void(const ResourcePtr&)> due)
    : runtime_{runtime}, due_{std::move(due)}
{
    for (std::size_t i = 0; i < runtime.workers(); ++i)
        shares_.push_back(std::make_unique<Share>());
}

Agenda::~Agenda()
{
    runtime_.on_every_worker([this](task::Worker& worker) { shares_[worker.index()]->timer.reset(); });
}

void Agenda::add(Instant when, const ResourcePtr& resource)
{
    task::Worker* const here = task::Worker::current();
    task::Worker& worker = here && &here->runtime() == &runtime_ ? *here : runtime_.worker(0);
    const bool first = shares_[worker.index()]->heap.with([&](std::vector<Item>& heap) {
        heap.push_back({when, resource});
        std::push_heap(heap.begin(), heap.end());
        return heap.front().when == when;
    });
    if (!first)
        return;
    if (&worker == here)
        arm(worker);
    else
        worker.post([this, &worker] { arm(worker); });
}

void Agenda::arm(task::Worker& worker)
{
    Share& share = *shares_[worker.index()];
    const Instant when = share.heap.with(
        [](const std::vector<Item>& heap) { return heap.empty() ? task::never : heap.front().when; });
    if (when == task::never)
        return;
    if (!share.timer)
        share.timer = std::make_unique<task::Timer>(worker, [this, &worker] { fire(worker); });
    share.timer->arm(when);
}

void Agenda::fire(task::Worker& worker)
{
    const Instant now = runtime_.clock().now();
    auto due = shares_[worker.index()]->heap.with([&](std::vector<Item>& heap) {
        std::vector<std::weak_ptr<Resource>> all;
        while (!heap.empty() && heap.front().when <= now && all.size() < at_once) {
            std::pop_heap(heap.begin(), heap.end());
            all.push_back(std::move(heap.back().who));
            heap.pop_back();
        }
        return all;
    });
    if (!due.empty())
        worker.spawn_always([this, all = std::move(due)] {
            for (const auto& one : all)
                if (const ResourcePtr resource = one.lock())
                    due_(resource);
        });
    arm(worker);
}

} // namespace sipyard::presence
