// core/task/strand.h - a FIFO lock for fibers: its jobs never overlap and may suspend (DESIGN 3)
#pragma once

#include "core/base/function.h"
#include "core/base/result.h"
#include "core/task/fiber.h"

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace sipyard::task {

// Thread-safe. A fiber holds at most one strand (assert); across strands only post(). Uncontended it costs
// one atomic operation to take and one to give back. It stays held while its job is suspended. The queue is
// bounded: a full one refuses.
class Strand {
public:
    explicit Strand(std::size_t queue_limit = 10'000);
    ~Strand(); // nobody may hold or wait for it
    Strand(const Strand&) = delete;
    Strand& operator=(const Strand&) = delete;

    // Runs fn in the calling fiber when its turn has come; Error{overloaded} when the queue is full,
    // Error{stopping} when the runtime stops first. Off a fiber it blocks the thread.
    template <class F>
    auto run(F&& fn) -> Result<std::invoke_result_t<F>>
    {
        TRYV(acquire());
        const Release release{*this};
        if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
            std::forward<F>(fn)();
            return {};
        } else {
            return std::forward<F>(fn)();
        }
    }
    // Takes a place in the queue now, so posts keep order, and runs the job on a fiber of the calling worker
    // when its turn comes. Posted by a thread that is no worker it runs in that thread, or on the worker that
    // releases the strand.
    Result<void> post(Job job);
    bool idle() const;

private:
    struct Release {
        Strand& strand;
        ~Release() { strand.release(); }
    };
    Result<void> acquire();
    void release();
    struct Queue;
    struct Place;
    void start(std::unique_ptr<Place> place, Worker& home);
    std::unique_ptr<Queue> queue_;
};

} // namespace sipyard::task
