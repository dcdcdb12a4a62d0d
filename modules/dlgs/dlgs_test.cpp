// modules/dlgs/dlgs_test.cpp - calls counted by the script
#include "core/json/value.h"
#include "core/module/module.h"
#include "core/sip/message.h"
#include "modules/dlgs/calls.h"
#include "test/support/catch.h"
#include "test/support/fake_tm.h"
#include "test/support/run_script.h"

extern "C" const sipyard::ModuleEntry* sipyard_module();

namespace sipyard::dlgs {
namespace {

Call call_of(std::string_view id, std::string_view src = "alice", std::string_view dst = "bob",
             std::string_view data = "trunk-1")
{
    Call call;
    call.call_id = id, call.src = src, call.dst = dst, call.data = data, call.from_tag = "A";
    return call;
}

} // namespace

TEST_CASE("what moves a counted call", "[dlgs]")
{
    const struct {
        State from;
        Event event;
        State to;
    } rows[] = {
        {State::init, Event::provisional, State::progress},
        {State::progress, Event::provisional, State::progress},
        {State::init, Event::answered, State::answered},
        {State::progress, Event::answered, State::answered},
        {State::progress, Event::refused, State::notanswered},
        {State::progress, Event::cancel, State::notanswered},
        {State::notanswered, Event::answered, State::answered},
        {State::answered, Event::refused, State::answered},
        {State::answered, Event::ack, State::confirmed},
        {State::answered, Event::bye, State::terminated},
        {State::confirmed, Event::bye, State::terminated},
        {State::init, Event::bye, State::init},
        {State::terminated, Event::answered, State::terminated},
        {State::confirmed, Event::cancel, State::confirmed},
    };
    for (const auto& row : rows) {
        INFO(static_cast<int>(row.from) << " " << static_cast<int>(row.event));
        CHECK(next(row.from, row.event) == row.to);
    }
}

TEST_CASE("filters", "[dlgs]")
{
    const Call call = call_of("c1", "sip:alice@example.org");
    const struct {
        const char *field, *op, *value;
        bool takes;
    } rows[] = {
        {"any", "eq", "x", true},          {"src", "eq", "sip:alice@example.org", true},
        {"src", "eq", "sip:alice", false}, {"src", "ne", "sip:alice", true},
        {"src", "sw", "sip:alice@", true}, {"src", "re", "^sip:a.*org$", true},
        {"dst", "re", "^x", false},        {"data", "fm", "trunk-?", true},
        {"data", "fm", "trunk", false},
    };
    for (const auto& row : rows) {
        INFO(row.field << " " << row.op << " " << row.value);
        CHECK(Filter::make(row.field, row.op, row.value)->takes(call) == row.takes);
    }
    CHECK_FALSE(Filter::make("who", "eq", ""));
    CHECK_FALSE(Filter::make("src", "like", ""));
    CHECK_FALSE(Filter::make("src", "re", "(("));
}

TEST_CASE("calls are kept for their time", "[dlgs]")
{
    Calls calls{4, 3};
    const Lifetimes lives{180, 10'800, 10};
    CHECK(calls.add(call_of("c1")));
    CHECK_FALSE(calls.add(call_of("c1")));
    CHECK(calls.add(call_of("c2")));
    CHECK(calls.add(call_of("c3")));
    CHECK_FALSE(calls.add(call_of("c4"))); // full
    CHECK(calls.apply("c2", "A", "B", Event::answered, 5));
    CHECK(calls.apply("c2", "A", "B", Event::ack, 6));
    CHECK(calls.apply("c3", "A", "B", Event::refused, 7));
    CHECK_FALSE(calls.apply("c2", "X", "B", Event::bye, 7)); // not of this dialog
    CHECK(calls.count(*Filter::make("any", "eq", "")) == 2);
    calls.sweep(lives, 17);
    CHECK(calls.size() == 2);
    calls.sweep(lives, 180);
    CHECK(calls.size() == 1);
    CHECK(calls.apply("c2", "B", "A", Event::bye, 200));
    CHECK(calls.count(*Filter::make("any", "eq", "")) == 0);
    calls.sweep(lives, 210);
    CHECK(calls.size() == 0);
    CHECK(calls.final()[static_cast<std::size_t>(State::terminated)] == 1);
}

TEST_CASE("tags", "[dlgs]")
{
    Calls calls{4, 10};
    calls.add(call_of("c1"));
    calls.add(call_of("c2"));
    CHECK(calls.add_tag("c1", "x"));
    CHECK(calls.add_tag("c1", "x"));
    CHECK(calls.add_tag("c2", "x"));
    CHECK_FALSE(calls.add_tag("c9", "x"));
    CHECK(calls.count_tags("x") == 2);
    CHECK(calls.remove_tag("c1", "x"));
    CHECK_FALSE(calls.remove_tag("c1", "x"));
    CHECK(calls.count_tags("x") == 1);
    for (int n = 0; n < 200; ++n)
        (void)calls.add_tag("c2", format("t{}", n));
    CHECK(calls.find("c2")->tags.size() == Calls::most_tags);
}

TEST_CASE("the script counts calls", "[dlgs]")
{
    for (const bool with_tm : {false, true}) {
        INFO(with_tm);
        test::FakeHost host;
        test::FakeTm tm;
        if (with_tm)
            host.offer<tm::Api>(tm);
        test::ScriptFixture script{host, {sipyard_module()->manifest()}};
        const bool loaded = script.load(
            "loadmodule \"dlgs.so\"\nrequest_route {\n"
            "if (method == \"INVITE\") {\n"
            "    if (!dlgs_init(\"alice\", \"bob\", \"d\") || !dlgs_tags_add(\"t\")) exit;\n"
            "    if ($dlgs(src) != \"alice\") exit;\n"
            "    return dlgs_count(\"src\", \"eq\", \"alice\") + 10 * dlgs_tags_count(\"t\");\n}\n"
            "dlgs_update();\ndlgs_count(\"any\", \"eq\", \"*\");\nreturn $rc;\n}\n");
        INFO(script.errors());
        REQUIRE(loaded);
        const auto run = [&](std::string_view method) {
            std::string text = test::sample_request(method);
            if (method != "INVITE")
                text.replace(text.find("To: <sip:bob@example.com>"), 25, "To: <sip:bob@example.com>;tag=b2");
            test::Messenger message{host, text};
            const int code = script.engine().run_request(*message).code;
            if (method == "INVITE" && with_tm) {
                CHECK(tm.begin_watching(*message) != 0);
                test::Messenger reply{host, test::sample_reply(200), Route::tm_reply};
                test::FakeTm::Told told;
                told.code = 200, told.reply = &*reply, told.to_tag = "b2";
                CHECK(tm.happen(tm::Moment::reply_next, *message, told) == 1);
            }
            return code;
        };
        const auto state = [&] {
            for (const auto& command : sipyard_module()->manifest().commands)
                if (command.name == "dlgs.list")
                    return (*command.run(script.module("dlgs"), json::Value::array()))[0]["state"].integer();
            return std::int64_t{-1};
        };
        CHECK(run("INVITE") == 11);
        if (with_tm) {
            CHECK(state() == 3);
            CHECK(run("ACK") == 1);
            CHECK(state() == 4);
            CHECK(run("BYE") == -1);
            CHECK(state() == 5);
        } else {
            CHECK(state() == 1);
            CHECK(run("CANCEL") == -1);
            CHECK(state() == 6);
        }
    }
}

} // namespace sipyard::dlgs
