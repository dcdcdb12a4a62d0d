// modules/tm/ua_pure_test.cpp - the INVITE usage's table, offers that meet, reliable order, session timers
#include "modules/tm/ua_call.h"
#include "modules/tm/ua_session.h"

#include "core/base/arena.h"
#include "core/sip/message.h"
#include "test/support/catch.h"

#include <vector>

namespace sipyard::tm {

TEST_CASE("an INVITE usage from call to end", "[tm][ua]")
{
    using enum CallEvent;
    using S = CallState;
    using A = CallAction;
    constexpr auto caller = CallRole::caller, callee = CallRole::callee;
    const struct {
        const char* story;
        CallRole role;
        std::vector<CallEvent> events;
        S state;
        A last;
    } rows[] = {
        {"answered and hung up by us",
         caller,
         {provisional, success, ack, local_bye, bye_done},
         S::ended,
         A::end},
        {"a copy of the 2xx before the delayed ACK is silent",
         caller,
         {success, success},
         S::answered,
         A::none},
        {"a copy after the ACK is acknowledged again",
         caller,
         {success, ack, success},
         S::confirmed,
         A::ack_again},
        {"even when the call is over", caller, {success, ack, remote_bye, success}, S::ended, A::ack_again},
        {"even while our BYE is on its way",
         caller,
         {success, ack, local_bye, success},
         S::ending,
         A::ack_again},
        {"given up while it rings", caller, {provisional, local_bye}, S::early, A::cancel},
        {"the 2xx crosses the CANCEL",
         caller,
         {provisional, local_bye, success, local_bye},
         S::ending,
         A::ack_and_bye},
        {"busy", caller, {provisional, failure}, S::ended, A::end},
        {"hung up by us before our ACK", caller, {success, local_bye}, S::ending, A::ack_and_bye},
        {"hung up by them before our ACK", caller, {success, remote_bye}, S::ended, A::end},
        {"BYEs cross", caller, {success, ack, local_bye, remote_bye}, S::ending, A::none},
        {"a callee's BYE before its answer says nothing",
         caller,
         {provisional, remote_bye},
         S::early,
         A::none},
        {"called, answered, hung up by them",
         callee,
         {provisional, success, ack, remote_bye},
         S::ended,
         A::end},
        {"the ACK is told", callee, {success, ack}, S::confirmed, A::tell},
        {"no BYE before the ACK", callee, {success, local_bye}, S::answered, A::bye_later},
        {"the ACK never comes", callee, {success, no_ack}, S::ending, A::bye},
        {"we refuse", callee, {provisional, local_bye}, S::early, A::refuse},
        {"the caller hangs up early", callee, {provisional, remote_bye}, S::ended, A::refuse_and_end},
        {"nothing wakes the dead", callee, {failure, provisional, ack, remote_bye}, S::ended, A::none},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CallStep at{S::calling, A::none};
        for (const CallEvent event : row.events)
            at = step(at.next, row.role, event);
        CHECK(at.next == row.state);
        CHECK(at.action == row.last);
    }
}

TEST_CASE("whatever the order of events, a usage ends once and stays ended", "[tm][ua]")
{
    // All sequences of five events: 8^5 for both roles.
    for (const CallRole role : {CallRole::caller, CallRole::callee})
        for (int n = 0; n < 8 * 8 * 8 * 8 * 8; ++n) {
            CallState state = CallState::calling;
            int ends = 0, acks_without_answer = 0;
            bool answered = false;
            for (int i = 0, rest = n; i < 5; ++i, rest /= 8) {
                const auto event = static_cast<CallEvent>(rest % 8);
                const auto next = step(state, role, event);
                ends += next.action == CallAction::end || next.action == CallAction::refuse_and_end;
                answered = answered || event == CallEvent::success;
                acks_without_answer += !answered && (next.action == CallAction::ack_again ||
                                                     next.action == CallAction::ack_and_bye);
                if (state == CallState::ended && next.next != CallState::ended)
                    FAIL("left ended: " << n);
                if (ends == 1 && next.next != CallState::ended)
                    FAIL("ended without being ended: " << n);
                state = next.next;
            }
            if (ends > 1 || acks_without_answer != 0)
                FAIL("sequence " << n << " ends " << ends << " times");
        }
}

TEST_CASE("offers that meet", "[tm][ua]")
{
    using enum OfferVerdict;
    CHECK(their_invite({}) == go);
    CHECK(their_invite({.our_invite = true}) == pending);
    CHECK(their_invite({.our_update = true}) == pending);
    CHECK(their_invite({.their_invite = true}) == too_soon);
    CHECK(their_invite({.our_invite = true, .their_invite = true}) == too_soon);
    CHECK(their_update({.their_update = true}, false) == too_soon);
    CHECK(their_update({.our_update = true}, true) == pending);
    CHECK(their_update({.our_update = true}, false) == go);
    CHECK(their_update({.our_invite = true}, true) == go); // early media
    CHECK(our_offer({}) == go);
    CHECK(our_offer({.their_invite = true}) == pending);
}

TEST_CASE("reliable replies are taken in order", "[tm][ua]")
{
    using enum ReliableOrder::Place;
    ReliableOrder order;
    CHECK(order.take(776656) == next); // any number begins
    CHECK(order.take(776656) == repeated);
    CHECK(order.take(776658) == gap);
    CHECK(order.take(776657) == next);
    CHECK(order.take(776658) == next);
    CHECK(order.take(1) == repeated);
}

namespace {

SessionFields fields_of(Arena& arena, std::string_view lines)
{
    const auto message = sip::Message::parse(
        arena.concat("INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n", lines, "Content-Length: 0\r\n\r\n"),
        arena);
    REQUIRE(message);
    return SessionFields::of(**message);
}

} // namespace

TEST_CASE("what a callee agrees to (RFC 4028 9)", "[tm][ua]")
{
    Arena arena;
    const struct {
        const char* story;
        SessionSettings settings;
        const char* request;
        bool too_small;
        std::uint32_t interval;
        bool we_refresh;
        const char* lines;
    } rows[] = {
        {"nobody wants one", {}, "", false, 0, false, ""},
        {"the caller wants one and refreshes",
         {},
         "Supported: timer\r\nSession-Expires: 1800\r\n",
         false,
         1800,
         false,
         "Session-Expires: 1800;refresher=uac\r\nRequire: timer\r\n"},
        {"the caller wants us to refresh",
         {},
         "Supported: timer\r\nx: 1800;refresher=uas\r\n",
         false,
         1800,
         true,
         "Session-Expires: 1800;refresher=uas\r\n"},
        {"a proxy asked, the caller knows nothing",
         {},
         "Session-Expires: 600\r\n",
         false,
         600,
         true,
         "Session-Expires: 600;refresher=uas\r\n"},
        {"too small", {0, 200}, "Supported: timer\r\nSession-Expires: 100\r\n", true, 0, false, ""},
        {"too small from a proxy: 422 would not be understood",
         {0, 200},
         "Session-Expires: 100\r\n",
         false,
         200,
         true,
         "Session-Expires: 200;refresher=uas\r\n"},
        {"we lower it",
         {600, 90},
         "Supported: timer\r\nSession-Expires: 1800\r\n",
         false,
         600,
         false,
         "Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n"},
        {"but not below the caller's Min-SE",
         {600, 90},
         "Supported: timer\r\nSession-Expires: 1800\r\nMin-SE: 900\r\n",
         false,
         900,
         false,
         "Session-Expires: 900;refresher=uac\r\nRequire: timer\r\n"},
        {"ours, the caller can",
         {1200, 90},
         "Supported: 100rel, timer\r\n",
         false,
         1200,
         false,
         "Session-Expires: 1200;refresher=uac\r\nRequire: timer\r\n"},
        {"ours, the caller cannot", {1200, 90}, "", false, 0, false, ""},
        {"not a number", {}, "Session-Expires: soon\r\n", false, 0, false, ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto answer = session_answer(row.settings, fields_of(arena, row.request), nullptr);
        CHECK(answer.too_small == row.too_small);
        CHECK(answer.timer.interval == row.interval);
        CHECK(answer.timer.we_refresh == row.we_refresh);
        CHECK(answer.lines == row.lines);
    }
}

TEST_CASE("what a caller asks for and gets", "[tm][ua]")
{
    Arena arena;
    CHECK(session_lines({}, nullptr) == "");
    CHECK(session_lines({1800, 90}, nullptr) == "Session-Expires: 1800\r\n");
    CHECK(session_lines({60, 90}, nullptr) == "Session-Expires: 90\r\n");
    CHECK(session_lines({1800, 120}, nullptr) == "Session-Expires: 1800\r\nMin-SE: 120\r\n");
    const SessionTimer theirs{600, false, true};
    CHECK(session_lines({1800, 90}, &theirs) == "Session-Expires: 600;refresher=uas\r\n");

    auto timer = session_from_reply(
        {1800, 90}, fields_of(arena, "Session-Expires: 1000;refresher=uas\r\nRequire: timer\r\n"));
    CHECK(timer.interval == 1000);
    CHECK(!timer.we_refresh);
    timer = session_from_reply({1800, 90}, fields_of(arena, "Session-Expires: 1000;refresher=uac\r\n"));
    CHECK(timer.we_refresh);
    timer = session_from_reply({1800, 90}, fields_of(arena, ""));
    CHECK(timer.interval == 1800);
    CHECK(!timer.peer_knows);
    CHECK(session_from_reply({}, fields_of(arena, "")).interval == 0);

    CHECK(session_after_422(90, fields_of(arena, "Min-SE: 300\r\n")) == 300);
    CHECK(!session_after_422(300, fields_of(arena, "Min-SE: 300\r\n"))); // it would refuse that too
    CHECK(!session_after_422(90, fields_of(arena, "")));
    CHECK(!session_after_422(90, fields_of(arena, "Min-SE: 4000000000\r\n")));
}

TEST_CASE("when refreshes and ends are due", "[tm][ua]")
{
    CHECK(SessionTimer{90, true, true}.refresh_after() == 45s);
    CHECK(SessionTimer{90, true, true}.expires_after() == 60s);
    CHECK(SessionTimer{1800, true, true}.expires_after() == 1768s);
    for (std::uint64_t random = 0; random < 1000; ++random) {
        const auto ours = glare_delay(true, random), theirs = glare_delay(false, random);
        if (ours < 2100ms || ours > 4000ms || theirs < 0ms || theirs > 2000ms || ours % 10ms != 0ns)
            FAIL("out of range for " << random);
    }
}

} // namespace sipyard::tm
