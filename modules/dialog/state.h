// modules/dialog/state.h - the states of a dialog that passes through a proxy, and what moves it: pure
#pragma once

#include "modules/dialog/api.h"

namespace sipyard::dialog {

enum class Event : unsigned char {
    provisional,      // 101..199 went to the caller
    answered,         // 2xx
    refused,          // 300 and above
    transaction_gone, // the INVITE's transaction ended
    ack,
    bye,
    timeout,
};

// The state after the event; the same state when the event means nothing in it.
constexpr State next(State state, Event event)
{
    const bool pending = state == State::unconfirmed || state == State::early;
    const bool answered = state == State::confirmed_no_ack || state == State::confirmed;
    switch (event) {
    case Event::provisional: return state == State::unconfirmed ? State::early : state;
    case Event::answered: return pending ? State::confirmed_no_ack : state;
    case Event::refused:
    case Event::transaction_gone: return pending ? State::deleted : state;
    case Event::ack: return state == State::confirmed_no_ack ? State::confirmed : state;
    // A BYE before the answer ends one early dialog of perhaps several; the INVITE goes on (RFC 3261 15).
    case Event::bye: return answered ? State::deleted : state;
    case Event::timeout: return State::deleted;
    }
    return state;
}

} // namespace sipyard::dialog
