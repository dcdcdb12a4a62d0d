// core/task/per_worker.h - one T for each worker, no lock; reached by with(), which may not suspend
#pragma once

#include "core/base/guarded.h"
#include "core/task/runtime.h"

#include <cassert>
#include <memory>
#include <vector>

namespace sipyard::task {

template <class T>
class PerWorker {
public:
    explicit PerWorker(Runtime& runtime)
    {
        for (std::size_t i = 0; i < runtime.workers() + 1; ++i)
            values_.push_back(std::make_unique<T>());
    }
    // The value of the calling worker; threads that are no workers share the last one (start-up and tests:
    // one thread).
    template <class F>
    auto with(F&& f)
    {
        const NoSuspend section;
        return std::forward<F>(f)(mine());
    }
    // Every value in turn, for sums. Only while no worker writes non-atomically.
    template <class F>
    void each(F&& f)
    {
        for (auto& value : values_)
            f(*value);
    }

private:
    T& mine()
    {
        Worker* const worker = Worker::current();
        return *values_[worker ? worker->index() : values_.size() - 1];
    }
    std::vector<std::unique_ptr<T>> values_;
};

} // namespace sipyard::task
