// modules/tm/machines.h - the four state machines of RFC 3261 17, with the Accepted state of RFC 6026; pure
// tables
#pragma once

#include <cstdint>
#include <string_view>

namespace sipyard::tm {

// --- server side (figures 7 and 8, RFC 6026 7.1) -------------------------------------------------

enum class ServerState : std::uint8_t { trying, proceeding, accepted, completed, confirmed, terminated };
enum class ServerEvent : std::uint8_t {
    request_again, // a retransmission came
    ack,
    give_1xx,
    give_2xx,
    give_negative, // the user, or a branch, answers
    timer_g,       // the reply is to be sent again
    timer_h,       // no ACK came
    timer_end,     // I, J or L
};
enum class ServerDo : std::uint8_t {
    nothing,    // absorbed
    refuse,     // the event may not happen any more: a second final reply
    send,       // the given reply
    send_again, // the last reply
    end_soon,   // the wait for stragglers begins
    end_now,
};
struct ServerStep {
    ServerState next;
    ServerDo what;
};
ServerStep step(ServerState state, ServerEvent event, bool invite, bool reliable);

// --- client side (figures 5 and 6, RFC 6026 7.2) -------------------------------------------------

enum class ClientState : std::uint8_t { calling, trying, proceeding, accepted, completed, terminated };
enum class ClientEvent : std::uint8_t {
    got_1xx,
    got_2xx,
    got_negative,
    timer_again, // A or E
    timer_out,   // B, C or F: no answer
    failed,      // the transport says no
};
enum class ClientDo : std::uint8_t {
    nothing,      // absorbed
    pass,         // to the user
    pass_and_ack, // and our ACK goes out
    ack_again,    // the negative reply came again
    send_again,
    time_out, // as if a 408 had come
    fail,     // as if a 503 had come
};
struct ClientStep {
    ClientState next;
    ClientDo what;
};
ClientStep step(ClientState state, ClientEvent event, bool invite);

std::string_view to_text(ServerState state);
std::string_view to_text(ClientState state);
std::string_view to_text(ServerDo what);
std::string_view to_text(ClientDo what);

} // namespace sipyard::tm
