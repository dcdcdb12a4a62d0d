// modules/presence/notify_test.cpp - rows N* of the matrix: one NOTIFY in flight, the newest state wins,
// failures
#include "modules/presence/key.h"
#include "modules/presence/notify_request.h"
#include "modules/presence/test_support.h"

#include <malloc.h>

namespace sipyard::presence {
namespace {

TEST_CASE("N01 changes while a NOTIFY is unanswered become one", "[presence]")
{
    Bench bench;
    (void)bench.subscribe();
    REQUIRE(bench.sent.size() == 1);
    const Seen first = bench.sent.at(0);
    auto tag = bench.publish("a").etag;
    tag = bench.again(tag, "b").etag;
    tag = bench.again(tag, "c").etag;
    CHECK(bench.sent.size() == 1);
    bench.sent.clear();
    bench.answer(first);
    const Seen n = bench.one();
    CHECK(n.text() == "c");
    CHECK(n.version == 1);
    CHECK(n.cseq == first.cseq + 1);
    CHECK(bench.sent.empty());
}

TEST_CASE("N02 what an answer does to a subscription", "[presence]")
{
    enum class After { gone, kept_waits, kept_repeats };
    const struct {
        const char* story;
        int code;
        std::uint32_t retry_after;
        ErrorPolicy policy;
        After after;
        int seconds;
    } rows[] = {
        {"481", 481, 0, ErrorPolicy::tolerant, After::gone, 0},
        {"489", 489, 0, ErrorPolicy::tolerant, After::gone, 0},
        {"481 with Retry-After is no better", 481, 5, ErrorPolicy::tolerant, After::gone, 0},
        {"404", 404, 0, ErrorPolicy::tolerant, After::gone, 0},
        {"502", 502, 0, ErrorPolicy::tolerant, After::gone, 0},
        {"408 from a proxy is a timeout", 408, 0, ErrorPolicy::tolerant, After::gone, 0},
        {"503, Retry-After 2", 503, 2, ErrorPolicy::tolerant, After::kept_waits, 2},
        {"503, Retry-After 2, strict", 503, 2, ErrorPolicy::strict, After::kept_waits, 2},
        {"503, Retry-After beyond the subscription", 503, 9999, ErrorPolicy::strict, After::gone, 0},
        {"500", 500, 0, ErrorPolicy::tolerant, After::kept_repeats, 5},
        {"603", 603, 0, ErrorPolicy::tolerant, After::kept_repeats, 5},
        {"400", 400, 0, ErrorPolicy::tolerant, After::kept_repeats, 5},
        {"302", 302, 0, ErrorPolicy::tolerant, After::kept_repeats, 5},
        {"500, strict", 500, 0, ErrorPolicy::strict, After::gone, 0},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Bench bench;
        bench.common->failures.policy = row.policy;
        (void)bench.subscribe();
        const Seen first = bench.sent.at(0);
        bench.sent.clear();
        bench.answer(first, row.code, row.retry_after);
        CHECK(bench.resource->watchers().empty() == (row.after == After::gone));
        CHECK(bench.sent.empty());
        if (row.after == After::gone) {
            CHECK(bench.gone == 1);
            continue;
        }
        bench.live(std::chrono::seconds{row.seconds} - 1ms);
        CHECK(bench.sent.empty());
        if (row.after == After::kept_waits) {
            (void)bench.publish("new"); // held as well
            CHECK(bench.sent.empty());
            bench.live(1ms);
            CHECK(bench.one().text() == "new");
        } else {
            bench.live(1ms);
            const Seen again = bench.one();
            CHECK(again.version == first.version); // the same document
            CHECK(again.cseq == first.cseq + 1);
        }
    }
}

TEST_CASE("N02 a new document need not wait for the repetition of the old", "[presence]")
{
    Bench bench;
    (void)bench.subscribe();
    const Seen first = bench.sent.at(0);
    bench.sent.clear();
    bench.answer(first, 500);
    (void)bench.publish("new");
    CHECK(bench.one().text() == "new");
    bench.live(60s);
    CHECK(bench.sent.empty());
}

TEST_CASE("after so many refusals in a row the watcher is told to begin anew", "[presence]")
{
    Bench bench;
    (void)bench.subscribe();
    for (int i = 0; i < 3; ++i) {
        REQUIRE(bench.sent.size() == 1);
        const Seen n = bench.sent.at(0);
        CHECK(n.says("active;"));
        bench.sent.clear();
        bench.answer(n, 500);
        bench.live(10s);
    }
    const Seen last = bench.one();
    CHECK(last.says("Subscription-State: terminated;reason=probation\r\n"));
    CHECK(bench.resource->watchers().empty());
}

TEST_CASE("N03 a NOTIFY that is never answered", "[presence]")
{
    SECTION("ends the subscription")
    {
        Bench bench;
        (void)bench.subscribe();
        const Seen n = bench.sent.at(0);
        bench.lost(n);
        CHECK(bench.resource->watchers().empty());
    }
    SECTION("unless it was refreshed meanwhile")
    {
        Bench bench;
        const auto w = bench.subscribe();
        const Seen n = bench.sent.at(0);
        bench.sent.clear();
        bench.pass(500ms); // too early to give up the NOTIFY
        CHECK(bench.refresh(w.s, 2).code == 200);
        CHECK(bench.sent.empty());
        bench.lost(n);
        CHECK(bench.resource->watchers().size() == 1);
        CHECK(bench.sent.size() == 1);
    }
    SECTION("is followed by a pause where that is wanted")
    {
        Bench bench;
        bench.common->failures.remove_on_timeout = false;
        (void)bench.subscribe("Expires: 3600\r\n");
        int pause = 5;
        for (int i = 0; i < 9; ++i) {
            INFO(i);
            REQUIRE(bench.sent.size() == 1);
            const Seen n = bench.sent.at(0);
            bench.sent.clear();
            bench.lost(n);
            (void)bench.publish("p" + std::to_string(i), "Expires: 3600\r\n");
            CHECK(bench.sent.empty());
            bench.live(std::chrono::seconds{pause} - 1ms);
            CHECK(bench.sent.empty());
            bench.live(1ms);
            pause = std::min(2 * pause, 300);
        }
        CHECK(bench.one().text() == "p0|p1|p2|p3|p4|p5|p6|p7|p8");
    }
    SECTION("holds up a refresh for a second and no longer")
    {
        Bench bench;
        const auto w = bench.subscribe();
        const Seen old = bench.sent.at(0);
        bench.sent.clear();
        bench.pass(1100ms);
        CHECK(bench.refresh(w.s, 2).code == 200);
        REQUIRE(bench.sent.size() == 1);
        bench.lost(old); // does not matter any more
        CHECK(bench.resource->watchers().size() == 1);
        CHECK(bench.sent.size() == 1);
        bench.answer(old, 481); // that does
        CHECK(bench.resource->watchers().empty());
    }
    SECTION("to the target before does not matter at all")
    {
        Bench bench;
        const auto w = bench.subscribe();
        const Seen old = bench.sent.at(0);
        bench.sent.clear();
        CHECK(bench.refresh(w.s, 2, "Expires: 600\r\n", "Event: test\r\n", "Contact: <sip:new@192.0.2.8>\r\n")
                  .code == 200);
        REQUIRE(bench.sent.size() == 1);
        CHECK(bench.ways.back().contact.view() == "sip:new@192.0.2.8");
        bench.answer(old, 481);
        CHECK(bench.resource->watchers().size() == 1);
    }
}

TEST_CASE("N04 there and back again while a NOTIFY is unanswered is nothing", "[presence]")
{
    Bench bench;
    auto tag = bench.publish("a").etag;
    (void)bench.subscribe();
    const Seen first = bench.sent.at(0);
    bench.sent.clear();
    tag = bench.again(tag, "b").etag;
    tag = bench.again(tag, "a").etag;
    bench.answer(first);
    CHECK(bench.sent.empty());
    CHECK(!bench.resource->info(*first.to, bench.now).dirty);
}

TEST_CASE("N05 ten thousand watchers see one change, rendered once", "[presence]")
{
    Bench bench;
    constexpr int many = 10'000;
    bench.sent.reserve(many);
    bench.ways.reserve(2 * many);
    (void)bench.subscribe("Expires: 600\r\n", "first");
    (void)bench.settle();
    const auto heap = mallinfo2().uordblks;
    for (int i = 0; i < many; ++i)
        REQUIRE(bench.subscribe("Expires: 600\r\n", "call" + std::to_string(i)).code == 200);
    (void)bench.settle();
    bench.ways = {};
    bench.ways.reserve(2 * many);
    // All in, but for the index (spec presence 12.3: 1 KiB).
    CHECK((static_cast<double>(mallinfo2().uordblks) - static_cast<double>(heap)) / many < 900);
    const int renders = bench.package.renders, merges = bench.package.merges;
    Effects effects;
    Arena arena;
    const std::string text = bench.message("PUBLISH", "Event: test\r\n", "a");
    auto read = read_publish(**sip::Message::parse(text, arena), bench.package.traits(), {});
    (void)bench.resource->publish(std::get<PublishOrder>(read), {}, {}, bench.now, effects);
    std::size_t slices = 0;
    std::set<const Subscription*> told;
    while (effects.more) {
        effects = {};
        bench.resource->turn(bench.now, effects);
        CHECK(effects.notifications.size() <= 256);
        const Body* shared = nullptr;
        for (const auto& n : effects.notifications) {
            CHECK(told.insert(n.to.get()).second);
            CHECK((!shared || shared == n.body.get()));
            shared = n.body.get();
        }
        ++slices;
    }
    CHECK(told.size() == many + 1);
    CHECK(slices == (many + 1 + 255) / 256);
    CHECK(bench.package.renders == renders + 1);
    CHECK(bench.package.merges == merges + 1);
}

TEST_CASE("N06 a watcher whose connection is the only way", "[presence]")
{
    Bench bench;
    (void)bench.subscribe();
    const Seen n = bench.sent.at(0);
    Outcome outcome;
    outcome.lost = Outcome::Lost::flow;
    bench.common->failures.remove_on_timeout = false; // not even then
    bench.answer(n, outcome);
    CHECK(bench.resource->watchers().empty());
    CHECK(bench.common->counts.flow_lost.value() == 1);

    Notification behind_nat{n.to, 7, 0, n.to->way, "Event: test\r\n", TestPackage::body_of("a")};
    behind_nat.way.may_connect = false;
    behind_nat.way.flow = bench.common->texts.of("sip:198.51.100.9:4444;transport=tcp");
    Arena arena;
    const tm::Outgoing out = compose(behind_nat, arena);
    CHECK(out.request_uri == "sip:desk@192.0.2.7");
    CHECK(out.next_hop == "sip:198.51.100.9:4444;transport=tcp");
    CHECK(!out.may_connect);
    CHECK(out.from == "<sip:bob@example.com>;tag=us1");
    CHECK(out.to == "\"Desk\" <sip:desk@example.com>;tag=from");
    CHECK(out.body == "<0>a");
    CHECK(!needs_dns(behind_nat));
}

TEST_CASE("an expiry waits for the NOTIFY under way", "[presence]")
{
    Bench bench;
    (void)bench.subscribe("Expires: 60\r\n");
    const Seen n = bench.sent.at(0);
    bench.sent.clear();
    bench.live(70s);
    CHECK(bench.sent.empty());
    bench.answer(n);
    CHECK(bench.one().says("terminated;reason=timeout"));
    CHECK(bench.resource->watchers().empty());
}

TEST_CASE("a version that would become too high makes the watcher begin anew", "[presence]")
{
    Bench bench;
    const auto w = bench.subscribe();
    (void)bench.settle();
    w.s->version = 0x7fffffff;
    (void)bench.publish("a");
    CHECK(bench.one().says("terminated;reason=deactivated"));
}

TEST_CASE("keys of presentities", "[presence]")
{
    const struct {
        const char* uri;
        KeyRules rules;
        const char* key; // null: none
    } rows[] = {
        {"sip:bob@Example.COM", {}, "sip:bob@example.com"},
        {"sips:bob:secret@example.com:5061;transport=tls?x=y", {}, "sip:bob@example.com"},
        {"sip:%62o%62@example.com", {}, "sip:bob@example.com"},
        {"sip:a%2fb@example.com", {}, "sip:a%2Fb@example.com"},
        {"sip:Bob@example.com", {}, "sip:Bob@example.com"},
        {"sip:Bob@example.com", {{}, true, false}, "sip:bob@example.com"},
        {"tel:+1-201-555", {"example.com", false, false}, "sip:+1201555@example.com"},
        {"tel:+1-201-555", {}, nullptr},
        {"sip:example.com", {}, nullptr},
        {"sip:example.com", {{}, false, true}, "sip:example.com"},
        {"mailto:bob@example.com", {}, nullptr},
        {"", {}, nullptr},
        {"sip:bob@[2001:DB8::1]", {}, "sip:bob@[2001:db8::1]"},
    };
    for (const auto& row : rows) {
        INFO(row.uri);
        const auto key = key_of(row.uri, row.rules);
        CHECK(key.has_value() == (row.key != nullptr));
        if (key && row.key)
            CHECK(*key == row.key);
    }
    CHECK(parts_of("sip:bob@example.com").user == "bob");
    CHECK(parts_of("sip:example.com").domain == "example.com");
}

TEST_CASE("texts are shared while somebody holds them", "[presence]")
{
    Interner texts;
    {
        const Interned a = texts.of("one"), b = texts.of("one"), c = texts.of("two");
        CHECK(a.view().data() == b.view().data());
        CHECK(texts.live() == 2);
        const Interned d = a;
        CHECK(d == b);
        CHECK(!(d == c));
    }
    CHECK(texts.live() == 0);
    CHECK(texts.of("").empty());
    CHECK(texts.live() == 0);
}

} // namespace
} // namespace sipyard::presence
