// core/task/keyed_lock.h - locks named by a text that fibers may hold over suspensions: a script's
// lock("$ci")
#pragma once

#include "core/base/guarded.h"
#include "core/base/result.h"
#include "core/task/fiber.h"

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sipyard::task {

// Thread-safe. A name has one holder at a time, others wait in the order they came; the holder may take it
// again and gives it back as often. `holder` is any address that is unique while it holds (a request). A name
// nobody holds costs no memory. Unlike a Strand it may be held beside others, so waits have a deadline: two
// scripts that lock in opposite orders end with an error, not never.
class KeyedLock {
public:
    explicit KeyedLock(std::size_t most_waiting = 10'000) : most_waiting_{most_waiting} {} // for one name
    ~KeyedLock() = default; // nobody may hold or wait
    KeyedLock(const KeyedLock&) = delete;
    KeyedLock& operator=(const KeyedLock&) = delete;

    // Suspends until it is ours. Error timeout (also when the server stops first) or overloaded. Off a fiber
    // the thread waits.
    Result<void> acquire(std::string_view name, const void* holder, Instant deadline);
    bool try_acquire(std::string_view name, const void* holder);
    bool release(std::string_view name, const void* holder); // false when it is not the holder's
    std::size_t held() const;                                // names, for statistics

private:
    struct Waiter {
        const void* holder;
        Event granted;
    };
    struct Lock {
        const void* holder = nullptr;
        std::size_t depth = 1;
        std::deque<Waiter> queue;
    };
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using Locks = std::unordered_map<std::string, Lock, Hash, std::equal_to<>>;
    static constexpr std::size_t shards = 16;
    Guarded<Locks>& of(std::string_view name) { return locks_[Hash{}(name) % shards]; }

    const std::size_t most_waiting_;
    std::array<Guarded<Locks>, shards> locks_;
};

// What one request holds of a KeyedLock: given back by the destructor at the latest. Kept in a request slot.
class HeldLocks {
public:
    HeldLocks() = default;
    HeldLocks(const HeldLocks&) = delete;
    HeldLocks& operator=(const HeldLocks&) = delete;
    ~HeldLocks() { release_all(); }

    Result<void> acquire(KeyedLock& lock, std::string_view name, Instant deadline);
    bool try_acquire(KeyedLock& lock, std::string_view name);
    bool release(KeyedLock& lock, std::string_view name);
    void release_all();

private:
    struct Held {
        KeyedLock* lock;
        std::string name;
    };
    std::deque<Held> held_;
};

} // namespace sipyard::task
