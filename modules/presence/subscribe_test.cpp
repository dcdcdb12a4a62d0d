// modules/presence/subscribe_test.cpp - rows S* of the matrix: subscriptions made, refreshed, ended
#include "modules/presence/notify_request.h"
#include "modules/presence/test_support.h"

namespace sipyard::presence {
namespace {

TEST_CASE("S01, S02 a subscription begins with the state, version 0", "[presence]")
{
    for (const bool talking : {false, true}) {
        Bench bench;
        if (talking)
            (void)bench.publish("call");
        const auto w = bench.subscribe("Expires: 600\r\n", "call", 1, "Event: test\r\n",
                                       "Contact: <sip:desk@192.0.2.7>\r\n", false);
        CHECK(w.code == 200);
        CHECK(w.expires == 600);
        CHECK(bench.sent.empty()); // R4: the reply leaves first
        bench.replied(w.s);
        const Seen n = bench.one();
        CHECK(n.version == 0);
        CHECK(n.text() == (talking ? "call" : ""));
        CHECK(n.says("Event: test\r\n"));
        CHECK(n.says("Contact: <sip:us@192.0.2.1>\r\n"));
        CHECK(n.says("Subscription-State: active;expires=600\r\n"));
        CHECK(n.says("SIP-ETag: "));
    }
}

TEST_CASE("S03 a fetch is one NOTIFY", "[presence]")
{
    Bench bench;
    bench.common->store_subscriptions = true;
    (void)bench.publish("call");
    const auto w = bench.subscribe("Expires: 0\r\n");
    CHECK(w.code == 200);
    CHECK(w.expires == 0);
    CHECK(bench.resource->watchers().empty());
    const Seen n = bench.one();
    CHECK(n.text() == "call");
    CHECK(n.says("Subscription-State: terminated;reason=timeout\r\n"));
    CHECK(bench.refresh(w.s, 2).code == 481);
    CHECK(bench.changes.empty());
    (void)bench.publish("other");
    CHECK(bench.sent.empty());
}

TEST_CASE("S04 a refresh brings the same document again", "[presence]")
{
    Bench bench;
    (void)bench.publish("call");
    const auto w = bench.subscribe();
    const Seen first = bench.one();
    CHECK(bench.refresh(w.s, 2).code == 200);
    const Seen second = bench.one();
    CHECK(second.version == first.version);
    CHECK(second.body == first.body);
    CHECK(second.cseq == first.cseq + 1);
}

TEST_CASE("S05 an unsubscription ends with the state", "[presence]")
{
    Bench bench;
    bench.common->store_subscriptions = true;
    (void)bench.publish("call");
    const auto w = bench.subscribe();
    (void)bench.settle();
    CHECK(bench.refresh(w.s, 2, "Expires: 0\r\n").code == 200);
    REQUIRE(bench.sent.size() == 1);
    CHECK(bench.refresh(w.s, 3).code == 481); // while the last NOTIFY is under way
    const Seen n = bench.one();
    CHECK(n.text() == "call");
    CHECK(n.says("Subscription-State: terminated;reason=timeout\r\n"));
    CHECK(bench.resource->watchers().empty());
    CHECK(bench.gone == 1);
    CHECK(bench.refresh(w.s, 4).code == 481);
    CHECK(std::holds_alternative<DropSubscription>(bench.changes.back()));
}

TEST_CASE("S06 a subscription that nobody refreshes ends at its time", "[presence]")
{
    for (const bool with_state : {false, true}) {
        Bench bench;
        bench.common->store_subscriptions = true;
        bench.common->expire_body = with_state;
        (void)bench.publish("call", "Expires: 3600\r\n");
        const auto w = bench.subscribe("Expires: 600\r\n");
        (void)bench.settle();
        bench.live(604s);
        CHECK(bench.sent.empty()); // the grace of five seconds
        bench.live(1s);
        const Seen n = bench.one();
        CHECK(n.says("Subscription-State: terminated;reason=timeout\r\n"));
        CHECK(n.has_body == with_state);
        CHECK(bench.resource->watchers().empty());
        CHECK(std::holds_alternative<DropSubscription>(bench.changes.back()));
    }
}

TEST_CASE("R2 a refresh within the grace wins", "[presence]")
{
    Bench bench;
    const auto w = bench.subscribe("Expires: 600\r\n");
    (void)bench.settle();
    bench.live(603s);
    CHECK(bench.refresh(w.s, 2).code == 200);
    (void)bench.settle();
    bench.live(604s);
    CHECK(bench.resource->watchers().size() == 1);
    CHECK(bench.sent.empty());
}

TEST_CASE("S07, S08, S10 requests within the dialog", "[presence]")
{
    Bench bench;
    const auto w = bench.subscribe("Expires: 600\r\n", "call", 5, "Event: TEST;id=7\r\n");
    CHECK(bench.one().says("Event: TEST;id=7\r\n")); // S10, S11: type and id as they came
    const struct {
        const char* story;
        std::uint32_t cseq;
        const char* event;
        int code;
    } rows[] = {{"S07 the same CSeq", 5, "Event: TEST;id=7\r\n", 500},
                {"S07 a lower one", 4, "Event: TEST;id=7\r\n", 500},
                {"S10 without the id", 6, "Event: test\r\n", 481},
                {"another id", 6, "Event: test;id=8\r\n", 481},
                {"the next one", 6, "Event: test;id=7\r\n", 200},
                {"S07 that one again", 6, "Event: test;id=7\r\n", 500},
                {"a gap", 60, "Event: test;id=7;max-rate=1\r\n", 200}};
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(bench.refresh(w.s, row.cseq, "Expires: 600\r\n", row.event).code == row.code);
        (void)bench.settle();
    }
}

TEST_CASE("S09, S13, S17, S20 what is refused", "[presence]")
{
    const struct {
        const char* story;
        std::string headers, contact;
        int code;
        std::string says;
    } rows[] = {
        {"S09 types we do not have", "Accept: application/pidf+xml\r\n", "Contact: <sip:d@192.0.2.7>\r\n",
         406, ""},
        {"S09 one of several", "Accept: text/plain\r\nAccept: application/test+xml\r\n",
         "Contact: <sip:d@192.0.2.7>\r\n", 200, ""},
        {"a wildcard", "Accept: application/*;q=0.3\r\n", "Contact: <sip:d@192.0.2.7>\r\n", 200, ""},
        {"all but ours", "Accept: application/test+xml;q=0.0, text/*\r\n", "Contact: <sip:d@192.0.2.7>\r\n",
         406, ""},
        {"S13 no Contact", "", "", 400, ""},
        {"S13 a star", "", "Contact: *\r\n", 400, ""},
        {"S13 two", "", "Contact: <sip:a@b>, <sip:c@d>\r\n", 400, ""},
        {"S13 one nobody can send to", "", "Contact: <mailto:a@b>\r\n", 400, ""},
        {"S17 too short", "Expires: 2\r\n", "Contact: <sip:d@192.0.2.7>\r\n", 423, "Min-Expires: 60\r\n"},
        {"S17 no number", "Expires: soon\r\n", "Contact: <sip:d@192.0.2.7>\r\n", 400, ""},
        {"S20 an extension", "Require: foo\r\n", "Contact: <sip:d@192.0.2.7>\r\n", 420,
         "Unsupported: foo\r\n"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Bench bench;
        const auto w = bench.subscribe(row.headers, "call", 1, "Event: test\r\n", row.contact);
        CHECK(w.code == row.code);
        CHECK(w.headers.find(row.says) != std::string::npos);
        CHECK(bench.resource->watchers().size() == (row.code == 200 ? 1 : 0));
    }
    Bench bench;
    CHECK(bench.subscribe("").expires == 3600);                         // S17 absent
    CHECK(bench.subscribe("Expires: 999999\r\n", "2").expires == 3600); // S17 huge
    bench.subscribe_rules.accept_anything = true;                       // S09 the quirk
    CHECK(bench.subscribe("Accept: application/pidf+xml\r\n", "3").code == 200);
    bench.filter_body = "x";
    CHECK(bench.subscribe("Content-Type: application/other\r\n", "4").code == 415);
    CHECK(bench.subscribe("Content-Type: application/filter\r\n", "5").code == 200);
}

TEST_CASE("S12 parameters of the package choose what is seen", "[presence]")
{
    Bench bench;
    (void)bench.publish("x1");
    (void)bench.publish("y2");
    (void)bench.subscribe("Expires: 600\r\n", "a", 1, "Event: test;only=x\r\n");
    CHECK(bench.one().text() == "x1");
    (void)bench.subscribe("Expires: 600\r\n", "b", 1, "Event: test;only=y\r\n");
    CHECK(bench.one().text() == "y2");
    (void)bench.publish("x3");
    CHECK(bench.one().text() == "x1|x3"); // only who sees it is told
}

TEST_CASE("S14, S15 the way to a watcher", "[presence]")
{
    const struct {
        const char* story;
        const char* routes;
        const char* uri;
        const char* hop;
        const char* lines;
    } rows[] = {
        {"no proxy", "", "sip:desk@192.0.2.7", "sip:desk@192.0.2.7", ""},
        {"S14 two loose ones", "<sip:p1;lr>, <sip:p2;lr>", "sip:desk@192.0.2.7", "sip:p1;lr",
         "Route: <sip:p1;lr>, <sip:p2;lr>\r\n"},
        {"S15 a strict one first", "<sip:p1>, <sip:p2;lr>", "sip:p1", "sip:p1",
         "Route: <sip:p2;lr>, <sip:desk@192.0.2.7>\r\n"},
        {"S15 a strict one alone", "<sip:p1?h=1>", "sip:p1", "sip:p1", "Route: <sip:desk@192.0.2.7>\r\n"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Arena arena;
        const Addressed way = address("sip:desk@192.0.2.7", row.routes, arena);
        CHECK(way.request_uri == row.uri);
        CHECK(way.next_hop == row.hop);
        CHECK(way.route_lines == row.lines);
    }
}

TEST_CASE("S16 a refresh moves the target and leaves the route set", "[presence]")
{
    Bench bench;
    const auto w =
        bench.subscribe("Expires: 600\r\nRecord-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\n");
    (void)bench.settle();
    CHECK(w.s->routes.view() == "<sip:p1;lr>, <sip:p2;lr>");
    CHECK(bench
              .refresh(w.s, 2, "Expires: 600\r\nRecord-Route: <sip:p9;lr>\r\n", "Event: test\r\n",
                       "Contact: <sip:desk@192.0.2.99>\r\n")
              .code == 200);
    CHECK(bench.ways.back().contact.view() == "sip:desk@192.0.2.99");
    CHECK(w.s->routes.view() == "<sip:p1;lr>, <sip:p2;lr>");
}

TEST_CASE("S18 a phone that starts anew is not told twice", "[presence]")
{
    Bench bench;
    const auto before = bench.subscribe("Expires: 600\r\n", "same", 1);
    (void)bench.settle();
    const auto after = bench.subscribe("Expires: 600\r\n", "same", 9);
    CHECK(after.code == 200);
    CHECK(bench.one().to == after.s);
    CHECK(before.s->gone);
    (void)bench.publish("a");
    CHECK(bench.one().to == after.s);
}

TEST_CASE("S19 conditional notification", "[presence]")
{
    const auto tag_of = [](const Seen& n) {
        const auto at = n.headers.find("SIP-ETag: ");
        return n.headers.substr(at + 10, 16);
    };
    SECTION("the current tag at a refresh")
    {
        Bench bench;
        (void)bench.publish("a");
        const auto w = bench.subscribe();
        const Seen first = bench.one();
        const std::string condition = "Expires: 600\r\nSuppress-If-Match: " + tag_of(first) + "\r\n";
        const auto silent = bench.refresh(w.s, 2, condition);
        CHECK(silent.code == 204);
        CHECK(silent.expires == 600);
        CHECK(bench.sent.empty());
        (void)bench.publish("b");
        CHECK(bench.one().text() == "a|b"); // the condition is over
        CHECK(bench.refresh(w.s, 3, condition).code == 200);
        CHECK(bench.one().text() == "a|b");
    }
    SECTION("S19b a star: dormant until a refresh without it")
    {
        Bench bench;
        (void)bench.publish("a");
        const auto w = bench.subscribe();
        (void)bench.settle();
        CHECK(bench.refresh(w.s, 2, "Expires: 600\r\nSuppress-If-Match: *\r\n").code == 204);
        (void)bench.publish("b");
        CHECK(bench.sent.empty());
        CHECK(bench.refresh(w.s, 3).code == 200);
        CHECK(bench.one().text() == "a|b");
    }
    SECTION("S19c at the beginning")
    {
        for (const char* const condition : {"*", "current"}) {
            for (const char* const expires : {"600", "0"}) {
                INFO(condition << " " << expires);
                Bench bench;
                (void)bench.publish("a");
                (void)bench.subscribe("Expires: 0\r\n", "fetch");
                const std::string tag = tag_of(bench.one());
                const auto w = bench.subscribe(format("Expires: {}\r\nSuppress-If-Match: {}\r\n", expires,
                                                      std::string_view{condition} == "*" ? "*" : tag));
                CHECK(w.code == 200);
                const Seen n = bench.one();
                CHECK(!n.has_body);
                CHECK(tag_of(n) == tag);
                CHECK(n.says(std::string_view{expires} == "0" ? "terminated;reason=timeout"
                                                              : "active;expires"));
            }
        }
    }
    SECTION("an unsubscription")
    {
        Bench bench;
        const auto w = bench.subscribe();
        (void)bench.settle();
        CHECK(bench.refresh(w.s, 2, "Expires: 0\r\nSuppress-If-Match: *\r\n").code == 204);
        CHECK(bench.sent.empty());
        CHECK(bench.resource->watchers().empty());
    }
    SECTION("a tag of another document")
    {
        Bench bench;
        const auto w = bench.subscribe();
        (void)bench.settle();
        CHECK(bench.refresh(w.s, 2, "Expires: 600\r\nSuppress-If-Match: 0123456789abcdef\r\n").code == 200);
        CHECK(bench.one().has_body);
    }
}

TEST_CASE("rules decide who sees what", "[presence]")
{
    Bench bench;
    bench.package.change().winfo_peer = "test.winfo";
    (void)bench.publish("secret");
    Decision decision{Status::pending, {}, 0, false};
    bench.package.decide = [&](const SubscribeView&) { return decision; };
    const auto rules = [&](const Decision& now) {
        decision = now;
        Effects effects;
        bench.resource->rules_changed(bench.now, effects);
        bench.take(effects);
    };
    const auto w = bench.subscribe();
    CHECK(w.code == 200);
    Seen n = bench.one();
    CHECK(!n.has_body);
    CHECK(n.says("Subscription-State: pending;expires=600\r\n"));
    (void)bench.publish("more");
    CHECK(bench.sent.empty());
    rules({});
    CHECK(bench.one().text() == "secret|more");
    rules({Status::active, {}, 0, true}); // polite block
    n = bench.one();
    CHECK(n.text() == "offline");
    CHECK(n.says("active;"));
    rules({Status::terminated, "rejected", 0, false});
    n = bench.one();
    CHECK(!n.has_body); // R7: nothing leaves after the decision
    CHECK(n.says("Subscription-State: terminated;reason=rejected\r\n"));
    CHECK(bench.resource->watchers().empty());
    CHECK(bench.events == std::vector<std::string>{"subscribe", "approved", "rejected"});
    CHECK(bench.subscribe("Expires: 600\r\n", "again").code == 403);
    bench.common->hide_block = true;
    CHECK(bench.subscribe("Expires: 600\r\n", "hidden").code == 200);
    n = bench.one();
    CHECK(!n.has_body);
    CHECK(n.says("terminated;reason=rejected"));
    CHECK(bench.resource->watchers().empty());
}

TEST_CASE("a subscription to what is over ends when that has been told", "[presence]")
{
    Bench bench;
    const auto call = bench.publish("once");
    (void)bench.subscribe("Expires: 600\r\n", "call", 1, "Event: test;only=once\r\n");
    CHECK(bench.one().text() == "once");
    (void)bench.again(call.etag, {}, 0);
    const auto all = bench.settle();
    REQUIRE(all.size() == 2);
    CHECK(all[0].text() == "");
    CHECK(all[1].says("terminated;reason=noresource"));
}

TEST_CASE("max-rate and min-rate of RFC 6446", "[presence]")
{
    Bench bench;
    (void)bench.subscribe("Expires: 3600\r\n", "call", 1, "Event: test;max-rate=0.1;min-rate=0.01\r\n");
    CHECK(bench.one().says(";max-rate=0.1;min-rate=0.01\r\n"));
    (void)bench.publish("a");
    CHECK(bench.sent.empty());
    bench.live(9s);
    CHECK(bench.sent.empty());
    bench.live(1s);
    CHECK(bench.one().text() == "a");
    bench.live(99s);
    CHECK(bench.sent.empty());
    bench.live(2s);
    const Seen n = bench.one();
    CHECK(n.version == 1); // the same once more
    CHECK(n.text() == "a");
}

TEST_CASE("subscriptions survive a restart", "[presence]")
{
    StoredSubscription row;
    std::uint32_t last = 0;
    {
        Bench bench;
        bench.common->store_subscriptions = true;
        (void)bench.subscribe("Expires: 600\r\nRecord-Route: <sip:p;lr>\r\n", "call", 3,
                              "Event: test;id=7\r\n");
        for (int i = 0; i < 300; ++i) {
            (void)bench.publish("p" + std::to_string(i), "Expires: 60\r\n");
            for (const auto& n : bench.settle())
                last = n.cseq;
            bench.live(61s / 300);
            (void)bench.settle();
        }
        std::size_t writes = 0;
        for (const auto& change : bench.changes)
            if (const auto* const put = std::get_if<PutSubscription>(&change)) {
                row = put->row;
                ++writes;
            }
        CHECK(writes < 20); // no row for each NOTIFY
        CHECK(row.local_cseq >= last);
    }
    Bench bench;
    bench.common->store_subscriptions = true;
    Arrival arrival;
    arrival.local_tag = row.to_tag;
    arrival.routes = row.record_route;
    arrival.local_contact = row.local_contact;
    const auto s = bench.resource->restore(row, arrival, bench.now);
    REQUIRE(s);
    Effects effects;
    bench.resource->kick(*s, bench.now, effects);
    bench.take(effects);
    const Seen n = bench.one();
    CHECK(n.cseq > last);
    CHECK(n.version > row.version - 128);
    CHECK(n.says("Event: test;id=7\r\n"));
    CHECK(s->routes.view() == "<sip:p;lr>");
    CHECK(bench.refresh(s, 4, "Expires: 600\r\n", "Event: test;id=7\r\n").code == 200);
}

} // namespace
} // namespace sipyard::presence
