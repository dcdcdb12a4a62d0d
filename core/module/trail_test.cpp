// core/module/trail_test.cpp - records of a call are found again, in order, and old ones make room
#include "core/module/trail.h"
#include "test/support/catch.h"
#include "test/support/fake_host.h"

using namespace sipyard;
using namespace sipyard::test;

namespace {

const Trail::Peer alice{net::Protocol::udp, *net::Address::parse("192.0.2.1", 5060)};
const Trail::Peer bob{net::Protocol::tcp, *net::Address::parse("2001:db8::2", 5061)};

} // namespace

TEST_CASE("a call's messages are found by its Call-ID, oldest first", "[trail]")
{
    FakeHost host;
    Trail trail{host.runtime(), host.clock(), 16};
    trail.note(Trail::Way::in, "c1", sip::Method::invite, 1, 0, alice);
    host.advance(1ms);
    trail.note(Trail::Way::in, "c2", sip::Method::options, 7, 0, bob);
    trail.note(Trail::Way::out, "c1", sip::Method::invite, 1, 100, alice);
    host.advance(1ms);
    trail.note(Trail::Way::out, "c1", sip::Method::invite, 1, 0, bob);
    const auto found = trail.of("c1");
    REQUIRE(found.size() == 3);
    CHECK(found[0].way == Trail::Way::in);
    CHECK(found[0].peer == alice.address);
    CHECK(found[1].status == 100);
    CHECK(found[2].protocol == net::Protocol::tcp);
    CHECK(found[2].when - found[0].when == 2ms);
    CHECK(trail.of("c2").size() == 1);
    CHECK(trail.of("c3").empty());
    CHECK(trail.of("").empty());
}

TEST_CASE("a message notes itself", "[trail]")
{
    FakeHost host;
    Trail trail{host.runtime(), host.clock(), 4};
    Arena arena;
    const auto request =
        sip::Message::parse("INVITE sip:b@x SIP/2.0\r\nCall-ID: m1\r\nCSeq: 9 INVITE\r\n\r\n", arena);
    const auto reply =
        sip::Message::parse("SIP/2.0 486 Busy\r\nCall-ID: m1\r\nCSeq: 9 INVITE\r\n\r\n", arena);
    const auto broken = sip::Message::parse("SIP/2.0 486 Busy\r\nCall-ID: m1\r\nCSeq: none\r\n\r\n", arena);
    REQUIRE((request && reply && broken));
    for (const sip::Message* const message : {*request, *reply, *broken})
        trail.note(Trail::Way::in, *message, alice);
    const auto found = trail.of("m1");
    REQUIRE(found.size() == 3);
    CHECK(found[0].method == sip::Method::invite);
    CHECK(found[0].cseq == 9);
    CHECK(found[0].status == 0);
    CHECK(found[1].status == 486);
    CHECK(found[1].method == sip::Method::invite);
    CHECK(found[2].cseq == 0);
}

TEST_CASE("the oldest record makes room", "[trail]")
{
    FakeHost host;
    Trail trail{host.runtime(), host.clock(), 4};
    for (std::uint32_t i = 0; i < 10; ++i) {
        trail.note(Trail::Way::in, "c", sip::Method::info, i, 0, alice);
        host.advance(1ms);
    }
    const auto found = trail.of("c");
    REQUIRE(found.size() == 4);
    CHECK(found.front().cseq == 6);
    CHECK(found.back().cseq == 9);
}

TEST_CASE("workers note side by side and one query sees all", "[trail]")
{
    FakeHost host{{.workers = 2, .threshold = log::Level::err, .system_clock = true}};
    Trail trail{host.runtime(), host.clock(), 64};
    host.start_workers();
    host.runtime().on_every_worker([&trail](task::Worker& worker) {
        for (int i = 0; i < 10; ++i)
            trail.note(Trail::Way::out, "shared", sip::Method::bye,
                       static_cast<std::uint32_t>(worker.index()), 0, bob);
    });
    trail.note(Trail::Way::in, "shared", sip::Method::bye, 99, 200, alice); // from no worker
    CHECK(trail.of("shared").size() == 21);
}
