// modules/pua/pua_test.cpp - what goes out for a publisher: by SIP with credentials, in this process, after a
// restart
#include "modules/pua/pua.h"

#include "test/support/catch.h"
#include "test/support/fake_tm.h"
#include "test/support/run_script.h"

using Catch::Matchers::Contains;

namespace sipyard::pua {

namespace {

// The presence server of this process as a test plays it.
class PlayedPresence final : public presence::Api, public presence::EventPackage {
public:
    std::vector<presence::LocalPublication> published;
    std::optional<Error> refusal;
    PlayedPresence()
    {
        traits_.name = "dialog";
        traits_.publish.most = 600;
    }

    void add(EventPackage&) override {}
    EventPackage* find(std::string_view package) override { return package == "dialog" ? this : nullptr; }
    Result<std::string> presentity_of(std::string_view uri, const presence::Traits&) const override
    {
        return std::string{uri};
    }
    Result<void> publish(const presence::LocalPublication& publication) override
    {
        published.push_back(publication);
        if (refusal)
            return *refusal;
        return {};
    }
    void resource_changed(std::string_view, std::string_view) override {}
    void rules_changed(std::string_view, std::string_view) override {}
    void terminate(std::string_view, std::string_view, std::string_view, std::uint32_t) override {}
    presence::CompositePtr composite(std::string_view, std::string_view) override { return {}; }
    std::vector<presence::SubscriptionInfo> subscriptions(std::string_view, std::string_view) override
    {
        return {};
    }

    const presence::Traits& traits() const override { return traits_; }
    std::variant<presence::DocumentPtr, presence::Refusal> parse(const presence::PublishView&) override
    {
        return presence::DocumentPtr{};
    }
    presence::CompositePtr merge(std::string_view, std::span<const presence::Publication>,
                                 const presence::CompositePtr&) override
    {
        return {};
    }
    presence::BodyPtr render(std::string_view, const presence::Composite&, const presence::Variant&) override
    {
        return {};
    }

private:
    presence::Traits traits_;
};

class PlayedUac final : public uac::Api {
public:
    std::vector<Credential> credentials{{"*", "proxy", "secret", false}};
    const std::vector<Credential>& own_credentials() const override { return credentials; }
};

enum class With : unsigned char { nothing, presence, credentials };

struct Played {
    explicit Played(std::string_view params = "", With with = With::nothing)
    {
        host.offer<tm::Api>(tm);
        if (with == With::presence)
            host.offer<presence::Api>(presence);
        if (with == With::credentials)
            host.offer<uac::Api>(uac);
        host.add_myself("example.com");
        script = std::make_unique<test::ScriptFixture>(
            host, std::vector<AnyManifest>{sipyard_module()->manifest()});
        loaded = script->load(format("loadmodule \"pua.so\"\n{}\nrequest_route {{ exit; }}\n", params));
        if (!loaded)
            return;
        api = static_cast<Api*>(sipyard_module()->manifest().offers.at(0).cast(script->module("pua")));
        host.start_workers();
    }
    ~Played() { script.reset(); }
    void publish(std::string_view body, std::string_view who = "sip:bob@example.com")
    {
        host.on_fiber([&] {
            const auto done =
                api->publish({who, "dialog", "d1", "application/dialog-info+xml", body, 300, Renew::yes, {}});
            INFO(why(done));
            CHECK(done);
        });
        rest();
    }
    void rest() { host.advance(Duration{0}); }
    void advance(int seconds) { host.advance(std::chrono::seconds{seconds}); }
    void answer(int code, std::string_view headers = {})
    {
        REQUIRE_FALSE(tm.own.empty());
        const std::string text = format("SIP/2.0 {} X\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nFrom: "
                                        "{}\r\nTo: {};tag=z\r\nCall-ID: {}\r\nCSeq: {} PUBLISH\r\n{}"
                                        "Content-Length: 0\r\n\r\n",
                                        code, tm.own.back().from, tm.own.back().to, tm.own.back().call_id,
                                        tm.own.back().cseq, headers);
        host.on_fiber([&] {
            test::Messenger message{host, text, Route::tm_reply};
            tm::Incoming in;
            in.code = code;
            in.reply = &*message;
            in.last = true;
            tm::OnReply on_reply = std::move(tm.own.back().on_reply);
            on_reply(in);
        });
        rest();
    }
    json::Value listed()
    {
        return *sipyard_module()->manifest().commands.at(0).run(script->module("pua"), json::Value::array());
    }

