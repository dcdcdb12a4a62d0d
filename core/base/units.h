// core/base/units.h - numbers that say what they count
#pragma once

#include <cstddef>
#include <cstdint>

namespace sipyard {

struct ByteCount {
    std::size_t bytes = 0;
    friend auto operator<=>(const ByteCount&, const ByteCount&) = default;
};

// A duration an operator writes as a whole number of seconds, or of milliseconds.
struct Seconds {
    std::int64_t count = 0;
    friend auto operator<=>(const Seconds&, const Seconds&) = default;
};
struct Milliseconds {
    std::int64_t count = 0;
    friend auto operator<=>(const Milliseconds&, const Milliseconds&) = default;
};

namespace literals {
constexpr ByteCount operator""_KiB(unsigned long long n) { return {static_cast<std::size_t>(n) * 1024}; }
constexpr ByteCount operator""_MiB(unsigned long long n)
{
    return {static_cast<std::size_t>(n) * 1024 * 1024};
}
} // namespace literals
using namespace literals;

} // namespace sipyard
