// modules/textops/textops_test.cpp - what is asked of the message, and what leaves after the changes
#include "core/sip/build.h"
#include "core/sip/edits.h"
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

namespace sipyard::textops {
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

TEST_CASE("questions", "[textops]")
{
    const struct {
        const char* story;
        const char* question;
        bool expected;
    } rows[] = {
        {"the method", "is_method(\"BYE|INVITE\")", true},
        {"another", "is_method(\"BYE|ACK\")", false},
        {"a header", "is_present_hf(\"x-a\")", true},
        {"no header", "is_present_hf(\"X-B\")", false},
        {"by pattern", "is_present_hf_re(\"^X-\")", true},
        {"in the message", "search(\"HELLO w\")", true},
        {"in the body", "search_body(\"Alice\")", false},
        {"any header", "search_hf(\"X-A\", \"^two\", \"a\")", true},
        {"the first", "search_hf(\"X-A\", \"^two\", \"f\")", false},
        {"the last", "search_hf(\"X-A\", \"^two\", \"l\")", true},
        {"a body", "has_body()", true},
        {"of that type", "has_body(\"text/plain\")", true},
        {"of another", "has_body(\"application/sdp\")", false},
        {"a prefix", "starts_with(\"$var(u)\", \"bo\")", true},
        {"a suffix", "ends_with(\"$var(u)\", \"bo\")", false},
        {"a part", "str_find(\"$var(u)\", \"o\")", true},
        {"equal but for case", "cmp_istr(\"$var(u)\", \"BOB\") && !cmp_str(\"$var(u)\", \"BOB\")", true},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.question);
        Loaded f{format("$var(u) = \"bob\"; if ({}) return 5; return 6;", row.question)};
        CHECK(f.script.run(with_body()).code == (row.expected ? 5 : 6));
    }
}

TEST_CASE("changes leave with the message and stay invisible before", "[textops]")
{
    const struct {
        const char* story;
        const char* body;
        const char* has;
        const char* lacks;
        int code;
    } rows[] = {
        {"appended, not yet seen",
         "append_hf(\"X-N: $var(u)\\r\\n\"); if (is_present_hf(\"X-N\")) return 9; return 1;", "X-N: bob\r\n",
         nullptr, 1},
        {"after a header", "append_hf(\"X-N: 1\\r\\n\", \"From\"); return $rc;", "tag=a1\r\nX-N: 1\r\n",
         nullptr, 1},
        {"no header", "append_hf(\"nonsense\"); return $rc;", "SIP/2.0\r\nVia", "nonsense", -1},
        {"a body smuggled in", "append_hf(\"X: 1\\r\\n\\r\\nbody\\r\\n\"); return $rc;", "SIP/2.0\r\nVia",
         "X: 1", -1},
        {"inserted first", "insert_hf(\"X-N: 1\\r\\n\"); return $rc;", "SIP/2.0\r\nX-N: 1\r\n", nullptr, 1},
        {"all removed", "remove_hf(\"X-A\"); return $rc;", "SIP/2.0", "X-A", 1},
        {"nothing to remove", "remove_hf(\"X-B\"); return $rc;", "X-A", nullptr, -1},
        {"removed by pattern", "remove_hf_re(\"^X-\"); return $rc;", "Supported", "X-A", 1},
        {"the first match", "replace_body(\"o\", \"0\"); return $rc;", "hell0 world", nullptr, 1},
        {"every match", "replace_body_all(\"o\", \"0\"); return $rc;", "hell0 w0rld", nullptr, 1},
        {"a substitution", "subst_body(\"/(w[a-z]+)/<\\1 $var(u)>/\"); return $rc;", "hello <world bob>",
         nullptr, 1},
        {"no match", "subst_body(\"/xyz/a/\"); return $rc;", "hello world", nullptr, -1},
        {"a header's value", "subst_hf(\"X-A\", \"/t(.)o/T\\1O/\", \"a\"); return $rc;", "X-A: TwO", nullptr,
         1},
        {"the request URI, at once",
         "subst_uri(\"/bob/rob/\"); if (uri =~ \"^sip:rob@\") return 4; return 5;", "SIP/2.0", nullptr, 4},
        {"its user", "subst_user(\"/b$/B/\"); if (uri == \"sip:boB@example.com\") return 4; return 5;",
         "SIP/2.0", nullptr, 4},
        {"another body", "set_body(\"bye\", \"text/x\"); return $rc;", "\r\n\r\nbye", "hello", 1},
        {"no body", "remove_body(); return $rc;", "Content-Length: 0", "hello", 1},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loaded f{format("$var(u) = \"bob\"; {}", row.body)};
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

} // namespace sipyard::textops
