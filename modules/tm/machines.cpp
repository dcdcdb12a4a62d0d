// modules/tm/machines.cpp - the transitions, one switch per state
#include "modules/tm/machines.h"

namespace sipyard::tm {

namespace {

ServerStep invite_step(ServerState state, ServerEvent event, bool reliable)
{
    using S = ServerState;
    using E = ServerEvent;
    using D = ServerDo;
    switch (state) {
    case S::trying:
    case S::proceeding:
        switch (event) {
        case E::request_again: return {state, state == S::proceeding ? D::send_again : D::nothing};
        case E::give_1xx: return {S::proceeding, D::send};
        case E::give_2xx: return {S::accepted, D::send};
        case E::give_negative: return {S::completed, D::send};
        default: return {state, D::nothing};
        }
    case S::accepted: // RFC 6026: retransmissions are absorbed, every 2xx and the ACK pass
        switch (event) {
        case E::give_2xx: return {S::accepted, D::send};
        case E::give_1xx:
        case E::give_negative: return {state, D::refuse};
        case E::timer_end: return {S::terminated, D::end_now};
        default: return {state, D::nothing};
        }
    case S::completed:
        switch (event) {
        case E::request_again: return {state, D::send_again};
        case E::timer_g: return {state, reliable ? D::nothing : D::send_again};
        case E::ack: return {S::confirmed, D::end_soon};
        case E::timer_h: return {S::confirmed, D::end_soon};
        case E::give_2xx:
            return {state, D::send}; // RFC 3261 16.7 step 5: a proxy passes every 2xx to an INVITE
        case E::give_1xx:
        case E::give_negative: return {state, D::refuse};
        case E::timer_end: return {S::terminated, D::end_now};
        }
        break;
    case S::confirmed:
        switch (event) {
        case E::give_2xx: return {state, D::send};
        case E::give_1xx:
        case E::give_negative: return {state, D::refuse};
        case E::timer_end: return {S::terminated, D::end_now};
        default: return {state, D::nothing};
        }
    case S::terminated: break;
    }
    return {state, D::refuse};
}

ServerStep other_step(ServerState state, ServerEvent event)
{
    using S = ServerState;
    using E = ServerEvent;
    using D = ServerDo;
    switch (state) {
    case S::trying:
    case S::proceeding:
        switch (event) {
        case E::request_again: return {state, state == S::proceeding ? D::send_again : D::nothing};
        case E::give_1xx: return {S::proceeding, D::send};
        case E::give_2xx:
        case E::give_negative: return {S::completed, D::send};
        default: return {state, D::nothing};
        }
    case S::accepted:
    case S::completed:
    case S::confirmed:
        switch (event) {
        case E::request_again: return {state, D::send_again};
        case E::give_1xx:
        case E::give_2xx:
        case E::give_negative: return {state, D::refuse};
        case E::timer_end: return {S::terminated, D::end_now};
        default: return {state, D::nothing};
        }
    case S::terminated: break;
    }
    return {state, D::refuse};
}

ClientStep invite_step(ClientState state, ClientEvent event)
{
    using S = ClientState;
    using E = ClientEvent;
    using D = ClientDo;
    switch (state) {
    case S::calling:
    case S::trying:
    case S::proceeding:
        switch (event) {
        case E::got_1xx: return {S::proceeding, D::pass};
        case E::got_2xx: return {S::accepted, D::pass};
        case E::got_negative: return {S::completed, D::pass_and_ack};
        case E::timer_again: return {state, state == S::proceeding ? D::nothing : D::send_again};
        case E::timer_out: return {S::terminated, D::time_out};
        case E::failed: return {S::terminated, D::fail};
        }
        break;
    case S::accepted: return {state, event == E::got_2xx ? D::pass : D::nothing};
    case S::completed:
        return {state, event == E::got_negative ? D::ack_again : event == E::got_2xx ? D::pass : D::nothing};
    case S::terminated: // it timed out here; what comes late is not lost
        return event == E::got_2xx        ? ClientStep{S::accepted, D::pass}
               : event == E::got_negative ? ClientStep{S::completed, D::ack_again}
                                          : ClientStep{state, D::nothing};
    }
    return {state, D::nothing};
}

ClientStep other_step(ClientState state, ClientEvent event)
{
    using S = ClientState;
    using E = ClientEvent;
    using D = ClientDo;
    switch (state) {
    case S::calling:
    case S::trying:
    case S::proceeding:
        switch (event) {
        case E::got_1xx: return {S::proceeding, D::pass};
        case E::got_2xx:
        case E::got_negative: return {S::completed, D::pass};
        case E::timer_again: return {state, D::send_again};
        case E::timer_out: return {S::terminated, D::time_out};
        case E::failed: return {S::terminated, D::fail};
        }
        break;
    default: break;
    }
    return {state, D::nothing};
}

} // namespace

ServerStep step(ServerState state, ServerEvent event, bool invite, bool reliable)
{
    return invite ? invite_step(state, event, reliable) : other_step(state, event);
}

ClientStep step(ClientState state, ClientEvent event, bool invite)
{
    return invite ? invite_step(state, event) : other_step(state, event);
}

std::string_view to_text(ServerState state)
{
    constexpr std::string_view names[] = {"trying",    "proceeding", "accepted",
                                          "completed", "confirmed",  "terminated"};
    return names[static_cast<std::size_t>(state)];
}

std::string_view to_text(ClientState state)
{
    constexpr std::string_view names[] = {"calling",  "trying",    "proceeding",
                                          "accepted", "completed", "terminated"};
    return names[static_cast<std::size_t>(state)];
}

std::string_view to_text(ServerDo what)
{
    constexpr std::string_view names[] = {"nothing", "refuse", "send", "send_again", "end_soon", "end_now"};
    return names[static_cast<std::size_t>(what)];
}

std::string_view to_text(ClientDo what)
{
    constexpr std::string_view names[] = {"nothing",    "pass",     "pass_and_ack", "ack_again",
                                          "send_again", "time_out", "fail"};
    return names[static_cast<std::size_t>(what)];
}

} // namespace sipyard::tm
