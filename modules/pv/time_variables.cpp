// modules/pv/time_variables.cpp - clocks and calendars: $Ts and its kin keep one time per message, $TV and
// $TS ask anew
#include "modules/pv/pv.h"

#include <ctime>

namespace sipyard::pv {

namespace {

std::tm broken_down(std::int64_t seconds, Zone zone)
{
    const std::time_t at = static_cast<std::time_t>(seconds);
    std::tm parts{};
    if (zone == Zone::utc)
        ::gmtime_r(&at, &parts);
    else
        ::localtime_r(&at, &parts);
    return parts;
}

// "" for a format that gives nothing or more than 1 KiB.
std::string_view formatted(Arena& arena, std::string_view format, const std::tm& parts)
{
    constexpr std::size_t most = 1024;
    const char* const pattern = arena.concat(format, std::string_view{"\0", 1}).data();
    char* const text = arena.array<char>(most);
    return {text, std::strftime(text, most, pattern, &parts)};
}

} // namespace

std::int64_t Pv::message_time(Request& request)
{
    std::int64_t& time = request.at(state_).time;
    if (time == 0)
        time = clock_.unix_seconds();
    return time;
}

template <Zone zone>
Value Pv::time_part(Request& request, const OneOf<TimePart>& part)
{
    const std::tm t = broken_down(message_time(request), zone);
    switch (part.meaning) {
    case TimePart::Meaning::sec: return t.tm_sec;
    case TimePart::Meaning::min: return t.tm_min;
    case TimePart::Meaning::hour: return t.tm_hour;
    case TimePart::Meaning::mday: return t.tm_mday;
    case TimePart::Meaning::mon: return t.tm_mon + 1;
    case TimePart::Meaning::year: return t.tm_year + 1900;
    case TimePart::Meaning::wday: return t.tm_wday + 1; // Sunday is 1
    case TimePart::Meaning::yday: return t.tm_yday + 1;
    case TimePart::Meaning::isdst: return t.tm_isdst;
    }
    return {};
}

template <Zone zone>
Value Pv::time_text(Request& request, std::string_view format)
{
    return text_or_null(formatted(request.arena(), format, broken_down(message_time(request), zone)));
}

Value Pv::message_seconds(Request& request) { return number(message_time(request)); }
Value Pv::message_date(Request& request)
{
    return formatted(request.arena(), "%a %b %e %H:%M:%S %Y",
                     broken_down(message_time(request), Zone::local));
}
Value Pv::start_seconds(Request&) { return number(started_); }
Value Pv::now_seconds(Request&) { return number(clock_.unix_seconds()); }
Value Pv::now_date(Request& request)
{
    return formatted(request.arena(), "%a %b %e %H:%M:%S %Y",
                     broken_down(clock_.unix_seconds(), Zone::local));
}

Value Pv::clock_part(Request& request, const OneOf<ClockPart>& part)
{
    const std::int64_t now = clock_.unix_ns() / 1000;
    const std::int64_t seconds = now / 1'000'000, microseconds = now % 1'000'000;
    switch (part.meaning) {
    case ClockPart::Meaning::seconds: return number(seconds);
    case ClockPart::Meaning::microseconds: return number(microseconds);
    case ClockPart::Meaning::both:
        // The digit in front keeps the zeros of the fraction; it is cut off again.
        return request.arena().concat(Digits{seconds}, ".",
                                      std::string_view{Digits{1'000'000 + microseconds}}.substr(1));
    }
    return {};
}

void Pv::add_time_variables(Variables& to)
{
    using M = Pv;
    to.push_back(variable("Ts", &M::message_seconds, "Seconds since 1970 when this message first asked"));
    to.push_back(variable("Tf", &M::message_date, "That time as text"));
    to.push_back(variable("Tb", &M::start_seconds, "Seconds since 1970 when the server started"));
    to.push_back(variable("TS", &M::now_seconds, "Seconds since 1970 now"));
    to.push_back(variable("TF", &M::now_date, "The time now as text"));
    to.push_back(
        variable("TV", &M::clock_part, "The clock now: seconds $TV(s), microseconds $TV(u), both $TV(Sn)"));
    to.push_back(variable("time", &M::time_part<Zone::local>,
                          "A part of the local time of this message: $time(hour)"));
    to.push_back(
        variable("timef", &M::time_text<Zone::local>, "The local time of this message by a strftime format"));
    to.push_back(variable("utime", &M::time_part<Zone::utc>, "A part of the UTC time of this message"));
    to.push_back(
        variable("utimef", &M::time_text<Zone::utc>, "The UTC time of this message by a strftime format"));
}

} // namespace sipyard::pv
