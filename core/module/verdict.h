// core/module/verdict.h - how a script function ended (spec: return codes), and in which blocks it may be
// called
#pragma once

#include <cstdint>
#include <string_view>

namespace sipyard {

// A function's return code: positive is true, negative false, 0 ends the script at once.
struct Verdict {
    int code = 1;
    constexpr Verdict(int c = 1) : code{c} {}
    static constexpr Verdict yes() { return {1}; }
    static constexpr Verdict no() { return {-1}; }
    static constexpr Verdict stop() { return {0}; }
    static constexpr Verdict of(bool good) { return {good ? 1 : -1}; }
    friend constexpr bool operator==(Verdict, Verdict) = default;
};

// The kinds of route blocks, as bits of a mask (Kamailio's REQUEST_ROUTE...).
enum class Route : std::uint16_t {
    request = 1,
    failure = 2,
    branch = 4,
    tm_reply = 8,
    core_reply = 16,
    onsend = 32,
    event = 64,
    local = 128,
};
struct RouteMask {
    std::uint16_t bits = 0xff;
    constexpr RouteMask() = default; // any
    constexpr RouteMask(Route route) : bits{static_cast<std::uint16_t>(route)} {}
    constexpr explicit RouteMask(std::uint16_t b) : bits{b} {}
    constexpr bool has(Route route) const { return (bits & static_cast<std::uint16_t>(route)) != 0; }
    friend constexpr RouteMask operator|(RouteMask a, RouteMask b)
    {
        return RouteMask{static_cast<std::uint16_t>(a.bits | b.bits)};
    }
    friend constexpr bool operator==(RouteMask, RouteMask) = default;
};
constexpr RouteMask operator|(Route a, Route b) { return RouteMask{a} | RouteMask{b}; }
inline constexpr RouteMask any_route{};
inline constexpr RouteMask any_reply = Route::tm_reply | Route::core_reply;
std::string_view to_text(Route route); // request_route, failure_route, ...

} // namespace sipyard
