// modules/presence/store_queue_test.cpp - what is left to write after any sequence of changes
#include "modules/presence/store_queue.h"

#include "test/support/catch.h"

#include <map>
#include <random>
#include <set>
#include <sstream>

using namespace sipyard;
using namespace sipyard::presence;

namespace {

StoreChange publish(std::string etag, std::string old = {}, std::string body = "b")
{
    PutPublication put;
    put.row.user = "bob";
    put.row.domain = "example.com";
    put.row.event = "dialog";
    put.row.etag = std::move(etag);
    put.row.body = std::move(body);
    put.old_etag = std::move(old);
    return put;
}
StoreChange unpublish(std::string etag)
{
    return DropPublication{"bob", "example.com", "dialog", std::move(etag)};
}
StoreChange subscribe(std::string call, std::uint32_t version = 0)
{
    PutSubscription put;
    put.row.call_id = std::move(call);
    put.row.to_tag = "ours";
    put.row.from_tag = "theirs";
    put.row.version = version;
    return put;
}
StoreChange unsubscribe(std::string call) { return DropSubscription{std::move(call), "ours", "theirs"}; }

// "put b(a)": a row that the database may have as `a`; "drop (a b)"; "sub c/7"; "unsub c"
std::string to_text(const RowWork& work)
{
    if (const auto* const s = std::get_if<SubscriptionWork>(&work))
        return s->gone ? "unsub " + s->row.call_id
                       : "sub " + s->row.call_id + "/" + std::to_string(s->row.version);
    const auto& p = std::get<PublicationWork>(work);
    std::string text = p.gone ? "drop" : "put " + p.row.etag;
    for (std::size_t i = 0; i < p.tags.size(); ++i)
        text += (i == 0 ? "(" : " ") + p.tags[i];
    return p.tags.empty() ? text : text + ")";
}

// Words: "+b" publishes b, "+b<a" in place of a, "-b" removes it, "s1:7" and "x1" subscribe and unsubscribe,
// "take", "ok", "fail", "no" (all that fly). What flies when is written down.
struct Play {
    explicit Play(StoreQueue::Limits limits = {}) : queue{limits} {}
    void words(const std::string& script)
    {
        std::istringstream in{script};
        for (std::string word; in >> word;)
            one(word);
    }
    void one(const std::string& word)
    {
        StoreQueue::Told told;
        const bool well = word != "no";
        if (word == "take") {
            flying = queue.take(100);
            for (const auto& flight : flying)
                log += (log.empty() ? "" : ", ") + to_text(*flight.work);
        } else if (word == "ok" || word == "no") {
            for (const auto& flight : flying)
                well ? queue.written(flight, told) : queue.refused(flight, told);
            flying.clear();
        } else if (word == "fail") {
            for (auto flight = flying.rbegin(); flight != flying.rend(); ++flight)
                queue.failed(*flight, told);
            flying.clear();
        } else {
            queue.add(
                change_of(word),
                [this, word](bool written) {
                    heard += (heard.empty() ? "" : " ") + (written ? word : "!" + word);
                },
                told);
        }
        for (auto& call : told)
            call(well);
    }
    static StoreChange change_of(const std::string& word)
    {
        const auto rest = word.substr(1);
        const auto old = rest.find('<'), version = rest.find(':');
        switch (word[0]) {
        case '+':
            return old == std::string::npos ? publish(rest)
                                            : publish(rest.substr(0, old), rest.substr(old + 1));
        case '-': return unpublish(rest);
        case 's':
            return subscribe(rest.substr(0, version),
                             static_cast<std::uint32_t>(std::stoi(rest.substr(version + 1))));
        default: return unsubscribe(rest);
        }
    }
    StoreQueue queue;
    std::vector<StoreQueue::Flight> flying;
    std::string log, heard;
};

} // namespace

