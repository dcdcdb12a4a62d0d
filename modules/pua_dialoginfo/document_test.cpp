// modules/pua_dialoginfo/document_test.cpp - documents of both sides, addresses and names as scripts and
// phones write them
#include "modules/pua_dialoginfo/document.h"

#include "test/support/catch.h"

using Catch::Matchers::Contains;

namespace sipyard::pua_dialoginfo {

namespace {

About sample()
{
    About about;
    about.id = "u1";
    about.call_id = "c1@x";
    about.caller_tag = "a";
    about.caller_contact = "sip:alice@192.0.2.1:5062";
    about.caller = {"sip:alice@example.com", "Alice \"A\" <x>"};
    about.callee = {"sip:bob@example.com", "Bob"};
    return about;
}
Leg leg()
{
    Leg one;
    one.number = 2;
    one.tag = "b";
    one.contact = "sip:bob@192.0.2.2;transport=tcp";
    return one;
}

} // namespace

TEST_CASE("both sides of a call as documents", "[pua_dialoginfo]")
{
    const About about = sample();
    const Leg bob = leg();
    const News ringing{Side::callee, 2, sip::DialogState::early};
    CHECK(document(about, ringing, &bob, about.callee, {}) ==
          "<?xml version=\"1.0\"?>\n"
          "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" state=\"full\" "
          "entity=\"sip:bob@example.com\">\n"
          "  <dialog id=\"u1.2\" call-id=\"c1@x\" local-tag=\"b\" remote-tag=\"a\" direction=\"recipient\">\n"
          "    <state>early</state>\n"
          "    <local>\n"
          "      <identity display=\"Bob\">sip:bob@example.com</identity>\n"
          "      <target uri=\"sip:bob@192.0.2.2;transport=tcp\"/>\n"
          "    </local>\n"
          "    <remote>\n"
          "      <identity display=\"Alice &quot;A&quot; &lt;x&gt;\">sip:alice@example.com</identity>\n"
          "      <target uri=\"sip:alice@192.0.2.1:5062\"/>\n"
          "    </remote>\n"
          "  </dialog>\n"
          "</dialog-info>\n");
    const News over{Side::caller, -1, sip::DialogState::terminated, sip::DialogEvent::rejected, 486};
    const std::string of_caller = document(about, over, &bob, about.caller, {});
    CHECK_THAT(of_caller, Contains("<dialog id=\"u1\" call-id=\"c1@x\" local-tag=\"a\" remote-tag=\"b\" "
                                   "direction=\"initiator\">") &&
                              Contains("<state event=\"rejected\" code=\"486\">terminated</state>"));
}

TEST_CASE("what a document tells is chosen", "[pua_dialoginfo]")
{
    const About about = sample();
    const Leg bob = leg();
    const News ringing{Side::callee, 2, sip::DialogState::early};
    CHECK_THAT(document(about, ringing, &bob, about.callee, {.callid = false}), !Contains("call-id"));
    CHECK_THAT(document(about, ringing, &bob, about.callee, {.tags = false}), !Contains("-tag"));
    CHECK_THAT(document(about, ringing, &bob, about.callee, {.localremote = false}),
               !Contains("<local>") && !Contains("<remote>"));
    CHECK_THAT(document(about, ringing, &bob, about.callee, {.each_branch = false}), Contains("id=\"u1\""));
    const Identity nameless{"sip:b%6fb@example.com", ""};
    CHECK_THAT(document(about, ringing, &bob, nameless, {.display_user = true}), Contains("display=\"bob\""));
    CHECK_THAT(document(about, ringing, nullptr, about.callee, {}), // nobody rang: call the address
               Contains("<target uri=\"sip:bob@example.com\"/>") && !Contains("local-tag"));
    About hidden = about;
    hidden.hide_remote = true;
    CHECK_THAT(document(hidden, ringing, &bob, about.callee, {}), Contains("privacy"));
    CHECK_THAT(document(hidden, {Side::caller}, &bob, about.caller, {}), !Contains("privacy"));
    About renamed = about;
    renamed.local_identity = "sip:line2@example.com";
    CHECK_THAT(document(renamed, ringing, &bob, about.callee, {}),
               Contains("<identity>sip:line2@example.com</identity>") &&
                   Contains("entity=\"sip:bob@example.com\""));
}

TEST_CASE("whose an URI is", "[pua_dialoginfo]")
{
    const struct {
        const char* uri;
        const char* expected;
    } rows[] = {
        {"sip:bob@example.com", "sip:bob@example.com"},
        {"sip:bob@example.com:5070;user=phone?X=y", "sip:bob@example.com:5070"},
        {"sips:bob:pw@example.com", "sips:bob@example.com"},
        {"sip:[2001:db8::1]", ""},
        {"sip:bob@[2001:db8::1]", "sip:bob@[2001:db8::1]"},
        {"sip:example.com", ""},
        {"tel:+123", ""},
        {"", ""},
        {"sip:bob@exa mple.com", ""},
    };
    for (const auto& row : rows) {
        INFO(row.uri);
        CHECK(address_of(row.uri) == row.expected);
    }
}

TEST_CASE("names and URIs as scripts write them", "[pua_dialoginfo]")
{
    const struct {
        const char* text;
        Identity expected;
    } rows[] = {
        {"\"Bob \\\"B\\\"\" <sip:bob@example.com;x=y>", {"sip:bob@example.com", "Bob \"B\""}},
        {"Bob B <sip:bob@example.com>", {"sip:bob@example.com", "Bob B"}},
        {" sip:bob@example.com ", {"sip:bob@example.com", ""}},
        {"<sip:bob@example.com>", {"sip:bob@example.com", ""}},
        {"bob", {"", ""}},
        {"", {"", ""}},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const Identity read = identity_from(row.text);
        CHECK(read.uri == row.expected.uri);
        CHECK(read.display == row.expected.display);
        if (!read.uri.empty())
            CHECK(identity_from(to_text(read)) == read);
    }
}

TEST_CASE("who asks not to be shown", "[pua_dialoginfo]")
{
    CHECK(asks_for_privacy("id"));
    CHECK(asks_for_privacy("critical; Id"));
    CHECK(asks_for_privacy("user"));
    CHECK(asks_for_privacy("header;session"));
    CHECK_FALSE(asks_for_privacy("none"));
    CHECK_FALSE(asks_for_privacy("session"));
    CHECK_FALSE(asks_for_privacy(""));
}

} // namespace sipyard::pua_dialoginfo
