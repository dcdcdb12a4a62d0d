// modules/maxfwd/maxfwd_test.cpp - Max-Forwards lowered, added, refused
#include "core/sip/build.h"
#include "core/sip/edits.h"

#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

namespace sipyard::maxfwd {
namespace {

using test::Loaded;

} // namespace

TEST_CASE("what mf_process_maxfwd_header answers", "[maxfwd]")
{
    const struct {
        const char* story;
        const char* header;
        int expected;
        const char* sent;
    } rows[] = {
        {"a usual request", "Max-Forwards: 70\r\n", 1, "Max-Forwards: 69\r\n"},
        {"the last hop", "Max-Forwards: 1\r\n", 1, "Max-Forwards: 0\r\n"},
        {"no hop left", "Max-Forwards: 0\r\n", -1, "Max-Forwards: 0\r\n"},
        {"larger than the limit", "Max-Forwards: 200\r\n", 1, "Max-Forwards: 70\r\n"},
        {"missing", "", 2, "Max-Forwards: 10\r\n"},
        {"no number", "Max-Forwards: many\r\n", -2, "Max-Forwards: many\r\n"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loaded f{"mf_process_maxfwd_header(\"10\"); return $rc;"};
        std::string text = test::sample_request("INVITE", "sip:bob@example.com");
        text.replace(text.find("Max-Forwards: 70\r\n"), 18, row.header);
        test::Messenger message{f.host, text};
        CHECK(f.script.engine().run_request(*message).code == row.expected);
        const auto sent = sip::apply(message->message(), message->edits(), message->arena());
        CHECK(sent.find(row.sent) != std::string_view::npos);
    }
}

TEST_CASE("is_maxfwd_lt compares what is there", "[maxfwd]")
{
    Loaded f{"if (is_maxfwd_lt(71) && !is_maxfwd_lt(70)) return 5; return 6;"};
    CHECK(f.script.run().code == 5);
}

} // namespace sipyard::maxfwd
