// test/scenario/blf_calls_test.cpp - lamps: calls through a proxy become PUBLISHes to a presence server the
// test plays (RFC 3903, RFC 4235)
#include "test/support/blf_place.h"

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;

SCENARIO("a call is published at a presence server elsewhere", "[blf]")
{
    Elsewhere place;
    PresencePeer& presence = place.presence;
    PhoneCall call{place.alice, place.bob, "blf-1"};

    call.begin();
    const SipText trying = presence.next("alice");
    CHECK(trying.start_line() == "PUBLISH sip:alice@example.com SIP/2.0");
    CHECK(trying.header("Event") == "dialog");
    CHECK(trying.header("Content-Type") == "application/dialog-info+xml");
    CHECK(trying.count("SIP-If-Match") == 0);
    CHECK(state_in(trying.body()) == "trying");
    CHECK(presence.hears_nothing()); // callee_trying=0

    call.ring();
    const SipText alice_early = presence.next("alice"), early = presence.next("bob");
    CHECK(state_in(alice_early.body()) == "early");
    CHECK(alice_early.header("SIP-If-Match") == "E1");
    CHECK(early.count("SIP-If-Match") == 0);
    CHECK(state_in(early.body()) == "early");
    CHECK(attribute(early.body(), "entity") == "sip:bob@example.com");
    CHECK(attribute(early.body(), "direction") == "recipient");
    CHECK(attribute(early.body(), "call-id") == "blf-1");
    CHECK(attribute(early.body(), "local-tag") == call.bob_tag);
    CHECK(attribute(early.body(), "remote-tag") == "a");
    CHECK_THAT(early.body(), Contains("<identity>sip:bob@example.com</identity>") &&
                                 Contains("<identity>sip:alice@example.com</identity>") &&
                                 Contains("<target uri=\"" + call.alice.contact() + "\"/>") &&
                                 Contains("<target uri=\"" + call.bob.contact() + "\"/>"));
    CHECK(attribute(alice_early.body(), "local-tag") == "a");
    CHECK(attribute(alice_early.body(), "remote-tag") == call.bob_tag);
    CHECK(attribute(alice_early.body(), "direction") == "initiator");

    place.bob.answer(call.at_bob, 183, "Session Progress"); // the same leg, the same data: no news
    CHECK(place.alice.peer.expect(183));
    CHECK(presence.hears_nothing());

    call.pick_up();
    const SipText confirmed = presence.next("bob");
    CHECK(confirmed.count("SIP-If-Match") == 1);
    CHECK(state_in(confirmed.body()) == "confirmed");
    CHECK(id_in(confirmed.body()) == id_in(early.body()));
    CHECK(attribute(confirmed.body(), "local-tag") == call.bob_tag);
    CHECK(attribute(confirmed.body(), "remote-tag") == "a");
    CHECK(state_in(presence.next("alice").body()) == "confirmed");
    CHECK(presence.hears_nothing());

    call.hang_up();
    const SipText ended = presence.next("bob");
    CHECK(state_in(ended.body()) == "terminated");
    CHECK(attribute(ended.body(), "event") == "remote-bye");
    CHECK(ended.header("Expires") == "10");
    CHECK(id_in(ended.body()) == id_in(early.body()));
    const SipText alice_ended = presence.next("alice");
    CHECK(attribute(alice_ended.body(), "event") == "local-bye");
    CHECK(presence.hears_nothing());
}

