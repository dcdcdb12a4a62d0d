// modules/presence/notifier.h - when a subscription is sent a NOTIFY: one in flight, the newest state wins
// (spec presence 4.6)
//
//   news ----> [dirty] --+                        +--> in flight --2xx--> [turn again]
//   SUBSCRIBE > [due] ---+--> turn, when nothing  |         |
//   end ------> [last] --+    is in flight -------+         +--failure--> fate_of(): gone, pause, repeat
#pragma once

#include "core/base/clock.h"
#include "modules/presence/failure.h"

#include <cstdint>

namespace sipyard::presence {

// The state of one subscription's NOTIFYs. Pure: no clock, no network, no documents; whether there is news is
// asked of the caller when it matters. Not thread-safe.
class Notifier {
public:
    // --- what happens ---
    void changed() { dirty_ = true; } // the state may be another one
    void hold() { ++holds_; }         // a reply to a SUBSCRIBE has to leave first
    void release() { holds_ -= holds_ > 0; }
    // A SUBSCRIBE was accepted, or the status changed: one NOTIFY is due whatever is known. With another
    // target the result of the NOTIFY under way does not matter any more.
    enum class Target : unsigned char { same, other };
    void subscribed(Instant now, Target target);
    void must_send() { must_send_ = true; }
    // The reply told what there was to tell: 204 (RFC 5839).
    void settled()
    {
        must_send_ = dirty_ = false;
        baseline_ = true;
    }
    // The next NOTIFY is the last one.
    void end() { ending_ = must_send_ = true; }
    // Restored from the database: what the watcher knows is not known.
    void restored();

    // --- what is to be done ---
    enum class Turn : unsigned char {
        nothing, // until something happens
        later,   // look again at `when`
        send,
    };
    struct Verdict {
        Turn turn = Turn::nothing;
        Instant when{};
    };
    // `news`: the newest document differs from the one last sent. `same`: it is that very document (asked
    // when a failed one may have to be repeated).
    Verdict turn(Instant now, bool news, bool same) const;
    // Nothing new when its turn came: a flap collapsed.
    void nothing_to_say() { dirty_ = false; }
    // It leaves with that CSeq. `interval`: the least time until the next one that is only news.
    void sent(Instant now, std::uint32_t cseq, Duration interval);

    // The final answer to the NOTIFY with that CSeq. `left`: seconds until expiry.
    enum class After : unsigned char { ignore, go_on, remove, give_up };
    After answered(Instant now, std::uint32_t cseq, const Outcome& outcome, const FailureRules& rules,
                   std::uint32_t left);

    // --- questions ---
    bool in_flight() const { return in_flight_; }
    bool dirty() const { return dirty_ || must_send_; }
    bool is_due() const { return must_send_; }
    bool ending() const { return ending_; }
    bool last_sent() const { return last_sent_; } // the last NOTIFY is under way
    bool held() const { return holds_ > 0; }
    // Does the watcher know the document last sent, as far as we can tell?
    bool has_baseline() const { return baseline_; }
    std::uint32_t flight() const { return flight_; }
    unsigned failures() const { return failures_; }
    Instant sent_at() const { return sent_at_; }

private:
    Instant sent_at_{}, next_ok_{}, repeat_at_{};
    std::uint32_t flight_ = 0;  // CSeq of the one in flight
    std::uint32_t ignored_ = 0; // answers up to that CSeq do not matter
    std::uint32_t epoch_ = 0, flight_epoch_ = 0;
    std::uint8_t failures_ = 0, holds_ = 0;
    bool dirty_ = false, must_send_ = false, ending_ = false, last_sent_ = false, in_flight_ = false,
         baseline_ = false;
};

} // namespace sipyard::presence
