// modules/presence/failure.cpp - what the answer to a NOTIFY means for its subscription
#include "modules/presence/failure.h"

#include <algorithm>

namespace sipyard::presence {
namespace {

// RFC 6665 4.2.2 names these; 502 is RFC 5057 5.1.
bool ends_usage(int code)
{
    switch (code) {
    case 404:
    case 405:
    case 410:
    case 416:
    case 480:
    case 481:
    case 482:
    case 483:
    case 484:
    case 485:
    case 489:
    case 501:
    case 502:
    case 604: return true;
    default: return false;
    }
}

} // namespace

Fate fate_of(const Outcome& outcome, const FailureRules& rules, unsigned failures, std::uint32_t left,
             bool refreshed)
{
    if (outcome.lost == Outcome::Lost::flow)
        return Fate::remove; // there is no other way to it
    if (outcome.lost != Outcome::Lost::no || outcome.code == 408) {
        if (refreshed) // it is alive after all: the newest state, at once
            return Fate::repeat;
        return rules.remove_on_timeout ? Fate::remove : Fate::back_off;
    }
    if (outcome.code >= 200 && outcome.code < 300)
        return Fate::fine;
    if (ends_usage(outcome.code))
        return Fate::remove;
    if (outcome.retry_after > 0 && outcome.retry_after <= left)
        return Fate::wait;
    if (rules.policy == ErrorPolicy::strict)
        return Fate::remove;
    return failures + 1 >= rules.most_failures ? Fate::give_up : Fate::repeat;
}

std::uint32_t pause_after(unsigned failures)
{
    return std::min<std::uint32_t>(300, 5U << std::min(failures, 6U));
}

} // namespace sipyard::presence