SCENARIO("calls that fail leave nothing lit", "[blf]")
{
    Elsewhere place;
    PresencePeer& presence = place.presence;
    PhoneCall call{place.alice, place.bob, "blf-2"};
    call.begin();
    CHECK(state_in(presence.next("alice").body()) == "trying");
    WHEN("bob is busy")
    {
        place.bob.answer(call.at_bob, 486, "Busy Here");
        const SipText refused = place.alice.peer.expect(486);
        place.alice.peer.ack(call.invite, refused);
        const SipText ended = presence.next("alice");
        CHECK(state_in(ended.body()) == "terminated");
        CHECK(attribute(ended.body(), "code") == "486");
        CHECK(attribute(ended.body(), "event") == "rejected");
        CHECK(presence.hears_nothing()); // bob's line never showed anything
    }
    WHEN("alice gives up while it rings")
    {
        call.ring();
        CHECK(state_in(presence.next("bob").body()) == "early");
        CHECK(state_in(presence.next("alice").body()) == "early");
        place.alice.peer.cancel(call.invite);
        const SipText cancel = place.bob.wait_for("CANCEL");
        place.bob.peer.reply(cancel, 200, "OK");
        place.bob.answer(call.at_bob, 487, "Request Terminated");
        const SipText refused = place.alice.peer.expect(487);
        place.alice.peer.ack(call.invite, refused);
        const SipText ended = presence.next("bob");
        CHECK(state_in(ended.body()) == "terminated");
        CHECK(attribute(ended.body(), "event") == "cancelled");
        CHECK(attribute(presence.next("alice").body(), "event") == "cancelled");
        CHECK(presence.hears_nothing());
    }
    WHEN("bob answers as alice gives up, who hangs up then")
    {
        call.ring();
        CHECK(state_in(presence.next("bob").body()) == "early");
        CHECK(state_in(presence.next("alice").body()) == "early");
        place.alice.peer.cancel(call.invite);
        const SipText cancel = place.bob.wait_for("CANCEL");
        call.pick_up();
        place.bob.peer.reply(cancel, 481, "Too late");
        CHECK(state_in(presence.next("bob").body()) == "confirmed");
        call.hang_up();
        CHECK(state_in(presence.next("bob").body()) == "terminated");
        CHECK(state_in(presence.next("alice").body()) == "confirmed");
        CHECK(state_in(presence.next("alice").body()) == "terminated");
        CHECK(presence.hears_nothing());
    }
}

SCENARIO("three phones ring, one answers", "[blf]")
{
    Elsewhere place;
    PresencePeer& presence = place.presence;
    Phone second{place.port, "bob"}, third{place.port, "bob"};
    const std::string id = "blf-3";
    const SipText invite = place.alice.invite("sip:bob@example.com",
                                              {place.bob.contact(), second.contact(), third.contact()}, id);
    const SipText first_invite = place.bob.wait_for("INVITE"), second_invite = second.wait_for("INVITE"),
                  third_invite = third.wait_for("INVITE");
    place.bob.ring(first_invite);
    const SipText one = presence.next("bob");
    second.ring(second_invite);
    const SipText two = presence.next("bob");
    third.ring(third_invite);
    const SipText three = presence.next("bob");
    CHECK(state_in(one.body()) == "early");
    CHECK(state_in(three.body()) == "early");
    CHECK(two.count("SIP-If-Match") == 0); // each its own publication
    CHECK(id_in(one.body()) != id_in(two.body()));
    CHECK(id_in(two.body()) != id_in(three.body()));

    second.answer(second_invite, 200, "OK");
    std::map<std::string, std::vector<std::string>> states; // by dialog
    for (int n = 0; n < 3; ++n) {
        const SipText publish = presence.next("bob");
        states[id_in(publish.body())].push_back(state_in(publish.body()));
        if (n == 0) // the winner first: the line is never idle in between
            CHECK(state_in(publish.body()) == "confirmed");
    }
    CHECK(states[id_in(two.body())] == std::vector<std::string>{"confirmed"});
    CHECK(states[id_in(one.body())] == std::vector<std::string>{"terminated"});
    CHECK(states[id_in(three.body())] == std::vector<std::string>{"terminated"});
    place.bob.answer(first_invite, 487, "Request Terminated"); // their own ends are no news any more
    third.answer(third_invite, 487, "Request Terminated");
    CHECK(place.alice.peer.expect(200));
    while (presence.next("alice", 300))
        ;
    CHECK(presence.hears_nothing());
}

