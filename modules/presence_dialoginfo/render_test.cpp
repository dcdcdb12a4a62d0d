// modules/presence_dialoginfo/render_test.cpp - documents byte for byte, and what is news
#include "modules/presence_dialoginfo/test_support.h"

#include "test/support/catch.h"

#include <functional>

namespace sipyard::presence_dialoginfo {

using presence::is_news;
using namespace test;

namespace {

const std::string full_start = std::string{head} + "0\" state=\"full\" entity=\"sip:bob@example.com\">\n";

std::string call(std::string_view state, std::string_view more = {})
{
    return "<dialog id='call-1' call-id='c\"1' local-tag='lt' remote-tag='rt' direction='recipient' line='2'>"
           "<foo xmlns='urn:f'>kept</foo>"
           "<remote><x:loc xmlns:x='urn:x'>home</x:loc><cseq>7</cseq><identity "
           "display='Alice'>sip:alice@example.com"
           "</identity><identity display-name='A'>tel:+123</identity><target uri='sip:alice@192.0.2.1'>"
           "<param pval='true' pname='isfocus'/></target><session-description "
           "type='application/sdp'>v=0</session-description>"
           "</remote>"
           "<local><identity display='Bob'>sip:bob@example.com</identity><session-description "
           "type='application/sdp'>"
           "v=1</session-description></local>"
           "<route-set><hop>&lt;sip:p@h;lr&gt;</hop></route-set><referred-by>sip:carol@example.com</"
           "referred-by>"
           "<replaces call-id='r' local-tag='1' remote-tag='2'/><duration>145</duration>"
           "<state code='200' event='Remote-Bye'>" +
           std::string{state} + "</state>" + std::string{more} + "</dialog>";
}

View view_with(const std::function<void(View&)>& change)
{
    View view;
    change(view);
    return view;
}

} // namespace

TEST_CASE("D04, D09: one call as three watchers see it, merged once", "[presence_dialoginfo]")
{
    Desk desk;
    REQUIRE(desk.publish("p", document(call("early") + "<x:root xmlns:x='urn:x'/>")) == "");
    CHECK(desk.text() ==
          full_start + "  <dialog id=\"call-1\" call-id=\"c&quot;1\" local-tag=\"lt\" remote-tag=\"rt\" "
                       "direction=\"recipient\" line=\"2\">\n"
                       "    <state event=\"remote-bye\" code=\"200\">early</state>\n"
                       "    <duration>145</duration>\n"
                       "    <replaces call-id=\"r\" local-tag=\"1\" remote-tag=\"2\"/>\n"
                       "    <referred-by>sip:carol@example.com</referred-by>\n"
                       "    <route-set>\n"
                       "      <hop>&lt;sip:p@h;lr&gt;</hop>\n"
                       "    </route-set>\n"
                       "    <local>\n"
                       "      <identity display=\"Bob\">sip:bob@example.com</identity>\n"
                       "    </local>\n"
                       "    <remote>\n"
                       "      <identity display=\"Alice\">sip:alice@example.com</identity>\n"
                       "      <identity display-name=\"A\">tel:+123</identity>\n"
                       "      <target uri=\"sip:alice@192.0.2.1\">\n"
                       "        <param pname=\"isfocus\" pval=\"true\"/>\n"
                       "      </target>\n"
                       "      <cseq>7</cseq>\n"
                       "      <x:loc xmlns:x=\"urn:x\">home</x:loc>\n"
                       "    </remote>\n"
                       "    <foo xmlns=\"urn:f\">kept</foo>\n"
                       "  </dialog>\n"
                       "  <x:root xmlns:x=\"urn:x\"/>\n"
                       "</dialog-info>\n");

    const View anonymous = view_with([](View& v) {
        v.privacy = Privacy::anonymous;
        v.session = true;
    });
    CHECK(desk.text(anonymous) ==
          full_start + "  <dialog id=\"call-1\" call-id=\"c&quot;1\" local-tag=\"lt\" remote-tag=\"rt\" "
                       "direction=\"recipient\" line=\"2\">\n"
                       "    <state event=\"remote-bye\" code=\"200\">early</state>\n"
                       "    <duration>145</duration>\n"
                       "    <replaces call-id=\"r\" local-tag=\"1\" remote-tag=\"2\"/>\n"
                       "    <route-set>\n"
                       "      <hop>&lt;sip:p@h;lr&gt;</hop>\n"
                       "    </route-set>\n"
                       "    <local>\n"
                       "      <identity display=\"Bob\">sip:bob@example.com</identity>\n"
                       "      <session-description type=\"application/sdp\">v=1</session-description>\n"
                       "    </local>\n"
                       "    <remote>\n"
                       "      <identity>sip:anonymous@anonymous.invalid</identity>\n"
                       "    </remote>\n"
                       "    <foo xmlns=\"urn:f\">kept</foo>\n"
                       "  </dialog>\n"
                       "  <x:root xmlns:x=\"urn:x\"/>\n"
                       "</dialog-info>\n");

    const View state = view_with([](View& v) {
        v.privacy = Privacy::state;
        v.session = true;
    });
    CHECK(desk.text(state) ==
          full_start + "  <dialog id=\"" + hex_of(Hasher{}.add("call-1").finish()) +
              "\" direction=\"recipient\">\n    <state>early</state>\n  </dialog>\n</dialog-info>\n");
    CHECK(desk.counts.merges.value() == 1);
    CHECK(desk.counts.documents.value() == 1);
    CHECK(desk.counts.renderings.value() == 3);

    // What is hidden from a watcher is no news for him.
    const auto seen = desk.body(), hidden = desk.body(state);
    REQUIRE(desk.publish(
                "p", document(call("early", "<more xmlns='urn:m'/>") + "<x:root xmlns:x='urn:x'/>")) == "");
    CHECK(is_news(seen, desk.body()));
    CHECK_FALSE(is_news(hidden, desk.body(state)));
}

TEST_CASE("a publisher's wish for privacy binds all watchers", "[presence_dialoginfo]")
{
    sip::DialogInfo info{.entity = std::string{bob}};
    sip::DialogElement element;
    element.id = "1";
    element.remote.identity = "sip:alice@example.com";
    element.remote_private = true;
    info.dialogs = {element};
    Desk desk;
    REQUIRE(desk.publish("p", sip::write(info)) == "");
    CHECK(desk.text() == full_start +
                             "  <dialog id=\"1\">\n    <state>trying</state>\n    <remote>\n"
                             "      <identity>sip:anonymous@anonymous.invalid</identity>\n    </remote>\n"
                             "  </dialog>\n</dialog-info>\n");
}

TEST_CASE("what our writer writes goes through byte for byte", "[presence_dialoginfo]")
{
    sip::DialogInfo info{.entity = std::string{bob}};
    sip::DialogElement d;
    d.id = "5f2c";
    d.call_id = "a\"<&>'\t\xc3\xa9@host";
    d.local_tag = "l";
    d.remote_tag = "r";
    d.direction = sip::DialogDirection::initiator;
    d.state = sip::DialogState::terminated;
    d.event = sip::DialogEvent::rejected;
    d.code = 486;
    d.duration = 12;
    d.replaces = sip::DialogReplaces{"x", "y", "z"};
    d.referred_by = "sip:carol@example.com";
    d.referred_by_display = "Carol";
    d.route_set = {"<sip:p1;lr>", "<sip:p2;lr>"};
    d.local.identity = "sip:bob@example.com";
    d.local.display = "Bob \"<&";
    d.local.target = "sip:bob@192.0.2.9;transport=tcp";
    d.local.params = {{"+sip.rendering", "no"}, {"isfocus", ""}};
    d.local.session_type = "application/sdp";
    d.local.session = "v=0\r\no=- 1\r\n";
    d.local.cseq = 4;
    d.local.extensions = "<e xmlns=\"urn:e\"/>";
    d.remote.identity = "sip:alice@example.com";
    d.extensions = "<f:f xmlns:f=\"urn:f\" a=\"1\" b=\"2\">t</f:f>";
    sip::DialogElement empty;
    empty.id = "2";
    info.dialogs = {d, empty};
    info.extensions = "<g xmlns=\"urn:g\"/>";
    Desk desk;
    REQUIRE(desk.publish("p", sip::write(info)) == "");
    const View view = view_with([](View& v) { v.session = true; });
    CHECK(desk.text(view) == sip::write(info));
    REQUIRE(desk.publish("p", desk.text(view)) == "");
    CHECK(desk.text(view) == sip::write(info));
}

TEST_CASE("D02, D03: a phone that takes one dialog gets the most interesting", "[presence_dialoginfo]")
{
    const View single = view_with([](View& v) { v.single = true; });
    const struct {
        const char* story;
        std::vector<std::string> documents; // each publication's
        const char* seen;
    } rows[] = {
        {"nothing", {""}, ""},
        {"one", {dialog("1", "trying")}, "1:trying"},
        {"D02: of all states",
         {dialog("1", "early"), dialog("2", "confirmed"), dialog("3", "terminated"), dialog("4", "trying"),
          dialog("5", "proceeding")},
         "1:early"},
        {"D02: then without the early one",
         {dialog("2", "confirmed"), dialog("3", "terminated"), dialog("4", "trying"),
          dialog("5", "proceeding")},
         "2:confirmed"},
        {"proceeding over trying", {dialog("5", "proceeding"), dialog("4", "trying")}, "5:proceeding"},
        {"trying over terminated", {dialog("4", "trying"), dialog("5", "terminated")}, "4:trying"},
        {"D03: two of one publication", {dialog("1", "confirmed") + dialog("2", "trying")}, "1:confirmed"},
        {"the newest of equals", {dialog("9", "early"), dialog("1", "early")}, "1:early"},
        {"the larger id of one document's equals", {dialog("9", "early") + dialog("1", "early")}, "9:early"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Desk desk;
        int n = 0;
        for (const std::string& text : row.documents)
            REQUIRE(desk.publish("p" + std::to_string(n++), document(text)) == "");
        CHECK(desk.dialogs(single) == row.seen);
    }
    SECTION("an early one that ends does not win with what it was")
    {
        Desk desk;
        REQUIRE(desk.publish("p", document(dialog("1", "early", "a"))) == "");
        REQUIRE(desk.publish("q", document(dialog("2", "confirmed", "b"))) == "");
        CHECK(desk.dialogs(single) == "1:early");
        REQUIRE(desk.publish("p", document(dialog("1", "terminated", "a"))) == "");
        CHECK(desk.dialogs(single) == "2:confirmed");
    }
    SECTION("a refresh with the same state makes nothing newer")
    {
        Desk desk;
        REQUIRE(desk.publish("p", document(dialog("1", "early"))) == "");
        REQUIRE(desk.publish("q", document(dialog("2", "early"))) == "");
        REQUIRE(desk.publish(
                    "p", document("<dialog id='1'><state>early</state><duration>5</duration></dialog>")) ==
                "");
        CHECK(desk.dialogs(single) == "2:early");
    }
    SECTION("with one dialog the document is the usual one, root extensions too")
    {
        Desk desk;
        REQUIRE(desk.publish("p", document(call("early") + "<x:root xmlns:x='urn:x'/>")) == "");
        CHECK(desk.text(single) == desk.text());
        CHECK(desk.body(single)->hash == desk.body()->hash);
    }
}

TEST_CASE("D08: what an idle user looks like", "[presence_dialoginfo]")
{
    const auto idle = [](IdleBody kind) { return view_with([kind](View& v) { v.idle = kind; }); };
    Desk desk;
    REQUIRE(desk.publish("p", document("")) == "");
    const std::string empty = full_start + "</dialog-info>\n";
    const auto dummy = [](std::string_view id) {
        return full_start + "  <dialog id=\"" + std::string{id} +
               "\" direction=\"recipient\">\n    <state>terminated</state>\n  </dialog>\n</dialog-info>\n";
    };
    CHECK(desk.text(idle(IdleBody::empty)) == empty);
    CHECK(desk.text(idle(IdleBody::none)) == "(no body)");
    CHECK(desk.text(idle(IdleBody::dummy)) == dummy(hex_of(Hasher{}.add(bob).finish())));
    CHECK(desk.text(idle(IdleBody::last)) == empty); // there was none yet
    Settings settings;
    settings.dummy_id = DummyId::kamailio;
    Desk kamailio{settings};
    kamailio.merge();
    CHECK(kamailio.text(idle(IdleBody::dummy)) == dummy("615293b33c62dec073e05d9421e9f48b"));

    REQUIRE(desk.publish("p", document(dialog("1", "terminated"))) == "");
    REQUIRE(desk.publish("q", document(dialog("2", "terminated"))) == "");
    desk.remove("q");
    desk.remove("p");
    CHECK(desk.dialogs(idle(IdleBody::last)) == "2:terminated");
    CHECK(desk.dialogs(view_with([](View& v) {
        v.idle = IdleBody::last;
        v.own_contact = "sip:x@y";
    })) == "2:terminated");
    REQUIRE(desk.publish("q", document(dialog("3", "early"))) == "");
    desk.remove("q");
    CHECK(desk.dialogs(idle(IdleBody::last)) == "2:terminated");
    // A filter that takes nothing is no idle user.
    CHECK(desk.text(view_with([](View& v) {
        v.idle = IdleBody::dummy;
        v.filter.call_id = "a";
    })) == empty);
    // A politely blocked watcher sees an idle user.
    CHECK(Desk::text_of(desk.package.render_blocked(bob, idle(IdleBody::dummy).variant())) ==
          dummy(hex_of(Hasher{}.add(bob).finish())));
}

TEST_CASE("what is news, and what is only a dialog that was over already", "[presence_dialoginfo]")
{
    struct Step {
        std::string dialogs;
        bool news;
    };
    const struct {
        const char* story;
        View view;
        std::vector<Step> steps; // the first is what the watcher has
    } rows[] = {
        {"ringing, answered, over, gone",
         {},
         {{"", true},
          {dialog("1", "early"), true},
          {dialog("1", "confirmed"), true},
          {dialog("1", "terminated"), true},
          {"", false}}},
        {"the same with a dummy",
         view_with([](View& v) { v.idle = IdleBody::dummy; }),
         {{"", true}, {dialog("1", "early"), true}, {dialog("1", "terminated"), true}, {"", false}}},
        {"the same with the last one",
         view_with([](View& v) { v.idle = IdleBody::last; }),
         {{dialog("1", "early"), true}, {dialog("1", "terminated"), true}, {"", false}}},
        {"a call that vanishes", {}, {{dialog("1", "early"), true}, {"", true}}},
        {"one that was over goes, another stays",
         {},
         {{dialog("1", "terminated") + dialog("2", "early"), true}, {dialog("2", "early"), false}}},
        {"one goes, another changes",
         {},
         {{dialog("1", "terminated") + dialog("2", "early"), true}, {dialog("2", "confirmed"), true}}},
        {"one goes, another comes that is over",
         {},
         {{dialog("1", "terminated"), true}, {dialog("2", "terminated"), true}}},
        {"how it ended",
         {},
         {{dialog("1", "terminated"), true},
          {"<dialog id='1'><state event='timeout'>terminated</state></dialog>", true}}},
        {"root extensions count",
         {},
         {{dialog("1", "terminated"), true}, {"<x xmlns='urn:x'/>", true}, {"", true}}},
        {"with one dialog, the others do not count",
         view_with([](View& v) { v.single = true; }),
         {{dialog("1", "early"), true},
          {dialog("1", "early") + dialog("2", "confirmed"), false},
          {dialog("1", "early") + dialog("2", "terminated"), false},
          {dialog("1", "terminated") + dialog("2", "terminated"), true},
          {dialog("2", "terminated"), false},
          {"", false}}},
        {"a filter hides the others",
         view_with([](View& v) { v.filter.call_id = "a"; }),
         {{dialog("1", "early", "a"), true},
          {dialog("1", "early", "a") + dialog("2", "early", "b"), false},
          {dialog("1", "confirmed", "a"), true},
          {dialog("1", "terminated", "a"), true},
          {"", false}}},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Desk desk;
        presence::BodyPtr last;
        bool first = true;
        for (const Step& step : row.steps) {
            INFO("now " << step.dialogs);
            REQUIRE(desk.publish("p", document(step.dialogs)) == "");
            const auto now = desk.body(row.view);
            if (!first)
                CHECK(is_news(last, now) == step.news);
            if (first || step.news) // what the engine would have sent
                last = now;
            first = false;
        }
    }
}

TEST_CASE("D10: partial state tells what changed, or nothing", "[presence_dialoginfo]")
{
    Settings settings;
    settings.partial_notify = true;
    const struct {
        const char* story;
        const char* before;
        const char* now;
        const char* told; // null: the whole is due
        bool single = false;
    } rows[] = {
        {"one of two changed", "1:early 2:trying", "1:early 2:early", "2:early"},
        {"one came", "1:early", "1:early 2:trying", "2:trying"},
        {"one ended", "1:early 2:early", "1:terminated 2:early", "1:terminated"},
        {"one that had ended is gone, another changed", "1:terminated 2:early", "2:confirmed", "2:confirmed"},
        {"one vanished: there is no word for that", "1:early 2:early", "2:confirmed", nullptr},
        {"none is left", "1:terminated", "", nullptr},
        {"the first", "", "1:early", nullptr},
        {"nothing changed", "1:early", "1:early", nullptr},
        {"a phone that takes one dialog", "1:early 2:trying", "1:early 2:early", nullptr, true},
    };
    const auto document_of = [](std::string_view list) {
        std::string all;
        while (!list.empty()) {
            std::string_view item = cut(list, ' ');
            const std::string_view id = cut(item, ':');
            all += dialog(id, item);
        }
        return document(all);
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Desk desk{settings};
        const View view = view_with([&row](View& v) { v.single = row.single; });
        REQUIRE(desk.publish("p", document_of(row.before)) == "");
        const auto before = desk.composite;
        REQUIRE(desk.publish("p", document_of(row.now)) == "");
        const auto told = desk.package.partial(bob, *before, *desk.composite, view.variant());
        CHECK(static_cast<bool>(told) == (row.told != nullptr));
        if (!told || !row.told)
            continue;
        const std::string text = Desk::text_of(told, 1);
        CHECK(Desk::dialogs_of(text) == row.told);
        CHECK(text.find("version=\"1\" state=\"partial\"") != std::string::npos);
        CHECK(told->hash == desk.body(view)->hash);
        CHECK_FALSE(is_news(told, desk.body(view)));
        CHECK_FALSE(Desk{}.package.partial(bob, *before, *desk.composite, view.variant()));
    }
}

TEST_CASE("filters, and subscriptions that end with their dialogs", "[presence_dialoginfo]")
{
    const std::string two =
        "<dialog id='1' call-id='a' local-tag='l' remote-tag='r1'><state>early</state></dialog>"
        "<dialog id='2' call-id='a' local-tag='l' remote-tag='r2'><state>terminated</state></dialog>"
        "<dialog id='3' call-id='b\"\\ c' local-tag='m' remote-tag='r3'><state>confirmed</state></dialog>"
        "<dialog id='4'><state>early</state></dialog>";
    const struct {
        const char* params;
        const char* seen;
        bool over;
    } rows[] = {
        {"", "1:early 2:terminated 3:confirmed 4:early", false},
        {";id=7", "1:early 2:terminated 3:confirmed 4:early", false},
        {";call-id=a", "1:early 2:terminated", false},
        {";call-id=\"a\"", "1:early 2:terminated", false},
        {";call-id=\"b\\\"\\\\ c\"", "3:confirmed", false},
        {";CALL-ID=a;to-tag=l", "1:early 2:terminated", false},
        {";call-id=a;to-tag=l;from-tag=r2", "2:terminated", true},
        {";call-id=a;to-tag=l;from-tag=r1", "1:early", false},
        {";call-id=A", "", false},
        {";call-id=z;to-tag=l", "", true},
        {";from-tag=r3", "3:confirmed", false},
        {";to-tag=m", "3:confirmed", false},
        {";call-id=a;from-tag=r2", "2:terminated", false}, // not one of the RFC's two kinds
    };
    for (const auto& row : rows) {
        INFO(row.params);
        Desk desk;
        REQUIRE(desk.publish("p", document(two)) == "");
        presence::SubscribeView subscribe;
        subscribe.event_params = row.params;
        const auto variant = desk.package.variant(subscribe);
        CHECK(Desk::dialogs_of(Desk::text_of(desk.package.render(bob, *desk.composite, variant))) ==
              row.seen);
        CHECK(desk.package.is_over(*desk.composite, variant) == row.over);
    }
}

TEST_CASE("session descriptions for those who ask", "[presence_dialoginfo]")
{
    Desk desk;
    REQUIRE(desk.publish("p", document(call("early"))) == "");
    presence::SubscribeView subscribe;
    const auto has_session = [&desk, &subscribe] {
        const auto body = desk.package.render(bob, *desk.composite, desk.package.variant(subscribe));
        return body->after.find("session-description") != std::string::npos;
    };
    CHECK_FALSE(has_session());
    subscribe.event_params = ";include-session-description";
    CHECK(has_session());
    subscribe.privacy = "state";
    CHECK_FALSE(has_session());
}

TEST_CASE("a watcher is not told of his own calls, when that is wanted", "[presence_dialoginfo]")
{
    const std::string calls =
        "<dialog id='1'><state>early</state><remote><target uri='sip:desk@192.0.2.1:5060'/></remote></dialog>"
        "<dialog id='2'><state>early</state><remote><target uri='sip:other@192.0.2.2'/></remote></dialog>";
    for (const bool wanted : {false, true}) {
        Settings settings;
        settings.suppress_own_dialogs = wanted;
        Desk desk{settings};
        REQUIRE(desk.publish("p", document(calls)) == "");
        const auto seen = [&desk](std::string_view contact, std::string_view params) {
            presence::SubscribeView subscribe;
            subscribe.contact = contact;
            subscribe.event_params = params;
            return Desk::dialogs_of(
                Desk::text_of(desk.package.render(bob, *desk.composite, desk.package.variant(subscribe))));
        };
        CHECK(seen("\"D\" <sip:desk@192.0.2.1:5060>;q=1", "") == (wanted ? "2:early" : "1:early 2:early"));
        CHECK(seen("sip:third@192.0.2.3", "") == "1:early 2:early");
        CHECK(seen("<sip:desk@192.0.2.1:5060>", ";from-tag=x") == "");
    }
}

} // namespace sipyard::presence_dialoginfo
