// modules/tm/ua_session.h - session timers: what is offered, agreed and when it is due (RFC 4028); when to
// try again after 491
#pragma once

#include "core/base/clock.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::sip {
class Message;
} // namespace sipyard::sip

namespace sipyard::tm {

struct SessionSettings {
    std::uint32_t expires = 0; // seconds we ask for; 0: no session timer of ours
    std::uint32_t min_se = 90; // the least we accept (RFC 4028 4: never below 90)
};

struct SessionTimer {
    std::uint32_t interval = 0; // seconds; 0: the session never expires
    bool we_refresh = false;
    bool peer_knows = true; // false: only our refreshes keep it alive, and the peer will not hang up

    Duration refresh_after() const; // half of the interval (RFC 4028 10)
    Duration expires_after() const; // interval - min(32 s, interval / 3)
};

// What a message says. Malformed values count as absent.
struct SessionFields {
    std::optional<std::uint32_t> expires;
    std::string_view refresher; // "uac", "uas" or ""
    std::uint32_t min_se = 0;
    bool supports_timer = false;
    static SessionFields of(const sip::Message& message);
};

// Lines for a request of ours: Session-Expires, Min-SE. `supported` is the caller's. With a timer running in
// which we are known as refresher or not, the roles stay as they are (7.4).
std::string session_lines(const SessionSettings& settings, const SessionTimer* running);
// A 2xx to a request of ours came.
SessionTimer session_from_reply(const SessionSettings& settings, const SessionFields& reply);
// 422: the value to ask for next; nothing when the peer's Min-SE is no reason to try again.
std::optional<std::uint32_t> session_after_422(std::uint32_t asked, const SessionFields& reply);

// A request with or without Session-Expires is about to get its 2xx.
struct SessionAnswer {
    bool too_small = false; // answer 422 with Min-SE
    SessionTimer timer;
    std::string lines; // Session-Expires (and Require: timer) of the 2xx
};
SessionAnswer session_answer(const SessionSettings& settings, const SessionFields& request,
                             const SessionTimer* running);

// RFC 3261 14.1: who made the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s, in steps of 10 ms.
Duration glare_delay(bool call_id_is_ours, std::uint64_t random);

} // namespace sipyard::tm
