// core/task/pool.h - threads for what blocks (databases, files): a fiber asks and is suspended meanwhile
// (DESIGN 3)
#pragma once

#include "core/base/clock.h"
#include "core/base/function.h"
#include "core/base/result.h"
#include "core/log/log.h"
#include "core/task/fiber.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace sipyard::task {

// What a pool thread keeps between jobs, e.g. its database connection. Destroyed on that thread.
struct PoolThread {
    std::size_t index = 0;
    std::shared_ptr<void> local; // owned by the thread; a lost thread takes it along
};
using PoolJob = Function<void(PoolThread&)>;

class Pool {
public:
    struct Settings {
        std::string name = "pool";
        std::size_t threads = 4;
        std::size_t queue_limit = 10'000;
        int nice = 5;
        std::size_t max_lost = 8; // threads given up because a job outlived its patience
        Duration patience = 1s;   // past its deadline, after which a running job's thread counts as lost
    };
    Pool(Settings settings, const Clock& clock, log::Logger log);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Thread-safe. Error{overloaded} when the queue is full, Error{stopping} at the end. After max_lost
    // threads have been lost, Error{overloaded} too, but for one probe a second, until a job ends within its
    // deadline. A job whose deadline has passed before a thread is free is dropped unrun (`dropped` then runs
    // on a pool thread, or in stop()). Threads are started as jobs need them. A job must not throw: what it
    // throws is logged.
    Result<void> submit(PoolJob job, Instant deadline, PoolJob dropped = {});

    struct Stats {
        std::size_t queued, running, lost;
        std::uint64_t done, refused, expired;
    };
    Stats stats() const;
    bool quiet() const;
    // Waits for running jobs until `deadline`; false when a thread is stuck in a foreign call.
    bool stop(Duration deadline);
    const Clock& clock() const;

    // Gives up threads whose job has outlived deadline and patience; returns when the next one will have. The
    // runtime's workers call it before they sleep, submit() too.
    Instant watch();
    std::uint64_t activity() const; // grows with everything submitted and done
    Error unanswered() const;       // why a job has no answer: timeout, or stopping

private:
    struct Parts;
    std::shared_ptr<Parts> parts_; // shared with the threads: a lost one may outlive the pool
};

// A T becomes a Result<T>; a Result stays what it is.
template <class T>
struct AsResult {
    using Type = Result<T>;
};
template <class T>
struct AsResult<Result<T>> {
    using Type = Result<T>;
};

// Runs fn(thread, args...) on the pool and suspends the calling fiber until it is done or `deadline` from now
// has passed (Error{timeout}; a late result is dropped). fn is captureless and the arguments are moved in: a
// job owns its data. fn may take PoolThread& first or not. Exceptions arrive in the caller. Off a fiber it
// waits in the thread. Error{overloaded} at once when the pool takes no job, Error{stopping} when the server
// ends first.
template <class Fn, class... Args>
auto blocking(Pool& pool, Duration deadline, Fn fn, Args... args)
{
    static_assert(std::is_empty_v<Fn>, "pass the data as arguments: the job must own it");
    const auto call = [fn](PoolThread& thread, Args&... moved) {
        if constexpr (std::is_invocable_v<Fn, PoolThread&, Args...>)
            return fn(thread, std::move(moved)...);
        else
            return fn(std::move(moved)...);
    };
    using Value = std::invoke_result_t<decltype(call), PoolThread&, Args&...>;
    using Answer = typename AsResult<Value>::Type;
    struct Errand { // shared by the caller, who may give up, and the job
        std::tuple<Args...> args;
        std::optional<Answer> answer; // none: thrown, or the job was dropped
        std::exception_ptr thrown;
        Event done;
    };
    const auto errand = std::make_shared<Errand>(Errand{{std::move(args)...}, {}, {}, {}});
    const Instant until = pool.clock().now() + deadline;
    if (auto taken = pool.submit(
            [errand, call](PoolThread& thread) {
                try {
                    std::apply(
                        [&](Args&... moved) {
                            if constexpr (std::is_void_v<Value>) {
                                call(thread, moved...);
                                errand->answer.emplace();
                            } else {
                                errand->answer.emplace(call(thread, moved...));
                            }
                        },
                        errand->args);
                } catch (...) {
                    errand->thrown = std::current_exception();
                }
                errand->done.signal();
            },
            until, [errand](PoolThread&) { errand->done.signal(); });
        !taken)
        return Answer{taken.error()};
    if (!errand->done.wait(until))
        return Answer{pool.unanswered()};
    if (errand->thrown)
        std::rethrow_exception(std::exchange(errand->thrown, nullptr));
    if (!errand->answer)
        return Answer{pool.unanswered()};
    return std::move(*errand->answer);
}

} // namespace sipyard::task
