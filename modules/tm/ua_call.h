// modules/tm/ua_call.h - the INVITE usage of one dialog as a table: what an event means in each state (RFC
// 3261 12 to 15, 6026)
#pragma once

#include <cstdint>
#include <string_view>

namespace sipyard::tm {

enum class CallRole : unsigned char { caller, callee };

enum class CallState : unsigned char {
    calling,  // the INVITE is out or in, no dialog is known
    early,    // a provisional reply with a tag
    answered, // a 2xx, its ACK not yet sent (caller) or not yet here (callee)
    confirmed,
    ending, // our BYE is on its way
    ended,
};
std::string_view to_text(CallState state);

enum class CallEvent : unsigned char {
    provisional, // with a To tag, sent or received
    success,     // a 2xx, sent or received, copies included
    failure,     // a final reply of 300 and above
    ack,         // sent or received
    no_ack,      // a callee has repeated its 2xx for 64*T1
    local_bye,   // the owner wants the call to end, in whatever way fits
    remote_bye,
    bye_done, // our BYE was answered, or was not in time
};
std::string_view to_text(CallEvent event);

enum class CallAction : unsigned char {
    none,
    tell,        // the owner has not seen this yet
    ack_again,   // the copy of a 2xx: the same ACK once more (13.2.2.4)
    cancel,      // the INVITE has to be cancelled (9.1)
    refuse,      // the INVITE gets a final reply that refuses it
    ack_and_bye, // a 2xx we do not want: ACK, then BYE (15)
    bye,
    bye_later,      // a callee must not send BYE before the ACK or its timeout (15)
    end,            // the usage is over
    refuse_and_end, // a BYE in an early dialog: 487 to the INVITE (15.1.2)
};
std::string_view to_text(CallAction action);

struct CallStep {
    CallState next;
    CallAction action;
    friend bool operator==(const CallStep&, const CallStep&) = default;
};
// Pure. Events that mean nothing in a state leave it.
CallStep step(CallState state, CallRole role, CallEvent event);

// Who may send or take an offer now (RFC 3261 14.1, 14.2, RFC 3311 5). Bits of what is unanswered in a
// dialog.
struct Unanswered {
    bool our_invite = false, their_invite = false, our_update = false, their_update = false,
         our_offer_in_prack = false;
};
enum class OfferVerdict : unsigned char {
    go,
    pending,  // glare: 491 for theirs, wait with ours
    too_soon, // their earlier one is not answered: 500 with Retry-After 0..10
};
OfferVerdict their_invite(const Unanswered& now);
OfferVerdict their_update(const Unanswered& now, bool with_offer);
OfferVerdict our_offer(const Unanswered& now); // re-INVITE or UPDATE

// RSeq of reliable provisional replies in one dialog (RFC 3262 4).
class ReliableOrder {
public:
    enum class Place : unsigned char { next, repeated, gap };
    Place take(std::uint32_t rseq);
    std::uint32_t last() const { return last_; } // 0: none yet

private:
    std::uint32_t last_ = 0;
};

} // namespace sipyard::tm
