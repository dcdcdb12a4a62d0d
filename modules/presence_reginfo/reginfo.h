// modules/presence_reginfo/reginfo.h - application/reginfo+xml: read, written (RFC 3680 5)
#pragma once

#include "core/base/result.h"
#include "modules/presence_reginfo/registration.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::presence_reginfo {

inline constexpr std::string_view reginfo_type = "application/reginfo+xml";
inline constexpr std::string_view reginfo_namespace = "urn:ietf:params:xml:ns:reginfo";

// A document, read at `now`. One of partial state (5.1) changes `before`, of the same publisher: contacts are
// replaced by their ids, those it does not name stay unless they had ended. What the schema does not know is
// passed over. Error invalid: what is wrong.
Result<std::vector<Registration>> parse_reginfo(std::string_view xml, std::int64_t now,
                                                std::span<const Registration> before);

// A document of full state, as it is at `now`, in two parts: the number of its version goes between them.
struct Written {
    std::string before, after;
};
Written write_reginfo(std::span<const Registration> registrations, std::int64_t now);

} // namespace sipyard::presence_reginfo
