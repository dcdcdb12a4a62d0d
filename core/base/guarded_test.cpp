// core/base/guarded_test.cpp - Guarded: one at a time, and the count of open sections
#include "core/base/guarded.h"

#include "test/support/catch.h"

#include <thread>
#include <vector>

using namespace sipyard;

TEST_CASE("threads take turns at a guarded value", "[base][guarded]")
{
    Guarded<long> counter{5L};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 10'000; ++i)
                counter.with([](long& n) { ++n; });
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(counter.with([](const long& n) { return n; }) == 40'005);
}

TEST_CASE("a section is counted while it is open, also when it throws", "[base][guarded]")
{
    Guarded<int> outer{1};
    const Guarded<int> inner{2};
    CHECK(NoSuspend::depth() == 0);
    outer.with([&](int&) {
        CHECK(NoSuspend::depth() == 1);
        inner.with([](const int& n) {
            CHECK(n == 2);
            CHECK(NoSuspend::depth() == 2);
        });
    });
    CHECK_THROWS(outer.with([](int&) { throw 1; }));
    CHECK(NoSuspend::depth() == 0);
    CHECK(outer.with([](int& n) { return n; }) == 1); // and the lock is free again
}
