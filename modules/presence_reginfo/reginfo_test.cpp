// modules/presence_reginfo/reginfo_test.cpp - documents read and written (RFC 3680 5)
#include "modules/presence_reginfo/reginfo.h"

#include "core/xml/check.h"
#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::presence_reginfo;

namespace {

constexpr std::int64_t now = 1'800'000'000;

std::string document(std::string_view inside, std::string_view state = "full")
{
    return "<?xml version='1.0'?><reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='7' state='" +
           std::string{state} + "'>" + std::string{inside} + "</reginfo>";
}
std::string contact(std::string_view id, std::string_view state = "active",
                    std::string_view event = "registered", std::string_view more = "")
{
    return "<contact id='" + std::string{id} + "' state='" + std::string{state} + "' event='" +
           std::string{event} + "' " + std::string{more} + "><uri>sip:bob@" + std::string{id} +
           "</uri></contact>";
}
std::string registration(std::string_view inside, std::string_view aor = "sip:bob@example.com")
{
    return "<registration aor='" + std::string{aor} + "' id='a7' state='active'>" + std::string{inside} +
           "</registration>";
}
std::vector<Registration> read(std::string_view text, std::span<const Registration> before = {})
{
    const auto all = parse_reginfo(text, now, before);
    INFO(why(all));
    REQUIRE(all);
    return *all;
}
std::string write(std::span<const Registration> all, std::int64_t at = now)
{
    const auto written = write_reginfo(all, at);
    return written.before + "5" + written.after;
}
std::string ids(const Registration& registration)
{
    std::string all;
    for (const auto& one : registration.contacts)
        all += (all.empty() ? "" : " ") + one.id;
    return all;
}

} // namespace

TEST_CASE("a document keeps what it says", "[presence_reginfo]")
{
    const auto text =
        document("<registration aor='sip:bob@example.com' id=' a7 ' state='active'>"
                 "<contact id='76' state='active' event='shortened' duration-registered='7322' expires='50' "
                 "q='0.8' callid='a&amp;b@c' cseq='12' retry-after='3'>"
                 "<uri> sip:bob@pc887.example.com;x=&lt;y&gt; </uri><display-name xml:lang='en'>B \xc3\xb6 "
                 "b</display-name><unknown-param name='+sip.instance'>\"&lt;urn:uuid:1&gt;\"</unknown-param>"
                 "<other xmlns='urn:other'/></contact>"
                 "<contact id='77' state='terminated' event='expired'><uri>sip:bob@gone</uri></contact>"
                 "</registration>"
                 "<registration aor='sip:joe@example.com' id='a8' state='init'/>"
                 "<other xmlns='urn:other'/>");
    const auto all = read(text);
    REQUIRE(all.size() == 2);
    REQUIRE(all[0].contacts.size() == 2);
    const Contact& c = all[0].contacts[0];
    CHECK(all[0].aor == "sip:bob@example.com");
    CHECK(all[0].id == "a7");
    CHECK(c.uri == "sip:bob@pc887.example.com;x=<y>");
    CHECK(c.event == ContactEvent::shortened);
    CHECK(c.expires_at == now + 50);
    CHECK(c.registered_since == now - 7322);
    CHECK(c.q == "0.8");
    CHECK(c.call_id == "a&b@c");
    CHECK(c.cseq == 12U);
    CHECK(c.retry_after == 3U);
    CHECK(c.display_name == "B \xc3\xb6 b");
    CHECK(c.display_lang == "en");
    REQUIRE(c.unknown_params.size() == 1);
    CHECK(c.unknown_params[0].second == "\"<urn:uuid:1>\"");
    CHECK(all[0].contacts[1].state == ContactState::terminated);
    CHECK(state_of(all[0]) == RegistrationState::active);
    CHECK(all[1].state == RegistrationState::init);

    CHECK(write(all, now + 20) ==
          "<?xml version=\"1.0\"?>\n"
          "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"5\" state=\"full\">\n"
          "  <registration aor=\"sip:bob@example.com\" id=\"a7\" state=\"active\">\n"
          "    <contact id=\"76\" state=\"active\" event=\"shortened\" expires=\"30\" retry-after=\"3\" "
          "duration-registered=\"7342\" q=\"0.8\" callid=\"a&amp;b@c\" cseq=\"12\">\n"
          "      <uri>sip:bob@pc887.example.com;x=&lt;y&gt;</uri>\n"
          "      <display-name xml:lang=\"en\">B \xc3\xb6 b</display-name>\n"
          "      <unknown-param name=\"+sip.instance\">\"&lt;urn:uuid:1&gt;\"</unknown-param>\n"
          "    </contact>\n"
          "    <contact id=\"77\" state=\"terminated\" event=\"expired\" expires=\"0\">\n"
          "      <uri>sip:bob@gone</uri>\n"
          "    </contact>\n"
          "  </registration>\n"
          "  <registration aor=\"sip:joe@example.com\" id=\"a8\" state=\"init\"/>\n"
          "</reginfo>\n");
    // What was written reads as what it was.
    auto again = read(write(all));
    again[0].contacts[1].expires_at = 0;
    CHECK(again == all);
    CHECK(write_reginfo({}, now).after == "\" state=\"full\">\n</reginfo>\n");
}

