// modules/db_unixodbc/watchdog.cpp - the watchdog's thread
#include "modules/db_unixodbc/watchdog.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <thread>
#include <utility>
#include <vector>

namespace sipyard::db_unixodbc {
namespace {
constexpr auto beat = std::chrono::milliseconds{50}; // real time: the clock of a test may stand still
}

struct Watchdog::State {
    State(const Clock& its_clock, std::function<bool()> its_tick)
        : clock{its_clock}, tick{std::move(its_tick)}
    {
    }
    const Clock& clock;
    const std::function<bool()> tick;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::weak_ptr<Slot>> slots;
    std::thread thread;
    std::atomic<bool> awake{false};
    bool started = false, stopping = false, ended = false;
};

void Watchdog::Slot::begin(Instant deadline)
{
    const std::lock_guard lock{mutex_};
    running_ = true;
    due_ = deadline;
}

void Watchdog::Slot::end()
{
    const std::lock_guard lock{mutex_};
    running_ = false;
}

void Watchdog::Slot::set_cancel(std::function<void()> cancel, Duration every)
{
    const std::lock_guard lock{mutex_};
    cancel_ = std::move(cancel);
    every_ = every;
}

Watchdog::Watchdog(const Clock& clock, std::function<bool()> tick)
    : state_{std::make_shared<State>(clock, std::move(tick))}
{
}

void Watchdog::stop()
{
    std::unique_lock lock{state_->mutex};
    state_->stopping = true;
    state_->changed.notify_all();
    if (!std::exchange(state_->started, false))
        return;
    if (state_->changed.wait_for(lock, std::chrono::seconds{2}, [this] { return state_->ended; })) {
        lock.unlock();
        state_->thread.join();
    } else {
        state_->thread.detach();
    }
}

std::shared_ptr<Watchdog::Slot> Watchdog::make_slot()
{
    auto slot = std::make_shared<Slot>(); // shared by its connection and, during a look, by the watchdog
    const std::lock_guard lock{state_->mutex};
    std::erase_if(state_->slots, [](const auto& old) { return old.expired(); });
    state_->slots.push_back(slot);
    return slot;
}

void Watchdog::wake()
{
    if (state_->awake.load())
        return;
    const std::lock_guard lock{state_->mutex};
    if (state_->stopping)
        return;
    state_->awake = true;
    if (!state_->started) {
        state_->started = true;
        state_->thread = std::thread{[state = state_] { watch(state); }};
    }
    state_->changed.notify_all();
}

void Watchdog::watch(const std::shared_ptr<State>& state)
{
    std::unique_lock lock{state->mutex};
    while (!state->stopping) {
        const auto slots = state->slots;
        // Set before the look: who begins a statement after it finds us asleep and wakes us.
        state->awake = false;
        lock.unlock();
        bool again = false;
        for (const auto& weak : slots) {
            const auto slot = weak.lock();
            if (!slot)
                continue;
            const std::lock_guard busy{slot->mutex_};
            if (!slot->running_)
                continue;
            again = true;
            // A cancel that came before the statement had begun to run is lost, so it is repeated.
            if (const Instant now = state->clock.now(); slot->due_ <= now && slot->cancel_) {
                slot->cancel_();
                slot->due_ = now + slot->every_;
            }
        }
        lock.lock();
        if (state->stopping)
            break;
        lock.unlock();
        again = state->tick() || again;
        lock.lock();
        if (state->stopping)
            break;
        if (again) {
            state->awake = true;
            state->changed.wait_for(lock, beat, [&] { return state->stopping; });
        } else {
            state->changed.wait(lock, [&] { return state->stopping || state->awake.load(); });
        }
    }
    state->ended = true;
    state->changed.notify_all();
}

} // namespace sipyard::db_unixodbc
