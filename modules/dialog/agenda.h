// modules/dialog/agenda.h - when something is to be done with a dialog: one timer for all of them
#pragma once

#include "core/base/clock.h"
#include "core/base/guarded.h"
#include "core/task/runtime.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

namespace sipyard::dialog {

enum class Task : unsigned char { deadline, keepalive };

// Thread-safe. An appointment is never taken back: who is called looks whether it still holds, so moving a
// deadline to a later time costs nothing.
class Agenda {
public:
    struct Item {
        Instant when;
        std::uint32_t entry = 0, id = 0;
        Task task = Task::deadline;
        friend bool operator>(const Item& a, const Item& b) { return a.when > b.when; }
    };
    // `due` is called on fibers of worker 0, one item after another.
    Agenda(task::Runtime& runtime, std::function<void(const Item&)> due)
        : runtime_{runtime}, due_{std::move(due)}
    {
    }
    ~Agenda();
    Agenda(const Agenda&) = delete;
    Agenda& operator=(const Agenda&) = delete;
    void add(const Item& item);

private:
    using Queue = std::priority_queue<Item, std::vector<Item>, std::greater<>>;
    void arm();                                 // on worker 0
    void fire();                                // on worker 0
    static constexpr std::size_t at_once = 256; // of one fiber, so that others get the worker in between

    task::Runtime& runtime_;
    const std::function<void(const Item&)> due_;
    Guarded<Queue> queue_;
    std::unique_ptr<task::Timer> timer_; // worker 0's
};

} // namespace sipyard::dialog
