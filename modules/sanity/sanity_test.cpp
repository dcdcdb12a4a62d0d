// modules/sanity/sanity_test.cpp - flaws and what the script does with them
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

namespace sipyard::sanity {
namespace {

using test::Loaded;

} // namespace

TEST_CASE("a flaw is answered with its reply", "[sanity]")
{
    const struct {
        const char* story;
        const char* what;
        const char* with;
        int code;
    } rows[] = {
        {"nothing is wrong", "", "", 0},
        {"another SIP version", "SIP/2.0\r\nVia", "SIP/3.0\r\nVia", 505},
        {"a scheme nobody knows", "INVITE sip:bob@example.com", "INVITE nosuch:bob", 416},
        {"CSeq of another method", "CSeq: 1 INVITE", "CSeq: 1 BYE", 400},
        {"CSeq without number", "CSeq: 1 INVITE", "CSeq: x INVITE", 400},
        {"a body that is not there", "Content-Length: 0", "Content-Length: 40", 400},
        {"an extension we lack", "Max-Forwards: 70", "Max-Forwards: 70\r\nProxy-Require: foo", 420},
        {"Expires without number", "Max-Forwards: 70", "Max-Forwards: 70\r\nExpires: soon", 400},
        {"a request URI that is none", "INVITE sip:bob@example.com", "INVITE sip:@@", 400},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loaded f{"sanity_check(\"18407\", \"7\"); return 7;", ""};
        std::string text = test::sample_request();
        if (row.what[0] != '\0')
            text.replace(text.find(row.what), std::string_view{row.what}.size(), row.with);
        const int code = f.script.run(text).code;
        CHECK(f.host.responder.last_code() == row.code);
        CHECK(code == (row.code == 0 ? 7 : 0));
    }
}

TEST_CASE("the script may go on, and answer itself", "[sanity]")
{
    Loaded f{"sanity_check(); $var(rc) = $rc; sanity_reply();",
             "modparam(\"sanity\", \"autodrop\", 0)\nmodparam(\"sanity\", \"noreply\", 1)"};
    f.script.run(test::sample_request("INVITE", "sip:bob@example.com", "Proxy-Require: foo\r\n"));
    CHECK(f.script.value("$var(rc)") == "-1");
    CHECK(f.host.responder.last_code() == 420);
    CHECK(f.host.counted("sanity", "failed") == 1);
}

TEST_CASE("an ACK is never answered", "[sanity]")
{
    Loaded f{"sanity_check();"};
    f.script.run(test::sample_request("ACK", "sip:bob@example.com", "Proxy-Require: foo\r\nExpires: x\r\n"));
    CHECK(f.host.responder.replies.empty());
}

} // namespace sipyard::sanity
