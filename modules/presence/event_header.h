// modules/presence/event_header.h - which package an Event header means, and which usage (spec presence 2.2)
#pragma once

#include "core/base/clock.h"
#include "modules/presence/api.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sipyard::presence {

// The identity of a package: "dialog", "dialog;sla". Lower case, identity parameters in order of the letters.
std::string identity_of(const Traits& traits);
// Does an Event header with that type and those parameters mean the package? Letters of the type do not
// count; all its identity parameters must be there. Of several the one with the most of them is meant.
bool is_meant(const Traits& traits, std::string_view type, std::string_view params);

// "id" as written, empty without one.
std::string_view event_id(std::string_view params);
// "Event" of a NOTIFY: the type as the subscriber wrote it, and its id (RFC 6665 8.2.1).
std::string event_line(std::string_view type, std::string_view params);

// Within a dialog: the same id and the same filters are the same usage; rates may change with each refresh.
bool is_same_usage(std::string_view params, std::string_view others);

// max-rate and min-rate of RFC 6446 as times between two NOTIFYs; 0: not given. Ten minutes at most.
struct Pace {
    std::uint32_t least_ms = 0, most_ms = 0;
    friend bool operator==(const Pace&, const Pace&) = default;
};
Pace pace_of(std::string_view params);

} // namespace sipyard::presence
