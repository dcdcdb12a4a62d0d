// modules/pua/record_test.cpp - a publication's life as a table: what it is told, what it does (RFC 3903 4)
#include "modules/pua/record.h"

#include "test/support/catch.h"

#include <string>
#include <vector>

namespace sipyard::pua {

namespace {

// A step of a story and what the record says to it: "initial B 60", "modify B 60 E1", "refresh 60 E1",
// "remove E1", "forget" or "".
struct Step {
    std::string what; // "publish B 60", "publish-once B 10", "remove", "CODE [etag] [expires=] ...", "time S"
    std::string expected;
};

struct Play {
    Record record;
    Instant now{1'000'000'000'000};
    DocumentPtr last;

    std::string said(const Order& order) const
    {
        switch (order.what) {
        case Order::What::nothing: return "";
        case Order::What::forget: return "forget";
        case Order::What::send: break;
        }
        if (!order.document)
            return "remove " + order.if_match;
        const std::string how = !order.with_body         ? "refresh"
                                : order.if_match.empty() ? "initial "
                                                         : "modify ";
        return how + (order.with_body ? order.document->body : "") + " " + std::to_string(order.expires) +
               (order.if_match.empty() ? "" : " " + order.if_match);
    }
    std::string run(const std::string& step)
    {
        std::vector<std::string> words;
        for (std::size_t at = 0; at <= step.size();) {
            const auto end = std::min(step.find(' ', at), step.size());
            words.push_back(step.substr(at, end - at));
            at = end + 1;
        }
        if (words[0] == "publish" || words[0] == "publish-once") {
            auto document = std::make_shared<Document>();
            document->body = words[1];
            document->expires = static_cast<std::uint32_t>(std::stoul(words[2]));
            document->renew = words[0] == "publish";
            return said(record.update(document, now));
        }
        if (words[0] == "remove")
            return said(record.remove(now));
        if (words[0] == "time") { // what happens on the way there, and then
            const Instant end = now + std::chrono::seconds{std::stol(words[1])};
            std::string all;
            while (record.due() <= end) {
                now = record.due();
                const std::string one = said(record.on_time(now));
                all += (all.empty() ? "" : ", ") + one;
                if (record.due() <= now)
                    return all + " and is due again at once";
            }
            now = end;
            return all;
        }
        Answered answer;
        answer.code = std::stoi(words[0]);
        for (std::size_t i = 1; i < words.size(); ++i) {
            const auto is = words[i].find('=');
            const auto number = is == std::string::npos
                                    ? 0u
                                    : static_cast<std::uint32_t>(std::stoul(words[i].substr(is + 1)));
            const std::string name = words[i].substr(0, is);
            if (name == "expires")
                answer.expires = number;
            else if (name == "min")
                answer.min_expires = number;
            else if (name == "after")
                answer.retry_after = number;
            else
                answer.etag = words[i];
        }
        return said(record.answered(answer, now));
    }
};

} // namespace

TEST_CASE("a publication's life", "[pua]")
{
    const struct {
        const char* story;
        std::vector<Step> steps;
    } rows[] = {
        {"published, replaced, taken back",
         {{"publish A 100", "initial A 100"},
          {"200 E1 expires=100", ""},
          {"publish B 100", "modify B 100 E1"},
          {"200 E2 expires=100", ""},
          {"remove", "remove E2"},
          {"200 E3", "forget"}}},
        {"kept alive at 85 % of what was granted",
         {{"publish A 100", "initial A 100"},
          {"200 E1 expires=60", ""},
          {"time 50", ""},
          {"time 1", "refresh 100 E1"},
          {"200 E2 expires=100", ""},
          {"time 84", ""},
          {"time 1", "refresh 100 E2"}}},
        {"a short grant is not refreshed every second",
         {{"publish A 100", "initial A 100"},
          {"200 E1 expires=2", ""},
          {"time 4", ""},
          {"time 1", "initial A 100"}}},
        {"a server that does not say how long means what was asked",
         {{"publish A 100", "initial A 100"}, {"200 E1", ""}, {"time 84", ""}, {"time 1", "refresh 100 E1"}}},
        {"one at a time: the newest document waits for the answer, the ones between are lost",
         {{"publish A 100", "initial A 100"},
          {"publish B 100", ""},
          {"publish C 100", ""},
          {"200 E1 expires=100", "modify C 100 E1"},
          {"200 E2 expires=100", ""}}},
        {"taken back before its tag is known",
         {{"publish A 100", "initial A 100"}, {"remove", ""}, {"200 E1", "remove E1"}, {"200 E2", "forget"}}},
        {"taken back, and it never came through",
         {{"publish A 100", "initial A 100"}, {"remove", ""}, {"408", "forget"}}},
        {"taken back, and wanted again while that is under way",
         {{"publish A 100", "initial A 100"},
          {"200 E1", ""},
          {"remove", "remove E1"},
          {"publish B 100", ""},
          {"200 E2", "initial B 100"}}},
        {"412: at once as an initial one, with the newest document",
         {{"publish A 100", "initial A 100"},
          {"200 E1", ""},
          {"publish B 100", "modify B 100 E1"},
          {"publish C 100", ""},
          {"412", "initial C 100"},
          {"200 E9", ""},
          {"publish D 100", "modify D 100 E9"}}},
        {"412 of a refresh brings the body again",
         {{"publish A 100", "initial A 100"},
          {"200 E1", ""},
          {"time 85", "refresh 100 E1"},
          {"412", "initial A 100"}}},
        {"412 twice is a server in trouble",
         {{"publish A 100", "initial A 100"},
          {"200 E1", ""},
          {"publish B 100", "modify B 100 E1"},
          {"412", "initial B 100"},
          {"412", ""},
          {"time 1", "initial B 100"},
          {"412", ""},
          {"time 1", ""},
          {"time 1", "initial B 100"},
          {"200 E2", ""}}},
        {"412 of a removal: it is gone",
         {{"publish A 100", "initial A 100"}, {"200 E1", ""}, {"remove", "remove E1"}, {"412", "forget"}}},
        {"423: again with what the server wants, and so from then on",
         {{"publish A 10", "initial A 10"},
          {"423 min=60", "initial A 60"},
          {"200 E1 expires=60", ""},
          {"publish B 10", "modify B 60 E1"}}},
        {"423 without a number, or one we had asked for: later",
         {{"publish A 100", "initial A 100"}, {"423 min=60", ""}, {"time 1", "initial A 100"}}},
        {"503: the record and its tag stay, waits grow to a minute, the newest document goes",
         {{"publish A 1000", "initial A 1000"},
          {"200 E1", ""},
          {"publish B 1000", "modify B 1000 E1"},
          {"503", ""},
          {"publish C 1000", ""},
          {"time 1", "modify C 1000 E1"},
          {"503", ""},
          {"time 2", "modify C 1000 E1"},
          {"503", ""},
          {"time 3", ""},
          {"time 1", "modify C 1000 E1"},
          {"500", ""},
          {"time 8", "modify C 1000 E1"},
          {"408", ""},
          {"time 16", "modify C 1000 E1"},
          {"503", ""},
          {"time 32", "modify C 1000 E1"},
          {"503", ""},
          {"time 60", "modify C 1000 E1"},
          {"503", ""},
          {"time 60", "modify C 1000 E1"},
          {"200 E2", ""},
          {"publish D 1000", "modify D 1000 E2"},
          {"503", ""},
          {"time 1", "modify D 1000 E2"}}},
        {"503 with Retry-After",
         {{"publish A 1000", "initial A 1000"},
          {"503 after=20", ""},
          {"time 19", ""},
          {"time 1", "initial A 1000"}}},
        {"a tag that died during an outage is not used",
         {{"publish A 100", "initial A 100"},
          {"200 E1 expires=10", ""},
          {"time 8", "refresh 100 E1"},
          {"408", ""},
          {"time 1", "refresh 100 E1"},
          {"408", ""},
          {"time 2", "initial A 100"}}},
        {"an end that is not told during an outage is told as long as the server may show the call",
         {{"publish A 100", "initial A 100"},
          {"200 E1 expires=40", ""},
          {"publish-once T 10", "modify T 10 E1"},
          {"503 after=20", ""},
          {"time 20", "modify T 10 E1"},
          {"503 after=30", ""},
          {"time 30", "forget"}}},
        {"an end whose server forgot the call is not worth a publication",
         {{"publish A 100", "initial A 100"},
          {"200 E1 expires=90", ""},
          {"publish-once T 10", "modify T 10 E1"},
          {"503 after=20", ""},
          {"time 20", "modify T 10 E1"},
          {"412", "forget"}}},
        {"a document that is not renewed ends by itself",
         {{"publish-once T 10", "initial T 10"},
          {"200 E1 expires=10", ""},
          {"time 9", ""},
          {"time 1", "forget"}}},
        {"refused for good, never published: forgotten",
         {{"publish A 100", "initial A 100"}, {"403", "forget"}}},
        {"the next document of one that was refused keeps the tag",
         {{"publish A 100", "initial A 100"},
          {"200 E1", ""},
          {"publish B 100", "modify B 100 E1"},
          {"415", ""},
          {"time 50", ""},
          {"publish C 100", "modify C 100 E1"},
          {"200 E2", ""}}},
        {"refused, and nothing follows: it ends when the server's copy does",
         {{"publish A 100", "initial A 100"},
          {"200 E1", ""},
          {"publish B 100", "modify B 100 E1"},
          {"413", ""},
          {"time 100", "forget"}}},
        {"refused while a newer one waits",
         {{"publish A 100", "initial A 100"},
          {"publish B 100", ""},
          {"400", "initial B 100"},
          {"200 E1", ""}}},
        {"a removal that is refused",
         {{"publish A 100", "initial A 100"}, {"200 E1", ""}, {"remove", "remove E1"}, {"403", "forget"}}},
        {"a removal in an outage is tried until the server's copy has expired",
         {{"publish A 100", "initial A 100"},
          {"200 E1", ""},
          {"remove", "remove E1"},
          {"503 after=50", ""},
          {"time 50", "remove E1"},
          {"503 after=50", ""},
          {"time 50", "forget"}}},
        {"a server that gives no tag gets initial ones",
         {{"publish A 100", "initial A 100"}, {"200", ""}, {"publish B 100", "initial B 100"}}},
    };
    for (const auto& row : rows) {
        Play play;
        for (const Step& step : row.steps) {
            INFO(row.story << ": " << step.what);
            CHECK(play.run(step.what) == step.expected);
        }
    }
}

TEST_CASE("a publication of an earlier run", "[pua]")
{
    const Instant now{1'000'000'000'000};
    const auto known = [&] { return Record{"E7", now + std::chrono::seconds{50}}; };
    SECTION("goes on under its tag")
    {
        Play play{known(), now, {}};
        CHECK(play.run("publish A 100") == "modify A 100 E7");
    }
    SECTION("is taken back")
    {
        Play play{known(), now, {}};
        CHECK(play.run("remove") == "remove E7");
    }
    SECTION("ends when it ends there")
    {
        Play play{known(), now, {}};
        CHECK(play.run("time 49").empty());
        CHECK(play.run("time 1") == "forget");
    }
}

} // namespace sipyard::pua