TEST_CASE("one change for each row is written, the newest", "[presence][store]")
{
    const struct {
        const char *story, *script, *flown, *heard;
        std::size_t left;
    } rows[] = {
        {"a new publication", "+a take ok", "put a", "+a", 0},
        {"one from the database changes its tag", "+b<a take ok", "put b(a)", "+b<a", 0},
        {"two tags later the first is what the database has", "+b<a +c<b take ok", "put c(a)", "+b<a +c<b",
         0},
        {"a new one that changes twice was never there", "+a +b<a +c<b take ok", "put c", "+a +b<a +c<b", 0},
        {"came and went before anybody wrote it", "+a -a take", "", "+a -a", 0},
        {"changed and went: the row of the database goes", "+b<a -b take ok", "drop(a)", "+b<a -b", 0},
        {"only gone", "-a take ok", "drop(a)", "-a", 0},
        {"the same tag again", "+a<a +a<a take ok", "put a(a)", "+a<a +a<a", 0},
        {"two publications are two rows", "+a +b take ok", "put a, put b", "+a +b", 0},
        {"changed while it is written: the next one knows the new tag", "+a take +b<a ok take ok",
         "put a, put b(a)", "+a +b<a", 0},
        {"gone while it is written", "+a take -a ok take ok", "put a, drop(a)", "+a -a", 0},
        {"several changes while it is written are one", "+a take +b<a +c<b +d<c ok take ok",
         "put a, put d(a)", "+a +b<a +c<b +d<c", 0},
        {"changed and gone while it is written", "+a take +b<a -b ok take ok", "put a, drop(a)", "+a +b<a -b",
         0},
        {"a new one that failed may be there or not", "+a take fail +b<a take ok", "put a, put b(a)",
         "+a +b<a", 0},
        {"a change that failed leaves two tags to look for", "+b<a take fail +c<b take ok",
         "put b(a), put c(a b)", "+b<a +c<b", 0},
        {"so does one that failed while the next one waited", "+b<a take +c<b fail take ok",
         "put b(a), put c(a b)", "+b<a +c<b", 0},
        {"each failure adds one", "+b<a take fail +c<b take fail +d<c take ok",
         "put b(a), put c(a b), put d(a b c)", "+b<a +c<b +d<c", 0},
        {"what may be there is deleted under each tag", "+b<a take fail -b take ok", "put b(a), drop(a b)",
         "+b<a -b", 0},
        {"a removal that failed is repeated", "-a take fail take ok", "drop(a), drop(a)", "-a", 0},
        {"nothing changed: it is written as it was", "+a take fail take ok", "put a, put a(a)", "+a", 0},
        {"a removal that was overtaken needs nothing more", "-a take +a -a ok take", "drop(a)", "-a +a -a",
         0},
        {"a subscription: the newest", "s1:1 s1:2 take s1:3 s1:4 ok take ok", "sub 1/2, sub 1/4",
         "s1:1 s1:2 s1:3 s1:4", 0},
        {"a subscription may be there already, so its row is deleted", "s1:1 x1 take ok", "unsub 1",
         "s1:1 x1", 0},
        {"it comes back while its row is deleted", "x1 take s1:5 ok take ok", "unsub 1, sub 1/5", "x1 s1:5",
         0},
        {"a subscription that failed, then changed", "s1:1 take s1:2 fail take ok", "sub 1/1, sub 1/2",
         "s1:1 s1:2", 0},
        {"failed ones keep their place in front", "+a s1:1 take +b fail take ok",
         "put a, sub 1/1, put a(a), sub 1/1, put b", "+a s1:1 +b", 0},
        {"a row keeps its place when it changes", "+a +b +c<a take ok", "put c, put b", "+a +c<a +b", 0},
        {"a refused row is forgotten", "+a take no take", "put a", "!+a", 0},
        {"what came behind a refused one is tried", "+b<a take +c<b no take ok", "put b(a), put c(a b)",
         "!+b<a +c<b", 0},
        {"waiting rows are counted", "+a +b s1:1 take +c", "put a, put b, sub 1/1", "", 4},
        {"a tag that is taken already", "+a +b +b<a take ok", "put b", "+b +a +b<a", 0},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.script);
        Play play;
        play.words(row.script);
        CHECK(play.log == row.flown);
        CHECK(play.heard == row.heard);
        CHECK(play.queue.size() == row.left);
        CHECK(play.queue.lost() == 0);
        CHECK((play.queue.bytes() == 0) == (row.left == 0));
    }
}