SCENARIO("a presence server that forgot, and one that is away", "[blf]")
{
    Elsewhere place;
    PresencePeer& presence = place.presence;
    PhoneCall call{place.alice, place.bob, "blf-4"};
    call.begin();
    call.ring();
    CHECK(state_in(presence.next("bob").body()) == "early");
    WHEN("it was restarted")
    {
        presence.verdict = [](const SipText& publish) {
            return publish.count("SIP-If-Match") > 0 ? 412 : 200;
        };
        call.pick_up();
        const SipText stale = presence.next("bob"), anew = presence.next("bob");
        CHECK(stale.count("SIP-If-Match") == 1);
        CHECK(anew.count("SIP-If-Match") == 0);
        CHECK(state_in(anew.body()) == "confirmed");
    }
    WHEN("it has no time")
    {
        presence.headers = "Retry-After: 1\r\n";
        presence.verdict = [](const SipText&) { return 503; };
        call.pick_up();
        CHECK(state_in(presence.next("bob").body()) == "confirmed");
        presence.verdict = {};
        const SipText again = presence.next("bob"); // a second later
        CHECK(state_in(again.body()) == "confirmed");
        CHECK(again.count("SIP-If-Match") == 1); // the tag is the one of the early state
        CHECK(place.server.counted("pua.failed") >= 1);
    }
}

SCENARIO("a Call-ID with characters that XML does not like", "[blf]")
{
    Elsewhere place;
    PhoneCall call{place.alice, place.bob, "a\"<b>&'c@x"};
    call.begin();
    call.ring();
    CHECK_THAT(place.presence.next("bob").body(), Contains(" call-id=\"a&quot;&lt;b&gt;&amp;'c@x\" ") ||
                                                      Contains(" call-id=\"a&quot;&lt;b>&amp;'c@x\" "));
    call.pick_up();
    call.hang_up();
}

SCENARIO("whose documents are published", "[blf]")
{
    GIVEN("URIs in AVPs, several for the callee")
    {
        Elsewhere place{
            "modparam(\"pua_dialoginfo\", \"use_pubruri_avps\", 1)\n"
            "modparam(\"pua_dialoginfo\", \"pubruri_callee_avp\", \"$avp(s:lamps)\")\n",
            "\t$avp(s:lamps) = \"sip:group@example.com\";\n\t$avp(s:lamps) = \"sip:bob@example.com\";\n"};
        PhoneCall call{place.alice, place.bob, "blf-5"};
        call.begin();
        call.ring();
        CHECK(attribute(place.presence.next("bob").body(), "entity") == "sip:bob@example.com");
        CHECK(attribute(place.presence.next("group").body(), "entity") == "sip:group@example.com");
        CHECK(place.presence.hears_nothing()); // no AVP for the caller: nothing of her
    }
    GIVEN("a callee the script names for each branch")
    {
        Elsewhere place{"", "\tt_on_branch(\"NAMED\");\n",
                        "branch_route[NAMED] { dialoginfo_set_branch_callee(\"\\\"Carol\\\" "
                        "<sip:carol@example.com>\"); }\n"};
        PhoneCall call{place.alice, place.bob, "blf-6"};
        call.begin();
        call.ring();
        const SipText early = place.presence.next("carol");
        CHECK_THAT(early.body(), Contains("<identity display=\"Carol\">sip:carol@example.com</identity>"));
        CHECK(!place.presence.next("bob", 300));
    }
    GIVEN("only the callee's side")
    {
        Elsewhere place{"", "\tdialoginfo_set(\"B\");\n"};
        PhoneCall call{place.alice, place.bob, "blf-7"};
        call.begin();
        call.ring();
        CHECK(state_in(place.presence.next("bob").body()) == "early");
        CHECK(place.presence.hears_nothing());
    }
    GIVEN("a branch that is muted")
    {
        Elsewhere place{"", "\tt_on_branch(\"MUTE\");\n",
                        "branch_route[MUTE] { dialoginfo_mute_branch(\"B\"); }\n"};
        PhoneCall call{place.alice, place.bob, "blf-8"};
        call.begin();
        CHECK(state_in(place.presence.next("alice").body()) == "trying");
        call.ring();
        CHECK(state_in(place.presence.next("alice").body()) == "early");
        CHECK(place.presence.hears_nothing());
    }
    GIVEN("a caller who is hidden by a flag, and what is told instead")
    {
        Elsewhere place{"modparam(\"pua_dialoginfo\", \"disable_caller_publish_flag\", 5)\n"
                        "modparam(\"pua_dialoginfo\", \"caller_entity_when_publish_disabled\", "
                        "\"sip:x@anonymous.invalid\")\n",
                        "\tsetflag(5);\n"};
        PhoneCall call{place.alice, place.bob, "blf-9"};
        call.begin();
        call.ring();
        CHECK_THAT(place.presence.next("bob").body(),
                   Contains("<identity>sip:x@anonymous.invalid</identity>") &&
                       !Contains("sip:alice@example.com"));
        CHECK(place.presence.hears_nothing());
    }
    GIVEN("a domain that is not ours")
    {
        Elsewhere place;
        const SipText invite =
            place.alice.invite("sip:bob@elsewhere.example", {place.bob.contact()}, "blf-10");
        const SipText at_bob = place.bob.wait_for("INVITE");
        CHECK(state_in(place.presence.next("alice").body()) == "trying");
        place.bob.ring(at_bob);
        CHECK(state_in(place.presence.next("alice").body()) == "early");
        CHECK(place.presence.hears_nothing());
    }
    GIVEN("a caller who asks for privacy")
    {
        Elsewhere place;
        PhoneCall call{place.alice, place.bob, "blf-11"};
        call.begin("Privacy: id\r\n");
        call.ring();
        CHECK_THAT(place.presence.next("bob").body(), Contains("privacy"));
        CHECK_THAT(place.presence.next("alice").body(), !Contains("privacy"));
    }
}

