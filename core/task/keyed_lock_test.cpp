// core/task/keyed_lock_test.cpp - named locks: order, re-entrance, deadlines
#include "core/task/keyed_lock.h"

#include "test/support/catch.h"
#include "test/support/fake_host.h"

#include <atomic>
#include <string>

namespace sipyard::task {

TEST_CASE("a name has one holder, who may take it again", "[task][lock]")
{
    KeyedLock lock;
    const int a = 0, b = 0;
    CHECK(lock.try_acquire("x", &a));
    CHECK(lock.try_acquire("x", &a));
    CHECK_FALSE(lock.try_acquire("x", &b));
    CHECK(lock.try_acquire("y", &b)); // another name
    CHECK_FALSE(lock.release("x", &b));
    CHECK(lock.release("x", &a));
    CHECK_FALSE(lock.try_acquire("x", &b)); // taken twice, given back once
    CHECK(lock.release("x", &a));
    CHECK(lock.try_acquire("x", &b));
    CHECK(lock.held() == 2);
}

TEST_CASE("what a request holds is given back when it ends", "[task][lock]")
{
    KeyedLock lock;
    {
        HeldLocks held;
        CHECK(held.acquire(lock, "x", never));
        CHECK(held.acquire(lock, "x", never));
        CHECK(held.try_acquire(lock, "y"));
        CHECK(held.release(lock, "x"));
        CHECK_FALSE(held.release(lock, "z"));
        CHECK(lock.held() == 2);
    }
    CHECK(lock.held() == 0);
}

TEST_CASE("fibers wait in the order they came, and a wait ends at its deadline", "[task][lock]")
{
    KeyedLock lock{2};
    std::string order;
    Event go;
    {
        test::FakeHost host;
        host.start_workers();
        Worker& worker = host.runtime().worker(0);
        const auto start = [&](char name, Duration patience) {
            CHECK(worker.spawn([&, name, patience] {
                HeldLocks held;
                const auto got = held.acquire(lock, "x", host.clock().now() + patience);
                order += name;
                if (!got)
                    order += got.error().kind == ErrorKind::timeout ? '!' : '?';
                else if (name == 'a')
                    go.wait();
            }));
            host.advance(0s);
        };
        start('a', 1s);
        start('b', 1s);
        start('c', 5s);
        start('d', 5s); // a third waiter is refused
        CHECK(order == "ad?");
        host.advance(2s); // b's patience ends
        CHECK(order == "ad?b!");
        go.signal();
        host.advance(0s);
        CHECK(order == "ad?b!c");
    }
    CHECK(lock.held() == 0);
}

} // namespace sipyard::task
