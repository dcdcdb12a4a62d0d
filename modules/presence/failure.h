// modules/presence/failure.h - what the answer to a NOTIFY means for its subscription (spec presence 4.7)
#pragma once

#include <cstdint>

namespace sipyard::presence {

enum class ErrorPolicy : unsigned char { tolerant, strict };

struct FailureRules {
    ErrorPolicy policy = ErrorPolicy::tolerant; // of answers RFC 6665 does not name
    bool remove_on_timeout = true;              // timeout_rm_subs
    std::uint8_t most_failures = 3;             // in a row, then the subscription ends with probation
};

// What came: a code, or nothing for one of two reasons.
struct Outcome {
    int code = 0;                  // 0: `lost` says why
    std::uint32_t retry_after = 0; // seconds; 0: none
    enum class Lost : unsigned char { no, timeout, unreachable, flow } lost = Lost::no;
};

enum class Fate : unsigned char {
    fine,
    remove,   // silently: the other side knows nothing of it
    wait,     // for Retry-After, then the newest state
    repeat,   // the same document after a pause, a new one at once
    back_off, // nothing before a pause, then the newest state
    give_up,  // one NOTIFY with terminated;reason=probation
};

// `failures`: in a row before this one. `left`: seconds until the subscription expires. `refreshed`: a
// SUBSCRIBE was accepted after the NOTIFY had been sent.
Fate fate_of(const Outcome& outcome, const FailureRules& rules, unsigned failures, std::uint32_t left,
             bool refreshed);

// Seconds of the nth pause (from 0): 5, 10, 20 ... 300.
std::uint32_t pause_after(unsigned failures);

} // namespace sipyard::presence
