// modules/uac/uac_test.cpp - what is stored and restored, challenges, requests of the script's own,
// registrations
#include "modules/uac/uac.h"

#include "core/sip/edits.h"
#include "core/sip/message.h"
#include "modules/uac/restore.h"
#include "test/support/catch.h"
#include "test/support/fake_host.h"

#include <map>

namespace sipyard::uac {
namespace {

struct Sent {
    std::string method, request_uri, next_hop, from, to, call_id, headers, body;
    std::uint32_t cseq;
    tm::OnReply on_reply;
};

struct FakeTm final : tm::Api, tm::Extras {
    ~FakeTm() override = default;
    Result<tm::Begun> begin(Request&) override { return tm::Begun::created; }
    tm::TransactionId of(Request&) override { return {}; }
    Verdict relay(Request&) override { return {}; }
    bool is_merged(Request&) override { return false; }
    std::string_view local_tag(Request&) override { return {}; }
    Result<void> reply(tm::TransactionId, const Reply&) override { return {}; }
    Result<void> with_request(tm::TransactionId, Function<void(Request&)>) override { return {}; }
    Result<tm::TransactionId> suspend(Request&) override { return tm::TransactionId{}; }
    Result<void> resume(tm::TransactionId, std::string_view) override { return {}; }
    void add_watcher(tm::Watcher& w) override { watcher = &w; }
    Result<tm::TransactionId> send(const tm::Outgoing& o, tm::OnReply on_reply) override
    {
        if (refuse)
            return Error{ErrorKind::not_found, "no such host"};
        sent.push_back({std::string{o.method}, std::string{o.request_uri}, std::string{o.next_hop},
                        std::string{o.from}, std::string{o.to}, std::string{o.call_id},
                        std::string{o.headers}, std::string{o.body}, o.cseq, std::move(on_reply)});
        return tm::TransactionId{1, 1};
    }
    Result<tm::Answer> ask(const tm::Outgoing&, Arena&) override
    {
        return Error{ErrorKind::unsupported, "not here"};
    }
    Result<void> send_once(const tm::Outgoing&) override { return {}; }
    Result<void> cancel(tm::TransactionId, std::string_view) override { return {}; }
    int branch_index(Request&) override { return 0; }
    tm::Info info(Request&) override { return {}; }
    Value of_branch(Request&, std::string_view) override { return {}; }
    Request* stored_request(Request&) override { return nullptr; }
    Request* stored_reply(Request&) override { return failed_with; }
    Request* stored_invite(Request&) override { return nullptr; }
    bool cancel_branches(Request&, tm::Which) override { return false; }
    Result<void> cancel_call(std::string_view, std::uint32_t, std::string_view) override { return {}; }
    Result<void> reply_call(std::string_view, std::uint32_t, int, std::string_view) override { return {}; }
    void flush_flags(Request&, bool) override {}
    bool drop(Request&, int) override { return false; }
    bool reuse_branch(Request&) override { return false; }
    bool is_known(Request&) override { return false; }
    tm::Counts counts() override { return {}; }

    std::vector<Sent> sent;
    Request* failed_with = nullptr;
    tm::Watcher* watcher = nullptr;
    bool refuse = false;
};

struct FakeRr final : rr::Api {
    Result<void> add_param(Request&, std::string_view text) override
    {
        added.emplace_back(text);
        return {};
    }
    std::optional<std::string_view> route_param(Request&, std::string_view wanted) override
    {
        const auto at = route.find(std::string{wanted});
        return at == route.end() ? std::nullopt : std::optional<std::string_view>{at->second};
    }
    rr::Direction direction(Request&) override { return way; }
    void add_listener(rr::Listener& l) override { listener = &l; }
    void set_flow_tokens(rr::FlowTokens&) override {}

