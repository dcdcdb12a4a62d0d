// modules/presence/agenda.h - when resources have something to do: a timer and a heap for each worker
#pragma once

#include "core/base/clock.h"
#include "core/base/guarded.h"
#include "core/task/runtime.h"
#include "modules/presence/resource.h"

#include <functional>
#include <memory>
#include <vector>

namespace sipyard::presence {

// Thread-safe. An appointment is never taken back: who is called looks whether it still holds.
class Agenda {
public:
    // `due` is called on a fiber, for one resource after another.
    Agenda(task::Runtime& runtime, std::function<void(const ResourcePtr&)> due);
    ~Agenda(); // not on a fiber
    Agenda(const Agenda&) = delete;
    Agenda& operator=(const Agenda&) = delete;
    void add(Instant when, const ResourcePtr& resource);

private:
    struct Item {
        Instant when;
        std::weak_ptr<Resource> who;
        friend bool operator<(const Item& a, const Item& b) { return b.when < a.when; } // earliest on top
    };
    struct Share { // of one worker
        Guarded<std::vector<Item>> heap;
        std::unique_ptr<task::Timer> timer; // the worker's own
    };
    void arm(task::Worker& worker); // on that worker
    void fire(task::Worker& worker);

    task::Runtime& runtime_;
    const std::function<void(const ResourcePtr&)> due_;
    std::vector<std::unique_ptr<Share>> shares_;
};

} // namespace sipyard::presence
