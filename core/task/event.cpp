// core/task/event.cpp - the one place where fibers wait
#include "core/task/fiber.h"
#include "core/task/worker_parts.h"

#include <cassert>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace sipyard::task {
namespace {

// Whoever waits; on the stack of the waiting side, which cannot leave before the signal has been delivered to
// it.
struct Sleeper {
    virtual void deliver() = 0;

protected:
    ~Sleeper() = default;
};

Sleeper* signalled_mark()
{
    static constinit struct Mark final : Sleeper {
        void deliver() override {}
    } mark;
    return &mark;
}

} // namespace

// Null: nothing has happened. The mark: signalled. Else the one that waits.
struct Event::State {
    std::atomic<Sleeper*> word{nullptr};

    // Takes `me` back unless a signal has been sent already, which then arrives on its own.
    bool withdraw(Sleeper* me)
    {
        return word.compare_exchange_strong(me, nullptr, std::memory_order_acq_rel);
    }
};

namespace {

template <class State>
struct FiberSleeper final : Sleeper, Waiting {
    FiberSleeper(State& its_state, Fiber::Parts& its_fiber) : state{its_state}, fiber{its_fiber}
    {
        Waiting*& first = fiber.worker->waiting;
        next = first;
        link = &first;
        if (first)
            first->link = &next;
        first = this;
    }
    ~FiberSleeper()
    {
        *link = next;
        if (next)
            next->link = link;
    }
    void deliver() override { fiber.worker->resume(fiber); }
    void give_up() override // the deadline has passed, or the runtime stops; on the fiber's worker
    {
        if (!state.withdraw(this))
            return;
        in_time = false;
        fiber.worker->ready(fiber);
    }
    State& state;
    Fiber::Parts& fiber;
    bool in_time = true;
};

struct ThreadSleeper final : Sleeper {
    void deliver() override
    {
        const std::lock_guard<std::mutex> lock{mutex};
        delivered = true;
        condition.notify_one();
    }
    std::mutex mutex;
    std::condition_variable condition;
    bool delivered = false;
};

} // namespace

Event::Event() : state_{std::make_shared<State>()} {}

bool Event::signalled() const { return state_->word.load(std::memory_order_acquire) == signalled_mark(); }

void Event::signal() const
{
    Sleeper* const mark = signalled_mark();
    Sleeper* const before = state_->word.exchange(mark, std::memory_order_acq_rel);
    if (before && before != mark)
        before->deliver();
}

bool Event::wait(Instant deadline) const
{
    if (signalled())
        return true;
    State& state = *state_;
    const auto take_seat = [&state](Sleeper& me) {
        Sleeper* seat = nullptr;
        if (state.word.compare_exchange_strong(seat, &me, std::memory_order_acq_rel))
            return true;
        assert(seat == signalled_mark() && "one waits at an event");
        return false;
    };
    if (Fiber* const fiber = Fiber::current()) {
        Fiber::Parts& parts = fiber->parts();
        if (parts.worker->shared.stopping.load() || deadline <= parts.worker->now())
            return false;
        FiberSleeper<State> me{state, parts};
        if (!take_seat(me))
            return true;
        std::optional<Timer> timer;
        if (deadline != never) {
            timer.emplace(*parts.worker->self, [&me] { me.give_up(); });
            timer->arm(deadline);
        }
        parts.suspend();
        return me.in_time;
    }
    ThreadSleeper me;
    if (!take_seat(me))
        return true;
    std::unique_lock<std::mutex> lock{me.mutex};
    const auto delivered = [&me] { return me.delivered; };
    if (deadline == never) {
        me.condition.wait(lock, delivered);
        return true;
    }
    const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds{deadline.ns}};
    if (me.condition.wait_until(lock, until, delivered))
        return true;
    if (state.withdraw(&me))
        return false;
    me.condition.wait(lock, delivered);
    return true;
}

void sleep_until(Instant when)
{
    const Event nobody_signals;
    nobody_signals.wait(when);
}

void yield()
{
    Fiber* const fiber = Fiber::current();
    if (!fiber)
        return;
    Fiber::Parts& parts = fiber->parts();
    parts.worker->ready(parts);
    parts.suspend();
}

} // namespace sipyard::task