SCENARIO("parameters of what is published", "[blf]")
{
    const auto param = [](const std::string& name, const std::string& value) {
        return "modparam(\"pua_dialoginfo\", \"" + name + "\", " + value + ")\n";
    };
    GIVEN("one dialog for all phones, named by the Call-ID")
    {
        Elsewhere place{param("branch_mode", "0") + param("use_uuid", "0")};
        Phone second{place.port, "bob"};
        const SipText invite =
            place.alice.invite("sip:bob@example.com", {place.bob.contact(), second.contact()}, "blf-20");
        const SipText first_invite = place.bob.wait_for("INVITE"), second_invite = second.wait_for("INVITE");
        place.bob.ring(first_invite);
        CHECK(id_in(place.presence.next("bob").body()) == "blf-20");
        second.ring(second_invite);
        second.answer(second_invite, 200, "OK");
        const SipText confirmed = place.presence.next("bob");
        CHECK(state_in(confirmed.body()) == "confirmed");
        CHECK(id_in(confirmed.body()) == "blf-20");
        CHECK(confirmed.count("SIP-If-Match") == 1);
        CHECK(!place.presence.next("bob", 300));
    }
    GIVEN("a callee who is shown from the start, and taken back at the end")
    {
        Elsewhere place{param("callee_trying", "1") + param("publish_on_trying", "0") +
                        param("terminated_mode", "\"remove\"") + param("override_lifetime", "77")};
        PhoneCall call{place.alice, place.bob, "blf-21"};
        call.begin();
        const SipText trying = place.presence.next("bob");
        CHECK(state_in(trying.body()) == "trying");
        CHECK(trying.header("Expires") == "77");
        call.ring();
        CHECK(state_in(place.presence.next("alice").body()) == "early");
        CHECK(state_in(place.presence.next("bob").body()) == "early");
        call.pick_up();
        CHECK(state_in(place.presence.next("bob").body()) == "confirmed");
        call.hang_up();
        const SipText gone = place.presence.next("bob");
        CHECK(gone.header("Expires") == "0");
        CHECK(gone.count("SIP-If-Match") == 1);
        CHECK(gone.body().empty());
    }
    GIVEN("requests within the call, and new contacts, are published")
    {
        Elsewhere place{param("publish_target_changes", "1")};
        PhoneCall call{place.alice, place.bob, "blf-22"};
        call.begin();
        call.pick_up();
        CHECK(state_in(place.presence.next("bob").body()) == "confirmed");
        place.alice.send("OPTIONS", place.bob.contact(), "blf-22", "a", place.bob.aor(), call.bob_tag, 2,
                         call.route);
        place.bob.answer(place.bob.wait_for("OPTIONS"), 200, "OK");
        CHECK(place.alice.peer.expect(200));
        CHECK(!place.presence.next("bob", 300)); // nothing that a lamp shows
        place.alice.send("UPDATE", place.bob.contact(), "blf-22", "a", place.bob.aor(), call.bob_tag, 3,
                         call.route);
        place.bob.peer.send(reply_text(place.bob.wait_for("UPDATE").text, "200 OK", call.bob_tag,
                                       "Contact: <sip:bob@127.0.0.1:9>\r\n"));
        CHECK_THAT(place.presence.next("bob").body(), Contains("<target uri=\"sip:bob@127.0.0.1:9\"/>"));
    }
    GIVEN("requests within the call publish once more")
    {
        Elsewhere place{param("publish_dialog_req_within", "1")};
        PhoneCall call{place.alice, place.bob, "blf-23"};
        call.begin();
        call.pick_up();
        CHECK(state_in(place.presence.next("bob").body()) == "confirmed");
        place.alice.send("OPTIONS", place.bob.contact(), "blf-23", "a", place.bob.aor(), call.bob_tag, 2,
                         call.route);
        place.bob.answer(place.bob.wait_for("OPTIONS"), 200, "OK");
        CHECK(state_in(place.presence.next("bob").body()) == "confirmed");
    }
    GIVEN("names and users the script knows")
    {
        Elsewhere place{param("callee_spec_param", "\"$var(callee)\"") + param("trust_pai", "1") +
                            param("attribute_display", "1"),
                        "\t$var(callee) = \"\\\"Sales\\\" <sip:sales@example.com>\";\n"};
        PhoneCall call{place.alice, place.bob, "blf-24"};
        call.begin("P-Asserted-Identity: <sip:+4912345@example.com>\r\n");
        call.ring();
        CHECK_THAT(place.presence.next("sales").body(),
                   Contains("<identity display=\"Sales\">sip:sales@example.com</identity>") &&
                       Contains("<identity display=\"+4912345\">sip:+4912345@example.com</identity>"));
    }
    GIVEN("a flag for users elsewhere")
    {
        Elsewhere place{param("send_publish_flag", "3"), "\tsetflag(3);\n"};
        place.alice.invite("sip:bob@elsewhere.example", {place.bob.contact()}, "blf-25");
        place.bob.ring(place.bob.wait_for("INVITE"));
        SipText early;
        do
            early = place.presence.peer.expect("PUBLISH");
        while (early && early.ruri() != "sip:bob@elsewhere.example");
        CHECK(state_in(early.body()) == "early");
    }
    GIVEN("AVPs that change while it rings")
    {
        Elsewhere place{
            param("use_pubruri_avps", "1") + param("pubruri_callee_avp", "\"$avp(lamps)\"") +
                param("refresh_pubruri_avps_flag", "4"),
            "\tsetflag(4);\n\t$avp(lamps) = \"sip:bob@example.com\";\n\tt_on_reply(\"MOVED\");\n",
            "onreply_route[MOVED] { $(avp(lamps)[*]) = $null; $avp(lamps) = \"sip:group@example.com\"; }\n"};
        PhoneCall call{place.alice, place.bob, "blf-26"};
        call.begin();
        call.ring();
        CHECK(state_in(place.presence.next("bob").body()) == "early");
        call.pick_up();
        CHECK(state_in(place.presence.next("group").body()) == "early");
        CHECK(state_in(place.presence.next("group").body()) == "confirmed");
        CHECK(place.presence.next("bob").header("Expires") == "0");
    }
}
