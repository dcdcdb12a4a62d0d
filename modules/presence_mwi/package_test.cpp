// modules/presence_mwi/package_test.cpp - who is told what and when, without the presence server around it
#include "modules/presence_mwi/package.h"

#include "test/support/catch.h"

#include <map>

using namespace sipyard;
using namespace sipyard::presence_mwi;

namespace {

// One mailbox and a watcher: what he has been told, as the presence server would decide it.
struct Mailbox {
    explicit Mailbox(Settings settings = {}) : package{settings} { merge(); }
    // The reason of the refusal, or empty.
    std::string publish(const std::string& who, std::string_view body, bool hard = false)
    {
        auto read =
            package.parse({"sip:bob@example.com", "application/simple-message-summary", body, nullptr});
        if (const auto* const refusal = std::get_if<presence::Refusal>(&read))
            return std::to_string(refusal->code) + " " + refusal->reason;
        auto& p = publications[who];
        p.document = std::get<presence::DocumentPtr>(read);
        p.commit = ++commits;
        p.hard_state = hard;
        merge();
        return {};
    }
    void remove(const std::string& who)
    {
        publications.erase(who);
        merge();
    }
    void merge()
    {
        std::vector<presence::Publication> all;
        for (const auto& [who, publication] : publications)
            all.push_back(publication);
        const auto next = package.merge("sip:bob@example.com", all, composite);
        if (!composite || !(composite->hash == next->hash)) {
            const auto now = package.render("sip:bob@example.com", *next, {});
            if (!composite || presence::is_news(last, now)) {
                ++notifies;
                last = now;
            }
        }
        composite = next;
    }
    std::string told() const { return last ? last->before + last->after : "(no body)"; }

    SummaryPackage package;
    std::map<std::string, presence::Publication> publications;
    presence::CompositePtr composite;
    presence::BodyPtr last;
    std::uint64_t commits = 0;
    int notifies = 0;
};

} // namespace

// Case M01: yes, no, refreshed.
TEST_CASE("a lamp goes on and off", "[presence_mwi]")
{
    Mailbox box;
    CHECK(box.told() == "Messages-Waiting: no\r\n"); // nobody has published
    CHECK(box.last->content_type == "application/simple-message-summary");
    CHECK_FALSE(box.last->has_version);
    box.notifies = 0;
    CHECK(box.publish("mailbox", "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n").empty());
    CHECK(box.notifies == 1);
    CHECK(box.told() == "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n");
    CHECK(box.publish("mailbox", "Messages-Waiting: no\r\nVoice-Message: 0/1\r\n").empty());
    CHECK(box.notifies == 2);
    // A refresh, and the same said differently, tell nobody anything.
    box.merge();
    CHECK(box.publish("mailbox", "MESSAGES-WAITING: NO\nvoice-message: 0 / 1\n").empty());
    CHECK(box.notifies == 2);
    box.remove("mailbox");
    CHECK(box.notifies == 3);
    CHECK(box.told() == "Messages-Waiting: no\r\n");
}

TEST_CASE("the newest publication is shown, the others are not mixed in", "[presence_mwi]")
{
    Mailbox box;
    CHECK(box.publish("a", "Messages-Waiting: yes\nVoice-Message: 1/0\n").empty());
    CHECK(box.publish("b", "Messages-Waiting: yes\nFax-Message: 2/0\n").empty());
    CHECK(box.told() == "Messages-Waiting: yes\r\nFax-Message: 2/0\r\n");
    CHECK(box.publish("a", "Messages-Waiting: no\n").empty());
    CHECK(box.told() == "Messages-Waiting: no\r\n");
    box.remove("a");
    CHECK(box.told() == "Messages-Waiting: yes\r\nFax-Message: 2/0\r\n");
    // Hard state is what holds when nobody says anything else, however new it is.
    CHECK(box.publish("hard", "Messages-Waiting: yes\nText-Message: 9/0\n", true).empty());
    CHECK(box.told() == "Messages-Waiting: yes\r\nFax-Message: 2/0\r\n");
    box.remove("b");
    CHECK(box.told() == "Messages-Waiting: yes\r\nText-Message: 9/0\r\n");
}

TEST_CASE("a body that is no summary changes nothing", "[presence_mwi]")
{
    Mailbox box;
    CHECK(box.publish("a", "Messages-Waiting: yes\n").empty());
    box.notifies = 0;
    CHECK(box.publish("a", "Messages-Waiting: maybe\n").starts_with("400 Malformed body"));
    CHECK(box.publish("a", "").starts_with("400"));
    CHECK(box.notifies == 0);
    CHECK(box.told() == "Messages-Waiting: yes\r\n");
}

TEST_CASE("the idle body can be none", "[presence_mwi]")
{
    Settings settings;
    settings.mwi_idle = IdleBody::none;
    Mailbox box{settings};
    CHECK(box.told() == "(no body)");
    CHECK(box.package.render_blocked("sip:bob@example.com", {}) == nullptr);
    CHECK(box.publish("a", "Messages-Waiting: no\n").empty());
    CHECK(box.told() == "Messages-Waiting: no\r\n"); // what somebody says is told
    box.remove("a");
    CHECK(box.told() == "(no body)");
    Mailbox usual;
    CHECK(usual.publish("a", "Messages-Waiting: yes\n").empty());
    CHECK(usual.package.render_blocked("sip:bob@example.com", {})->before == "Messages-Waiting: no\r\n");
}

TEST_CASE("what the presence server is told of the package", "[presence_mwi]")
{
    SummaryPackage package{Settings{}};
    CHECK(package.traits().name == "message-summary");
    CHECK(package.traits().publish_types == std::vector<std::string>{"application/simple-message-summary"});
    CHECK(package.traits().notify_types == package.traits().publish_types);
    CHECK(package.traits().subscribe.standard == 3600);
    for (const auto& bad : {Settings{.default_expires = 0}, Settings{.min_expires = 4000},
                            Settings{.min_expires = 100, .max_expires = 99}})
        CHECK_THROWS_AS(SummaryPackage{bad}, StartupError);
}
