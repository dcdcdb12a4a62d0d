// modules/presence/notifier.cpp - when a subscription is sent a NOTIFY
#include "modules/presence/notifier.h"

#include <algorithm>

namespace sipyard::presence {
namespace {

// A NOTIFY older than 2*T1 does not hold up the answer to a SUBSCRIBE: its sender is there, the NOTIFY or its
// answer was lost.
constexpr Duration patience = 1s;

} // namespace

void Notifier::subscribed(Instant now, Target target)
{
    ++epoch_;
    must_send_ = true;
    // Whoever subscribes is alive: no pause counts any more.
    next_ok_ = repeat_at_ = {};
    failures_ = 0;
    if (!in_flight_)
        return;
    if (target == Target::other) {
        ignored_ = flight_;
        in_flight_ = false;
    } else if (now - sent_at_ > patience) {
        in_flight_ = false; // its answer is late: only a 481 still counts
    }
}

void Notifier::restored()
{
    dirty_ = true;
    baseline_ = false;
}

Notifier::Verdict Notifier::turn(Instant now, bool news, bool same) const
{
    if (in_flight_ || holds_ > 0 || last_sent_)
        return {};
    if (must_send_)
        return {Turn::send};
    if (!dirty_ || (baseline_ && !news))
        return {};
    // A document that failed is repeated after its pause; another one need not wait for that.
    const Instant when = !baseline_ && same ? std::max(next_ok_, repeat_at_) : next_ok_;
    return now < when ? Verdict{Turn::later, when} : Verdict{Turn::send};
}

void Notifier::sent(Instant now, std::uint32_t cseq, Duration interval)
{
    in_flight_ = baseline_ = true;
    flight_ = cseq;
    flight_epoch_ = epoch_;
    sent_at_ = now;
    next_ok_ = now + interval;
    dirty_ = must_send_ = false;
    last_sent_ = ending_;
}

Notifier::After Notifier::answered(Instant now, std::uint32_t cseq, const Outcome& outcome,
                                   const FailureRules& rules, std::uint32_t left)
{
    if (cseq <= ignored_)
        return After::ignore;
    if (!in_flight_ || cseq != flight_) // overtaken by a newer one
        return outcome.code == 481 ? After::remove : After::ignore;
    in_flight_ = false;
    if (last_sent_) // whatever came: it is never repeated
        return After::remove;
    const bool refreshed = flight_epoch_ != epoch_;
    const Fate fate = fate_of(outcome, rules, failures_, left, refreshed);
    if (fate == Fate::fine) {
        failures_ = 0;
        return After::go_on;
    }
    if (fate == Fate::remove)
        return After::remove;
    if (fate == Fate::give_up) {
        end();
        return After::give_up;
    }
    baseline_ = false;
    dirty_ = true;
    if (fate == Fate::wait)
        next_ok_ = now + std::chrono::seconds{outcome.retry_after};
    else if (fate == Fate::back_off)
        next_ok_ = now + std::chrono::seconds{pause_after(failures_)};
    else if (!refreshed)
        repeat_at_ = now + std::chrono::seconds{pause_after(failures_)};
    if (fate != Fate::wait && failures_ < 100)
        ++failures_;
    return After::go_on;
}

} // namespace sipyard::presence
