// modules/tm/ua_dialogs_test.cpp - calls we make and calls we take, with their races, against a tm that only
// notes
#include "modules/tm/ua_test_support.h"

namespace sipyard::tm {

TEST_CASE("a call with a delayed ACK, hung up by us", "[tm][ua]")
{
    UaBench b;
    const auto set = b.start(b.setup());
    REQUIRE(b.tm.left.size() == 1);
    const Left invite = b.tm.take_left()[0];
    CHECK(invite.method == "INVITE");
    CHECK(invite.headers.find("Contact: <sip:al@192.0.2.1>\r\n") != std::string::npos);
    CHECK(invite.from.starts_with("<sip:al@a.example>;tag=ua"));
    b.tm.answer(invite, 100, "");
    b.tm.answer(invite, 180, "B");
    CHECK(b.owner->take() == "180/1+");
    b.tm.answer(invite, 200, "B", "Contact: <sip:bob@192.0.2.9>\r\nRecord-Route: <sip:p.example;lr>\r\n",
                "v=0 b");
    CHECK(b.owner->take() == "200/1");
    CHECK(b.owner->last_reply.needs_ack);
    b.tm.answer(invite, 200, "B"); // its copies are not told, and wait with it
    CHECK(b.owner->take() == "");
    CHECK(b.tm.left.empty());
    const DialogId dialog{set.set, 1};
    b.act([&](Dialogs& d) { d.ack(dialog, "application/sdp", "v=0 a"); });
    REQUIRE(b.tm.left.size() == 1);
    const Left ack = b.tm.take_left()[0];
    CHECK(ack.method == "ACK");
    CHECK(ack.cseq == invite.cseq);
    CHECK(ack.body == "v=0 a");
    CHECK(ack.request_uri == "sip:bob@192.0.2.9");
    CHECK(ack.next_hop == "sip:p.example;lr");
    CHECK(ack.to == "<sip:bob@b.example>;tag=B");
    b.tm.answer(invite, 200, "B"); // the ACK was lost
    REQUIRE(b.tm.left.size() == 1);
    CHECK(b.tm.take_left()[0].body == "v=0 a");
    b.act([&](Dialogs& d) { d.bye(dialog, "Reason: SIP;cause=200\r\n"); });
    REQUIRE(b.tm.left.size() == 1);
    const Left bye = b.tm.take_left()[0];
    CHECK(bye.method == "BYE");
    CHECK(bye.cseq == invite.cseq + 1);
    CHECK(bye.headers.find("Reason: SIP;cause=200\r\n") != std::string::npos);
    b.tm.answer(bye, 200, "B");
    CHECK(b.owner->take() == "end/1 local_bye");
    b.tm.answer(invite, 200, "B"); // still, until 64*T1
    CHECK(b.tm.take_left().size() == 1);
    CHECK(b.ua->sets() == 1);
    b.tm.answer(invite, 200, "B", {}, {}, true);
    CHECK(b.owner->take() == "end/0 local_bye");
    CHECK(b.ua->sets() == 0);
}

TEST_CASE("forks: the first 2xx wins, others get ACK and BYE", "[tm][ua]")
{
    UaBench b;
    auto setup = b.setup();
    const bool owner_decides = GENERATE(false, true);
    setup.late = owner_decides ? Late::owner : Late::refused;
    const auto set = b.start(setup);
    const Left invite = b.tm.take_left()[0];
    b.tm.answer(invite, 180, "B");
    b.tm.answer(invite, 180, "C");
    b.tm.answer(invite, 183, "D");
    CHECK(b.owner->take() == "180/1+, 180/2+, 183/3+");
    b.tm.answer(invite, 200, "C");
    CHECK(b.owner->take() == "200/2");
    b.act([&](Dialogs& d) { d.ack({set.set, 2}); });
    CHECK(b.tm.take_left().size() == 1);
    b.tm.answer(invite, 200, "B");
    if (owner_decides) {
        CHECK(b.owner->take() == "200/1 late");
        CHECK(b.tm.left.empty());
        b.act([&](Dialogs& d) { d.bye({set.set, 1}); });
    } else {
        CHECK(b.owner->take() == "");
    }
    const auto left = b.tm.take_left();
    REQUIRE(left.size() == 2);
    CHECK(left[0].method == "ACK");
    CHECK(left[1].method == "BYE");
    CHECK(left[1].to == "<sip:bob@b.example>;tag=B");
    b.tm.answer(left[1], 200, "B");
    CHECK(b.owner->take() == (owner_decides ? "end/1 local_bye" : "end/1 other_fork"));
    b.tm.answer(invite, 200, "C", {}, {}, true);
    CHECK(b.owner->take() == "end/3 other_fork"); // the early dialog nobody answered
}

TEST_CASE("CANCEL, and a 2xx that crosses it", "[tm][ua]")
{
    UaBench b;
    const auto set = b.start(b.setup());
    const Left invite = b.tm.take_left()[0];
    b.tm.answer(invite, 180, "B");
    b.act([&](Dialogs& d) { d.cancel(set); });
    REQUIRE(b.tm.cancelled.size() == 1);
    CHECK(b.tm.cancelled[0] == invite.id);
    (void)b.owner->take();
    SECTION("it works")
    {
        b.tm.answer(invite, 487, "B");
        CHECK(b.owner->take() == "487/0, end/1 cancelled, end/0 cancelled");
        CHECK(b.ua->sets() == 0);
    }
    SECTION("the 2xx was faster")
    {
        b.tm.answer(invite, 200, "B");
        const auto left = b.tm.take_left();
        REQUIRE(left.size() == 2);
        CHECK(left[0].method == "ACK");
        CHECK(left[1].method == "BYE");
        b.tm.no_answer(left[1], 408); // whatever the answer to BYE
        CHECK(b.owner->take() == "end/1 cancelled");
    }
    SECTION("nothing comes: it counts as cancelled after 64*T1 (RFC 3261 9.1)")
    {
        b.host.advance(31s);
        CHECK(b.owner->take() == "");
        b.host.advance(2s);
        CHECK(b.owner->take() == "487/0, end/1 cancelled, end/0 cancelled");
    }
}

TEST_CASE("a failure, and the same once more", "[tm][ua]")
{
    UaBench b;
    auto setup = b.setup();
    setup.credentials = {{"b.example", "al", "pw", false}};
    const auto set = b.start(setup);
    Left invite = b.tm.take_left()[0];
    SECTION("busy")
    {
        b.tm.answer(invite, 180, "B");
        b.tm.answer(invite, 486, "B");
        CHECK(b.owner->take() == "180/1+, 486/0, end/1 failed, end/0 failed");
    }
    SECTION("nowhere to go")
    {
        b.tm.no_answer(invite, 503);
        CHECK(b.owner->take() == "503/0, end/0 failed");
    }
    SECTION("redirected: same Call-ID and From, next CSeq (RFC 3261 8.1.3.4)")
    {
        struct Follower final : Notebook {
            UserAgent* ua = nullptr;
            void on_reply(const DialogReply& r) override
            {
                Notebook::on_reply(r);
                if (r.code == 302)
                    ua->again(r.dialog, "sip:bob@c.example", {});
            }
        };
        const auto follower = std::make_shared<Follower>();
        follower->ua = b.ua.get();
        setup.owner = follower;
        const auto other = b.start(setup);
        invite = b.tm.take_left()[0];
        b.tm.answer(invite, 302, "B");
        REQUIRE(b.tm.left.size() == 1);
        const Left second = b.tm.take_left()[0];
        CHECK(second.request_uri == "sip:bob@c.example");
        CHECK(second.call_id == invite.call_id);
        CHECK(second.from == invite.from);
        CHECK(second.cseq == invite.cseq + 1);
        CHECK(follower->take() == "302/0");
        b.tm.answer(second, 200, "B");
        CHECK(follower->take() == "200/1+");
        b.act([&](Dialogs& d) { d.drop(other); });
        CHECK(b.ua->sets() == 1);
    }
    SECTION("challenged once, and again with a wrong password")
    {
        b.tm.answer(invite, 407, "B",
                    "Proxy-Authenticate: Digest realm=\"b.example\", nonce=\"n1\", qop=\"auth\"\r\n");
        REQUIRE(b.tm.left.size() == 1);
        const Left second = b.tm.take_left()[0];
        CHECK(second.cseq == invite.cseq + 1);
        CHECK(second.headers.find("Proxy-Authorization: Digest username=\"al\"") != std::string::npos);
        CHECK(b.owner->take() == "");
        SECTION("accepted: the ACK and the BYE carry it too")
        {
            b.tm.answer(second, 200, "B");
            b.act([&](Dialogs& d) {
                d.ack({set.set, 1});
                d.bye({set.set, 1});
            });
            const auto left = b.tm.take_left();
            REQUIRE(left.size() == 2);
            CHECK(left[0].headers.find("nc=00000001") != std::string::npos);
            CHECK(left[1].headers.find("nc=00000002") != std::string::npos);
        }
        SECTION("refused")
        {
            b.tm.answer(second, 407, "B",
                        "Proxy-Authenticate: Digest realm=\"b.example\", nonce=\"n2\", qop=\"auth\"\r\n");
            CHECK(b.tm.left.empty());
            CHECK(b.owner->take() == "407/0, end/0 failed");
        }
    }
    SECTION("422: the interval it asks for")
    {
        b.tm.answer(invite, 422, "B", "Min-SE: 300\r\n");
        const auto left = b.tm.take_left();
        REQUIRE(left.size() == 1);
        CHECK(left[0].headers.find("Min-SE: 300\r\n") ==
              std::string::npos); // we ask for no timer at all: then there is none to raise
        b.tm.answer(left[0], 200, "B");
    }
}

TEST_CASE("reliable provisional replies are acknowledged in order", "[tm][ua]")
{
    UaBench b;
    auto setup = b.setup();
    const auto set = b.start(setup);
    const Left invite = b.tm.take_left()[0];
    b.tm.answer(invite, 183, "B", "Require: 100rel\r\nRSeq: 5\r\n");
    REQUIRE(b.tm.left.size() == 1);
    const Left prack = b.tm.take_left()[0];
    CHECK(prack.method == "PRACK");
    CHECK(prack.headers.find(format("RAck: 5 {} INVITE\r\n", invite.cseq)) != std::string::npos);
    b.tm.answer(prack, 200, "B");
    b.tm.answer(invite, 183, "B", "Require: 100rel\r\nRSeq: 5\r\n"); // a copy
    b.tm.answer(invite, 180, "B", "Require: 100rel\r\nRSeq: 7\r\n"); // 6 is still to come
    CHECK(b.tm.left.empty());
    b.tm.answer(invite, 183, "B", "Require: 100rel\r\nRSeq: 6\r\n");
    CHECK(b.tm.take_left().size() == 1);
    CHECK(b.owner->take() == "183/1+ rseq, PRACK 200/1, 183/1 rseq");
    b.act([&](Dialogs& d) { d.drop(set); });
}

TEST_CASE("re-INVITEs meet", "[tm][ua]")
{
    UaBench b;
    const auto set = b.start(b.setup());
    const Left invite = b.tm.take_left()[0];
    b.tm.answer(invite, 200, "B");
    const DialogId dialog{set.set, 1};
    b.act([&](Dialogs& d) { d.ack(dialog); });
    (void)b.tm.take_left();
    (void)b.owner->take();
    DialogSend again;
    again.method = "INVITE";
    again.body = "v=0 2";
    SECTION("491: once more after 2.1 to 4 s, as the Call-ID is ours")
    {
        b.act([&](Dialogs& d) { d.request(dialog, again); });
        const Left second = b.tm.take_left()[0];
        b.tm.answer(second, 491, "B");
        CHECK(b.owner->take() == "");
        b.host.advance(2s);
        CHECK(b.tm.left.empty());
        b.host.advance(2s);
        REQUIRE(b.tm.left.size() == 1);
        const Left third = b.tm.take_left()[0];
        CHECK(third.cseq == second.cseq + 1);
        b.tm.answer(third, 200, "B");
        CHECK(b.owner->take() == "200/1");
        b.act([&](Dialogs& d) { d.ack(dialog); });
        CHECK(b.tm.take_left()[0].cseq == third.cseq);
    }
    SECTION("theirs while ours is open: 491")
    {
        b.act([&](Dialogs& d) { d.request(dialog, again); });
        CHECK(b.incoming(invite, "B", "1 INVITE", "Contact: <sip:bob@x>\r\n", "v=0 b2"));
        CHECK(b.stateless() == 491);
        CHECK(b.owner->take() == "");
    }
    SECTION("ours while theirs is open waits")
    {
        CHECK(b.incoming(invite, "B", "1 INVITE", "Contact: <sip:bob@x>\r\n", "v=0 b2"));
        CHECK(b.owner->take() == "INVITE/1");
        b.act([&](Dialogs& d) { d.request(dialog, again); });
        CHECK(b.tm.left.empty());
        b.incoming(invite, "B", "2 INVITE", "Contact: <sip:bob@x>\r\n", "v=0 b3");
        CHECK(b.stateless() == 500); // the first one is not answered
        b.act([&](Dialogs& d) {
            d.reply(dialog, b.owner->last_request, {488, "Not Acceptable Here", {}, {}, {}});
        });
        REQUIRE(b.tm.left.size() == 1);
        CHECK(b.tm.left[0].body == "v=0 2");
    }
    SECTION("a BYE crosses our re-INVITE: its late 2xx is acknowledged, nothing else")
    {
        b.act([&](Dialogs& d) { d.request(dialog, again); });
        const Left second = b.tm.take_left()[0];
        CHECK(b.incoming(invite, "B", "1 BYE"));
        CHECK(b.stateless() == 200);
        CHECK(b.owner->take() == "end/1 remote_bye");
        b.tm.answer(second, 200, "B");
        const auto left = b.tm.take_left();
        REQUIRE(left.size() == 1);
        CHECK(left[0].method == "ACK");
        CHECK(b.owner->take() == "");
    }
    SECTION("481 to it: they know nothing of the call")
    {
        b.act([&](Dialogs& d) { d.request(dialog, again); });
        b.tm.answer(b.tm.take_left()[0], 481, "B");
        CHECK(b.owner->take() == "481/1, end/1 gone");
        CHECK(b.tm.left.empty());
    }
    SECTION("408: a BYE all the same")
    {
        b.act([&](Dialogs& d) { d.request(dialog, again); });
        b.tm.no_answer(b.tm.take_left()[0], 408);
        const auto left = b.tm.take_left();
        REQUIRE(left.size() == 1);
        CHECK(left[0].method == "BYE");
        b.tm.no_answer(left[0], 408);
        CHECK(b.owner->take() == "408/1, end/1 gone");
    }
}

TEST_CASE("their requests within a dialog", "[tm][ua]")
{
    UaBench b;
    const auto set = b.start(b.setup());
    const Left invite = b.tm.take_left()[0];
    b.tm.answer(invite, 200, "B");
    const DialogId dialog{set.set, 1};
    b.act([&](Dialogs& d) { d.ack(dialog); });
    (void)b.tm.take_left();
    (void)b.owner->take();
    SECTION("strangers are left alone")
    {
        CHECK(!b.raw("INFO sip:al@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: "
                     "<sip:b>;tag=B\r\nTo: <sip:a>;tag=other\r\n"
                     "Call-ID: x\r\nCSeq: 1 INFO\r\n"));
        CHECK(!b.raw("INFO sip:al@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: "
                     "<sip:b>;tag=B\r\nTo: <sip:a>\r\n"
                     "Call-ID: x\r\nCSeq: 1 INFO\r\n"));
    }
    SECTION("a fork we have not heard of")
    {
        CHECK(b.incoming(invite, "X", "1 INFO"));
        CHECK(b.stateless() == 481);
    }
    SECTION("a tag like ours, but the call is gone")
    {
        Left other = invite;
        other.call_id = "elsewhere";
        CHECK(b.incoming(other, "B", "1 INFO"));
        CHECK(b.stateless() == 481);
    }
    SECTION("out of order (RFC 3261 12.2.2)")
    {
        CHECK(b.incoming(invite, "B", "7 INFO"));
        CHECK(b.owner->take() == "INFO/1");
        CHECK(b.incoming(invite, "B", "6 INFO"));
        CHECK(b.stateless() == 500);
    }
    SECTION("what the owner leaves to us")
    {
        b.owner->answers = false;
        const struct {
            const char *cseq, *more, *body;
            int code;
        } rows[] = {{"1 OPTIONS", "", "", 200},   {"2 INFO", "", "", 200},
                    {"3 UPDATE", "", "", 200},    {"4 UPDATE", "", "v=0", 488},
                    {"5 INVITE", "", "v=0", 488}, {"6 NOTIFY", "Event: dialog\r\n", "", 489},
                    {"7 REFER", "", "", 403},     {"8 PUBLISH", "", "", 405}};
        for (const auto& row : rows) {
            INFO(row.cseq);
            CHECK(b.incoming(invite, "B", row.cseq, row.more, row.body));
            REQUIRE(!b.tm.given.empty());
            CHECK(b.tm.take_given().back().code == row.code);
        }
    }
    SECTION("their re-INVITE moves the target when it is accepted, not before")
    {
        b.incoming(invite, "B", "1 INVITE", "Contact: <sip:bob@new>\r\n", "v=0 b2");
        const auto request = b.owner->last_request;
        b.act([&](Dialogs& d) { d.reply(dialog, request, {200, "OK", {}, "application/sdp", "v=0 a2"}); });
        REQUIRE(b.tm.given.size() == 1);
        CHECK(b.tm.given[0].headers.find("Contact: <sip:al@192.0.2.1>\r\n") != std::string::npos);
        b.incoming(invite, "B", "1 ACK");
        CHECK(b.owner->take() == "INVITE/1, ACK/1 ");
        b.act([&](Dialogs& d) { d.bye(dialog); });
        CHECK(b.tm.take_left()[0].request_uri == "sip:bob@new");
    }
    SECTION("a PRACK for nothing")
    {
        b.incoming(invite, "B", "1 PRACK", "RAck: 1 1 INVITE\r\n");
        CHECK(b.stateless() == 481);
    }
}

TEST_CASE("a call to us: answered, acknowledged, hung up", "[tm][ua]")
{
    UaBench b;
    const std::string invite =
        "INVITE sip:al@a.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKi\r\nFrom: "
        "<sip:bob@b.example>;tag=B\r\n"
        "To: <sip:al@a.example>\r\nCall-ID: in\r\nCSeq: 3 INVITE\r\nContact: <sip:bob@192.0.2.2>\r\n"
        "Supported: timer\r\n";
    Dialogs::Accepted call;
    const auto accept = [&](SessionWish session = {}) {
        std::string text = invite + "Content-Length: 0\r\n\r\n";
        b.host.on_fiber([&] {
            Arena arena;
            net::Received from;
            from.source = *net::Address::parse("127.0.0.1", 5099);
            Request request{b.host, arena, **sip::Message::parse(arena.copy(text), arena), from,
                            Route::request};
            CalleeSetup setup;
            setup.owner = b.owner;
            setup.contact = "<sip:al@192.0.2.1>";
            setup.session = session;
            const auto accepted = b.ua->accept(request, setup);
            REQUIRE(accepted);
            call = *accepted;
        });
    };
    Left as_left; // for incoming(): our From is their To
    as_left.from = "<sip:al@a.example>;tag=callee-tag";
    as_left.call_id = "in";
    accept();
    SECTION("the whole of it")
    {
        b.act([&](Dialogs& d) { d.reply(call.dialog, call.id, {180, "Ringing", {}, {}, {}}); });
        b.act([&](Dialogs& d) {
            d.reply(call.dialog, call.id, {200, "OK", {}, "application/sdp", "v=0 a"});
        });
        CHECK(b.tm.given.size() == 2);
        CHECK(b.tm.given[1].headers.find("Contact: <sip:al@192.0.2.1>") != std::string::npos);
        b.act([&](Dialogs& d) { d.bye(call.dialog); });
        CHECK(b.tm.left.empty()); // not before the ACK (RFC 3261 15)
        CHECK(b.incoming(as_left, "B", "3 ACK", {}, "v=0 in ack"));
        CHECK(b.owner->take() == "ACK/1 v=0 in ack");
        const auto left = b.tm.take_left();
        REQUIRE(left.size() == 1);
        CHECK(left[0].method == "BYE");
        CHECK(left[0].request_uri == "sip:bob@192.0.2.2");
        b.tm.answer(left[0], 200, "B");
        CHECK(b.owner->take() == "end/1 local_bye, end/0 local_bye");
        CHECK(b.ua->sets() == 0);
    }
    SECTION("the ACK never comes: BYE after 64*T1")
    {
        b.act([&](Dialogs& d) { d.reply(call.dialog, call.id, {200, "OK", {}, {}, {}}); });
        b.host.advance(31s);
        CHECK(b.tm.left.empty());
        b.host.advance(2s);
        const auto left = b.tm.take_left();
        REQUIRE(left.size() == 1);
        CHECK(left[0].method == "BYE");
        b.tm.no_answer(left[0], 408);
        CHECK(b.owner->take() == "end/1 no_ack, end/0 no_ack");
    }
    SECTION("refused")
    {
        b.act([&](Dialogs& d) { d.bye(call.dialog, {}, 486); });
        REQUIRE(b.tm.given.size() == 1);
        CHECK(b.tm.given[0].code == 486);
        CHECK(b.ua->sets() == 0);
        CHECK(!b.incoming(as_left, "B", "3 ACK")); // the transaction's
    }
    SECTION("the caller gives up")
    {
        b.tm.cancel_in(call.id);
        CHECK(b.tm.final_code(call.id) == 487);
        CHECK(b.owner->take() == "end/1 remote_cancel, end/0 remote_cancel");
    }
    SECTION("the caller hangs up while it rings")
    {
        b.act([&](Dialogs& d) { d.reply(call.dialog, call.id, {180, "Ringing", {}, {}, {}}); });
        CHECK(b.incoming(as_left, "B", "4 BYE"));
        CHECK(b.stateless() == 200);
        CHECK(b.tm.final_code(call.id) == 487);
        CHECK(b.owner->take() == "end/1 remote_bye, end/0 remote_bye");
    }
    SECTION("reliably: repeated until the PRACK, and the 200 waits for it (RFC 3262 3)")
    {
        b.act([&](Dialogs& d) {
            d.reply(call.dialog, call.id, {183, "Session Progress", {}, "application/sdp", "v=0"}, true);
        });
        REQUIRE(b.tm.given.size() == 1);
        const auto at = b.tm.given[0].headers.find("RSeq: ");
        REQUIRE(at != std::string::npos);
        const std::string rseq{trim(std::string_view{b.tm.given[0].headers}.substr(at + 6, 11))};
        b.host.advance(1600ms);
        CHECK(b.tm.given.size() == 3); // after 0.5 and 1.5 s
        b.act([&](Dialogs& d) { d.reply(call.dialog, call.id, {200, "OK", {}, "application/sdp", "v=0"}); });
        CHECK(b.tm.take_given().size() == 3);
        b.owner->answers = false;
        CHECK(b.incoming(as_left, "B", "4 PRACK", format("RAck: {} 3 INVITE\r\n", rseq)));
        const auto given = b.tm.take_given();
        REQUIRE(given.size() == 2);
        CHECK(given[0].code == 200); // of the PRACK
        CHECK(given[1].id == call.id);
        CHECK(b.owner->take() == "pracked/1, PRACK/1");
    }
}

TEST_CASE("subscriptions in a dialog outlive its call (RFC 5057)", "[tm][ua]")
{
    UaBench b;
    const auto set = b.start(b.setup());
    const Left invite = b.tm.take_left()[0];
    b.tm.answer(invite, 200, "B");
    const DialogId dialog{set.set, 1};
    b.act([&](Dialogs& d) { d.ack(dialog); });
    (void)b.tm.take_left();
    (void)b.owner->take();
    b.owner->answers = false;
    DialogSend refer;
    refer.method = "REFER";
    refer.headers = "Refer-To: <sip:c@c.example>\r\n";
    b.act([&](Dialogs& d) { d.request(dialog, refer); });
    const Left sent = b.tm.take_left()[0];
    SECTION("BYE after 202, the final NOTIFY still counts")
    {
        b.tm.answer(sent, 202, "B");
        CHECK(b.incoming(invite, "B", "1 BYE"));
        CHECK(b.owner->take() == "REFER 202/1, end/1 remote_bye but subscribed");
        b.incoming(invite, "B", "2 NOTIFY", "Event: refer\r\nSubscription-State: active;expires=60\r\n",
                   "SIP/2.0 180 Ringing");
        CHECK(b.tm.take_given().back().code == 200);
        b.incoming(invite, "B", "3 NOTIFY",
                   "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n", "SIP/2.0 200 OK");
        CHECK(b.tm.take_given().back().code == 200);
        CHECK(b.owner->take() == "NOTIFY/1, NOTIFY/1, end/1 remote_bye");
        b.incoming(invite, "B", "4 NOTIFY", "Event: refer\r\n");
        CHECK(b.stateless() == 481);
    }
    SECTION("the NOTIFY comes before the 202")
    {
        b.incoming(invite, "B", "1 NOTIFY", "Event: refer\r\nSubscription-State: active;expires=60\r\n",
                   "SIP/2.0 100 Trying");
        CHECK(b.tm.take_given().back().code == 200);
        b.tm.answer(sent, 202, "B");
        b.act([&](Dialogs& d) { d.bye(dialog); });
        b.tm.answer(b.tm.take_left()[0], 200, "B");
        CHECK(b.owner->take() == "NOTIFY/1, REFER 202/1, end/1 local_bye but subscribed");
        b.host.advance(3min); // not a word more
        CHECK(b.owner->take() == "end/1 expired");
    }
    SECTION("refused, or without a subscription (RFC 4488): BYE is the end")
    {
        if (GENERATE(true, false))
            b.tm.answer(sent, 603, "B");
        else
            b.tm.answer(sent, 202, "B", "Refer-Sub: false\r\n");
        (void)b.owner->take();
        b.incoming(invite, "B", "1 BYE");
        CHECK(b.owner->take() == "end/1 remote_bye");
    }
}

TEST_CASE("a subscription of ours, its NOTIFY first", "[tm][ua]")
{
    UaBench b;
    auto setup = b.setup("SUBSCRIBE");
    setup.headers = "Event: presence\r\nExpires: 600\r\n";
    setup.body = {};
    const auto set = b.start(setup);
    b.owner->answers = false;
    const Left subscribe = b.tm.take_left()[0];
    b.incoming(subscribe, "N", "1 NOTIFY",
               "Event: presence\r\nSubscription-State: active;expires=600\r\nContact: <sip:n@192.0.2.3>\r\n");
    CHECK(b.tm.take_given().back().code == 200);
    b.tm.answer(subscribe, 200, "N", "Expires: 600\r\n", {}, true);
    CHECK(b.owner->take() == "NOTIFY/1, SUBSCRIBE 200/1");
    DialogSend end;
    end.method = "SUBSCRIBE";
    end.headers = "Event: presence\r\nExpires: 0\r\n";
    b.act([&](Dialogs& d) { d.request({set.set, 1}, end); });
    const auto left = b.tm.take_left();
    REQUIRE(left.size() == 1);
    CHECK(left[0].request_uri == "sip:bob@192.0.2.2");
    b.tm.answer(left[0], 200, "N", "Expires: 0\r\n");
    b.incoming(subscribe, "N", "2 NOTIFY",
               "Event: presence\r\nSubscription-State: terminated;reason=timeout\r\n");
    CHECK(b.owner->take() == "SUBSCRIBE 200/1, NOTIFY/1, end/1 local_bye, end/0 local_bye");
    CHECK(b.ua->sets() == 0);
}

TEST_CASE("session timers (RFC 4028)", "[tm][ua]")
{
    UaBench b;
    auto setup = b.setup();
    setup.session = {90, 90};
    setup.ack = Who::automatic;
    const auto set = b.start(setup);
    Left invite = b.tm.take_left()[0];
    CHECK(invite.headers.find("Session-Expires: 90\r\n") != std::string::npos);
    SECTION("refused as too small, then agreed")
    {
        b.tm.answer(invite, 422, "B", "Min-SE: 300\r\n");
        invite = b.tm.take_left()[0];
        CHECK(invite.headers.find("Session-Expires: 300\r\nMin-SE: 300\r\n") != std::string::npos);
    }
    SECTION("we refresh by UPDATE; when that is not answered, the call ends")
    {
        b.tm.answer(invite, 200, "B",
                    "Allow: INVITE, UPDATE\r\nRequire: timer\r\nSession-Expires: 90;refresher=uac\r\n");
        CHECK(b.tm.take_left().size() == 1); // the ACK
        b.host.advance(44s);
        CHECK(b.tm.left.empty());
        b.host.advance(2s);
        REQUIRE(b.tm.left.size() == 1);
        Left update = b.tm.take_left()[0];
        CHECK(update.method == "UPDATE");
        CHECK(update.body.empty());
        CHECK(update.headers.find("Session-Expires: 90;refresher=uac\r\n") != std::string::npos);
        b.tm.answer(update, 200, "B", "Session-Expires: 90;refresher=uac\r\n");
        b.host.advance(46s);
        update = b.tm.take_left()[0];
        CHECK(b.owner->take() == "200/1+");
        b.host.advance(16s); // 60 s after the last refresh
        const auto left = b.tm.take_left();
        REQUIRE(left.size() == 1);
        CHECK(left[0].method == "BYE");
        CHECK(left[0].headers.find("Session expired") != std::string::npos);
        b.tm.no_answer(left[0], 408);
        CHECK(b.owner->take() == "end/1 expired");
    }
    SECTION("without UPDATE by re-INVITE with our last SDP")
    {
        b.tm.answer(invite, 200, "B", "Allow: INVITE\r\nSession-Expires: 90;refresher=uac\r\n");
        (void)b.tm.take_left();
        b.host.advance(46s);
        const Left again = b.tm.take_left()[0];
        CHECK(again.method == "INVITE");
        b.tm.answer(again, 200, "B", "Session-Expires: 90;refresher=uac\r\n");
        CHECK(b.tm.take_left()[0].method == "ACK");
    }
    SECTION("they refresh, and stop")
    {
        b.tm.answer(invite, 200, "B", "Session-Expires: 90;refresher=uas\r\n");
        (void)b.tm.take_left();
        b.owner->answers = false;
        b.host.advance(45s);
        CHECK(b.tm.left.empty());
        b.incoming(invite, "B", "1 UPDATE", "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
        REQUIRE(!b.tm.given.empty());
        CHECK(b.tm.given.back().headers.find("Session-Expires: 90;refresher=uac\r\n") != std::string::npos);
        b.host.advance(59s);
        CHECK(b.tm.left.empty());
        b.host.advance(2s);
        CHECK(b.tm.take_left().size() == 1);
    }
    b.act([&](Dialogs& d) { d.drop(set); });
}

TEST_CASE("the table has an end, and can be listed", "[tm][ua]")
{
    UaBench b;
    b.ua.reset();
    b.ua = std::make_unique<UserAgent>(b.tm, b.host, 2);
    const auto first = b.start(b.setup());
    b.start(b.setup());
    b.host.on_fiber([&] {
        const auto third = b.ua->start(b.setup());
        REQUIRE(!third);
        CHECK(third.error().kind == ErrorKind::overloaded);
        const auto all = b.ua->list(10, 0);
        REQUIRE(all.size() == 2);
        CHECK(all[0].state == "calling");
        CHECK(b.ua->list(10, first.set).size() == 1);
        CHECK(b.ua->as_json().size() == 2);
    });
    b.act([&](Dialogs& d) { d.drop(first); });
    CHECK(b.ua->sets() == 1);
    auto bad = b.setup();
    bad.to = {};
    b.host.on_fiber([&] { CHECK(!b.ua->start(bad)); });
    b.tm.refuse_sends = true;
    const auto last = b.start(b.setup());
    CHECK(b.owner->take() == "503/0, end/0 failed");
    b.act([&](Dialogs& d) {
        d.bye(last);
        d.ack(last);
        d.cancel(last);
    }); // of what is gone: nothing
}

} // namespace sipyard::tm
