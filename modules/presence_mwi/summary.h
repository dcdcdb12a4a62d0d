// modules/presence_mwi/summary.h - message summaries: read and written (RFC 3842 5.2)
#pragma once

#include "core/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::presence_mwi {

// How many messages there are; more than 2^32 - 1 count as that (3842 3.5).
struct Count {
    std::uint32_t fresh = 0, old = 0;
    friend bool operator==(Count, Count) = default;
};
// The messages of a class: "Voice-Message: 2/8 (0/2)".
struct ClassLine {
    std::string name; // as written; letters of either case are the same class
    Count all;
    std::optional<Count> urgent;
    friend bool operator==(const ClassLine&, const ClassLine&) = default;
};
struct Summary {
    bool waiting = false;
    std::string account; // URI; empty: not told
    std::vector<ClassLine> classes;
    friend bool operator==(const Summary&, const Summary&) = default;
};

inline constexpr std::size_t most_classes = 32; // RFC 3458 names six

// A body of application/simple-message-summary. Lines may end in LF alone, names are of either case, the
// account may have angle brackets. Headers of single messages, which may follow after an empty line, are
// passed over. Error invalid: what is wrong.
Result<Summary> parse_summary(std::string_view body);

// With CRLF, in the order of the grammar.
std::string print_summary(const Summary& summary);
// Equal for summaries that say the same: names in small letters, classes in the order of their names.
std::string canonical(const Summary& summary);

} // namespace sipyard::presence_mwi
