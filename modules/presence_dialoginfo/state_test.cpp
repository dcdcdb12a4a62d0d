// modules/presence_dialoginfo/state_test.cpp - several publishers, one user: whose word counts
#include "modules/presence_dialoginfo/test_support.h"

#include "test/support/catch.h"

namespace sipyard::presence_dialoginfo {

using namespace test;

TEST_CASE("D01: every publication's dialogs in one document", "[presence_dialoginfo]")
{
    Desk desk;
    int n = 0;
    for (const char* state : {"early", "confirmed", "terminated", "trying", "proceeding"}) {
        ++n;
        CHECK(desk.publish("p" + std::to_string(n), document(dialog(std::to_string(n), state))) == "");
    }
    CHECK(desk.text({}, 4) == std::string{head} +
                                  "4\" state=\"full\" entity=\"sip:bob@example.com\">\n"
                                  "  <dialog id=\"1\">\n    <state>early</state>\n  </dialog>\n"
                                  "  <dialog id=\"2\">\n    <state>confirmed</state>\n  </dialog>\n"
                                  "  <dialog id=\"3\">\n    <state>terminated</state>\n  </dialog>\n"
                                  "  <dialog id=\"4\">\n    <state>trying</state>\n  </dialog>\n"
                                  "  <dialog id=\"5\">\n    <state>proceeding</state>\n  </dialog>\n"
                                  "</dialog-info>\n");
}

TEST_CASE("who says what, and what is then seen", "[presence_dialoginfo]")
{
    struct Step {
        const char* who;
        std::string dialogs; // "-": the publication ends
        const char* seen;
    };
    const struct {
        const char* story;
        std::vector<Step> steps;
    } rows[] = {
        {"D06: one id from two publications is one element, the newest",
         {{"p", dialog("1", "early", "a"), "1:early"},
          {"q", dialog("1", "confirmed", "a"), "1:confirmed"},
          {"p", dialog("1", "early", "a") + dialog("2", "trying"), "1:early 2:trying"}}},
        {"D06: the older publication has lost it, also after the newer one ended",
         {{"p", dialog("1", "early", "a") + dialog("2", "early"), "1:early 2:early"},
          {"q", dialog("1", "confirmed", "a"), "1:confirmed 2:early"},
          {"q", "-", "2:early"},
          {"p", dialog("1", "confirmed", "a"), "1:confirmed"}}},
        {"the newer publication lets it go and takes it again",
         {{"p", dialog("1", "early"), "1:early"},
          {"q", dialog("1", "confirmed"), "1:confirmed"},
          {"q", "", ""},
          {"q", dialog("1", "trying"), "1:trying"}}},
        {"D07: terminated is final for a Call-ID",
         {{"p", dialog("1", "early", "a"), "1:early"},
          {"p", dialog("1", "terminated", "a"), "1:terminated"},
          {"p", dialog("1", "early", "a"), "1:terminated"},
          {"p", dialog("1", "confirmed", "a") + dialog("2", "early"), "1:terminated 2:early"},
          {"p", "", ""},
          {"p", dialog("1", "early", "a"), "1:early"}}},
        {"D07: another publication does not revive it either",
         {{"p", dialog("1", "terminated", "a"), "1:terminated"},
          {"q", dialog("1", "early", "a"), "1:terminated"},
          {"p", "-", ""},
          {"q", dialog("1", "confirmed", "a"), ""},
          {"q", dialog("1", "terminated", "a"), "1:terminated"}}},
        {"a late early is void although the end came from elsewhere",
         {{"p", dialog("1", "early", "a"), "1:early"},
          {"q", dialog("1", "terminated", "a"), "1:terminated"},
          {"q", "-", ""},
          {"p", dialog("1", "early", "a"), ""},
          {"p", "-", ""},
          {"p", dialog("1", "early", "a"), "1:early"}}},
        {"D07: without Call-ID an id is used again (a bridge of device states)",
         {{"p", dialog("103", "early"), "103:early"},
          {"p", dialog("103", "terminated"), "103:terminated"},
          {"p", dialog("103", "early"), "103:early"}}},
        {"one id used again with another Call-ID, by the same publication",
         {{"p", dialog("103", "terminated", "a"), "103:terminated"},
          {"p", dialog("103", "early", "b"), "103:early"},
          {"p", dialog("103", "terminated", "b"), "103:terminated"}}},
        {"two Call-IDs are two dialogs, and their names stay",
         {{"p", dialog("1", "early", "a"), "1:early"},
          {"q", dialog("1", "confirmed", "b"), "1:early 1~2:confirmed"},
          {"r", dialog("1", "trying", "c"), "1:early 1~2:confirmed 1~3:trying"},
          {"p", "-", "1~2:confirmed 1~3:trying"},
          {"q", dialog("1", "terminated", "b"), "1~2:terminated 1~3:trying"},
          {"s", dialog("1", "early", "d"), "1~2:terminated 1~3:trying 1:early"}}},
        {"somebody's own id is what we would have made",
         {{"p", dialog("1~2", "early"), "1~2:early"},
          {"q", dialog("1", "early", "a") + dialog("1", "trying", "b"), "1~2:early 1:early 1~3:trying"}}},
        {"somebody's own id is what we made before",
         {{"p", dialog("1", "early", "a") + dialog("1", "trying", "b"), "1:early 1~2:trying"},
          {"q", dialog("1~2", "confirmed"), "1:early 1~2:trying 1~2~2:confirmed"}}},
        {"a dialog whose Call-ID is told later is the same",
         {{"p", dialog("1", "trying"), "1:trying"},
          {"p", dialog("1", "early", "a"), "1:early"},
          {"q", dialog("1", "confirmed"), "1:confirmed"},
          {"p", dialog("1", "terminated", "a"), "1:terminated"}}},
        {"the order is that of the first sight, whoever speaks later",
         {{"p", dialog("b", "early"), "b:early"},
          {"q", dialog("a", "early") + dialog("0", "trying"), "b:early a:early 0:trying"},
          {"p", dialog("c", "early") + dialog("b", "confirmed"), "b:confirmed a:early 0:trying c:early"},
          {"q", dialog("0", "early") + dialog("a", "early"), "b:confirmed a:early 0:early c:early"}}},
        {"one of three goes, the others keep their places",
         {{"p", dialog("1", "early"), "1:early"},
          {"q", dialog("2", "early"), "1:early 2:early"},
          {"r", dialog("3", "early"), "1:early 2:early 3:early"},
          {"q", "-", "1:early 3:early"},
          {"q", dialog("2", "early"), "1:early 3:early 2:early"}}},
    };
    for (const auto& row : rows)
        for (const bool reversed : {false, true}) {
            INFO(row.story << (reversed ? ", reversed" : ""));
            Desk desk;
            desk.reversed = reversed;
            for (const Step& step : row.steps) {
                INFO(step.who << " says " << step.dialogs);
                if (step.dialogs == "-")
                    desk.remove(step.who);
                else
                    CHECK(desk.publish(step.who, document(step.dialogs)) == "");
                CHECK(desk.dialogs() == step.seen);
                const auto hash = desk.composite->hash;
                desk.merge();
                CHECK(desk.composite->hash == hash);
            }
        }
}

TEST_CASE("what stands at the root is told once, after the dialogs (D00)", "[presence_dialoginfo]")
{
    Desk desk;
    CHECK(desk.publish("p", document("<x:a xmlns:x='urn:x'>1</x:a>" + dialog("1", "early"))) == "");
    CHECK(desk.publish(
              "q", document(dialog("2", "early") + "<y:a xmlns:y='urn:x'>2</y:a><b xmlns='urn:b'/>")) == "");
    CHECK(desk.text() == std::string{head} + "0\" state=\"full\" entity=\"sip:bob@example.com\">\n"
                                             "  <dialog id=\"1\">\n    <state>early</state>\n  </dialog>\n"
                                             "  <dialog id=\"2\">\n    <state>early</state>\n  </dialog>\n"
                                             "  <b xmlns=\"urn:b\"/>\n"
                                             "  <y:a xmlns:y=\"urn:x\">2</y:a>\n"
                                             "</dialog-info>\n");
    const auto hash = desk.composite->hash;
    CHECK(desk.publish(
              "q", document("<z:a xmlns:z='urn:x'>2</z:a><b xmlns='urn:b'/>" + dialog("2", "early"))) == "");
    CHECK(desk.composite->hash == hash);
    CHECK(desk.publish("p", document("<x:a xmlns:x='urn:x'>3</x:a>" + dialog("1", "early"))) == "");
    CHECK(desk.text().find("  <x:a xmlns:x=\"urn:x\">3</x:a>\n</dialog-info>") != std::string::npos);
    CHECK(desk.text().find("urn:x\">2") == std::string::npos);
    desk.remove("p");
    CHECK(desk.text().find(">2</z:a>") != std::string::npos);
}

TEST_CASE("the hash is that of what is said", "[presence_dialoginfo]")
{
    const std::string plain =
        "<dialog id='1' call-id='a' direction='initiator'><state code='180'>early</state>"
        "<remote><identity>sip:a@b</identity></remote></dialog>";
    Desk desk;
    REQUIRE(desk.publish("p", document(plain)) == "");
    const auto hash = desk.composite->hash;
    const struct {
        const char* story;
        std::string body;
        bool same;
    } rows[] = {
        {"P03: the same again", document(plain), true},
        {"P04: other white space and order",
         document("\n <dialog direction='initiator'  call-id='a' "
                  "id='1'>\n<remote>\t<identity>sip:a@b</identity></remote>"
                  "<state code=' 180 '> Early</state></dialog>"),
         true},
        {"P04: another prefix",
         "<d:dialog-info xmlns:d='urn:ietf:params:xml:ns:dialog-info' version='9' state='full' "
         "entity='sip:z@z'>"
         "<d:dialog id='1' call-id='a' direction='initiator'><d:state code='180'>early</d:state><d:remote>"
         "<d:identity>sip:a@b</d:identity></d:remote></d:dialog></d:dialog-info>",
         true},
        {"another state",
         document("<dialog id='1' call-id='a' direction='initiator'><state code='180'>confirmed</state>"
                  "<remote><identity>sip:a@b</identity></remote></dialog>"),
         false},
        {"another code",
         document("<dialog id='1' call-id='a' direction='initiator'><state code='183'>early</state>"
                  "<remote><identity>sip:a@b</identity></remote></dialog>"),
         false},
        {"local, not remote",
         document("<dialog id='1' call-id='a' direction='initiator'><state code='180'>early</state>"
                  "<local><identity>sip:a@b</identity></local></dialog>"),
         false},
        {"one dialog more", document(plain + dialog("2", "trying")), false},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(desk.publish("p", row.body) == "");
        CHECK((desk.composite->hash == hash) == row.same);
    }
}

TEST_CASE("of one id only so many dialogs are told apart", "[presence_dialoginfo]")
{
    Desk desk;
    std::string all;
    for (std::size_t i = 0; i < max_same_id + 5; ++i)
        all += dialog("1", "early", "c" + std::to_string(i));
    CHECK(desk.publish("p", document(all)) == "");
    CHECK(desk.state().dialogs.size() == max_same_id);
    CHECK(desk.publish("q", document(dialog("1", "early", "new"))) == "");
    CHECK(desk.state().dialogs.size() == max_same_id);
    CHECK(desk.publish("p", document(dialog("1", "early", "c0"))) == "");
    CHECK(desk.dialogs() == "1:early 1~2:early");
}

TEST_CASE("a user's dialogs are limited in number", "[presence_dialoginfo]")
{
    Desk desk;
    for (int p = 0; p < 5; ++p) {
        std::string all;
        for (std::size_t i = 0; i < max_dialogs; ++i)
            all += dialog(std::to_string(p) + "." + std::to_string(i), "early");
        REQUIRE(desk.publish("p" + std::to_string(p), document(all)) == "");
    }
    CHECK(desk.state().dialogs.size() == max_known);
    CHECK(desk.state().dialogs.back().name == "3.255");
    desk.remove("p0");
    CHECK(desk.state().dialogs.front().name == "1.0");
    CHECK(desk.state().dialogs.back().name == "4.255");
}

} // namespace sipyard::presence_dialoginfo