    std::vector<std::string> added;
    std::map<std::string, std::string> route;
    rr::Direction way = rr::Direction::downstream;
    rr::Listener* listener = nullptr;
};

struct Asked {
    Asked(Host& host, std::string_view text, Route route = Route::request)
        : message{**sip::Message::parse(arena.copy(text), arena)}, request{host, arena, message, {}, route}
    {
    }
    std::string out() { return std::string{sip::apply(message, request.edits(), arena)}; }
    Arena arena;
    sip::Message& message;
    Request request;
};

std::string invite(std::string_view from = "\"Al\" <sip:alice@a.example>;tag=1",
                   std::string_view to = "<sip:bob@b.example>", std::string_view more = {})
{
    return format("INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: {}\r\nTo: "
                  "{}\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{}"
                  "Content-Length: 0\r\n\r\n",
                  from, to, more);
}

struct Bench {
    explicit Bench(Settings settings = {})
    {
        host.offer<tm::Api>(tm);
        host.offer<tm::Extras>(tm);
        host.offer<rr::Api>(rr);
        uac = std::make_unique<Uac>(settings, host);
    }
    // The n-th request gets its answer.
    void answer(std::size_t n, int code, std::string_view more = {})
    {
        Asked reply{host, format("SIP/2.0 {} x\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: {}\r\nTo: "
                                 "{};tag=r\r\nCall-ID: {}\r\nCSeq: {} {}\r\n{}"
                                 "Content-Length: 0\r\n\r\n",
                                 code, tm.sent[n].from, tm.sent[n].to, tm.sent[n].call_id, tm.sent[n].cseq,
                                 tm.sent[n].method, more)};
        auto on_reply = std::move(tm.sent[n].on_reply);
        on_reply({{1, 1}, code, "x", &reply.request, true, false});
    }
    test::FakeHost host;
    FakeTm tm;
    FakeRr rr;
    std::unique_ptr<Uac> uac;
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

} // namespace

TEST_CASE("two URIs in one parameter", "[uac]")
{
    const struct {
        const char *original, *replaced, *password, *packed;
    } rows[] = {
        {"sip:alice@a.example", "sip:anonymous@anonymous.invalid", "",
         "AAAAAAACBg0cLQ5bFjgAAx8CHG1vdXMuaW52YWxpZA--"},
        {"sip:alice@a.example", "sip:x@y", "", "AAAAABksEGNlQGEuZXhhbXBsZQ--"},
        {"sip:alice@a.example", "sip:x@y", "secret", "c2VjcnxYYwYGMgRaFh0CHxUYFg--"},
    };
    for (const auto& row : rows) {
        INFO(row.replaced);
        CHECK(pack(row.original, row.replaced, row.password) == row.packed);
        CHECK(unpack(row.packed, row.replaced, row.password) == row.original); // downstream
        CHECK(unpack(row.packed, row.original, row.password) == row.replaced); // upstream
    }
    CHECK(!unpack("AAAAABksEGNlQGEuZXhhbXBsZQ--", "sip:changed@on.the.way.by.a.phone", ""));
    CHECK(!unpack("AAAAABksEGNlQGEuZXhhbXBsZQ--", "sip:9@y", "")); // what comes out is no URI
    CHECK(!unpack("not base64!", "sip:x@y", ""));
    CHECK(!unpack("", "sip:x@y", ""));
}

TEST_CASE("a From is replaced, stored, and put back", "[uac]")
{
    Bench b;
    Asked first{b.host, invite()};
    CHECK(b.uac->replace_from(first.request, "\"Anon\"", "sip:x@y") == Verdict::yes());
    CHECK(has(first.out(), "From: \"Anon\" <sip:x@y>;tag=1\r\n"));
    CHECK(b.rr.added == std::vector<std::string>{";vsf=AAAAABksEGNlQGEuZXhhbXBsZQ--"});
    CHECK(b.uac->replace_from(first.request, "sip:z@y", {}) == Verdict::no()); // once per message

    std::uint64_t note = 0;
    CHECK(b.uac->wants(first.request, note) == static_cast<tm::Moments>(tm::Moment::reply_in));
    SECTION("the caller sees its own From in the reply")
    {
        Asked reply{b.host, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\nFrom: \"Anon\" <sip:x@y>;tag=1\r\nTo: "
                            "<sip:bob@b.example>;tag=2\r\nCall-ID: c\r\n"
                            "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"};
        struct Told final : tm::Happening {
            Request* original = nullptr;
            Request* request() const override { return original; }
        } told;
        told.what = tm::Moment::reply_in;
        told.note = note;
        told.reply = &reply.request;
        told.original = &first.request;
        b.uac->on(told);
        CHECK(has(reply.out(), "From: \"Al\" <sip:alice@a.example>;tag=1\r\n"));
    }
    SECTION("requests that follow, both ways")
    {
        b.rr.route["vsf"] = "AAAAABksEGNlQGEuZXhhbXBsZQ--";
        Asked down{b.host, invite("<sip:alice@a.example>;tag=1", "<sip:bob@b.example>;tag=2")};
        b.uac->on_loose_route(down.request, sip::ParamsView{";vsf=AAAAABksEGNlQGEuZXhhbXBsZQ--"});
        CHECK(has(down.out(), "From: <sip:x@y>;tag=1\r\n"));
        b.rr.way = rr::Direction::upstream;
        Asked up{b.host, invite("<sip:bob@b.example>;tag=2", "<sip:x@y>;tag=1")};
        CHECK(b.uac->restore_from(up.request) == Verdict::yes());
        CHECK(has(up.out(), "To: <sip:alice@a.example>;tag=1\r\n"));
        CHECK(b.rr.added.size() == 3); // the route is recorded anew
    }
    SECTION("no parameter, nothing to restore")
    {
        Asked other{b.host, invite()};
        CHECK(b.uac->restore_to(other.request) == Verdict::no());
        b.uac->on_loose_route(other.request, sip::ParamsView{";lr"});
        CHECK(!other.request.has_edits());
    }
}

TEST_CASE("what uac_replace_* refuses, and leaves alone", "[uac]")
{
    Bench b;
    Asked within{b.host, invite("<sip:alice@a.example>;tag=1", "<sip:bob@b.example>;tag=2")};
    CHECK(b.uac->replace_to(within.request, "sip:x@y", {}) == Verdict::no()); // auto: not within a dialog
    CHECK(b.uac->replace_to(within.request, "Bob", "") == Verdict::yes());    // a display name alone
    CHECK(has(within.out(), "To: Bob <sip:bob@b.example>;tag=2\r\n"));
    Asked injected{b.host, invite()};
    CHECK(b.uac->replace_from(injected.request, "sip:x@y\r\nEvil: 1", {}) == Verdict::no());
    CHECK(!injected.request.has_edits());
    std::uint64_t note = 0;
    CHECK(b.uac->wants(injected.request, note) == 0);

    Settings none;
    none.restore_mode = "none";
    Bench plain{none};
    Asked first{plain.host, invite()};
    CHECK(plain.uac->replace_to(first.request, "sip:x@y", {}) == Verdict::yes());
    CHECK(plain.rr.added.empty());
    CHECK(plain.uac->wants(first.request, note) == 0);
    Settings wrong;
    wrong.restore_mode = "sometimes";
    CHECK_THROWS_AS(Bench{wrong}, StartupError);
    wrong = {};
    wrong.credential = {"user:realm"};
    CHECK_THROWS_AS(Bench{wrong}, StartupError);
}

TEST_CASE("uac_auth answers the challenge of the failed branch", "[uac]")
{
    Settings settings;
    settings.credential = {"al:b.example:pa:ss"};
    Bench b{settings};
    Asked request{b.host,
                  invite("<sip:a@b>;tag=1", "<sip:b@b>",
                         "Proxy-Authorization: Digest username=\"x\", realm=\"b.example\", nonce=\"0\"\r\n"),
                  Route::failure};
    CHECK(b.uac->auth(request.request, {}) == Verdict::no()); // no reply
    Asked busy{b.host, "SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: "
                       "<sip:b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"};
    b.tm.failed_with = &busy.request;
    CHECK(b.uac->auth(request.request, {}) == Verdict::no());
    const auto challenge = [](std::string_view realm) {
        return format("SIP/2.0 407 Auth\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: "
                      "<sip:b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
                      "Proxy-Authenticate: Digest realm=\"{}\", nonce=\"n\", qop=\"auth\"\r\n\r\n",
                      realm);
    };
    Asked other{b.host, challenge("elsewhere")};
    b.tm.failed_with = &other.request;
    CHECK(b.uac->auth(request.request, {}) == Verdict::no());
    Asked ours{b.host, challenge("b.example")};
    b.tm.failed_with = &ours.request;
    CHECK(b.uac->auth(request.request, {}) == Verdict::yes());
    const auto out = request.out();
    CHECK(has(out, "Proxy-Authorization: Digest username=\"al\", realm=\"b.example\", nonce=\"n\", "
                   "uri=\"sip:bob@b.example\""));
    CHECK(!has(out, "username=\"x\"")); // the one it had in that realm is gone
}

TEST_CASE("uac_req_send", "[uac]")
{
    Bench b;
    std::vector<std::string> events;
    b.host.on_event_route("uac:reply", [&](Request& r) {
        events.push_back(format("{} {} {}", b.uac->get_req(r, "evcode").number(),
                                b.uac->get_req(r, "evtype").number(), b.uac->get_req(r, "evparam").text()));
        return Verdict::yes();
    });
    Asked asked{b.host, invite()};
    auto& r = asked.request;
    CHECK(b.uac->req_send(r) == Verdict::no()); // nothing is set
    CHECK(!b.uac->check_req("ruri"));
    REQUIRE(b.uac->check_req("rurl"));
    CHECK(b.uac->check_req("rurl")->nearest == "ruri");
    CHECK(b.uac->set_req(r, "method", "OPTIONS"));
    CHECK(b.uac->set_req(r, "ruri", "sip:b.example"));
    CHECK(b.uac->set_req(r, "hdrs", "X-A: 1"));
    CHECK(b.uac->set_req(r, "ouri", "sip:proxy;lr"));
    CHECK(b.uac->set_req(r, "evparam", "mine"));
    CHECK(b.uac->set_req(r, "evroute", 1));
    CHECK(!b.uac->set_req(r, "evroute", "1"));
    CHECK(!b.uac->set_req(r, "ruri", 1));
    CHECK(!b.uac->set_req(r, "method", std::string_view{"A-METHOD-OF-MORE-THAN-32-CHARACTERS"}));
    CHECK(b.uac->set_req(r, "auser", "al"));
    CHECK(b.uac->set_req(r, "apasswd", "pw"));
    REQUIRE(b.uac->req_send(r) == Verdict::yes());
    REQUIRE(b.tm.sent.size() == 1);
    const auto& first = b.tm.sent[0];
    CHECK(first.headers == "X-A: 1\r\n");
    CHECK(first.from.starts_with("<sip:b.example>;tag="));
    CHECK(first.to == "<sip:b.example>");
    CHECK(first.next_hop == "sip:proxy;lr");
    b.answer(0, 401, "WWW-Authenticate: Digest realm=\"x\", nonce=\"n\", qop=\"auth\"\r\n");
    REQUIRE(b.tm.sent.size() == 2);
    CHECK(b.tm.sent[1].cseq == b.tm.sent[0].cseq + 1);
    CHECK(b.tm.sent[1].call_id == b.tm.sent[0].call_id);
    CHECK(has(b.tm.sent[1].headers, "X-A: 1\r\nAuthorization: Digest username=\"al\", realm=\"x\""));
    auto on_reply = std::move(b.tm.sent[1].on_reply);
    on_reply({{1, 1}, 408, "Request Timeout", nullptr, true, false});
    CHECK(events == std::vector<std::string>{"401 1 mine", "408 2 mine"});
    CHECK(b.uac->set_req(r, "all", Value{}));
    CHECK(b.uac->get_req(r, "ruri").is_null());
    b.tm.refuse = true;
    b.uac->set_req(r, "method", "OPTIONS");
    b.uac->set_req(r, "ruri", "sip:b.example");
    CHECK(b.uac->req_send(r) == Verdict::no());
    b.uac->set_req(r, "ruri", "sip:b\r\nEvil: 1");
    CHECK(b.uac->req_send(r) == Verdict::no());
}

namespace {

json::Value row(std::string_view uuid, std::string_view password = "pw")
{
    auto params = json::Value::array();
    for (const std::string_view value :
         {uuid, std::string_view{"al"}, std::string_view{"local.example"}, std::string_view{"al-there"},
          std::string_view{"far.example"}, std::string_view{"far"}, std::string_view{"auth-al"}, password,
          std::string_view{"."}, std::string_view{"sip:proxy.far.example"}})
        params.add(value);
    params.add(600).add(0).add(0).add("").add(".");
    return params;
}

} // namespace

TEST_CASE("a registration's life", "[uac]")
{
    Settings settings;
    settings.reg_contact_addr = "192.0.2.1:5060";
    settings.reg_retry_interval = GENERATE(0, 60);
    settings.reg_keep_callid = 1;
    Bench b{settings};
    Asked asked{b.host, invite()};
    const auto status = [&] { return b.uac->reg_status(asked.request, "u1").code; };
    CHECK(status() == -1);
    REQUIRE(b.uac->rpc_add(row("u1")));
    CHECK(!b.uac->rpc_add(row("u2", "."))); // without a password
    CHECK(!b.uac->rpc_add(row("u\r\nEvil: 2")));
    CHECK(status() == -99);
    b.uac->on_timer();
    REQUIRE(b.tm.sent.size() == 1);
    CHECK(status() == -2);
    CHECK(b.tm.sent[0].method == "REGISTER");
    CHECK(b.tm.sent[0].request_uri == "sip:far.example");
    CHECK(b.tm.sent[0].to == "<sip:al-there@far.example>");
    CHECK(b.tm.sent[0].next_hop == "sip:proxy.far.example");
    CHECK(has(b.tm.sent[0].headers, "Contact: <sip:u1@192.0.2.1:5060>\r\nExpires: 600\r\n"));
    b.uac->on_timer(); // it is under way
    CHECK(b.tm.sent.size() == 1);
    b.answer(0, 401, "WWW-Authenticate: Digest realm=\"far\", nonce=\"n\"\r\n");
    REQUIRE(b.tm.sent.size() == 2);
    CHECK(has(b.tm.sent[1].headers, "Authorization: Digest username=\"auth-al\""));
    CHECK(b.tm.sent[1].cseq == 2);
    SECTION("accepted, refreshed in time")
    {
        b.answer(1, 200, "Contact: <sip:other@h>;expires=5, <sip:u1@192.0.2.1:5060>;expires=300\r\n");
        CHECK(status() == 1);
        CHECK(b.host.counted("uac", "regactive") == 1);
        b.host.movable_clock().jump(200s);
        b.uac->on_timer();
        CHECK(b.tm.sent.size() == 2);
        b.host.movable_clock().jump(10s); // 300 - 90 - 3 s
        b.uac->on_timer();
        REQUIRE(b.tm.sent.size() == 3);
        CHECK(b.tm.sent[2].call_id == b.tm.sent[0].call_id);
        CHECK(b.tm.sent[2].cseq == 3);
        CHECK(status() == 1); // still in force meanwhile
        SECTION("lookups")
        {
            struct Kept final : VariableRef {
                mutable std::string value;
                Value get(Request&) const override { return std::string_view{value}; }
                bool set(Request&, const Value& v) const override
                {
                    value = v.text();
                    return true;
                }
                std::string_view text() const override { return "$ru"; }
            } kept;
            CHECK(b.uac->reg_lookup(asked.request, "u1", kept) == Verdict::yes());
            CHECK(kept.value == "sip:al@local.example");
            CHECK(b.uac->reg_lookup(asked.request, "nobody", kept) == Verdict::no());
            CHECK(b.uac->reg_lookup_uri(asked.request, "sip:al-there@anywhere", kept) == Verdict::yes());
            CHECK(b.uac->reg_lookup_uri(asked.request, "nonsense", kept) == Verdict::no());
        }
        SECTION("unregistered by the operator")
        {
            auto params = json::Value::array();
            params.add("l_uuid").add("u1");
            b.answer(2, 200);
            REQUIRE(b.uac->rpc_unregister(params));
            CHECK(has(b.tm.sent[3].headers, "Expires: 0\r\n"));
            b.answer(3, 200);
            CHECK(status() == -3);
            REQUIRE(b.uac->rpc_enable(params));
            CHECK(status() == -99);
        }
        SECTION("removed: a late answer changes nothing")
        {
            auto params = json::Value::array();
            params.add("u1");
            REQUIRE(b.uac->rpc_remove(params));
            b.answer(2, 200);
            CHECK(status() == -1);
            CHECK(b.host.counted("uac", "regtotal") == 0);
        }
    }
    SECTION("the interval is too brief for them (423)")
    {
        b.answer(1, 423, "Min-Expires: 900\r\n");
        REQUIRE(b.tm.sent.size() == 3);
        CHECK(has(b.tm.sent[2].headers, "Expires: 900\r\n"));
        b.answer(2, 423, "Min-Expires: 9000\r\n"); // and no more of that
        CHECK(b.tm.sent.size() == 3);
    }
    SECTION("the password is wrong")
    {
        b.answer(1, 401, "WWW-Authenticate: Digest realm=\"far\", nonce=\"n\"\r\n");
        CHECK(b.tm.sent.size() == 2);
        CHECK(status() == (settings.reg_retry_interval ? -99 : -3));
        b.host.movable_clock().jump(61s);
        b.uac->on_timer();
        CHECK(b.tm.sent.size() == (settings.reg_retry_interval ? 3 : 2));
    }
    SECTION("they do not keep our contact")
    {
        b.answer(1, 200, "Contact: <sip:other@h>;expires=5\r\n");
        CHECK(status() != 1);
    }
    const auto dump = b.uac->rpc_dump({});
    REQUIRE(dump);
    if (dump->size())
        CHECK((*dump)[std::size_t{0}]["auth_password"].text() == "***");
}

TEST_CASE("turned off, nothing is registered", "[uac]")
{
    Settings settings;
    settings.reg_active = 0;
    Bench b{settings};
    REQUIRE(b.uac->rpc_add(row("u1")));
    b.uac->on_timer();
    CHECK(b.tm.sent.empty());
    auto on = json::Value::array();
    on.add(1);
    REQUIRE(b.uac->rpc_active(on));
    b.tm.refuse = true;
    b.uac->on_timer();
    Asked asked{b.host, invite()};
    CHECK(b.uac->reg_status(asked.request, "u1").code == -3); // not sent: failed, and reg_retry_interval is 0
    settings = {};
    settings.reg_db_url = "sqlite:///tmp/x";
    CHECK_THROWS_AS(Bench{settings}, StartupError); // without reg_contact_addr
}

} // namespace sipyard::uac
