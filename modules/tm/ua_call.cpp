// modules/tm/ua_call.cpp - the table of the INVITE usage, glare, and the order of reliable replies
#include "modules/tm/ua_call.h"

namespace sipyard::tm {

std::string_view to_text(CallState state)
{
    constexpr std::string_view texts[] = {"calling", "early", "answered", "confirmed", "ending", "ended"};
    return texts[static_cast<std::size_t>(state)];
}

std::string_view to_text(CallEvent event)
{
    constexpr std::string_view texts[] = {"provisional", "success",   "failure",    "ack",
                                          "no_ack",      "local_bye", "remote_bye", "bye_done"};
    return texts[static_cast<std::size_t>(event)];
}

std::string_view to_text(CallAction action)
{
    constexpr std::string_view texts[] = {"none",        "tell", "ack_again", "cancel", "refuse",
                                          "ack_and_bye", "bye",  "bye_later", "end",    "refuse_and_end"};
    return texts[static_cast<std::size_t>(action)];
}

CallStep step(CallState state, CallRole role, CallEvent event)
{
    using enum CallState;
    using E = CallEvent;
    using A = CallAction;
    const bool caller = role == CallRole::caller;
    switch (state) {
    case calling:
    case early:
        switch (event) {
        case E::provisional: return {early, A::tell};
        case E::success: return {answered, A::tell};
        case E::failure: return {ended, A::end};
        case E::local_bye: return {state, caller ? A::cancel : A::refuse};
        // Only a caller may hang up an early dialog (15): one that calls us; a callee's BYE has no meaning
        // yet.
        case E::remote_bye: return caller ? CallStep{state, A::none} : CallStep{ended, A::refuse_and_end};
        default: return {state, A::none};
        }
    case answered:
        switch (event) {
        case E::ack: return {confirmed, caller ? A::none : A::tell};
        case E::no_ack: return {ending, A::bye};
        case E::local_bye:
            return caller ? CallStep{ending, A::ack_and_bye} : CallStep{answered, A::bye_later};
        case E::remote_bye: return {ended, A::end};
        default: return {answered, A::none}; // a copy of the 2xx waits for its ACK with the first one
        }
    case confirmed:
        switch (event) {
        case E::success: return {confirmed, caller ? A::ack_again : A::none};
        case E::local_bye: return {ending, A::bye};
        case E::remote_bye: return {ended, A::end};
        default: return {confirmed, A::none};
        }
    case ending:
        switch (event) {
        case E::success: return {ending, caller ? A::ack_again : A::none};
        case E::bye_done: return {ended, A::end};
        default: return {ending, A::none}; // BYEs that cross: theirs is answered, ours is waited for
        }
    case ended:
        // The copies of a 2xx go on until an ACK arrives, whatever has happened since.
        return {ended, event == E::success && caller ? A::ack_again : A::none};
    }
    return {state, A::none};
}

OfferVerdict their_invite(const Unanswered& now)
{
    if (now.their_invite || now.their_update)
        return OfferVerdict::too_soon;
    return now.our_invite || now.our_update || now.our_offer_in_prack ? OfferVerdict::pending
                                                                      : OfferVerdict::go;
}

OfferVerdict their_update(const Unanswered& now, bool with_offer)
{
    if (now.their_update)
        return OfferVerdict::too_soon;
    if (!with_offer)
        return OfferVerdict::go; // it refreshes the target or the session, nothing else
    if (now.our_update || now.our_offer_in_prack)
        return OfferVerdict::pending;
    return OfferVerdict::go; // an UPDATE beside an INVITE is what it was made for; whose offer is open the
                             // owner knows
}

OfferVerdict our_offer(const Unanswered& now)
{
    return now.our_invite || now.our_update || now.their_invite || now.their_update || now.our_offer_in_prack
               ? OfferVerdict::pending
               : OfferVerdict::go;
}

ReliableOrder::Place ReliableOrder::take(std::uint32_t rseq)
{
    if (last_ != 0 && rseq <= last_)
        return Place::repeated;
    if (last_ != 0 && rseq != last_ + 1)
        return Place::gap; // must not be acknowledged (RFC 3262 4): the one before it is still to come
    last_ = rseq;
    return Place::next;
}

} // namespace sipyard::tm
