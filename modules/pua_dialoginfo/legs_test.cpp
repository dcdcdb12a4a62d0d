// modules/pua_dialoginfo/legs_test.cpp - calls as tables: what happens, which documents go out (spec presence
// 7.3, 7.4)
#include "modules/pua_dialoginfo/legs.h"

#include "test/support/catch.h"

#include <functional>
#include <string>
#include <vector>

namespace sipyard::pua_dialoginfo {

namespace {

// "A trying; B0 early": the caller, and the callee's leg 0.
std::string said(const AllNews& all)
{
    std::string text;
    for (const News& news : all) {
        text += text.empty() ? "" : "; ";
        text += news.side == Side::caller ? "A" : "B" + std::to_string(news.leg);
        text += " " + std::string{to_text(news.state)};
        if (news.event != sip::DialogEvent::none)
            text += " " + std::string{to_text(news.event)};
        if (news.code != 0)
            text += " " + std::to_string(news.code);
    }
    return text;
}

struct Step {
    std::function<AllNews(Legs&)> happens;
    std::string expected;
};

Step sent(int branch, std::string expected)
{
    return {[=](Legs& legs) { return legs.sent(branch); }, std::move(expected)};
}
Step rings(int branch, std::string tag, std::string expected, std::string contact = "sip:c")
{
    return {[=](Legs& legs) { return legs.rings(branch, tag, contact); }, std::move(expected)};
}
Step answered(int branch, std::string tag, std::string expected)
{
    return {[=](Legs& legs) { return legs.answered(branch, tag, "sip:c"); }, std::move(expected)};
}
Step refused(int branch, int code, std::string expected)
{
    return {[=](Legs& legs) { return legs.refused(branch, code); }, std::move(expected)};
}
Step cancelled()
{
    return {[](Legs& legs) { return legs.cancelled(), AllNews{}; }, ""};
}
Step over(Over how, int code, std::string expected)
{
    return {[=](Legs& legs) { return legs.over(how, code); }, std::move(expected)};
}
Step again(std::string expected)
{
    return {[](Legs& legs) { return legs.again(); }, std::move(expected)};
}

} // namespace

TEST_CASE("what happens to a call, as states of its sides", "[pua_dialoginfo]")
{
    const Rules usual;
    const Rules callee_trying{.callee_trying = true};
    const Rules no_trying{.publish_on_trying = false};
    const Rules caller_confirmed{.caller_confirmed = true};
    const Rules one_dialog{.each_branch = false};
    const struct {
        const char* story;
        Rules rules;
        std::vector<Step> steps;
    } rows[] = {
        {"the caller hangs up",
         usual,
         {sent(0, "A trying"), rings(0, "b", "A early; B0 early"),
          answered(0, "b", "A confirmed; B0 confirmed"),
          over(Over::bye_of_caller, 0, "A terminated local-bye; B0 terminated remote-bye")}},
        {"the callee hangs up",
         usual,
         {sent(0, "A trying"), answered(0, "b", "A confirmed; B0 confirmed"),
          over(Over::bye_of_callee, 0, "A terminated remote-bye; B0 terminated local-bye")}},
        {"this server hangs up, then a late BYE",
         usual,
         {answered(0, "b", "A confirmed; B0 confirmed"),
          over(Over::bye_of_ours, 0, "A terminated remote-bye; B0 terminated remote-bye"),
          over(Over::bye_of_caller, 0, "")}},
        {"its lifetime is over",
         usual,
         {answered(0, "b", "A confirmed; B0 confirmed"),
          over(Over::expired, 0, "A terminated timeout; B0 terminated timeout")}},
        {"183 after 180 is no news, a new contact is",
         usual,
         {sent(0, "A trying"), rings(0, "b", "A early; B0 early"), rings(0, "b", ""), rings(0, "b", "", ""),
          rings(0, "b", "A early; B0 early", "sip:other")}},
        {"a reply without a tag begins nothing", usual, {sent(0, "A trying"), rings(0, "", "")}},
        {"it rings before we heard that it was sent",
         usual,
         {rings(0, "b", "A early; B0 early"), sent(0, "")}},
        {"a late 180 after the answer, another 2xx of the same fork",
         usual,
         {sent(0, "A trying"), answered(0, "b", "A confirmed; B0 confirmed"), rings(0, "b", ""),
          answered(1, "c", "")}},
        {"busy without ringing: the callee never showed anything, so it does not end",
         usual,
         {sent(0, "A trying"), refused(0, 486, ""), over(Over::refused, 486, "A terminated rejected 486")}},
        {"busy after ringing",
         usual,
         {sent(0, "A trying"), rings(0, "b", "A early; B0 early"),
          refused(0, 486, "B0 terminated rejected 486"),
          over(Over::refused, 486, "A terminated rejected 486")}},
        {"cancelled while it rings",
         usual,
         {sent(0, "A trying"), rings(0, "b", "A early; B0 early"), cancelled(),
          rings(0, "b", "", "sip:other"), refused(0, 487, "B0 terminated cancelled 487"),
          over(Over::refused, 487, "A terminated cancelled 487")}},
        {"cancelled too late: the answer counts",
         usual,
         {sent(0, "A trying"), rings(0, "b", "A early; B0 early"), cancelled(),
          answered(0, "b", "A confirmed; B0 confirmed")}},
        {"nobody answers: the branch never has a final reply",
         usual,
         {sent(0, "A trying"), rings(0, "b", "A early; B0 early"),
          over(Over::refused, 408, "A terminated timeout 408; B0 terminated timeout 408")}},
        {"three phones ring, the second answers",
         usual,
         {sent(0, "A trying"), sent(1, ""), sent(2, ""), rings(0, "b", "A early; B0 early"),
          rings(1, "c", "B1 early"), rings(2, "d", "B2 early"),
          answered(1, "c", "A confirmed; B1 confirmed; B0 terminated cancelled; B2 terminated cancelled"),
          refused(0, 487, ""), refused(2, 487, ""),
          over(Over::bye_of_caller, 0, "A terminated local-bye; B1 terminated remote-bye")}},
        {"two phones behind one branch",
         usual,
         {sent(0, "A trying"), rings(0, "b", "A early; B0 early"), rings(0, "c", "B1 early"),
          answered(0, "c", "A confirmed; B1 confirmed; B0 terminated cancelled")}},
        {"one after the other",
         usual,
         {sent(0, "A trying"), rings(0, "b", "A early; B0 early"),
          refused(0, 480, "B0 terminated rejected 480"), sent(1, ""), rings(1, "c", "B1 early"),
          answered(1, "c", "A confirmed; B1 confirmed")}},
        {"the callee is shown from the start",
         callee_trying,
         {sent(0, "A trying; B0 trying"), sent(0, ""), sent(1, "B1 trying"),
          rings(0, "b", "A early; B0 early"), refused(1, 404, "B1 terminated rejected 404"),
          answered(0, "b", "A confirmed; B0 confirmed")}},
        {"the caller is not shown before it rings",
         no_trying,
         {sent(0, ""), rings(0, "b", "A early; B0 early"),
          over(Over::refused, 486, "A terminated rejected 486; B0 terminated rejected 486")}},
        {"not shown at all", no_trying, {sent(0, ""), refused(0, 486, ""), over(Over::refused, 486, "")}},
        {"callers do not blink",
         caller_confirmed,
         {sent(0, "A trying"), rings(0, "b", "A confirmed; B0 early"), rings(0, "b", ""),
          answered(0, "b", "A confirmed; B0 confirmed")}},
        {"one dialog for all branches",
         one_dialog,
         {sent(0, "A trying"), sent(1, ""), rings(0, "b", "A early; B0 early"), rings(1, "c", ""),
          refused(0, 486, ""), answered(1, "c", "A confirmed; B0 confirmed"),
          over(Over::bye_of_callee, 0, "A terminated remote-bye; B0 terminated local-bye")}},
        {"everything once more",
         usual,
         {again(""), sent(0, "A trying"), again("A trying"), rings(0, "b", "A early; B0 early"),
          answered(0, "b", "A confirmed; B0 confirmed"), again("A confirmed; B0 confirmed"),
          over(Over::bye_of_caller, 0, "A terminated local-bye; B0 terminated remote-bye"), again("")}},
    };
    for (const auto& row : rows) {
        Legs legs{row.rules};
        int number = 0;
        for (const Step& step : row.steps) {
            INFO(row.story << ", step " << ++number);
            CHECK(said(step.happens(legs)) == step.expected);
        }
    }
}

TEST_CASE("who answered, with which tag and contact", "[pua_dialoginfo]")
{
    Legs legs{{}};
    CHECK(legs.seen_by_caller() == nullptr);
    (void)legs.rings(0, "b", "sip:b");
    REQUIRE(legs.seen_by_caller());
    CHECK(legs.seen_by_caller()->tag == "b");
    (void)legs.answered(1, "c", "sip:c");
    CHECK(legs.seen_by_caller()->tag == "c");
    CHECK(legs.winner()->contact == "sip:c");
    legs.target("sip:moved");
    CHECK(legs.winner()->contact == "sip:moved");

    Legs one{{.each_branch = false}};
    (void)one.rings(0, "b", "sip:b");
    (void)one.answered(1, "c", "sip:c");
    CHECK(one.winner()->tag == "c");
}

TEST_CASE("a call of an earlier run", "[pua_dialoginfo]")
{
    Legs legs{{}};
    legs.restore(2, "c", "sip:c");
    CHECK(said(legs.again()) == "A confirmed; B2 confirmed");
    CHECK(legs.winner()->tag == "c");
    CHECK(said(legs.over(Over::bye_of_caller, 0)) == "A terminated local-bye; B2 terminated remote-bye");
}

TEST_CASE("a call has a limit of legs", "[pua_dialoginfo]")
{
    Legs legs{{}};
    std::size_t shown = 0;
    for (int n = 0; n < 200; ++n)
        shown += legs.rings(n, "t" + std::to_string(n), "sip:x").empty() ? 0 : 1;
    CHECK(shown == Legs::most);
    CHECK(said(legs.answered(150, "t150", "sip:x")).starts_with("A confirmed; B63 confirmed; "));
}

} // namespace sipyard::pua_dialoginfo
