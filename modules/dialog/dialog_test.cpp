// modules/dialog/dialog_test.cpp - a call followed: states, forks, timeouts, BYE of our own, profiles,
// variables
#include "modules/dialog/routes.h"
#include "modules/dialog/state.h"
#include "modules/dialog/table.h"
#include "modules/dialog/test_support.h"

#include "core/json/value.h"

namespace sipyard::dialog {

TEST_CASE("what moves a dialog", "[dialog]")
{
    constexpr State un = State::unconfirmed, early = State::early, noack = State::confirmed_no_ack,
                    conf = State::confirmed, gone = State::deleted;
    const struct {
        Event event;
        State from_unconfirmed, from_early, from_no_ack, from_confirmed;
    } rows[] = {
        {Event::provisional, early, early, noack, conf},
        {Event::answered, noack, noack, noack, conf},
        {Event::refused, gone, gone, noack, conf},
        {Event::transaction_gone, gone, gone, noack, conf},
        {Event::ack, un, early, conf, conf},
        {Event::bye, un, early, gone, gone},
        {Event::timeout, gone, gone, gone, gone},
    };
    for (const auto& row : rows) {
        INFO(static_cast<int>(row.event));
        CHECK(next(un, row.event) == row.from_unconfirmed);
        CHECK(next(early, row.event) == row.from_early);
        CHECK(next(noack, row.event) == row.from_no_ack);
        CHECK(next(conf, row.event) == row.from_confirmed);
        CHECK(next(gone, row.event) == gone);
    }
}

TEST_CASE("the cookie is read as it is written", "[dialog]")
{
    CHECK(cookie(3943, 5462) == "76f.6551"); // as Kamailio writes these
    std::uint32_t entry = 1, id = 1;
    CHECK(read_cookie("76f.6551", entry, id));
    CHECK(entry == 3943);
    CHECK(id == 5462);
    for (const char* const bad : {"", ".", "1.", ".1", "x.1", "1.x", "123456789.1", "1", "1.2.3"}) {
        INFO(bad);
        CHECK_FALSE(read_cookie(bad, entry, id));
    }
}

TEST_CASE("route sets between the two sides", "[dialog]")
{
    const struct {
        const char* story;
        const char* routes;
        const char* uri;
        const char* lines;
    } rows[] = {
        {"none", "", "sip:b@192.0.2.9", ""},
        {"loose routers", "<sip:p1;lr>, <sip:p2;lr>", "sip:b@192.0.2.9",
         "Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n"},
        {"a strict router first", "<sip:p1>, <sip:p2;lr>", "sip:p1",
         "Route: <sip:p2;lr>\r\nRoute: <sip:b@192.0.2.9>\r\n"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const Way way = way_to("sip:b@192.0.2.9", row.routes);
        CHECK(way.request_uri == row.uri);
        CHECK(way.route_lines == row.lines);
    }
}

TEST_CASE("a call from INVITE to BYE", "[dialog]")
{
    Played p;
    CHECK(p.invite().code == 1);
    CHECK(p.rr.params == ";did=" + p.cookie());
    CHECK(p.state() == 1);
    p.replied(100);
    CHECK(p.state() == 1);
    p.replied(180);
    CHECK(p.state() == 2);
    p.replied(200);
    CHECK(p.state() == 3);
    p.within("ACK", 1);
    CHECK(p.state() == 4);
    const Dialog d = *p.dialog();
    CHECK(d.caller.contact == "sip:a@192.0.2.7:5070");
    CHECK(d.callee.contact == "sip:b@192.0.2.9:5080");
    CHECK(d.caller.routes == "<sip:p1.example.org;lr>");
    CHECK(d.callee.routes == "<sip:p2.example.com;lr>");
    CHECK(d.callee.tag == "B");
    p.within("INFO", 7, "B", "A");
    CHECK(p.dialog()->callee.cseq == 7);
    p.within("BYE", 8, "B", "A");
    CHECK(p.state() == 5);
    CHECK(p.host.counted("dialog", "active_dialogs") == 0);
    CHECK(p.host.counted("dialog", "processed_dialogs") == 1);
    CHECK(p.host.announced<DialogChanged>().size() == 5);
}

TEST_CASE("a call that is not answered", "[dialog]")
{
    SECTION("refused")
    {
        Played p;
        p.invite();
        p.replied(486);
        CHECK(p.state() == 5);
        CHECK(p.dialog()->code == 486);
        CHECK(p.host.counted("dialog", "failed_dialogs") == 1);
    }
    SECTION("its transaction ends without an answer")
    {
        Played p;
        p.invite();
        p.replied(180);
        p.tm.happen(tm::Moment::ended, nullptr);
        CHECK(p.state() == 5);
        CHECK(p.host.counted("dialog", "early_dialogs") == 0);
    }
    SECTION("the script makes no transaction")
    {
        Played p;
        {
            test::Messenger message{p.host, p.request("INVITE", 1, "A", "")};
            p.script->engine().run_request(*message);
            CHECK(p.state() == 1);
        }
        CHECK(p.state() == 0);
        CHECK(p.host.counted("dialog", "active_dialogs") == 0);
    }
}

TEST_CASE("the first 2xx of several forks is the dialog", "[dialog]")
{
    Played p;
    p.invite();
    p.replied(180, "B1");
    p.replied(180, "B2");
    p.replied(200, "B2");
    p.replied(200, "B1");
    CHECK(p.dialog("A", "B2")->callee.tag == "B2");
    // the caller ends the other
    p.within("BYE", 2, "A", "B1");
    CHECK(p.dialog("A", "B2")->state == State::confirmed_no_ack);
}

TEST_CASE("requests find their dialog by the match mode", "[dialog]")
{
    const struct {
        const char* story;
        int mode;
        const char* params;
        const char* to_tag;
        bool found;
    } rows[] = {
        {"by the cookie", 0, ";did=", "B", true},
        {"without the cookie", 0, ";lr", "B", false},
        {"a cookie and another's tags", 0, ";did=", "X", false},
        {"a forged cookie", 0, ";did=1.1", "B", false},
        {"a cookie that is none", 0, ";did=zz", "B", false},
        {"the tags help", 1, ";did=1.1", "B", true},
        {"tags alone", 2, ";lr", "B", true},
        {"tags alone, not these", 2, ";did=", "X", false},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Played p{format("modparam(\"dialog\", \"dlg_match_mode\", {})", row.mode)};
        p.answered();
        if (row.mode == 0)
            REQUIRE(p.state() == 4);
        const std::string params =
            std::string_view{row.params} == ";did=" ? ";did=" + p.cookie() : row.params;
        p.within("BYE", 2, "A", row.to_tag, params);
        CHECK((p.state() == 5) == row.found);
    }
}

TEST_CASE("a spiral stays one dialog", "[dialog]")
{
    Played p;
    p.invite();
    const auto first = p.begun.release();
    p.invite();
    CHECK(p.api->list(10).size() == 1);
    delete first;
    CHECK(p.api->list(10).size() == 1);
}

TEST_CASE("timeouts come at their time", "[dialog]")
{
    const std::string params =
        "modparam(\"dialog\", \"early_timeout\", 20)\nmodparam(\"dialog\", \"noack_timeout\", 30)\n"
        "modparam(\"dialog\", \"default_timeout\", 100)\n";
    SECTION("nobody answers")
    {
        Played p{params};
        p.host.start_workers();
        p.invite();
        p.host.advance(std::chrono::seconds{19});
        CHECK(p.state() == 1);
        p.host.advance(std::chrono::seconds{2});
        CHECK(p.state() == 5);
        p.host.advance(std::chrono::seconds{6});
        CHECK(p.state() == 0);
    }
    SECTION("no ACK")
    {
        Played p{params};
        p.host.start_workers();
        p.invite();
        p.replied(200);
        p.host.advance(std::chrono::seconds{29});
        CHECK(p.state() == 3);
        p.host.advance(std::chrono::seconds{2});
        CHECK(p.state() == 5);
    }
    SECTION("a long call; a sign of life prolongs it")
    {
        Played p{params};
        p.host.start_workers();
        p.answered();
        p.host.advance(std::chrono::seconds{90});
        p.within("UPDATE", 2);
        p.host.advance(std::chrono::seconds{90});
        CHECK(p.state() == 4);
        p.host.advance(std::chrono::seconds{11});
        CHECK(p.state() == 5);
        CHECK(p.tm.sent.empty());
        CHECK(p.host.counted("dialog", "expired_dialogs") == 1);
    }
    SECTION("unless it must not")
    {
        Played p{params +
                 "modparam(\"dialog\", \"timeout_noreset\", 1)\nmodparam(\"dialog\", \"send_bye\", 1)\n"};
        p.host.start_workers();
        p.answered();
        p.host.advance(std::chrono::seconds{90});
        p.within("UPDATE", 2);
        p.host.advance(std::chrono::seconds{11});
        CHECK(p.state() == 5);
        REQUIRE(p.tm.sent.size() == 2);
        CHECK(p.tm.sent[0]->uri == "sip:b@192.0.2.9:5080");
        CHECK(p.tm.sent[0]->cseq == 3);
        CHECK(p.tm.sent[1]->uri == "sip:a@192.0.2.7:5070");
    }
}

TEST_CASE("BYE both ways in the name of the other side", "[dialog]")
{
    Played p{"modparam(\"dialog\", \"dlg_extra_hdrs\", \"X-Why: over\\r\\n\")"};
    p.answered();
    const Dialog d = *p.dialog();
    CHECK_FALSE(p.api->terminate(d.entry, d.id + 1, Side::both, {}));
    CHECK(p.api->terminate(d.entry, d.id, Side::both, "X-More: 1\r\n"));
    REQUIRE(p.tm.sent.size() == 2);
    const auto &to_bob = *p.tm.sent[0], &to_alice = *p.tm.sent[1];
    CHECK(to_bob.method == "BYE");
    CHECK(to_bob.from == "<sip:alice@example.org>;tag=A");
    CHECK(to_bob.to == "<sip:bob@example.com>;tag=B");
    CHECK(to_bob.cseq == 2);
    CHECK(to_bob.headers == "Route: <sip:p2.example.com;lr>\r\nX-Why: over\r\nX-More: 1\r\n");
    CHECK(to_alice.from == "<sip:bob@example.com>;tag=B");
    CHECK(to_alice.cseq == 1);
    CHECK(to_alice.headers == "Route: <sip:p1.example.org;lr>\r\nX-Why: over\r\nX-More: 1\r\n");
    CHECK(p.state() == 5);
    CHECK_FALSE(p.api->terminate(d.entry, d.id, Side::both, {}));
    CHECK(p.tm.sent.size() == 2);
}

TEST_CASE("a side that does not answer keep-alives ends the call", "[dialog]")
{
    Played p{"modparam(\"dialog\", \"ka_timer\", 10)\nmodparam(\"dialog\", \"ka_interval\", 30)\n"
             "modparam(\"dialog\", \"ka_failed_limit\", 2)\n",
             "dlg_manage(); dlg_set_property(\"ka-dst\");"};
    p.host.start_workers();
    p.answered();
    p.host.advance(std::chrono::seconds{31});
    REQUIRE(p.tm.sent.size() == 1);
    CHECK(p.tm.sent[0]->method == "OPTIONS");
    CHECK(p.tm.sent[0]->cseq == 1); // a number that was used: the peers stay in step
    p.tm.answer(0, 408);
    CHECK(p.state() == 4);
    p.host.advance(std::chrono::seconds{30});
    REQUIRE(p.tm.sent.size() == 2);
    p.tm.answer(1, 481);
    CHECK(p.state() == 5);
    CHECK(p.tm.sent.size() == 4);
}

TEST_CASE("profiles count dialogs while they last", "[dialog]")
{
    Played p{
        "modparam(\"dialog\", \"profiles_with_value\", \"caller ; trunk\")\nmodparam(\"dialog\", "
        "\"profiles_no_value\", \"all\")\n",
        "dlg_manage(); set_dlg_profile(\"caller\", \"alice\"); set_dlg_profile(\"all\"); "
        "set_dlg_profile(\"nope\");\n"
        "if (!is_in_profile(\"caller\") || !is_in_profile(\"caller\", \"alice\") || "
        "is_in_profile(\"caller\", \"bob\")\n"
        "    || is_in_profile(\"trunk\")) exit;\n"
        "get_profile_size(\"caller\", \"alice\", \"$var(a)\"); get_profile_size(\"caller\", \"$var(b)\");\n"
        "get_profile_size(\"caller\", \"bob\", \"$var(c)\");\n"
        "return $var(a) * 100 + $var(b) * 10 + $var(c) + 1000;"};
    CHECK(p.invite().code == 1110);
    const auto size = [&](std::string_view params) {
        return p.script->module("dialog") && sipyard_module()
                                                     ->manifest()
                                                     .commands.at(11)
                                                     .run(p.script->module("dialog"), *json::parse(params))
                                                     ->integer() == 1;
    };
    CHECK(size("[\"caller\", \"alice\"]"));
    CHECK(size("[\"all\"]"));
    CHECK_FALSE(size("[\"caller\", \"bob\"]"));
    p.replied(486);
    CHECK_FALSE(size("[\"caller\", \"alice\"]"));
}

TEST_CASE("what a script sees and keeps", "[dialog]")
{
    Played p{"modparam(\"dialog\", \"dlg_flag\", 4)\n",
             "$dlg_ctx(timeout) = 77; $dlg_ctx(timeout_bye) = 1; $dlg_var(x) = \"before\"; setflag(4);\n"
             "return 1;"};
    p.invite();
    REQUIRE(p.state() == 1);
    const auto shown = [&](std::string_view text, const std::string& message) {
        test::Messenger m{p.host, message};
        return std::string{(*p.script->compile_format(text))->expand(*m)};
    };
    p.replied(200);
    p.within("ACK", 1);
    const std::string info = p.request("INFO", 2, "A", "B"), other = p.request("INFO", 2, "A", "Z");
    CHECK(shown("$dlg_var(x) $dlg(lifetime) $dlg_ctx(timeout_bye) $DLG_status $DLG_count", info) ==
          "before 77 1 4 1");
    CHECK(shown("$dlg(from_tag) $dlg(to_tag) $dlg(callid) $dlg(state) $dlg_ctx(dir)", info) == "A B c1 4 1");
    CHECK(shown("$dlg(to_contact) $dlg_ctx(dir)", p.request("INFO", 2, "B", "A")) ==
          "sip:b@192.0.2.9:5080 2");
    CHECK(shown("$dlg(state) $DLG_status $dlg_var(x)", other) == "<null> <null> <null>");
}

TEST_CASE("event routes are told", "[dialog]")
{
    std::vector<std::string> told;
    Played p;
    for (const char* const event : {"dialog:start", "dialog:end", "dialog:failed"})
        p.host.on_event_route(event,
                              [&told, event](Request&) { return told.push_back(event), Verdict::yes(); });
    p.invite();
    p.host.set_script(nullptr); // from here on the routes of an imagined script
    p.replied(200);
    p.within("ACK", 1);
    p.within("BYE", 2);
    CHECK(told == std::vector<std::string>{"dialog:start", "dialog:end"});
    p.host.set_script(p.script.get());
}

TEST_CASE("hostile INVITEs make no dialog", "[dialog]")
{
    Played p;
    const auto with = [&](std::string_view what, std::string_view by) {
        std::string text = p.request("INVITE", 1, "A", "");
        text.replace(text.find(what), what.size(), by);
        test::Messenger m{p.host, text};
        return p.script->engine().run_request(*m).code;
    };
    CHECK(with(";tag=A", "") == -1);
    CHECK(with(";tag=A", ";tag=\"a b\"") == -1);
    CHECK(with("Call-ID: c1", "Call-ID: c <x>") == -1);
    CHECK(with("CSeq: 1 INVITE", "CSeq: x INVITE") == -1);
    for (int n = 0; n < 64; ++n) {
        test::Messenger m{p.host, p.request("INVITE", 1, format("A{}", n), "")};
        p.script->engine().run_request(*m);
        p.tm.moments = 0, p.tm.note = 0;
        p.tm.begin_watching(*m);
    }
    CHECK(p.api->list(1000).size() == 64);
    CHECK(with(";tag=A", ";tag=one-more") == -1);
}

TEST_CASE("how a call ended is told", "[dialog]")
{
    const auto last = [](Played& p) {
        const auto all = p.host.announced<DialogChanged>();
        REQUIRE_FALSE(all.empty());
        return all.back()->end;
    };
    SECTION("the caller hangs up")
    {
        Played p;
        p.answered();
        CHECK(last(p) == End::none);
        p.within("BYE", 2);
        CHECK(last(p) == End::bye_of_caller);
    }
    SECTION("the callee hangs up")
    {
        Played p;
        p.answered();
        p.within("BYE", 2, "B", "A");
        CHECK(last(p) == End::bye_of_callee);
    }
    SECTION("we hang up")
    {
        Played p;
        p.answered();
        const auto d = p.dialog();
        REQUIRE(d);
        CHECK(p.api->terminate(d->entry, d->id, Side::both, {}));
        CHECK(last(p) == End::bye_of_ours);
    }
    SECTION("refused")
    {
        Played p;
        p.invite();
        p.replied(486);
        CHECK(last(p) == End::refused);
    }
}

TEST_CASE("what other modules ask of a dialog by its numbers", "[dialog]")
{
    Played p;
    p.answered();
    const auto d = p.dialog();
    REQUIRE(d);
    CHECK(p.api->at(d->entry, d->id)->call_id == "c1");
    CHECK_FALSE(p.api->at(d->entry, d->id + 1));
    CHECK(p.api->lifetime(d->entry, d->id) == 43'200);
    CHECK(p.api->remaining(d->entry, d->id) == 43'200);
    CHECK(p.api->remaining(d->entry, d->id + 1) == 0);
    CHECK_FALSE(p.api->variable_of(d->entry, d->id, "lamp"));
    CHECK(p.api->set_variable(d->entry, d->id, "lamp", "on"));
    CHECK(p.api->variable_of(d->entry, d->id, "lamp") == "on");
    CHECK_FALSE(p.api->set_variable(d->entry, d->id + 1, "lamp", "on"));
    for (int n = 0; n < 63; ++n)
        CHECK(p.api->set_variable(d->entry, d->id, "v" + std::to_string(n), "x"));
    CHECK_FALSE(p.api->set_variable(d->entry, d->id, "one-more", "x")); // 64 at most
    CHECK(p.api->set_variable(d->entry, d->id, "lamp", "off"));
}

} // namespace sipyard::dialog
