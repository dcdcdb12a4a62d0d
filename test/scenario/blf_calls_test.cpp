// test/scenario/blf_calls_test.cpp - lamps: calls through a proxy become dialog state at a presence server,
// message by message (RFC 3903, RFC 4235)
#include "test/support/catch.h"
#include "test/support/running_server.h"
#include "test/support/sip_peer.h"

#include <csignal>
#include <deque>
#include <functional>
#include <map>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

// A proxy that follows calls. The INVITE's X-To, X-To-2 ... are where its user was located.
std::string proxy(const std::string& modules, const std::string& params, const std::string& requests = {},
                  const std::string& in_invite = {}, const std::string& more = {})
{
    return "auto_aliases=no\nalias=\"example.com\"\nlisten=udp:127.0.0.1:PORT\n"
           "loadmodule \"pv.so\"\nloadmodule \"siputils.so\"\nloadmodule \"sl.so\"\nloadmodule \"tm.so\"\n"
           "loadmodule \"rr.so\"\nloadmodule \"textops.so\"\nloadmodule \"corex.so\"\n" +
           modules + "loadmodule \"dialog.so\"\nloadmodule \"pua.so\"\nloadmodule \"pua_dialoginfo.so\"\n" +
           params + "request_route {\n" + requests +
           "\tif (has_totag()) {\n\t\tif (loose_route()) t_relay();\n\t\telse if (method == \"ACK\") "
           "t_relay();\n\t\texit;\n\t}\n"
           "\tif (method == \"CANCEL\") {\n\t\tt_relay();\n\t\texit;\n\t}\n"
           "\tif (method != \"INVITE\") {\n\t\tsl_send_reply(\"405\", \"Not here\");\n\t\texit;\n\t}\n"
           "\trecord_route();\n\tdlg_manage();\n" +
           in_invite +
           "\t$ru = $hdr(X-To);\n"
           "\tif ($hdr(X-To-2) != $null) append_branch(\"$hdr(X-To-2)\");\n"
           "\tif ($hdr(X-To-3) != $null) append_branch(\"$hdr(X-To-3)\");\n"
           "\tt_relay();\n}\n" +
           more;
}

RunningServer::Options at_port(std::uint16_t port)
{
    RunningServer::Options options;
    options.defines["PORT"] = std::to_string(port);
    return options;
}

// A phone of a user at example.com.
struct Phone {
    Phone(std::uint16_t proxy_port, std::string who) : name{std::move(who)}, peer{proxy_port, name} {}
    std::string aor() const { return "sip:" + name + "@example.com"; }
    std::string contact() const { return peer.uri(); }

    SipText invite(const std::string& to, const std::vector<std::string>& located, const std::string& call_id,
                   const std::string& headers = {})
    {
        std::string where;
        for (std::size_t n = 0; n < located.size(); ++n)
            where += "X-To" + (n == 0 ? "" : "-" + std::to_string(n + 1)) + ": " + located[n] + "\r\n";
        return send("INVITE", to, call_id, "a", to, "", 1, where + headers);
    }
    SipText send(const std::string& method, const std::string& ruri, const std::string& call_id,
                 const std::string& from_tag, const std::string& to, const std::string& to_tag, int cseq,
                 const std::string& headers, const std::string& display = "")
    {
        const std::string text =
            method + " " + ruri + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" + std::to_string(peer.port()) +
            ";branch=z9hG4bK" + name + method + std::to_string(++sent) + "\r\nFrom: " + display + "<" +
            aor() + ">;tag=" + from_tag + "\r\nTo: <" + to + ">" + (to_tag.empty() ? "" : ";tag=" + to_tag) +
            "\r\nCall-ID: " + call_id + "\r\nCSeq: " + std::to_string(cseq) + " " + method +
            "\r\nContact: <" + contact() + ">\r\nMax-Forwards: 70\r\n" + headers +
            "Content-Length: 0\r\n\r\n";
        peer.send(text);
        return SipText{text};
    }
    // What comes of `method`, other requests and replies passed over.
    SipText wait_for(const std::string& method) { return peer.expect(method); }
    SipText ring(const SipText& invite) { return answer(invite, 180, "Ringing"); }
    SipText answer(const SipText& request, int code, const std::string& reason)
    {
        return peer.reply(request, code, reason, code < 300 ? "Contact: <" + contact() + ">\r\n" : "");
    }

    std::string name;
    SipPeer peer;
    int sent = 0;
};

std::string tag_in(const std::string& value)
{
    const auto at = value.find(";tag=");
    return at == std::string::npos ? "" : value.substr(at + 5, value.find(';', at + 5) - at - 5);
}

