// core/base/small_lock.h - a lock of four bytes, for things there are hundreds of thousands of
#pragma once

#include "core/base/guarded.h"

#include <atomic>
#include <cstdint>
#include <mutex>

namespace sipyard {

// A mutex (lock, unlock) that sleeps in the kernel when it must. Thread-safe. Not recursive, and nobody
// suspends or does I/O while he holds it: take it through Locked.
class SmallLock {
public:
    SmallLock() = default;
    SmallLock(const SmallLock&) = delete;
    SmallLock& operator=(const SmallLock&) = delete;
    void lock()
    {
        std::uint32_t expected = free_;
        if (!state_.compare_exchange_strong(expected, held, std::memory_order_acquire))
            lock_slowly();
    }
    void unlock()
    {
        if (state_.exchange(free_, std::memory_order_release) == wanted)
            state_.notify_one();
    }

private:
    void lock_slowly()
    {
        for (int i = 0; i < 100; ++i) { // what is done under it is short
            std::uint32_t expected = free_;
            if (state_.load(std::memory_order_relaxed) == free_ &&
                state_.compare_exchange_strong(expected, held, std::memory_order_acquire))
                return;
        }
        while (state_.exchange(wanted, std::memory_order_acquire) != free_)
            state_.wait(wanted, std::memory_order_relaxed);
    }
    static constexpr std::uint32_t free_ = 0, held = 1,
                                   wanted = 2; // wanted: held, and somebody may be asleep
    std::atomic<std::uint32_t> state_{free_};
};

// Holds a SmallLock for a scope in which a fiber may not suspend (assert, as Guarded).
class Locked {
public:
    explicit Locked(SmallLock& lock) : lock_{lock} {}

private:
    NoSuspend section_;
    std::lock_guard<SmallLock> lock_;
};

} // namespace sipyard
