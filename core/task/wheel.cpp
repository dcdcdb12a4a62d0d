// core/task/wheel.cpp - placing, cascading and running timers
#include "core/task/wheel.h"

#include "core/task/fiber.h"
#include "core/task/worker_parts.h"

#include <algorithm>
#include <bit>

namespace sipyard::task {

std::uint64_t Wheel::tick_of(Instant when)
{
    return static_cast<std::uint64_t>(std::max<std::int64_t>(when.ns, 0)) >> tick_shift;
}

bool Wheel::empty() const
{
    return std::all_of(used_.begin(), used_.end(), [](std::uint64_t level) { return level == 0; });
}

void Wheel::link(Timer*& head, Timer& timer)
{
    timer.next_ = head;
    timer.link_ = &head;
    if (head)
        head->link_ = &timer.next_;
    head = &timer;
}

void Wheel::place(Timer& timer)
{
    const std::uint64_t tick = std::max(tick_of(timer.when_), current_);
    const std::uint64_t differs = tick ^ current_;
    const unsigned level = differs == 0 ? 0 : (63U - static_cast<unsigned>(std::countl_zero(differs))) / bits;
    const unsigned slot = (tick >> (bits * level)) % slots;
    if (tick == current_)
        current_min_ = std::min(current_min_, timer.when_.ns);
    used_[level] |= std::uint64_t{1} << slot;
    link(slot_[level][slot], timer);
}

void Wheel::arm(Timer& timer)
{
    cancel(timer);
    place(timer);
}

void Wheel::cancel(Timer& timer)
{
    if (timer.link_ == nullptr)
        return;
    *timer.link_ = timer.next_;
    if (timer.next_)
        timer.next_->link_ = timer.link_;
    // The slot may be empty now. A head pointer tells which slot it is.
    Timer** const first = &slot_[0][0];
    const auto at = timer.link_ - first;
    if (*timer.link_ == nullptr && std::less_equal<>{}(first, timer.link_) &&
        std::less<>{}(timer.link_, first + std::size_t{levels} * slots)) {
        const auto place = static_cast<unsigned>(at);
        used_[place / slots] &= ~(std::uint64_t{1} << (place % slots));
    }
    timer.link_ = nullptr;
    timer.next_ = nullptr;
}

void Wheel::forget(Timer& timer)
{
    cancel(timer);
    if (running_ == &timer)
        running_ = nullptr;
}

Timer* Wheel::reversed(Timer* list)
{
    Timer* result = nullptr;
    while (list) {
        Timer* const next = list->next_;
        list->next_ = result;
        result = list;
        list = next;
    }
    return result;
}

Timer* Wheel::take(unsigned level, unsigned slot)
{
    Timer* const list = slot_[level][slot];
    slot_[level][slot] = nullptr;
    used_[level] &= ~(std::uint64_t{1} << slot);
    return reversed(list);
}

// Merge sort by deadline; stable, so equal deadlines run in the order they were armed.
Timer* Wheel::sorted(Timer* list)
{
    if (list == nullptr || list->next_ == nullptr)
        return list;
    Timer* middle = list;
    for (Timer* end = list->next_; end && end->next_; end = end->next_->next_)
        middle = middle->next_;
    Timer* second = sorted(std::exchange(middle->next_, nullptr));
    Timer* first = sorted(list);
    Timer* result = nullptr;
    Timer** tail = &result;
    while (first && second) {
        Timer*& least = second->when_ < first->when_ ? second : first;
        *tail = least;
        tail = &least->next_;
        least = least->next_;
    }
    *tail = first ? first : second;
    return result;
}

void Wheel::append_due(Timer* list)
{
    for (Timer* timer = sorted(list); timer != nullptr;) {
        Timer* const next = timer->next_;
        timer->next_ = nullptr;
        timer->link_ = due_tail_;
        *due_tail_ = timer;
        due_tail_ = &timer->next_;
        timer = next;
    }
}

std::uint64_t Wheel::next_stop(unsigned& level) const
{
    for (level = 0; level < levels; ++level) {
        const unsigned shift = bits * level;
        const unsigned here = (current_ >> shift) % slots;
        const std::uint64_t later = here + 1 < slots ? used_[level] & (~std::uint64_t{0} << (here + 1)) : 0;
        if (later)
            return ((current_ >> shift >> bits) << bits | static_cast<unsigned>(std::countr_zero(later)))
                   << shift;
    }
    return UINT64_MAX;
}

void Wheel::advance(Instant now, Function<void(Job&)>& run)
{
    const std::uint64_t target = tick_of(now);
    // All that is due leaves the wheel before the first callback runs, so callbacks find a wheel at rest.
    while (current_ < target) {
        append_due(take(0, current_ % slots));
        unsigned level = 0;
        const std::uint64_t stop = next_stop(level);
        current_min_ = INT64_MAX;
        current_ = std::min(stop, target);
        if (stop > target)
            break;
        if (level > 0) {
            for (Timer* timer = take(level, (stop >> (bits * level)) % slots); timer != nullptr;) {
                Timer* const next = timer->next_;
                place(*timer);
                timer = next;
            }
        } else {
            current_min_ = 0; // not known: the slot is looked through below if it is the last
        }
    }
    if (current_min_ <= now.ns) {
        current_min_ = INT64_MAX;
        Timer* due = nullptr;
        Timer** tail = &due;
        for (Timer* timer = take(0, current_ % slots); timer != nullptr;) {
            Timer* const next = timer->next_;
            if (timer->when_ <= now) {
                *tail = timer;
                tail = &timer->next_;
                timer->next_ = nullptr;
            } else {
                place(*timer);
            }
            timer = next;
        }
        append_due(due);
    }
    while (due_) {
        Timer& timer = *due_;
        cancel(timer);
        running_ = &timer;
        // The callback may destroy its timer, so it runs from here.
        Job on_time = std::move(timer.on_time_);
        run(on_time);
        if (running_)
            timer.on_time_ = std::move(on_time);
        running_ = nullptr;
    }
    due_tail_ = &due_;
}

Instant Wheel::earliest() const
{
    if (due_)
        return due_->when_;
    for (unsigned level = 0; level < levels; ++level) {
        if (used_[level] == 0)
            continue;
        Instant least = never;
        for (const Timer* timer = slot_[level][static_cast<unsigned>(std::countr_zero(used_[level]))]; timer;
             timer = timer->next_)
            least = std::min(least, timer->when_);
        return least;
    }
    return never;
}

Instant Wheel::sleep_until() const
{
    if (used_[0] >> (current_ % slots) & 1)
        return {current_min_};
    unsigned level = 0;
    const std::uint64_t stop = next_stop(level);
    if (stop == UINT64_MAX)
        return never;
    // On the lowest level the end of the tick: one wake-up for all its timers.
    const std::uint64_t tick = stop + (level == 0 ? 1 : 0);
    return tick >= (std::uint64_t{1} << (63 - tick_shift))
               ? never
               : Instant{static_cast<std::int64_t>(tick << tick_shift)};
}

// --- Timer ---------------------------------------------------------------------------------------

Timer::Timer(Worker& worker, Job on_time) : worker_{worker}, on_time_{std::move(on_time)} {}

Timer::~Timer() { worker_.parts().wheel.forget(*this); }

void Timer::arm(Instant when)
{
    worker_.parts().check_thread();
    when_ = when;
    worker_.parts().wheel.arm(*this);
}

void Timer::arm_in(Duration delay)
{
    const Instant now = worker_.now();
    arm(delay.count() > never.ns - now.ns ? never : now + delay);
}

void Timer::cancel()
{
    worker_.parts().check_thread();
    worker_.parts().wheel.cancel(*this);
}

bool Timer::armed() const { return link_ != nullptr; }

} // namespace sipyard::task
