// core/base/clock.h - the one source of time; tests move it
#pragma once

#include <chrono>
#include <cstdint>

namespace sipyard {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;

// A point of the monotonic clock, in nanoseconds since some start.
struct Instant {
    std::int64_t ns = 0;
    friend auto operator<=>(const Instant&, const Instant&) = default;
    friend Instant operator+(Instant a, Duration d) { return {a.ns + d.count()}; }
    friend Instant operator-(Instant a, Duration d) { return {a.ns - d.count()}; }
    friend Duration operator-(Instant a, Instant b) { return Duration{a.ns - b.ns}; }
};

// Thread-safe. The server uses SystemClock; tests use the clock of test/support, which moves on demand.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;          // monotonic
    virtual std::int64_t unix_ns() const = 0; // wall clock, nanoseconds since 1970 UTC
    std::int64_t unix_seconds() const { return unix_ns() / 1'000'000'000; }
};

class SystemClock final : public Clock {
public:
    Instant now() const override;
    std::int64_t unix_ns() const override;
};

} // namespace sipyard
