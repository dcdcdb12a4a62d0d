// modules/acc/record.cpp - accounting lines, byte for byte as billing scripts expect them
#include "modules/acc/record.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <array>
#include <ctime>

namespace sipyard::acc {

std::string text_of(const Value& value)
{
    return value.is_integer() ? std::to_string(value.number()) : std::string{value.text()};
}

std::string time_text(std::int64_t unix_ns, const std::string& format, Zone zone)
{
    const std::time_t seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
    std::tm parts{};
    (void)(zone == Zone::utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts));
    std::array<char, 128> room{};
    return {room.data(), std::strftime(room.data(), room.size(), format.c_str(), &parts)};
}

std::string seconds_text(std::int64_t unix_ns)
{
    return format("{}.{:03}", unix_ns / 1'000'000'000, unix_ns / 1'000'000 % 1000);
}

Comment parse_comment(std::string_view text)
{
    if (text.size() < 3 || !is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[2]))
        return {{}, text};
    return {text.substr(0, 3), trim_left(text.substr(3))};
}

std::string line(const Record& record, const TimeStyle& style)
{
    std::string out{record.head};
    const auto put = [&out](std::string_view name, const Value& value) {
        out += ';';
        out += name;
        out += '=';
        if (value.is_integer()) {
            char digits[20];
            out.append(digits, put_int(digits, value.number()));
        } else {
            out += value.text();
        }
    };
    out += "timestamp=";
    out += std::to_string(record.unix_ns / 1'000'000'000);
    switch (style.mode) {
    case TimeStyle::Mode::seconds: break;
    case TimeStyle::Mode::microseconds: put(style.exten, record.unix_ns / 1000 % 1'000'000); break;
    case TimeStyle::Mode::milliseconds:
        put(style.attr, std::string_view{seconds_text(record.unix_ns)});
        break;
    case TimeStyle::Mode::local:
        put(style.attr, std::string_view{time_text(record.unix_ns, style.format, Zone::local)});
        break;
    case TimeStyle::Mode::utc:
        put(style.attr, std::string_view{time_text(record.unix_ns, style.format, Zone::utc)});
        break;
    }
    put("method", record.method);
    put("from_tag", record.from_tag);
    put("to_tag", record.to_tag);
    put("call_id", record.call_id);
    put("code", record.code);
    put("reason", record.reason);
    for (const auto& [name, value] : record.extra)
        put(name, value);
    for (const auto& leg : record.legs)
        for (const auto& [name, value] : leg)
            put(name, value);
    return out;
}

} // namespace sipyard::acc