TEST_CASE("what is no reginfo is refused", "[presence_reginfo]")
{
    std::string many;
    for (int i = 0; i <= 1000; ++i)
        many += contact("c" + std::to_string(i));
    const struct {
        const char* story;
        std::string text;
    } rows[] = {
        {"nothing", ""},
        {"no XML", "Messages-Waiting: yes"},
        {"not well-formed", "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' state='full'>"},
        {"another root", "<dialog-info xmlns='urn:ietf:params:xml:ns:reginfo' state='full'/>"},
        {"another namespace", "<reginfo xmlns='urn:other' state='full'/>"},
        {"no state", "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='0'/>"},
        {"a state of its own", document("", "some")},
        {"an external entity", "<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + document("&x;")},
        {"a registration without aor", document("<registration id='a' state='init'/>")},
        {"a registration without id", document("<registration aor='sip:a@b' state='init'/>")},
        {"a registration in no state", document("<registration aor='sip:a@b' id='a' state='x'/>")},
        {"one aor twice", document(registration("") + registration(""))},
        {"a contact without id", document(registration("<contact state='active' event='registered'/>"))},
        {"a contact in no state", document(registration(contact("1", "init")))},
        {"a contact of no event", document(registration(contact("1", "active", "moved")))},
        {"a contact without URI",
         document(registration("<contact id='1' state='active' event='registered'/>"))},
        {"an id twice", document(registration(contact("1") + contact("1")))},
        {"expires that is no number",
         document(registration(contact("1", "active", "registered", "expires='x'")))},
        {"a negative cseq", document(registration(contact("1", "active", "registered", "cseq='-1'")))},
        {"more contacts than anybody has", document(registration(many))},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK_FALSE(parse_reginfo(row.text, now, {}));
    }
    const auto huge =
        read(document(registration(contact("1", "active", "registered", "expires='99999999999999999999'"))));
    CHECK(huge[0].contacts[0].expires_at == now + UINT32_MAX);
}

TEST_CASE("a document of partial state changes the one before", "[presence_reginfo]")
{
    const auto first =
        read(document(registration(contact("1") + contact("2") + contact("3", "terminated", "expired")) +
                      registration(contact("9"), "sip:joe@example.com")));
    const auto second = read(
        document(registration(contact("2", "terminated", "unregistered") + contact("4")), "partial"), first);
    REQUIRE(second.size() == 2);
    CHECK(ids(second[0]) == "1 2 4"); // 3 had been told to be over
    CHECK(second[0].contacts[1].state == ContactState::terminated);
    CHECK(ids(second[1]) == "9");
    CHECK(ids(read(document(registration(contact("5"))), second)[0]) == "5"); // full: what was before is over
    CHECK(ids(read(document(registration(contact("5")), "partial"))[0]) == "5");
}

TEST_CASE("what strangers write stays well-formed", "[presence_reginfo]")
{
    Registration registration{"sip:\"<&>'\x01\xff@example.com", "a\"b", RegistrationState::active, {}};
    Contact contact;
    contact.id = "\"<x>\r\n";
    contact.uri = "sip:a@b]]>&\x02";
    contact.q = "\"/>";
    contact.display_name = "</contact>";
    contact.display_lang = "\">";
    contact.unknown_params = {{"\"", "<>"}};
    registration.contacts.push_back(contact);
    const Registration all[] = {registration};
    const auto text = write(all);
    INFO(text);
    CHECK(xml::check(text));
    CHECK(read(text)[0].contacts.size() == 1);
}
