// modules/textopsx/textopsx_test.cpp - what is asked of the message, and what leaves after the changes
#include "core/sip/build.h"
#include "core/sip/edits.h"
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

namespace sipyard::textopsx {
namespace {

using test::Loaded;

} // namespace

namespace {
// The message as it would be sent after the script.
std::string sent(Loaded& f, std::string text, int* code = nullptr)
{
    test::Messenger message{f.host, std::move(text)};
    const auto verdict = f.script.engine().run_request(*message);
    if (code)
        *code = verdict.code;
    return std::string{sip::apply(message->message(), message->edits(), message->arena())};
}
std::string with_body()
{
    std::string text =
        test::sample_request("INVITE", "sip:bob@example.com",
                             "X-A: one\r\nX-A: two\r\nSupported: path, gruu\r\nContent-Type: text/plain\r\n");
    text.replace(text.find("Content-Length: 0"), 17, "Content-Length: 11");
    return text + "hello world";
}
} // namespace

TEST_CASE("values of list headers", "[textopsx]")
{
    const struct {
        const char* story;
        const char* body;
        const char* has;
        const char* lacks;
        int code;
    } rows[] = {
        {"there already", "include_hf_value(\"Supported\", \"PATH\"); return $rc;",
         "Supported: path, gruu\r\n", "PATH", 1},
        {"included", "include_hf_value(\"Supported\", \"timer\"); return $rc;",
         "Supported: path, gruu, timer\r\n", nullptr, 1},
        {"a new header", "append_hf_value(\"Require\", \"x\"); return $rc;", "Require: x\r\n", nullptr, 1},
        {"at the start", "insert_hf_value(\"Supported\", \"a\"); return $rc;", "Supported: a, path, gruu\r\n",
         nullptr, 1},
        {"the first excluded", "exclude_hf_value(\"Supported\", \"path\"); return $rc;",
         "Supported: gruu\r\n", "path", 1},
        {"the last excluded", "exclude_hf_value(\"Supported\", \"gruu\"); return $rc;", "Supported: path\r\n",
         "gruu", 1},
        {"the only one excluded", "exclude_hf_value(\"X-A\", \"one\"); return $rc;", "X-A: two\r\n",
         "X-A: one", 1},
        {"not there", "exclude_hf_value(\"Supported\", \"x\"); return $rc;", "Supported: path, gruu\r\n",
         nullptr, -1},
        {"asked", "hf_value_exists(\"Supported\", \"gruu\"); return $rc;", "SIP/2.0", nullptr, 1},
        {"assigned", "assign_hf_value(\"Supported\", \"x\"); return $rc;", "Supported: x\r\n", "path", 1},
        {"removed", "remove_hf_value(\"Supported\"); return $rc;", "SIP/2.0", "Supported", 1},
        {"what can be missed goes", "keep_hf(); return $rc;", "Max-Forwards", "X-A", 1},
        {"but for the pattern", "keep_hf(\"^x-\"); return $rc;", "X-A", "Supported", 1},
        {"the body", "remove_body(); return $rc;", "Content-Length: 0", "hello", 1},
        {"applied and seen",
         "append_hf_value(\"Require\", \"x\"); msg_apply_changes(); if (hf_value_exists(\"Require\", \"x\")) "
         "return 8;"
         "return 9;",
         "Require: x\r\n", nullptr, 8},
        {"the new URI is the original one",
         "rewriteuri(\"sip:rob@example.com\"); msg_apply_changes(); revert_uri(); if (uri =~ \"^sip:rob@\") "
         "return 8; return 9;",
         "INVITE sip:rob@example.com", nullptr, 8},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loaded f{row.body};
        int code = 0;
        const auto text = sent(f, with_body(), &code);
        INFO(text);
        CHECK(code == row.code);
        CHECK(text.find(row.has) != std::string::npos);
        if (row.lacks) {
            CHECK(text.find(row.lacks) == std::string::npos);
        }
    }
}

TEST_CASE("a reply's status stays in its class of finality", "[textopsx]")
{
    const struct {
        const char* story;
        const char* change;
        int expected;
    } rows[] = {
        {"final to final", "change_reply_status(\"404\", \"x\")", 1},
        {"final to provisional", "change_reply_status(\"180\", \"x\")", -1},
        {"no status", "change_reply_status(\"1000\", \"x\")", -1},
        {"a line end in the reason", "change_reply_status(\"404\", \"x\\r\\nEvil: 1\")", -1},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        test::FakeHost host;
        test::ScriptFixture script{host, {sipyard_module()->manifest()}};
        const bool loaded = script.load(
            format("loadmodule \"textopsx.so\"\nrequest_route {{ ; }}\nreply_route {{\n{}; return $rc;\n}}\n",
                   row.change));
        INFO(script.errors());
        REQUIRE(loaded);
        test::Messenger message{host, test::sample_reply(), Route::core_reply};
        CHECK(script.engine().run_reply(*message).verdict.code == row.expected);
    }
}

} // namespace sipyard::textopsx
