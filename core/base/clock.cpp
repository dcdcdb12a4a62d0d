// core/base/clock.cpp - the operating system's clocks
#include "core/base/clock.h"

#include <ctime>

namespace sipyard {

namespace {

std::int64_t read(clockid_t which)
{
    timespec t{};
    clock_gettime(which, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

} // namespace

Instant SystemClock::now() const { return {read(CLOCK_MONOTONIC)}; }

std::int64_t SystemClock::unix_ns() const { return read(CLOCK_REALTIME); }

} // namespace sipyard
