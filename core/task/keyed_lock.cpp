// core/task/keyed_lock.cpp - named locks: whoever gives one back hands it to the first that waits
#include "core/task/keyed_lock.h"

#include "core/base/format.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace sipyard::task {

bool KeyedLock::try_acquire(std::string_view name, const void* holder)
{
    return of(name).with([&](Locks& locks) {
        const auto found = locks.find(name);
        if (found == locks.end()) {
            locks[std::string{name}].holder = holder;
            return true;
        }
        if (found->second.holder != holder)
            return false;
        ++found->second.depth;
        return true;
    });
}

Result<void> KeyedLock::acquire(std::string_view name, const void* holder, Instant deadline)
{
    const Event granted;
    enum class Place : unsigned char { mine, waiting, refused };
    const Place place = of(name).with([&](Locks& locks) {
        const auto found = locks.find(name);
        if (found == locks.end()) {
            locks[std::string{name}].holder = holder;
            return Place::mine;
        }
        Lock& lock = found->second;
        if (lock.holder == holder) {
            ++lock.depth;
            return Place::mine;
        }
        if (lock.queue.size() >= most_waiting_)
            return Place::refused;
        lock.queue.push_back({holder, granted});
        return Place::waiting;
    });
    if (place == Place::mine)
        return {};
    if (place == Place::refused)
        return Error{ErrorKind::overloaded, format("too many wait for the lock '{}'", name)};
    if (granted.wait(deadline))
        return {};
    // The holder may have handed it over while we gave up: then it is ours after all.
    const bool mine = of(name).with([&](Locks& locks) {
        Lock& lock = locks.find(name)->second; // held by somebody as long as we stand in its queue or own it
        if (lock.holder == holder)
            return true;
        const auto me = std::find_if(lock.queue.begin(), lock.queue.end(),
                                     [&](const Waiter& w) { return w.holder == holder; });
        lock.queue.erase(me);
        return false;
    });
    if (mine)
        return {};
    return Error{ErrorKind::timeout, format("the lock '{}' was not given back in time", name)};
}

bool KeyedLock::release(std::string_view name, const void* holder)
{
    std::optional<Event> next;
    const bool released = of(name).with([&](Locks& locks) {
        const auto found = locks.find(name);
        if (found == locks.end() || found->second.holder != holder)
            return false;
        Lock& lock = found->second;
        if (--lock.depth > 0)
            return true;
        if (lock.queue.empty()) {
            locks.erase(found);
            return true;
        }
        lock.holder = lock.queue.front().holder;
        lock.depth = 1;
        next = lock.queue.front().granted;
        lock.queue.pop_front();
        return true;
    });
    if (next)
        next->signal();
    return released;
}

std::size_t KeyedLock::held() const
{
    std::size_t count = 0;
    for (const auto& shard : locks_)
        count += shard.with([](const Locks& locks) { return locks.size(); });
    return count;
}

Result<void> HeldLocks::acquire(KeyedLock& lock, std::string_view name, Instant deadline)
{
    TRYV(lock.acquire(name, this, deadline));
    held_.push_back({&lock, std::string{name}});
    return {};
}

bool HeldLocks::try_acquire(KeyedLock& lock, std::string_view name)
{
    if (!lock.try_acquire(name, this))
        return false;
    held_.push_back({&lock, std::string{name}});
    return true;
}

bool HeldLocks::release(KeyedLock& lock, std::string_view name)
{
    const auto found = std::find_if(held_.rbegin(), held_.rend(),
                                    [&](const Held& h) { return h.lock == &lock && h.name == name; });
    if (found == held_.rend())
        return false;
    lock.release(name, this);
    held_.erase(std::next(found).base());
    return true;
}

void HeldLocks::release_all()
{
    while (!held_.empty()) {
        held_.back().lock->release(held_.back().name, this);
        held_.pop_back();
    }
}

} // namespace sipyard::task
