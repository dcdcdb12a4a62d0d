// modules/presence/publish_test.cpp - rows P* of the matrix: what PUBLISHes do to a resource and its watchers
#include "modules/presence/test_support.h"

#include <set>

namespace sipyard::presence {
namespace {

TEST_CASE("P01 an initial publication is granted, tagged and stored", "[presence]")
{
    Bench bench;
    bench.common->store_publications = true;
    const auto first = bench.publish("a");
    CHECK(first.code == 200);
    CHECK(first.expires == 600);
    CHECK(!first.etag.empty());
    CHECK(first.etag.size() <= 64);
    REQUIRE(bench.changes.size() == 1);
    const auto& row = std::get<PutPublication>(bench.changes[0]).row;
    CHECK(row.user == "bob");
    CHECK(row.domain == "example.com");
    CHECK(row.event == "test");
    CHECK(row.etag == first.etag);
    CHECK(row.body == "a");
    CHECK(row.expires == bench.now.unix + 600);
    CHECK(bench.sent.empty());
}

TEST_CASE("P02 to P05 only what changes the state is told", "[presence]")
{
    Bench bench;
    auto tag = bench.publish("a").etag;
    (void)bench.subscribe();
    CHECK(bench.one().text() == "a");
    std::set<std::string> tags{tag};
    const struct {
        const char* story;
        const char* body;
        const char* told; // null: nothing
    } rows[] = {{"P02 a refresh", "", nullptr},
                {"P03 the same body again", "a", nullptr},
                {"P04 the same in other words", " a ", nullptr},
                {"P05 a real change", "b", "b"}};
    for (const auto& row : rows) {
        INFO(row.story);
        const auto done = bench.again(tag, row.body);
        CHECK(done.code == 200);
        CHECK(tags.insert(done.etag).second); // a tag never used before
        tag = done.etag;
        if (row.told) {
            const Seen n = bench.one();
            CHECK(n.text() == row.told);
            CHECK(n.version == 1);
        } else {
            CHECK(bench.sent.empty());
        }
    }
    CHECK(bench.resource->publications().size() == 1);
}

TEST_CASE("P06, P07 what is removed is not told any more", "[presence]")
{
    Bench bench;
    const auto a = bench.publish("a"), b = bench.publish("b");
    (void)bench.subscribe();
    CHECK(bench.one().text() == "a|b");
    const auto removed = bench.again(a.etag, "ignored", 0);
    CHECK(removed.code == 200);
    CHECK(removed.expires == 0);
    CHECK(removed.etag != a.etag);
    CHECK(bench.one().text() == "b");
    CHECK(bench.again(removed.etag, "x").code == 412); // its tag is dead
    CHECK(bench.again(b.etag, {}, 0).code == 200);
    CHECK(bench.one().text() == "");
}

TEST_CASE("P08 to P16 refusals change nothing", "[presence]")
{
    Bench bench;
    const auto live = bench.publish("a");
    const auto newer = bench.again(live.etag);
    (void)bench.subscribe();
    (void)bench.settle();
    const std::string type = "Expires: 600\r\nContent-Type: ";
    const struct {
        const char* story;
        std::string headers, body;
        int code;
        std::string says;
    } rows[] = {
        {"P08 an old tag", "SIP-If-Match: " + live.etag + "\r\n", "x", 412, ""},
        {"P09 a tag of somebody else", "SIP-If-Match: 1-abc-def\r\n", "x", 412, ""},
        {"P09 a star is a tag like any other", "SIP-If-Match: *\r\n", "x", 412, ""},
        {"P10 two tags in one field", "SIP-If-Match: a, b\r\n", "x", 400, ""},
        {"P10 two fields", "SIP-If-Match: a\r\nSIP-If-Match: b\r\n", "x", 400, ""},
        {"an extension nobody knows", "Require: foo\r\n", "x", 420, "Unsupported: foo\r\n"},
        {"P12 too short", "Expires: 1\r\n", "x", 423, "Min-Expires: 60\r\n"},
        {"P12 an old tag counts more than the lifetime", "SIP-If-Match: old\r\nExpires: 1\r\n", "x", 412, ""},
        {"P13 no number", "Expires: abc\r\n", "x", 400, ""},
        {"P14 another type", type + "text/plain\r\n", "x", 415, "Accept: application/test+xml\r\n"},
        {"P14 not well formed", type + "application/test+xml\r\n", "broken", 400, ""},
        {"a packed body", "Content-Encoding: gzip\r\n", "x", 415, "Accept-Encoding: identity\r\n"},
        {"P16 nothing published", "Expires: 600\r\n", "", 400, ""},
        {"too large", "Expires: 600\r\n", std::string(70'000, 'x'), 413, ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto done = bench.publish(row.body, row.headers);
        CHECK(done.code == row.code);
        CHECK(done.headers.find(row.says) != std::string::npos);
        CHECK(bench.sent.empty());
        CHECK(bench.resource->publications().size() == 1);
        CHECK(bench.resource->publications()[0].etag == newer.etag);
    }
}

TEST_CASE("P12, P13 lifetimes are what the limits allow", "[presence]")
{
    const struct {
        const char* story;
        const char* headers;
        ShortExpires action;
        std::uint32_t granted;
    } rows[] = {{"absent: the default", "", ShortExpires::refuse, 3600},
                {"too short, raised", "Expires: 1\r\n", ShortExpires::raise, 60},
                {"P13 more than 32 bits", "Expires: 4294967296\r\n", ShortExpires::refuse, 3600},
                {"more than 64 bits", "Expires: 99999999999999999999999\r\n", ShortExpires::refuse, 3600},
                {"in between", "Expires: 61\r\n", ShortExpires::refuse, 61}};
    for (const auto& row : rows) {
        INFO(row.story);
        Bench bench;
        bench.publish_rules.short_expires = row.action;
        const auto done = bench.publish("a", row.headers);
        CHECK(done.code == 200);
        CHECK(done.expires == row.granted);
    }
    Bench bench; // a refresh without Expires gets the default too (RFC 3903 6 step 4)
    const auto short_one = bench.publish("a", "Expires: 60\r\n");
    CHECK(bench.publish({}, "SIP-If-Match: " + short_one.etag + "\r\n").expires == 3600);
}

TEST_CASE("P16 an initial publication with no lifetime stores nothing", "[presence]")
{
    Bench bench;
    const auto done = bench.publish("a", "Expires: 0\r\n");
    CHECK(done.code == 200);
    CHECK(done.expires == 0);
    CHECK(!done.etag.empty());
    CHECK(bench.resource->is_idle());
    CHECK(bench.again(done.etag).code == 412);
}

TEST_CASE("P18, P19 publications expire at their time", "[presence]")
{
    Bench bench;
    (void)bench.subscribe("Expires: 3600\r\n");
    (void)bench.settle();
    (void)bench.publish("a", "Expires: 600\r\n");
    const auto b = bench.publish("b", "Expires: 100\r\n");
    (void)bench.publish("c", "Expires: 600\r\n");
    (void)bench.settle();
    bench.live(99s);
    CHECK(bench.sent.empty());
    bench.live(1s);
    CHECK(bench.one().text() == "a|c");
    CHECK(bench.again(b.etag).code == 412);
    bench.live(500s);
    CHECK(bench.one().text() == "");
    CHECK(bench.resource->publications().empty());
}

TEST_CASE("P20 a presentity has so many publications and no more", "[presence]")
{
    Bench bench;
    std::string last;
    for (int i = 0; i < 64; ++i) {
        const auto done = bench.publish("p" + std::to_string(i));
        REQUIRE(done.code == 200);
        last = done.etag;
    }
    CHECK(bench.publish("one more").code == 403);
    CHECK(bench.again(last, "changed").code == 200); // those that are there go on
}

TEST_CASE("publications are merged in the order asked for", "[presence]")
{
    Bench bench;
    (void)bench.publish("a", "", {}, 5);
    bench.pass(1s);
    const auto b = bench.publish("b", "", {}, 9);
    bench.pass(1s);
    (void)bench.publish("c", "", {}, 1);
    (void)bench.subscribe();
    CHECK(bench.one().text() == "a|b|c");
    CHECK(bench.again(b.etag).code == 200); // a refresh moves nothing
    bench.common->order = Order::priority;
    Effects effects;
    bench.resource->changed(bench.now, effects);
    bench.take(effects);
    CHECK(bench.one().text() == "b|a|c");
}

TEST_CASE("a publisher that watches is not told its own doing", "[presence]")
{
    Bench bench;
    (void)bench.subscribe();
    (void)bench.settle();
    const auto own = bench.publish("a", "Expires: 600\r\n", "sip:desk@192.0.2.7");
    CHECK(bench.sent.empty());
    (void)bench.publish("b", "Expires: 600\r\n", "sip:other@192.0.2.9");
    CHECK(bench.one().text() == "a|b");
    (void)bench.again(own.etag, {}, 0); // by the same sender
    CHECK(bench.sent.empty());
}

TEST_CASE("publications of this process replace each other by their id", "[presence]")
{
    Bench bench;
    (void)bench.subscribe();
    (void)bench.settle();
    const auto local = [&](const std::string& id, const std::string& body) {
        LocalPublication p{"test", "sip:bob@example.com", id, "application/test+xml", body, 600, {}};
        Effects effects;
        const auto done = bench.resource->publish_local(p, id, bench.now, effects);
        bench.take(effects);
        return done;
    };
    CHECK(local("x", "a"));
    CHECK(bench.one().text() == "a");
    CHECK(local("x", "b"));
    CHECK(bench.one().text() == "b");
    CHECK(local("y", "c"));
    CHECK(bench.one().text() == "b|c");
    CHECK(local("x", ""));
    CHECK(bench.one().text() == "c");
    CHECK(local("x", "")); // twice is no error
    CHECK(bench.sent.empty());
    CHECK(local("z", "broken").error().kind == ErrorKind::invalid);
}

TEST_CASE("a stored body nobody can read is kept apart", "[presence]")
{
    Bench bench;
    bench.resource->restore(
        StoredPublication{
            "bob", "example.com", "test", "good", "a", {}, {}, bench.now.unix + 100, bench.now.unix, 0},
        bench.now);
    bench.resource->restore(
        StoredPublication{
            "bob", "example.com", "test", "bad", "broken", {}, {}, bench.now.unix + 100, bench.now.unix, 0},
        bench.now);
    (void)bench.subscribe();
    CHECK(bench.one().text() == "a");
    const auto refreshed = bench.again("bad"); // its publisher does not notice
    CHECK(refreshed.code == 200);
    CHECK(bench.sent.empty());
    CHECK(bench.again(refreshed.etag, "b").code == 200);
    CHECK(bench.one().text() == "a|b");
}

} // namespace
} // namespace sipyard::presence
