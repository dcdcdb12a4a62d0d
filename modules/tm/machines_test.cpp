// modules/tm/machines_test.cpp - the state machines, row by row of RFC 3261 17 and RFC 6026
#include "modules/tm/machines.h"
#include "modules/tm/reply_choice.h"
#include "test/support/catch.h"

#include <vector>

namespace sipyard::tm {

TEST_CASE("server transactions", "[tm]")
{
    using S = ServerState;
    using E = ServerEvent;
    using D = ServerDo;
    const struct {
        const char* story;
        bool invite, reliable;
        S from;
        E event;
        S to;
        D what;
    } rows[] = {
        {"an INVITE again before anything was said", true, false, S::trying, E::request_again, S::trying,
         D::nothing},
        {"an INVITE again while it rings", true, false, S::proceeding, E::request_again, S::proceeding,
         D::send_again},
        {"ringing", true, false, S::trying, E::give_1xx, S::proceeding, D::send},
        {"answered", true, false, S::proceeding, E::give_2xx, S::accepted, D::send},
        {"an INVITE again after its 2xx", true, false, S::accepted, E::request_again, S::accepted,
         D::nothing},
        {"a second 2xx, or the first once more", true, false, S::accepted, E::give_2xx, S::accepted, D::send},
        {"no error after a 2xx", true, false, S::accepted, E::give_negative, S::accepted, D::refuse},
        {"the ACK to a 2xx is the user's", true, false, S::accepted, E::ack, S::accepted, D::nothing},
        {"L ends it", true, false, S::accepted, E::timer_end, S::terminated, D::end_now},
        {"busy", true, false, S::proceeding, E::give_negative, S::completed, D::send},
        {"G over UDP", true, false, S::completed, E::timer_g, S::completed, D::send_again},
        {"no G over TCP", true, true, S::completed, E::timer_g, S::completed, D::nothing},
        {"an INVITE again after busy", true, false, S::completed, E::request_again, S::completed,
         D::send_again},
        {"the ACK", true, false, S::completed, E::ack, S::confirmed, D::end_soon},
        {"H: it never came", true, false, S::completed, E::timer_h, S::confirmed, D::end_soon},
        {"a late 2xx still passes", true, false, S::completed, E::give_2xx, S::completed, D::send},
        {"no second error", true, false, S::confirmed, E::give_negative, S::confirmed, D::refuse},
        {"the ACK again", true, false, S::confirmed, E::ack, S::confirmed, D::nothing},
        {"a BYE again before an answer", false, false, S::trying, E::request_again, S::trying, D::nothing},
        {"a BYE's answer", false, false, S::trying, E::give_2xx, S::completed, D::send},
        {"a BYE again after it", false, true, S::completed, E::request_again, S::completed, D::send_again},
        {"one answer only", false, false, S::completed, E::give_2xx, S::completed, D::refuse},
        {"J ends it", false, false, S::completed, E::timer_end, S::terminated, D::end_now},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const ServerStep next = step(row.from, row.event, row.invite, row.reliable);
        CHECK(to_text(next.next) == to_text(row.to));
        CHECK(to_text(next.what) == to_text(row.what));
    }
}

TEST_CASE("client transactions", "[tm]")
{
    using S = ClientState;
    using E = ClientEvent;
    using D = ClientDo;
    const struct {
        const char* story;
        bool invite;
        S from;
        E event;
        S to;
        D what;
    } rows[] = {
        {"A", true, S::calling, E::timer_again, S::calling, D::send_again},
        {"no A while it rings", true, S::proceeding, E::timer_again, S::proceeding, D::nothing},
        {"B or C", true, S::calling, E::timer_out, S::terminated, D::time_out},
        {"the transport says no", true, S::calling, E::failed, S::terminated, D::fail},
        {"ringing", true, S::calling, E::got_1xx, S::proceeding, D::pass},
        {"answered", true, S::proceeding, E::got_2xx, S::accepted, D::pass},
        {"the 2xx of another fork", true, S::accepted, E::got_2xx, S::accepted, D::pass},
        {"nothing else after a 2xx", true, S::accepted, E::got_negative, S::accepted, D::nothing},
        {"busy", true, S::calling, E::got_negative, S::completed, D::pass_and_ack},
        {"busy again: the ACK was lost", true, S::completed, E::got_negative, S::completed, D::ack_again},
        {"ringing after all is over", true, S::completed, E::got_1xx, S::completed, D::nothing},
        {"answered after our own 408", true, S::terminated, E::got_2xx, S::accepted, D::pass},
        {"busy after our own 408: only the ACK", true, S::terminated, E::got_negative, S::completed,
         D::ack_again},
        {"E goes on after a 1xx", false, S::proceeding, E::timer_again, S::proceeding, D::send_again},
        {"a BYE's answer", false, S::trying, E::got_2xx, S::completed, D::pass},
        {"the answer again", false, S::completed, E::got_2xx, S::completed, D::nothing},
        {"F", false, S::trying, E::timer_out, S::terminated, D::time_out},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const ClientStep next = step(row.from, row.event, row.invite);
        CHECK(to_text(next.next) == to_text(row.to));
        CHECK(to_text(next.what) == to_text(row.what));
    }
}

TEST_CASE("the best reply", "[tm]")
{
    const struct {
        const char* story;
        std::vector<Candidate> replies;
        ChoiceRules rules;
        int expected;
    } rows[] = {
        {"nobody said anything", {}, {}, -1},
        {"only one", {{486}}, {}, 0},
        {"the lower class", {{503}, {404}, {302}}, {}, 2},
        {"a 6xx is final", {{302}, {603}, {401}}, {}, 1},
        {"unless the operator says no", {{302}, {603}, {401}}, {0, false}, 0},
        {"a challenge before not found", {{404}, {407}}, {}, 1},
        {"address incomplete too", {{486}, {484}}, {}, 1},
        {"unsupported media type too", {{480}, {415}}, {}, 1},
        {"bad extension too", {{400}, {420}}, {}, 1},
        {"408 and 503: 408", {{503}, {408, true}}, {}, 1},
        {"the first of equals", {{486}, {486}}, {}, 0},
        {"a penalty for what we made up", {{408, true}, {503}}, {2000}, 1},
        {"provisional ones are no answer", {{180}, {183}}, {}, -1},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(choose(row.replies, row.rules) == row.expected);
    }
}

} // namespace sipyard::tm
