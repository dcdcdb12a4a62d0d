// core/sip/dialog_info_test.cpp - documents byte for byte, words in any case, texts nobody can break out of
#include "core/sip/dialog_info.h"

#include "core/base/xml_text.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::sip;

TEST_CASE("a document with everything is written in the schema's order", "[dialog_info]")
{
    DialogInfo info{.entity = "sip:bob@example.com", .version = 7};
    info.state = DialogInfoState::partial;
    DialogElement d;
    d.id = "as7d900as8";
    d.call_id = "a84b\"4c7<6e&66710";
    d.local_tag = "1928301774";
    d.remote_tag = "456887766";
    d.direction = DialogDirection::recipient;
    d.state = DialogState::terminated;
    d.event = DialogEvent::remote_bye;
    d.code = 200;
    d.duration = 145;
    d.replaces = DialogReplaces{"hg287s98s89", "6762h7", "09278hsb"};
    d.referred_by = "sip:carol@example.com";
    d.referred_by_display = "Carol";
    d.route_set = {"<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"};
    d.local = {.identity = "sip:bob@example.com",
               .display = "Bob \"the <b>\"",
               .target = "sip:bob@192.0.2.4",
               .params = {{"+sip.rendering", "no"}, {"isfocus", ""}},
               .session_type = "application/sdp",
               .session = "v=0\r\n",
               .cseq = 17,
               .extensions = {}};
    d.remote.identity = "sip:alice@example.com";
    d.extensions = "<x xmlns=\"urn:x\">1</x>";
    d.remote_private = true;
    info.dialogs = {d};
    info.extensions = "<y xmlns=\"urn:y\"/>";
    CHECK(write(info) ==
          "<?xml version=\"1.0\"?>\n"
          "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"7\" state=\"partial\" "
          "entity=\"sip:bob@example.com\">\n"
          "  <dialog id=\"as7d900as8\" call-id=\"a84b&quot;4c7&lt;6e&amp;66710\" local-tag=\"1928301774\" "
          "remote-tag=\"456887766\" direction=\"recipient\">\n"
          "    <state event=\"remote-bye\" code=\"200\">terminated</state>\n"
          "    <duration>145</duration>\n"
          "    <replaces call-id=\"hg287s98s89\" local-tag=\"6762h7\" remote-tag=\"09278hsb\"/>\n"
          "    <referred-by display=\"Carol\">sip:carol@example.com</referred-by>\n"
          "    <route-set>\n"
          "      <hop>&lt;sip:p1.example.com;lr&gt;</hop>\n"
          "      <hop>&lt;sip:p2.example.com;lr&gt;</hop>\n"
          "    </route-set>\n"
          "    <local>\n"
          "      <identity display=\"Bob &quot;the &lt;b&gt;&quot;\">sip:bob@example.com</identity>\n"
          "      <target uri=\"sip:bob@192.0.2.4\">\n"
          "        <param pname=\"+sip.rendering\" pval=\"no\"/>\n"
          "        <param pname=\"isfocus\" pval=\"true\"/>\n"
          "      </target>\n"
          "      <session-description type=\"application/sdp\">v=0&#13;\n</session-description>\n"
          "      <cseq>17</cseq>\n"
          "    </local>\n"
          "    <remote>\n"
          "      <identity>sip:alice@example.com</identity>\n"
          "    </remote>\n"
          "    <x xmlns=\"urn:x\">1</x>\n"
          "    <privacy xmlns=\"urn:sipyard:dialog-ext\">remote</privacy>\n"
          "  </dialog>\n"
          "  <y xmlns=\"urn:y\"/>\n"
          "</dialog-info>\n");
}

TEST_CASE("the least a document may be", "[dialog_info]")
{
    CHECK(write({.entity = "sip:bob@example.com"}) ==
          "<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" "
          "state=\"full\" entity=\"sip:bob@example.com\">\n</dialog-info>\n");
    DialogElement d;
    d.id = "1";
    d.code = 99; // outside the schema's range
    std::string out;
    append_dialog(out, d);
    CHECK(out == "  <dialog id=\"1\">\n    <state>trying</state>\n  </dialog>\n");
}

TEST_CASE("words are known in any case", "[dialog_info]")
{
    const struct {
        const char* text;
        std::optional<DialogState> state;
    } rows[] = {
        {"trying", DialogState::trying},
        {"Proceeding", DialogState::proceeding},
        {" early\n", DialogState::early},
        {"CONFIRMED", DialogState::confirmed},
        {"terminated", DialogState::terminated},
        {"", {}},
        {"ringing", {}},
        {"early early", {}},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(dialog_state_from(row.text) == row.state);
        if (row.state)
            CHECK(dialog_state_from(to_text(*row.state)) == row.state);
    }
    CHECK(dialog_direction_from("Initiator ") == DialogDirection::initiator);
    CHECK(dialog_direction_from("both") == DialogDirection::none);
    CHECK(dialog_event_from("Remote-BYE") == DialogEvent::remote_bye);
    CHECK(dialog_event_from("") == DialogEvent::none);
}

TEST_CASE("text keeps its meaning and never breaks a document", "[xml_text]")
{
    const struct {
        const char* story;
        std::string_view text, as_text, as_value;
    } rows[] = {
        {"plain", "abc", "abc", "abc"},
        {"nothing", "", "", ""},
        {"markup", "<a b='c'>&amp;\"", "&lt;a b='c'&gt;&amp;amp;\"", "&lt;a b='c'&gt;&amp;amp;&quot;"},
        {"end of a CDATA section", "]]>", "]]&gt;", "]]&gt;"},
        {"white space", "\t\r\n", "\t&#13;\n", "&#9;&#13;&#10;"},
        {"characters beyond ASCII", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\x9e",
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\x9e", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\x9e"},
        {"a control character", "a\x01z", "a\xef\xbf\xbdz", "a\xef\xbf\xbdz"},
        {"Latin-1", "caf\xe9", "caf\xef\xbf\xbd", "caf\xef\xbf\xbd"},
        {"a cut character", "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"a surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"an overlong slash", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"U+FFFE", "\xef\xbf\xbe", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"beyond Unicode", "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        std::string text, value;
        append_xml_text(text, row.text);
        append_xml_value(value, row.text);
        CHECK(text == row.as_text);
        CHECK(value == row.as_value);
    }
}
