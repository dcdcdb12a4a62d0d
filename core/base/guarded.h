// core/base/guarded.h - a value behind its lock, reached only by with(); no I/O and no suspension inside
#pragma once

#include <cassert>
#include <mutex>
#include <utility>

namespace sipyard {

// How many Guarded/PerWorker sections this thread is inside. core/task asserts that it is 0 before a fiber
// suspends.
class NoSuspend {
public:
    NoSuspend() { ++depth(); }
    ~NoSuspend() { --depth(); }
    NoSuspend(const NoSuspend&) = delete;
    NoSuspend& operator=(const NoSuspend&) = delete;
    static int& depth(); // of the calling thread
};

template <class T>
class Guarded {
public:
    template <class... Args>
    explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...)
    {
    }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;

    // Runs f(value) under the lock and returns what it returns (by value: no reference leaves the lock).
    template <class F>
    auto with(F&& f)
    {
        const NoSuspend section;
        const std::lock_guard<std::mutex> lock{mutex_};
        return std::forward<F>(f)(value_);
    }
    template <class F>
    auto with(F&& f) const
    {
        const NoSuspend section;
        const std::lock_guard<std::mutex> lock{mutex_};
        return std::forward<F>(f)(value_);
    }

private:
    mutable std::mutex mutex_;
    T value_;
};

} // namespace sipyard
