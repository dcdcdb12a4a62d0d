// modules/sl/sl_test.cpp - replies without a transaction
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

namespace sipyard::sl {
namespace {

using test::Loaded;

} // namespace

TEST_CASE("a reply leaves, or the script is told", "[sl]")
{
    const struct {
        const char* story;
        const char* body;
        int code;
        const char* reason;
        int rc;
    } rows[] = {
        {"stateless", "sl_send_reply(\"404\", \"Not here\"); return $rc;", 404, "Not here", 1},
        {"a number and a variable", "$var(u) = \"bob\"; sl_send_reply(486, \"busy $var(u)\"); return $rc;",
         486, "busy bob", 1},
        {"with or without transaction", "send_reply(\"200\", \"OK\"); return $rc;", 200, "OK", 1},
        {"no status", "send_reply(\"99\", \"x\"); return $rc;", 0, "", -1},
        {"no status above", "send_reply(\"700\", \"x\"); return $rc;", 0, "", -1},
        {"an error nobody set", "send_reply_error(); return $rc;", 500, "Internal Server Error", 1},
        {"a second final reply", "send_reply(\"200\", \"OK\"); send_reply(\"404\", \"x\"); return $rc;", 200,
         "OK", -1},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loaded f{row.body};
        CHECK(f.script.run().code == row.rc);
        REQUIRE(f.host.responder.replies.size() == (row.code ? 1 : 0));
        if (row.code != 0) {
            CHECK(f.host.responder.replies[0].code == row.code);
            CHECK(f.host.responder.replies[0].reason == row.reason);
        }
    }
}

TEST_CASE("the last internal error is the reply", "[sl]")
{
    Loaded f{"send_reply_error();"};
    test::Messenger message{f.host, test::sample_request()};
    message->last_error = 478;
    (void)f.script.engine().run_request(*message);
    CHECK(f.host.responder.last_code() == 478);
    CHECK(f.host.counted("sl", "4xx_replies") == 1);
}

TEST_CASE("the script hears of a reply", "[sl]")
{
    Loaded f{"request_route { sl_send_reply(\"404\", \"x\"); }\nevent_route[sl:local-response] { $var(heard) "
             "= 1; }"};
    f.script.run();
    CHECK(f.script.value("$var(heard)") == "1");
}

} // namespace sipyard::sl
