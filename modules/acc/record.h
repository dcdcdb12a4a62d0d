// modules/acc/record.h - one accounting record: what is always in it, how it is written as a line
#pragma once

#include "core/module/value.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::acc {

// Views into the message or literals: valid while the request is.
struct Record {
    std::string_view head; // "ACC: transaction answered: "
    std::string_view method, from_tag, to_tag, call_id, code, reason;
    std::int64_t unix_ns = 0;
    std::vector<std::pair<std::string_view, Value>> extra;
    std::vector<std::vector<std::pair<std::string_view, Value>>> legs; // one list for each leg
};

// How the time is told beside the whole seconds (modparams time_mode, time_attr, time_exten, time_format).
struct TimeStyle {
    enum class Mode : unsigned char { seconds, microseconds, milliseconds, local, utc }; // Kamailio's 0..4
    Mode mode = Mode::seconds;
    std::string attr, exten, format = "%Y-%m-%d %H:%M:%S";
};

std::string line(const Record& record, const TimeStyle& style);

// The comment of acc_request: "404 Not found" is a code and a reason, anything else a reason alone.
struct Comment {
    std::string_view code, reason;
};
Comment parse_comment(std::string_view text);

enum class Zone : unsigned char { local, utc };
std::string time_text(std::int64_t unix_ns, const std::string& format, Zone zone);
std::string seconds_text(std::int64_t unix_ns); // "1795280877.248"
std::string text_of(const Value& value);        // null is ""

} // namespace sipyard::acc
