// modules/presence/property_test.cpp - random interleavings: whatever happened, each watcher ends with the
// state
#include "modules/presence/test_support.h"

#include <map>
#include <random>

namespace sipyard::presence {
namespace {

struct Watcher {
    SubscriptionPtr s;
    std::uint32_t cseq = 1;
    std::uint32_t seen_cseq = 0, seen_version = 0;
    std::string shown;
    bool any = false; // it has been shown something
};

class Story {
public:
    explicit Story(std::uint32_t seed) : random_{seed}
    {
        bench_.common->failures.remove_on_timeout = seed % 3 != 0;
        bench_.common->max_publications = 8;
        bench_.common->store_subscriptions = true;
    }

    void step()
    {
        switch (below(14)) {
        case 0:
        case 1:
            tags_.push_back(bench_.publish(word(), format("Expires: {}\r\n", 60 + below(100))).etag);
            break;
        case 2:
            if (auto* const tag = some_tag())
                change(*tag, word());
            break;
        case 3:
            if (auto* const tag = some_tag())
                change(*tag, {});
            break;
        case 4:
            if (auto* const tag = some_tag())
                (void)bench_.again(*tag, {}, 0);
            break;
        case 5: subscribe(); break;
        case 6:
            if (Watcher* const w = some_watcher())
                (void)refresh(*w, 60 + below(100));
            break;
        case 7:
            if (Watcher* const w = some_watcher())
                (void)refresh(*w, 0);
            break;
        case 8: bench_.live(std::chrono::milliseconds{below(20'000)}); break;
        default: answer(); break;
        }
        look();
    }

    // Everybody answers with 200 until nothing is sent any more, pauses included.
    void end()
    {
        for (int i = 0; i < 100; ++i) {
            while (!pending_.empty())
                answer_one(0, Outcome{200, 0, Outcome::Lost::no});
            if (bench_.resource->next_wake() > bench_.now.at + 55s)
                break;
            bench_.live(5s);
            look();
        }
        while (!pending_.empty())
            answer_one(0, Outcome{200, 0, Outcome::Lost::no});
        std::string state;
        for (const Kept& kept : bench_.resource->publications())
            state += (state.empty() ? "" : "|") + static_cast<const TestDocument&>(*kept.document).text;
        // In the order of the merge: asked of the resource itself.
        const auto& composite = static_cast<const TestComposite&>(*bench_.resource->composite());
        CHECK(composite.text.size() == state.size());
        for (const auto& s : bench_.resource->watchers()) {
            INFO("watcher " << s->id);
            CHECK(!s->notifier.dirty());
            CHECK(!s->notifier.in_flight());
            CHECK(watchers_.at(s.get()).shown == composite.text);
        }
    }

private:
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
    std::string word() { return std::string(1, static_cast<char>('a' + below(4))); }
    std::string* some_tag()
    {
        return tags_.empty() ? nullptr : &tags_[below(static_cast<std::uint32_t>(tags_.size()))];
    }
    Watcher* some_watcher()
    {
        if (bench_.resource->watchers().empty())
            return nullptr;
        const auto& all = bench_.resource->watchers();
        return &watchers_.at(all[below(static_cast<std::uint32_t>(all.size()))].get());
    }
    void change(std::string& tag, const std::string& body)
    {
        const auto done = bench_.again(tag, body, 60 + static_cast<int>(below(100)));
        if (done.code == 200)
            tag = done.etag;
    }
    void subscribe()
    {
        if (bench_.resource->watchers().size() >= 6)
            return;
        const auto w =
            bench_.subscribe(format("Expires: {}\r\n", 60 + below(100)), "c" + std::to_string(++calls_));
        REQUIRE(w.code == 200);
        watchers_[w.s.get()].s = w.s;
    }
    int refresh(Watcher& w, std::uint32_t expires)
    {
        const std::string contact = below(4) == 0 ? format("Contact: <sip:desk@192.0.2.{}>\r\n", below(5))
                                                  : "Contact: <sip:desk@192.0.2.7>\r\n";
        return bench_.refresh(w.s, ++w.cseq, format("Expires: {}\r\n", expires), "Event: test\r\n", contact)
            .code;
    }
    void answer()
    {
        if (pending_.empty())
            return;
        const std::size_t which = below(static_cast<std::uint32_t>(pending_.size()));
        const Outcome outcomes[] = {{200, 0, Outcome::Lost::no}, {200, 0, Outcome::Lost::no},
                                    {200, 0, Outcome::Lost::no}, {500, 0, Outcome::Lost::no},
                                    {503, 3, Outcome::Lost::no}, {0, 0, Outcome::Lost::timeout},
                                    {481, 0, Outcome::Lost::no}, {0, 0, Outcome::Lost::unreachable}};
        answer_one(which, outcomes[below(8)]);
    }
    void answer_one(std::size_t which, const Outcome& outcome)
    {
        const Seen n = pending_[which];
        pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(which));
        Watcher& w = watchers_.at(n.to.get());
        // The phone takes it, unless a newer one has come (R3), whether or not its answer gets through.
        if (outcome.code == 200 && n.cseq > w.seen_cseq) {
            w.seen_cseq = n.cseq;
            if (n.has_body)
                w.shown = n.text();
        }
        bench_.answer(n, outcome);
        look();
    }
    // What has been sent since: the invariants of each NOTIFY.
    void look()
    {
        for (Seen& n : bench_.sent) {
            Watcher& w = watchers_.at(n.to.get());
            INFO("watcher " << n.to->id << " cseq " << n.cseq << " version " << n.version);
            auto& last = last_sent_[n.to.get()];
            CHECK((last.cseq == 0 || n.cseq == last.cseq + 1));
            if (n.has_body && last.any) {
                // +1 for each different document, the same for the same.
                CHECK(n.version == last.version + (n.text() == last.shown ? 0 : 1));
            }
            if (n.has_body) {
                last.any = true;
                last.version = n.version;
                last.shown = n.text();
            }
            last.cseq = n.cseq;
            (void)w;
            pending_.push_back(n);
        }
        bench_.sent.clear();
        // One in flight: of those unanswered only the newest counts with the engine.
        for (const auto& s : bench_.resource->watchers())
            if (s->notifier.in_flight())
                CHECK(s->notifier.flight() == s->local_cseq);
    }

    struct Last {
        std::uint32_t cseq = 0, version = 0;
        std::string shown;
        bool any = false;
    };
    std::mt19937 random_;
    Bench bench_;
    std::vector<std::string> tags_;
    std::map<const Subscription*, Watcher> watchers_;
    std::map<const Subscription*, Last> last_sent_;
    std::vector<Seen> pending_;
    int calls_ = 0;
};

TEST_CASE("whatever the interleaving, watchers end with the state", "[presence][property]")
{
    for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
        INFO("seed " << seed);
        Story story{seed};
        for (int i = 0; i < 60; ++i)
            story.step();
        story.end();
    }
}

} // namespace
} // namespace sipyard::presence