    test::FakeTm tm;
    PlayedPresence presence;
    PlayedUac uac;
    test::FakeHost host;
    std::unique_ptr<test::ScriptFixture> script;
    bool loaded = false;
    Api* api = nullptr;
};

} // namespace

TEST_CASE("a publication goes out as PUBLISH", "[pua]")
{
    Played p{"modparam(\"pua\", \"outbound_proxy\", \"sip:presence.example.net:5080;transport=tcp\")"};
    p.publish("<A/>");
    REQUIRE(p.tm.own.size() == 1);
    CHECK(p.tm.own[0].method == "PUBLISH");
    CHECK(p.tm.own[0].request_uri == "sip:bob@example.com");
    CHECK(p.tm.own[0].next_hop == "sip:presence.example.net:5080;transport=tcp");
    CHECK(p.tm.own[0].headers == "Event: dialog\r\nExpires: 300\r\n");
    CHECK(p.tm.own[0].content_type == "application/dialog-info+xml");
    CHECK(p.tm.own[0].body == "<A/>");
    CHECK_THAT(p.tm.own[0].from, Contains("<sip:bob@example.com>;tag="));
    p.answer(200, "SIP-ETag: E1\r\nExpires: 100\r\n");

    p.publish("<B/>");
    REQUIRE(p.tm.own.size() == 2);
    CHECK_THAT(p.tm.own[1].headers, Contains("SIP-If-Match: E1\r\n"));
    CHECK(p.tm.own[1].body == "<B/>");
    CHECK(p.tm.own[1].call_id == p.tm.own[0].call_id);
    CHECK(p.tm.own[1].cseq == 2);
    p.answer(200, "SIP-ETag: E2\r\nExpires: 100\r\n");

    p.advance(84);
    CHECK(p.tm.own.size() == 2);
    p.advance(1); // the refresh has no body, hence no Content-Type (RFC 3903 4.3)
    REQUIRE(p.tm.own.size() == 3);
    CHECK(p.tm.own[2].body.empty());
    CHECK(p.tm.own[2].content_type.empty());
    CHECK(p.tm.own[2].headers == "Event: dialog\r\nExpires: 300\r\nSIP-If-Match: E2\r\n");
    p.answer(200, "SIP-ETag: E3\r\nExpires: 100\r\n");

    p.host.on_fiber([&] { p.api->remove("sip:bob@example.com", "dialog", "d1"); });
    p.rest();
    REQUIRE(p.tm.own.size() == 4);
    CHECK(p.tm.own[3].headers == "Event: dialog\r\nExpires: 0\r\nSIP-If-Match: E3\r\n");
    p.answer(200, "SIP-ETag: E4\r\nExpires: 0\r\n");
    CHECK(p.host.counted("pua", "publications") == 0);
    CHECK(p.host.counted("pua", "sent") == 4);
}

TEST_CASE("what servers say to a PUBLISH", "[pua]")
{
    Played p;
    p.publish("<A/>");
    SECTION("412: again as an initial one")
    {
        p.answer(200, "SIP-ETag: E1\r\nExpires: 100\r\n");
        p.publish("<B/>");
        p.answer(412);
        REQUIRE(p.tm.own.size() == 3);
        CHECK(p.tm.own[2].headers == "Event: dialog\r\nExpires: 300\r\n");
        CHECK(p.tm.own[2].body == "<B/>");
    }
    SECTION("423: again with its minimum")
    {
        p.answer(423, "Min-Expires: 900\r\n");
        REQUIRE(p.tm.own.size() == 2);
        CHECK_THAT(p.tm.own[1].headers, Contains("Expires: 900\r\n"));
    }
    SECTION("503: after its Retry-After, with the newest document only")
    {
        p.answer(503, "Retry-After: 30 (busy);duration=9\r\n");
        p.publish("<B/>");
        p.publish("<C/>");
        p.advance(29);
        CHECK(p.tm.own.size() == 1);
        p.advance(1);
        REQUIRE(p.tm.own.size() == 2);
        CHECK(p.tm.own[1].body == "<C/>");
        CHECK(p.host.counted("pua", "failed") == 1);
    }
    SECTION("403: never again")
    {
        p.answer(403);
        p.advance(1000);
        CHECK(p.tm.own.size() == 1);
        CHECK(p.host.counted("pua", "refused") == 1);
        CHECK(p.host.counted("pua", "publications") == 0);
    }
}

TEST_CASE("a challenge is answered with uac's credentials", "[pua]")
{
    Played p{"", With::credentials};
    p.publish("<A/>");
    p.answer(407, "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n");
    REQUIRE(p.tm.own.size() == 2);
    CHECK(p.tm.own[1].cseq == 2);
    CHECK_THAT(p.tm.own[1].headers, Contains("Proxy-Authorization: Digest ") &&
                                        Contains("username=\"proxy\"") &&
                                        Contains("uri=\"sip:bob@example.com\""));
    p.answer(200, "SIP-ETag: E1\r\nExpires: 100\r\n");
    p.publish("<B/>"); // the nonce is good for the next one
    CHECK_THAT(p.tm.own.back().headers, Contains("nc=00000002"));

    Played poor;
    poor.publish("<A/>");
    poor.answer(401, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
    CHECK(poor.tm.own.size() == 1);
    CHECK(poor.host.counted("pua", "refused") == 1);
}

TEST_CASE("a publication for a domain of ours stays in this process", "[pua]")
{
    Played p{"", With::presence};
    p.publish("<A/>");
    REQUIRE(p.presence.published.size() == 1);
    CHECK(p.presence.published[0].presentity == "sip:bob@example.com");
    CHECK(p.presence.published[0].id == "d1");
    CHECK(p.presence.published[0].body == "<A/>");
    CHECK(p.presence.published[0].expires == 300);
    CHECK(p.tm.own.empty());
    p.advance(255); // the refresh brings the document along
    REQUIRE(p.presence.published.size() == 2);
    CHECK(p.presence.published[1].body == "<A/>");
    p.host.on_fiber([&] { p.api->remove("sip:bob@example.com", "dialog", "d1"); });
    p.rest();
    REQUIRE(p.presence.published.size() == 3);
    CHECK(p.presence.published[2].body.empty());
    CHECK(p.host.counted("pua", "publications") == 0);

    p.publish("<A/>", "sip:carol@elsewhere.example");
    REQUIRE(p.tm.own.size() == 1);
    CHECK(p.tm.own[0].request_uri == "sip:carol@elsewhere.example");
}

TEST_CASE("the modes of pua", "[pua]")
{
    Played by_sip{"modparam(\"pua\", \"mode\", \"sip\")", With::presence};
    by_sip.publish("<A/>");
    CHECK(by_sip.tm.own.size() == 1);
    Played through_proxy{"modparam(\"pua\", \"outbound_proxy\", \"sip:p.example.com\")", With::presence};
    through_proxy.publish("<A/>");
    CHECK(through_proxy.tm.own.size() == 1);
    Played local{"modparam(\"pua\", \"mode\", \"local\")", With::presence};
    local.publish("<A/>", "sip:carol@elsewhere.example");
    CHECK(local.presence.published.size() == 1);

    CHECK_THROWS_WITH(Played{"modparam(\"pua\", \"mode\", \"local\")"}, Contains("presence must be loaded"));
    CHECK_THROWS_WITH(Played{"modparam(\"pua\", \"mode\", \"maybe\")"}, Contains("none of auto, local, sip"));
    CHECK_THROWS_WITH(Played{"modparam(\"pua\", \"outbound_proxy\", \"nobody\")"}, Contains("is no URI"));
}

TEST_CASE("what is no publication is refused", "[pua]")
{
    Played p;
    const struct {
        const char* story;
        Publication publication;
    } rows[] = {
        {"no URI", {"bob", "dialog", "d", "a/b", "x", 1, Renew::yes, {}}},
        {"a tel URI", {"tel:+123", "dialog", "d", "a/b", "x", 1, Renew::yes, {}}},
        {"no event", {"sip:b@c", "", "d", "a/b", "x", 1, Renew::yes, {}}},
        {"a line end in the event", {"sip:b@c", "dialog\r\nX: y", "d", "a/b", "x", 1, Renew::yes, {}}},
        {"no body", {"sip:b@c", "dialog", "d", "a/b", "", 1, Renew::yes, {}}},
        {"headers that end the message",
         {"sip:b@c", "dialog", "d", "a/b", "x", 1, Renew::yes, "A: b\r\n\r\nB"}},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK_FALSE(p.api->publish(row.publication));
    }
    Played small{"modparam(\"pua\", \"max_publications\", 1)"};
    CHECK(small.api->publish({"sip:b@c", "dialog", "1", "a/b", "x", 1, Renew::yes, {}}));
    const auto second = small.api->publish({"sip:b@c", "dialog", "2", "a/b", "x", 1, Renew::yes, {}});
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == ErrorKind::overloaded);
}

TEST_CASE("operators see what is published", "[pua]")
{
    Played p;
    p.publish("<A/>");
    p.answer(200, "SIP-ETag: E1\r\nExpires: 100\r\n");
    const json::Value all = p.listed();
    REQUIRE(all.size() == 1);
    CHECK(all[0]["presentity"].text() == "sip:bob@example.com");
    CHECK(all[0]["state"].text() == "published");
    CHECK(all[0]["etag"].text() == "E1");
    CHECK(all[0]["due"].integer() == 85);
}

TEST_CASE("events have Kamailio's numbers", "[pua]")
{
    CHECK(event_number("dialog") == 32);
    CHECK(event_named(32) == "dialog");
    CHECK(event_number("x-unheard-of") == 0);
    CHECK(event_named(3).empty());
}

} // namespace sipyard::pua
