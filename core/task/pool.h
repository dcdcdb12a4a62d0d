// core/task/pool.h - threads for what blocks (databases, files): a fiber asks and is suspended meanwhile (DESIGN 3)
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
    std::size_t           index = 0;
    std::shared_ptr<void> local; // owned by the thread; a lost thread takes it along
};
using PoolJob = Function<void(PoolThread&)>;

class Pool {
public:
    struct Settings {
        std::string name = "pool";
        std::size_t threads = 4;
        std::size_t queue_limit = 10'000;
        int         nice = 5;
        std::size_t max_lost = 8;            // threads given up because a job outlived its patience
        Duration    patience = 1s;           // past its deadline, after which a running job's thread counts as lost
    };
    Pool(Settings settings, const Clock& clock, log::Logger log);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Thread-safe. Error{overloaded} when the queue is full or all replacements are lost, Error{stopping} at the end.
    // A job whose deadline has passed before a thread is free is dropped unrun (`dropped` then runs on a pool thread).
    Result<void> submit(PoolJob job, Instant deadline, Job dropped = {});

    struct Stats { std::size_t queued, running, lost; std::uint64_t done, refused, expired; };
    Stats stats() const;
    bool  quiet() const;
    // Waits for running jobs until `deadline`; false when a thread is stuck in a foreign call.
    bool  stop(Duration deadline);
    const Clock& clock() const;

private:
    struct Parts;
    std::shared_ptr<Parts> parts_; // shared with the threads, a lost one may outlive the pool
};

// Runs fn(thread, args...) on the pool and suspends the calling fiber until it is done or `deadline` from now has
// passed (Error{timeout}; a late result is dropped). fn is captureless and the arguments are moved in: a job owns its
// data. fn may take PoolThread& first or not. Exceptions arrive in the caller. Off a fiber it waits in the thread.
template <class Fn, class... Args>
auto blocking(Pool& pool, Duration deadline, Fn fn, Args... args)
{
    static_assert(std::is_empty_v<Fn>, "pass the data as arguments: the job must own it");
    constexpr bool wants_thread = std::is_invocable_v<Fn, PoolThread&, Args...>;
    auto call = [fn](PoolThread& thread, Args&... moved) -> decltype(auto) {
        if constexpr (wants_thread)
            return fn(thread, std::move(moved)...);
        else
            return fn(std::move(moved)...);
    };
    using Raw = std::invoke_result_t<decltype(call), PoolThread&, Args&...>;
    struct State {
        std::tuple<Args...>                                                   args;
        std::optional<std::conditional_t<std::is_void_v<Raw>, bool, Raw>>     value;
        std::exception_ptr                                                    thrown;
        bool                                                                  dropped = false;
        Event                                                                 done;
    };
    auto state = std::make_shared<State>(State{std::tuple<Args...>{std::move(args)...}, {}, {}, false, {}});
    // A Result<T> stays a Result<T>, a T becomes one.
    auto unwrap = [] {
        if constexpr (requires { typename Raw::value_type; static_cast<Result<typename Raw::value_type>>(std::declval<Raw>()); }
                      && std::is_same_v<Raw, Result<typename std::conditional_t<std::is_void_v<Raw>, std::type_identity<void>, Raw>::value_type>>)
            return std::type_identity<Raw>{};
        else
            return std::type_identity<Result<Raw>>{};
    };
    using Answer = typename decltype(unwrap())::type;
    const Instant until = pool.clock().now() + deadline;
    auto accepted = pool.submit(
        [state, call](PoolThread& thread) mutable {
            try {
                std::apply([&](Args&... moved) {
                    if constexpr (std::is_void_v<Raw>) {
                        call(thread, moved...);
                        state->value.emplace(true);
                    } else {
                        state->value.emplace(call(thread, moved...));
                    }
                }, state->args);
            } catch (...) {
                state->thrown = std::current_exception();
            }
            state->done.signal();
        },
        until,
        [state] {
            state->dropped = true;
            state->done.signal();
        });
    if (!accepted)
        return Answer{accepted.error()};
    if (!state->done.wait(until) || state->dropped)
        return Answer{Error{ErrorKind::timeout, "no answer within the deadline"}};
    if (state->thrown)
        std::rethrow_exception(state->thrown);
    if constexpr (std::is_void_v<Raw>)
        return Answer{};
    else
        return Answer{std::move(*state->value)};
}

} // namespace sipyard::task