TEST_CASE("a full queue keeps the newest", "[presence][store]")
{
    Play rows{{3, 1 << 20}};
    rows.words("+a +b +c +d<b +e take");
    CHECK(rows.log == "put d, put c, put e"); // a, the oldest, made room
    CHECK(rows.queue.lost() == 1);

    Play flying{{2, 1 << 20}};
    flying.words("+a +b take +c +d +e"); // what is being written stays; of the others the newest
    CHECK(flying.queue.lost() == 2);
    flying.words("ok take");
    CHECK(flying.log == "put a, put b, put e");

    Play bytes{{1000, 20'000}};
    StoreQueue::Told told;
    for (int i = 0; i < 100; ++i)
        bytes.queue.add(publish("t" + std::to_string(i), {}, std::string(5000, 'x')), {}, told);
    CHECK(bytes.queue.bytes() <= 20'000);
    CHECK(bytes.queue.waiting() == 3);
    CHECK(bytes.queue.lost() == 97);
    bytes.words("take");
    CHECK(bytes.log == "put t97, put t98, put t99");
    // One that is larger than the whole queue is taken all the same: it is the newest.
    Play large{{1000, 20'000}};
    large.queue.add(publish("a"), {}, told);
    large.queue.add(publish("b", {}, std::string(50'000, 'x')), {}, told);
    large.words("take");
    CHECK(large.log == "put b");
}

TEST_CASE("keys of strangers do not meet", "[presence][store]")
{
    StoreQueue queue{{}};
    StoreQueue::Told told;
    queue.add(DropSubscription{"a", "b1:", "c"}, {}, told);
    queue.add(DropSubscription{"a", "b", "1:c"}, {}, told);
    queue.add(DropSubscription{"a1:b", "", "c"}, {}, told);
    queue.add(DropPublication{"a", "b", "c", "d"}, {}, told);
    queue.add(DropPublication{"ab", "", "c", "d"}, {}, told);
    CHECK(queue.waiting() == 5);
}

// An imagined database executes what flies, sometimes without telling: in the end it is what memory is.
TEST_CASE("whatever fails, the database ends as memory", "[presence][store]")
{
    for (unsigned seed = 1; seed <= 100; ++seed) {
        std::mt19937 random{seed};
        const auto dice = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
        StoreQueue queue{{}};
        std::map<std::string, std::string> database; // etag or "s" + call-id -> content
        std::map<std::string, std::string> memory;   // the same
        std::vector<std::string> live;               // etags
        std::set<std::string> told_rows;
        int tags = 0;
        std::vector<StoreQueue::Flight> flying;
        StoreQueue::Told told;
        const auto execute = [&](const RowWork& work) {
            if (const auto* const s = std::get_if<SubscriptionWork>(&work)) {
                if (s->gone)
                    database.erase("s" + s->row.call_id);
                else
                    database["s" + s->row.call_id] = std::to_string(s->row.version);
                return;
            }
            const auto& p = std::get<PublicationWork>(work);
            for (const auto& tag : p.tags)
                database.erase(tag);
            if (!p.gone)
                database[p.row.etag] = p.row.body;
        };
        const auto land = [&](bool well) {
            if (well) {
                for (const auto& flight : flying) {
                    execute(*flight.work);
                    queue.written(flight, told);
                }
            } else {
                const bool happened = dice(2) == 0; // all or nothing, as a transaction
                for (const auto& flight : flying)
                    if (happened)
                        execute(*flight.work);
                for (auto flight = flying.rbegin(); flight != flying.rend(); ++flight)
                    queue.failed(*flight, told);
            }
            flying.clear();
        };
        for (int step = 0; step < 200; ++step) {
            switch (dice(8)) {
            case 0:
            case 1: {
                const std::string tag = "t" + std::to_string(++tags);
                queue.add(publish(tag, {}, tag), {}, told);
                memory[tag] = tag;
                live.push_back(tag);
                break;
            }
            case 2:
            case 3:
                if (!live.empty()) {
                    auto& old = live[dice(static_cast<unsigned>(live.size()))];
                    const std::string tag = dice(5) == 0 ? old : "t" + std::to_string(++tags);
                    const std::string body = "b" + std::to_string(step);
                    queue.add(publish(tag, old, body), {}, told);
                    memory.erase(old);
                    memory[tag] = body;
                    old = tag;
                }
                break;
            case 4:
                if (!live.empty()) {
                    const auto which = live.begin() + dice(static_cast<unsigned>(live.size()));
                    queue.add(unpublish(*which), {}, told);
                    memory.erase(*which);
                    live.erase(which);
                }
                break;
            case 5: {
                const std::string call = std::to_string(dice(5));
                if (dice(3) == 0) {
                    queue.add(unsubscribe(call), {}, told);
                    memory.erase("s" + call);
                } else {
                    queue.add(subscribe(call, static_cast<std::uint32_t>(step)), {}, told);
                    memory["s" + call] = std::to_string(step);
                }
                break;
            }
            case 6:
                if (flying.empty())
                    flying = queue.take(1 + dice(6));
                break;
            default: land(dice(3) != 0); break;
            }
        }
        land(true);
        while (queue.size() > 0) {
            flying = queue.take(1 + dice(6));
            REQUIRE_FALSE(flying.empty());
            land(dice(3) != 0);
        }
        INFO("seed " << seed);
        CHECK(database == memory);
        CHECK(queue.bytes() == 0);
    }
}
