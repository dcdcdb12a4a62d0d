// modules/siputils/siputils_test.cpp - questions and their answers
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

namespace sipyard::siputils {
namespace {

using test::Loaded;

} // namespace

TEST_CASE("true or false", "[siputils]")
{
    const struct {
        const char* story;
        const char* question;
        bool expected;
    } rows[] = {
        {"no To tag", "has_totag()", false},
        {"a request", "is_request()", true},
        {"no reply", "is_reply()", false},
        {"one Via", "is_first_hop()", true},
        {"digits", "is_numeric(\"0123\")", true},
        {"nothing is no number", "is_numeric(\"\")", false},
        {"a letter", "is_numeric(\"12a\")", false},
        {"letters and digits", "is_alphanum(\"a1\")", true},
        {"a dot", "is_alphanum(\"a.1\")", false},
        {"a dot allowed", "is_alphanumex(\"a.1\", \".\")", true},
        {"with a plus", "is_tel_number(\"+4930\")", true},
        {"plus in between", "is_tel_number(\"4+9\")", false},
        {"E.164", "is_e164(\"+493012345\")", true},
        {"no plus", "is_e164(\"493012345\")", false},
        {"too long", "is_e164(\"+1234567890123456\")", false},
        {"the user is one", "is_uri_user_e164(\"sip:+493012345@h\")", true},
        {"a URI", "is_uri(\"sip:a@b\")", true},
        {"none", "is_uri(\"hello\")", false},
        {"equal URIs", "cmp_uri(\"sip:a@B;transport=udp\", \"sip:a@b;transport=udp\")", true},
        {"another parameter", "cmp_uri(\"sip:a@b;transport=udp\", \"sip:a@b\")", false},
        {"equal AORs", "cmp_aor(\"sip:a@B;transport=udp\", \"sip:a@b\")", true},
        {"another user", "cmp_aor(\"sip:A@b\", \"sip:a@b\")", false},
        {"a parameter", "uri_param(\"x\")", true},
        {"its value", "uri_param(\"x\", \"1\")", true},
        {"another value", "uri_param(\"x\", \"2\")", false},
        {"no such parameter", "uri_param(\"y\")", false},
        {"stored", "get_uri_param(\"x\", \"$var(v)\") && $var(v) == \"1\"", true},
        {"added", "add_uri_param(\"z=2\") && uri_param(\"z\", \"2\")", true},
        {"a tel URI",
         "tel2sip(\"tel:+49-30-1\", \"h.example\", \"$var(v)\") && $var(v) == "
         "\"sip:+49301@h.example;user=phone\"",
         true},
        {"no credentials", "is_user(\"bob\")", false},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.question);
        Loaded f{format("if ({}) return 5; return 6;", row.question)};
        CHECK(f.script.run(test::sample_request("INVITE", "sip:bob@example.com;x=1")).code ==
              (row.expected ? 5 : 6));
    }
}

TEST_CASE("OPTIONS to the server is answered, to a user not", "[siputils]")
{
    Loaded f{"options_reply(); return $rc;"};
    CHECK(f.script.run(test::sample_request("OPTIONS", "sip:example.com")).code == 1);
    REQUIRE(f.host.responder.replies.size() == 1);
    CHECK(f.host.responder.replies[0].code == 200);
    CHECK(f.host.responder.replies[0].headers.find("Accept: */*\r\n") != std::string::npos);
    CHECK(f.script.run(test::sample_request("OPTIONS", "sip:bob@example.com")).code == -1);
    CHECK(f.script.run(test::sample_request("INVITE", "sip:example.com")).code == -1);
}

TEST_CASE("Date is near, far, absent or none", "[siputils]")
{
    const struct {
        const char* story;
        const char* header;
        int expected;
    } rows[] = {
        {"absent", "", -1},
        {"no date", "Date: yesterday\r\n", -2},
        {"far", "Date: Thu, 01 Jan 2015 00:00:00 GMT\r\n", -3},
        {"now", "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n", 1},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loaded f{"hdr_date_check(\"60\"); return $rc;"};
        CHECK(f.script.run(test::sample_request("INVITE", "sip:bob@example.com", row.header)).code ==
              row.expected);
    }
}

} // namespace sipyard::siputils