// Alice calls bob at one phone; both sides of the signalling.
struct PhoneCall {
    Phone& alice;
    Phone& bob;
    std::string id;
    SipText invite{}, at_bob{}, answer{};
    std::string bob_tag{}, route{};

    void begin(const std::string& headers = {})
    {
        invite = alice.invite(bob.aor(), {bob.contact()}, id, headers);
        at_bob = bob.wait_for("INVITE");
        REQUIRE(at_bob);
    }
    void ring()
    {
        const SipText sent = bob.ring(at_bob);
        bob_tag = tag_in(sent.header("To"));
        REQUIRE(alice.peer.expect(180));
    }
    void pick_up()
    {
        const SipText sent = bob.answer(at_bob, 200, "OK");
        bob_tag = tag_in(sent.header("To"));
        answer = alice.peer.expect(200);
        REQUIRE(answer);
        route = header_lines("Route", header_values(answer.text, "Record-Route"));
        alice.send("ACK", bob.contact(), id, "a", bob.aor(), bob_tag, 1, route);
        REQUIRE(bob.wait_for("ACK"));
    }
    void hang_up()
    {
        alice.send("BYE", bob.contact(), id, "a", bob.aor(), bob_tag, 2, route);
        const SipText bye = bob.wait_for("BYE");
        REQUIRE(bye);
        bob.answer(bye, 200, "OK");
        CHECK(alice.peer.expect(200));
    }
};

// A presence server as a PUBLISH sees it. Every publication is answered, what each user published is kept.
struct PresencePeer {
    explicit PresencePeer(std::uint16_t proxy_port) : peer{proxy_port, "presence"} {}
    // The next PUBLISH of the user, others are answered meanwhile. Empty when none comes.
    SipText next(const std::string& user, int patience_ms = 5000)
    {
        auto& mine = waiting["sip:" + user + "@example.com"];
        while (mine.empty()) {
            const SipText one = peer.receive(patience_ms);
            if (!one)
                return {};
            if (!one.is_request("PUBLISH"))
                continue;
            const int code = verdict ? verdict(one) : 200;
            if (code == 200)
                peer.reply(one, 200, "OK",
                           "SIP-ETag: E" + std::to_string(++tags) + "\r\nExpires: " + one.header("Expires") +
                               "\r\n");
            else if (code > 0)
                peer.reply(one, code, "No", headers);
            waiting[one.ruri()].push_back(one);
        }
        const SipText first = mine.front();
        mine.pop_front();
        return first;
    }
    bool hears_nothing() { return !next("nobody", 300) && waiting_is_empty(); }
    bool waiting_is_empty() const
    {
        for (const auto& [user, list] : waiting)
            if (!list.empty())
                return false;
        return true;
    }
    std::string etag() const { return "E" + std::to_string(tags); }

    SipPeer peer;
    std::map<std::string, std::deque<SipText>> waiting;
    std::function<int(const SipText&)> verdict; // 0: no answer at all
    std::string headers;                        // of a refusal
    int tags = 0;
};

std::string attribute(const std::string& xml, const std::string& name)
{
    const auto at = xml.find(" " + name + "=\"");
    if (at == std::string::npos)
        return {};
    const auto begin = at + name.size() + 3;
    return xml.substr(begin, xml.find('"', begin) - begin);
}
std::string state_in(const std::string& xml)
{
    const auto at = xml.find("<state");
    if (at == std::string::npos)
        return "";
    const auto begin = xml.find('>', at) + 1;
    return xml.substr(begin, xml.find('<', begin) - begin);
}
std::string id_in(const std::string& xml)
{
    const auto at = xml.find("<dialog ");
    return at == std::string::npos ? "" : attribute(xml.substr(at), "id");
}

// The proxy, two phones, and a presence server elsewhere.
struct Elsewhere {
    explicit Elsewhere(const std::string& params = {}, const std::string& in_invite = {},
                       const std::string& more = {}, const std::string& modules = {})
        : port{free_port()}, presence{port}, alice{port, "alice"}, bob{port, "bob"},
          server{folder.write("blf.cfg", proxy(modules,
                                               "modparam(\"pua\", \"outbound_proxy\", \"sip:127.0.0.1:" +
                                                   std::to_string(presence.peer.port()) + "\")\n" + params,
                                               "", in_invite, more)),
                 at_port(port)}
    {
    }
    ~Elsewhere()
    {
        UNSCOPED_INFO(server.log());
        UNSCOPED_INFO(presence.peer.log());
    }
    TempDir folder;
    const std::uint16_t port;
    PresencePeer presence;
    Phone alice, bob;
    RunningServer server;
};

} // namespace

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
        call.ring();
        CHECK(state_in(place.presence.next("alice").body()) == "trying");
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
        place.bob.ring(at_bob);
        CHECK(state_in(place.presence.next("alice").body()) == "trying");
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
