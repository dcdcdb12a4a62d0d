// modules/presence_dialoginfo/read_test.cpp - what publishers send, well-meant or not
#include "modules/presence_dialoginfo/test_support.h"

#include "test/support/catch.h"

namespace sipyard::presence_dialoginfo {

using namespace test;

namespace {

std::string repeated(std::string_view text, std::size_t times)
{
    std::string out;
    for (std::size_t i = 0; i < times; ++i)
        out += text;
    return out;
}

} // namespace

TEST_CASE("bodies that are refused, and that nothing changes by them", "[presence_dialoginfo]")
{
    const std::string ns = "xmlns='urn:ietf:params:xml:ns:dialog-info'";
    const struct {
        const char* story;
        std::string body;
        const char* answer;
    } rows[] = {
        {"nothing", "", "400 Malformed body"},
        {"no XML", "early", "400 Malformed body"},
        {"not closed", "<dialog-info " + ns + "><dialog id='1'>", "400 Malformed body"},
        {"two roots", document("") + document(""), "400 Malformed body"},
        {"another root", "<presence xmlns='urn:ietf:params:xml:ns:pidf'/>", "400 Not a dialog-info document"},
        {"another namespace", "<dialog-info xmlns='urn:x'/>", "400 Not a dialog-info document"},
        {"no namespace", "<dialog-info/>", "400 Not a dialog-info document"},
        {"billion laughs",
         "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>"
         "<dialog-info " +
             ns + ">&c;</dialog-info>",
         "400 Malformed body"},
        {"an external entity",
         "<!DOCTYPE l [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><dialog-info " + ns + ">&x;</dialog-info>",
         "400 Malformed body"},
        {"an external DTD", "<!DOCTYPE l SYSTEM 'http://127.0.0.1/x.dtd'><dialog-info " + ns + "/>",
         "400 Malformed body"},
        {"an entity nobody declared", document("&x;"), "400 Malformed body"},
        {"33 deep", document(repeated("<a>", 32) + repeated("</a>", 32)), "400 Malformed body"},
        {"too many elements", document(repeated("<a/>", 10'001)), "400 Malformed body"},
        {"65 attributes",
         document("<x " +
                  [] {
                      std::string all;
                      for (int i = 0; i < 65; ++i)
                          all += " a" + std::to_string(i) + "=''";
                      return all;
                  }() +
                  "/>"),
         "400 Malformed body"},
        {"a name of 300 bytes", document("<" + repeated("n", 300) + "/>"), "400 Malformed body"},
        {"a NUL", document(std::string{"<a>\0</a>", 8}), "400 Malformed body"},
        {"a NUL by reference", document("<a>&#0;</a>"), "400 Malformed body"},
        {"a lone surrogate", document("<a>\xed\xa0\x80</a>"), "400 Malformed body"},
        {"a lone surrogate by reference", document("<a>&#xD800;</a>"), "400 Malformed body"},
        {"U+FFFF", document("<a>&#xFFFF;</a>"), "400 Malformed body"},
        {"Latin-1", document("<a>caf\xe9</a>"), "400 Malformed body"},
        {"another encoding", "<?xml version='1.0' encoding='UTF-16'?>" + document(""), "400 Malformed body"},
        {"an end of CDATA in text", document("<a>]]></a>"), "400 Malformed body"},
        {"a prefix nobody bound", document("<x:a/>"), "400 Malformed body"},
        {"the same attribute twice", document("<dialog id='1' id='2'><state>early</state></dialog>"),
         "400 Malformed body"},
        {"no state", document("<dialog id='1'/>"), "400 A dialog without state"},
        {"a state of another namespace",
         document("<dialog id='1'><state xmlns='urn:x'>early</state></dialog>"),
         "400 A dialog without state"},
        {"an empty state", document("<dialog id='1'><state/></dialog>"), "400 Unknown dialog state"},
        {"a state nobody knows", document(dialog("1", "ringing")), "400 Unknown dialog state"},
        {"the second dialog is wrong", document(dialog("1", "early") + dialog("2", "busy")),
         "400 Unknown dialog state"},
        {"a giant id", document(dialog(repeated("i", 1'025), "early")), "400 Dialog identifier too long"},
        {"a giant Call-ID", document(dialog("1", "early", repeated("i", 60'000))),
         "400 Dialog identifier too long"},
        {"257 dialogs", document([] {
             std::string all;
             for (int i = 0; i < 257; ++i)
                 all += dialog(std::to_string(i), "early");
             return all;
         }()),
         "400 Too many dialogs"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Desk desk;
        REQUIRE(desk.publish("p", document(dialog("1", "confirmed"))).empty());
        const auto before = desk.composite;
        CHECK(desk.publish("p", row.body) == row.answer);
        CHECK(desk.publish("q", row.body) == row.answer);
        CHECK(desk.composite == before);
        CHECK(desk.counts.refused.value() == 2);
    }
}

TEST_CASE("bodies that are taken, and what is told of them", "[presence_dialoginfo]")
{
    const struct {
        const char* story;
        std::string body;
        const char* dialogs;
    } rows[] = {
        {"an idle user", document(""), ""},
        {"D05: a state in capitals", document(dialog("1", "Early")), "1:early"},
        {"D05: a state with blanks", document(dialog("1", " early\n\t")), "1:early"},
        {"a state in CDATA, a comment inside",
         document("<dialog id='1'><state><![CDATA[con]]><!-- c -->firmed</state></dialog>"), "1:confirmed"},
        {"every prefix will do",
         "<d:dialog-info xmlns:d='urn:ietf:params:xml:ns:dialog-info' version='0' state='full' "
         "entity='sip:x@y'>"
         "<d:dialog id='1'><d:state>trying</d:state></d:dialog></d:dialog-info>",
         "1:trying"},
        {"a byte order mark", "\xef\xbb\xbf" + document(dialog("1", "early")), "1:early"},
        {"no version, no state, no entity",
         "<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info'>" + dialog("1", "early") + "</dialog-info>",
         "1:early"},
        {"RFC 4235 6.1: one id twice, the later element counts",
         document(
             "<dialog id='as7d900as8' call-id='a84b' remote-tag='456'><state>early</state></dialog>"
             "<dialog id='as7d900as8' call-id='a84b' remote-tag='hh76a'><state>confirmed</state></dialog>"),
         "as7d900as8:confirmed"},
        {"one id, two Call-IDs", document(dialog("1", "early", "a") + dialog("1", "confirmed", "b")),
         "1:early 1~2:confirmed"},
        {"32 deep", document(repeated("<x>", 31) + repeated("</x>", 31) + dialog("1", "early")), "1:early"},
        {"the largest id", document(dialog(repeated("i", 1'024), "early")), nullptr},
        {"two states: the first counts",
         document("<dialog id='1'><state>early</state><state>confirmed</state></dialog>"), "1:early"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Desk desk;
        CHECK(desk.publish("p", row.body) == "");
        if (row.dialogs)
            CHECK(desk.dialogs() == row.dialogs);
    }
}

TEST_CASE("a dialog without an id gets one that stays", "[presence_dialoginfo]")
{
    Desk desk;
    const std::string first = "<dialog call-id='a' local-tag='l'><state>early</state></dialog>";
    CHECK(desk.publish("p", document(first + "<dialog id='' call-id='b'><state>early</state></dialog>")) ==
          "");
    REQUIRE(desk.state().dialogs.size() == 2);
    const std::string name = desk.state().dialogs[0].name;
    CHECK(name.substr(0, 2) == "h-");
    CHECK(name.size() == 34);
    CHECK(desk.state().dialogs[1].name != name);
    CHECK(desk.publish(
              "p", document("<dialog call-id='a' local-tag='l'><state>confirmed</state></dialog>")) == "");
    CHECK(desk.dialogs() == name + ":confirmed");
    // Nothing but their order tells these apart.
    CHECK(desk.publish(
              "p", document("<dialog><state>early</state></dialog><dialog><state>trying</state></dialog>")) ==
          "");
    CHECK(desk.state().dialogs.size() == 2);
}

TEST_CASE("a document without namespace, when that is allowed", "[presence_dialoginfo]")
{
    Settings settings;
    settings.lax_namespace = true;
    Desk desk{settings};
    CHECK(desk.publish(
              "p",
              "<dialog-info><dialog id='1'><state>early</state><local><identity>sip:a@b</identity></local>"
              "</dialog><x:y xmlns:x='urn:x'/></dialog-info>") == "");
    CHECK(desk.text() == std::string{head} + "0\" state=\"full\" entity=\"sip:bob@example.com\">\n"
                                             "  <dialog id=\"1\">\n    <state>early</state>\n    <local>\n"
                                             "      <identity>sip:a@b</identity>\n    </local>\n  </dialog>\n"
                                             "  <x:y xmlns:x=\"urn:x\"/>\n</dialog-info>\n");
    CHECK(desk.publish(
              "p",
              "<dialog-info xmlns:d='urn:ietf:params:xml:ns:dialog-info'><d:dialog id='2'><d:state>ringing"
              "</d:state></d:dialog></dialog-info>") == "400 Unknown dialog state");
    CHECK(desk.publish("p", document(dialog("1", "early"))) == "");
    CHECK(desk.publish("p", "<dialog-info xmlns='urn:x'/>") == "400 Not a dialog-info document");
}

TEST_CASE("a publication of partial state changes its own last one", "[presence_dialoginfo]")
{
    Desk desk;
    const std::string x = "<x xmlns='urn:x'>1</x>", x2 = "<x xmlns='urn:x'>2</x>";
    CHECK(desk.publish("p", document(dialog("1", "early") + dialog("2", "trying") + x)) == "");
    CHECK(desk.publish("q", document(dialog("3", "early"))) == "");
    CHECK(desk.publish("p", document(dialog("2", "confirmed") + dialog("4", "early") + x2, "partial")) == "");
    CHECK(desk.dialogs() == "1:early 2:confirmed 3:early 4:early");
    CHECK(desk.text().find(">2</x>\n</dialog-info>") != std::string::npos);
    CHECK(desk.publish("p", document(dialog("1", "terminated"), " Partial ")) == "");
    CHECK(desk.dialogs() == "1:terminated 2:confirmed 3:early 4:early");
    CHECK(desk.publish("p", document("")) == "");
    CHECK(desk.dialogs() == "3:early");
    // The first of a publication has nothing to change.
    CHECK(desk.publish("r", document(dialog("9", "early"), "partial")) == "");
    CHECK(desk.dialogs() == "3:early 9:early");
}

TEST_CASE("partial state does not pile up what has ended", "[presence_dialoginfo]")
{
    Desk desk;
    for (std::size_t i = 0; i < max_dialogs + 10; ++i)
        REQUIRE(desk.publish("p", document(dialog(std::to_string(i), i % 2 ? "terminated" : "early"),
                                           "partial")) == "");
    CHECK(desk.state().dialogs.size() == max_dialogs);
    CHECK(desk.dialogs().substr(0, 15) == "0:early 2:early");
    std::string answer;
    for (std::size_t i = 0; i < 200 && answer.empty(); ++i)
        answer = desk.publish("p", document(dialog("x" + std::to_string(i), "early"), "partial"));
    CHECK(answer == "400 Too many dialogs");
}

} // namespace sipyard::presence_dialoginfo
