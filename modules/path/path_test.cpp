// modules/path/path_test.cpp - Path headers as they leave, and what comes back in a Route
#include "core/base/text.h"
#include "core/module/module.h"
#include "core/sip/edits.h"
#include "modules/rr/api.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <vector>

extern "C" const sipyard::ModuleEntry* sipyard_module();

using namespace sipyard;

namespace {

// rr as far as this module needs it.
struct Routes final : rr::Api {
    std::vector<rr::Listener*> listeners;
    Result<void> add_param(Request&, std::string_view) override { return {}; }
    std::optional<std::string_view> route_param(Request&, std::string_view) override { return {}; }
    rr::Direction direction(Request&) override { return rr::Direction::downstream; }
    void add_listener(rr::Listener& listener) override { listeners.push_back(&listener); }
    void set_flow_tokens(rr::FlowTokens&) override {}
};

} // namespace

TEST_CASE("Path headers", "[path]")
{
    // \x01 stands for the sending socket's address, \x02 for its transport: filled in when the request
    // leaves.
    const struct {
        const char *story, *params, *call, *headers, *expected;
    } rows[] = {
        {"no user", "", "add_path()", "", "Path: <sip:\x01\x02;lr>\r\n"},
        {"a user", "", "add_path(\"lb\")", "", "Path: <sip:lb@\x01\x02;lr>\r\n"},
        {"parameters", "", "add_path(\"lb\", \"ob;x=1\")", "", "Path: <sip:lb@\x01\x02;lr;ob;x=1>\r\n"},
        {"where it came from", "", "add_path_received()", "",
         "Path: <sip:\x01\x02;lr;received=sip:192.0.2.7:5070>\r\n"},
        {"with both", "", "add_path_received(\"u\", \"a=b\")", "",
         "Path: <sip:u@\x01\x02;lr;received=sip:192.0.2.7:5070;a=b>\r\n"},
        {"as an alias", "modparam(\"path\", \"received_format\", 1)\n", "add_path_received()", "",
         "Path: <sip:\x01\x02;lr;received=192.0.2.7~5070~1>\r\n"},
        {"another name", "modparam(\"path\", \"received_name\", \"rcv\")\n", "add_path_received()", "",
         "Path: <sip:\x01\x02;lr;rcv=sip:192.0.2.7:5070>\r\n"},
        {"a socket's name", "modparam(\"path\", \"sockname_mode\", 1)\n", "add_path()", "",
         "Path: <sip:\x01\x02\x04;lr>\r\n"},
        {"a user that breaks the URI", "", "add_path(\"a>b\")", "", ""},
        {"parameters that break it", "", "add_path(\"a\", \"x=1> evil\")", "", ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        test::FakeHost host;
        test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};
        const bool loaded = fixture.load("loadmodule \"path.so\"\n" + std::string{row.params} +
                                         "request_route { $var(r) = " + row.call + "; }\n");
        INFO(fixture.errors());
        REQUIRE(loaded);
        test::Messenger m{host, test::sample_request("REGISTER", "sip:example.com", row.headers)};
        fixture.engine().run_request(*m);
        const std::string added{m->has_edits() && m->edits().first() ? m->edits().first()->text
                                                                     : std::string_view{}};
        CHECK(added == row.expected);
        CHECK(fixture.value("$var(r)") == (*row.expected ? "1" : "-1"));
    }
}

TEST_CASE("ours stands above those that are there", "[path]")
{
    test::FakeHost host;
    test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};
    REQUIRE(fixture.load("loadmodule \"path.so\"\nrequest_route { add_path(\"me\"); }\n"));
    test::Messenger m{host,
                      test::sample_request("REGISTER", "sip:example.com", "Path: <sip:192.0.2.8;lr>\r\n")};
    fixture.engine().run_request(*m);
    REQUIRE(m->has_edits());
    const sip::Edit* const edit = m->edits().first();
    REQUIRE(edit);
    CHECK(m->message().buffer().substr(edit->from).starts_with("Path: <sip:192.0.2.8;lr>"));
}

TEST_CASE("the received of a Route of ours is the next hop", "[path]")
{
    const struct {
        const char *story, *format, *params, *expected;
    } rows[] = {
        {"a URI", "0", ";lr;received=sip:192.0.2.9:5080", "sip:192.0.2.9:5080"},
        {"escaped", "0", ";lr;received=sip:192.0.2.9:5080%3Btransport%3Dtcp",
         "sip:192.0.2.9:5080;transport=tcp"},
        {"garbage", "0", ";lr;received=nowhere", ""},
        {"with a line end", "0", ";lr;received=sip:192.0.2.9%0D%0AEvil:1", ""},
        {"none", "0", ";lr", ""},
        {"an alias", "1", ";received=192.0.2.9~5080~2", "sip:192.0.2.9:5080;transport=tcp"},
        {"an alias of UDP", "1", ";received=192.0.2.9~5080~1", "sip:192.0.2.9:5080"},
        {"no protocol", "1", ";received=192.0.2.9~5080~9", ""},
        {"no port", "1", ";received=192.0.2.9~x~1", ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Routes routes;
        test::FakeHost host;
        host.offer<rr::Api>(routes);
        test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};
        const bool loaded = fixture.load("loadmodule \"path.so\"\nmodparam(\"path\", \"use_received\", 1)\n"
                                         "modparam(\"path\", \"received_format\", " +
                                         std::string{row.format} +
                                         ")\n"
                                         "request_route { exit; }\n");
        INFO(fixture.errors());
        REQUIRE(loaded);
        REQUIRE(routes.listeners.size() == 1);
        test::Messenger m{host, test::sample_request()};
        routes.listeners[0]->on_loose_route(*m, sip::ParamsView{row.params});
        CHECK(m->dst_uri() == row.expected);
    }
}
