// test/support/movable_clock.cpp - stepping from deadline to deadline
#include "test/support/movable_clock.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace sipyard {

void MovableClock::settle(std::initializer_list<task::Runtime*> runtimes)
{
    const auto patience = std::chrono::steady_clock::now() + 60s;
    const auto quiet = [&] {
        return std::all_of(runtimes.begin(), runtimes.end(), [](auto* r) { return r->quiet(); });
    };
    // Twice, for one runtime may have sent to another that had been asked before.
    for (int rounds = 0; !(quiet() && quiet()); ++rounds) {
        if (std::chrono::steady_clock::now() > patience)
            throw std::runtime_error{"MovableClock: the runtime does not come to rest"};
        if (rounds < 50)
            std::this_thread::yield();
        else
            std::this_thread::sleep_for(50us); // leave the core to the workers
    }
}

void MovableClock::advance(std::initializer_list<task::Runtime*> runtimes, Duration d)
{
    const Instant end = now() + d;
    settle(runtimes);
    for (bool more = true; more;) {
        Instant next = task::never;
        for (task::Runtime* runtime : runtimes)
            next = std::min(next, runtime->next_deadline());
        more = next <= end;
        ns_.store(std::max(now(), std::min(next, end)).ns);
        for (task::Runtime* runtime : runtimes)
            runtime->wake_all();
        settle(runtimes);
    }
}

} // namespace sipyard
