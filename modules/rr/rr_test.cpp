// modules/rr/rr_test.cpp - Record-Route and Route as messages show them
#include "core/module/hop.h"
#include "core/sip/build.h"
#include "core/sip/edits.h"

#include "core/module/module.h"
#include "modules/rr/route_set.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <vector>

extern "C" const sipyard::ModuleEntry* sipyard_module();

namespace sipyard::rr {
namespace {

// Sockets udp:127.0.0.1:5060, udp:127.0.0.1:5070 ("inner") and tcp:127.0.0.1:5080; the sample request comes
// by the first.
struct Loaded {
    explicit Loaded(std::string_view body, std::string_view params = "")
        : script{host, {sipyard_module()->manifest()}}
    {
        const struct {
            net::Protocol protocol;
            std::uint16_t port;
            const char* name;
        } sockets[] = {{net::Protocol::udp, 5060, ""},
                       {net::Protocol::udp, 5070, "inner"},
                       {net::Protocol::tcp, 5080, ""}};
        for (const auto& s : sockets) {
            net::Listener listener;
            listener.protocol = s.protocol;
            listener.bound = *net::Address::parse("127.0.0.1", s.port);
            listener.name = s.name;
            listeners.push_back(&host.network().add_listener(listener));
            host.add_myself("127.0.0.1", s.port);
        }
        const bool whole = body.find("route[") != std::string_view::npos;
        const bool loaded =
            script.load(format("loadmodule \"rr.so\"\n{}\n{}\n", params,
                               whole ? std::string{body} : format("request_route {{\n{}\n}}", body)));
        INFO(script.errors());
        REQUIRE(loaded);
    }
    std::string sent(Request& request, std::size_t from)
    {
        sip::ForwardParts parts;
        parts.request_uri = request.ruri();
        parts.hop = hop_of(request, *listeners[from]);
        return std::string{sip::forward_request(request.message(), request.edits(), parts, request.arena())};
    }
    test::FakeHost host;
    test::ScriptFixture script;
    std::vector<const net::Listener*> listeners;
};

std::string values(const std::string& message, const std::string& name)
{
    std::string found;
    for (auto at = message.find("\r\n" + name + ": "); at != std::string::npos;
         at = message.find("\r\n" + name + ": ", at + 2)) {
        const auto begin = at + name.size() + 4;
        found += (found.empty() ? "" : " ") + message.substr(begin, message.find("\r\n", begin) - begin);
    }
    return found;
}

std::string in_dialog(std::string_view uri, std::string_view routes, bool to_tag = true)
{
    std::string text = test::sample_request("BYE", uri, routes);
    if (to_tag)
        text.replace(text.find("To: <sip:bob@example.com>"), 25, "To: <sip:bob@example.com>;tag=b2");
    return text;
}

} // namespace

TEST_CASE("Record-Route as it leaves", "[rr]")
{
    const struct {
        const char* story;
        const char* params;
        const char* script;
        std::size_t from; // the socket it leaves by
        const char* expected;
    } rows[] = {
        {"the way it came", "", "record_route();", 0, "<sip:127.0.0.1;lr;ftag=a1>"},
        {"parameters before, with and after", "",
         "add_rr_param(\";one=1\"); record_route(\";two=2\"); add_rr_param(\";three=3\");", 0,
         "<sip:127.0.0.1;lr;ftag=a1;two=2;one=1;three=3>"},
        {"a second one adds nothing", "", "record_route(); record_route(\";x=1\");", 0,
         "<sip:127.0.0.1;lr;ftag=a1>"},
        {"by another socket of the same protocol", "", "record_route();", 1,
         "<sip:127.0.0.1:5070;r2=on;lr;ftag=a1> <sip:127.0.0.1;r2=on;lr;ftag=a1>"},
        {"by another protocol", "", "record_route(); add_rr_param(\";x=1\");", 2,
         "<sip:127.0.0.1:5080;transport=tcp;r2=on;lr;ftag=a1;x=1> <sip:127.0.0.1;r2=on;lr;ftag=a1;x=1>"},
        {"never two", "modparam(\"rr\", \"enable_double_rr\", 0)", "record_route();", 2,
         "<sip:127.0.0.1;lr;ftag=a1>"},
        {"always two", "modparam(\"rr\", \"enable_double_rr\", 2)", "record_route();", 0,
         "<sip:127.0.0.1;transport=udp;r2=on;lr;ftag=a1> <sip:127.0.0.1;transport=udp;r2=on;lr;ftag=a1>"},
        {"always two, to TCP", "modparam(\"rr\", \"enable_double_rr\", 2)", "record_route();", 2,
         "<sip:127.0.0.1:5080;transport=tcp;r2=on;lr;ftag=a1> "
         "<sip:127.0.0.1;transport=udp;r2=on;lr;ftag=a1>"},
        {"for phones that lose ;lr", "modparam(\"rr\", \"enable_full_lr\", 1)", "record_route();", 0,
         "<sip:127.0.0.1;lr=on;ftag=a1>"},
        {"without ftag", "modparam(\"rr\", \"append_fromtag\", 0)", "record_route();", 0,
         "<sip:127.0.0.1;lr>"},
        {"with the user", "modparam(\"rr\", \"add_username\", 1)", "record_route();", 0,
         "<sip:bob@127.0.0.1;lr;ftag=a1>"},
        {"with socket names", "modparam(\"rr\", \"sockname_mode\", 1)", "record_route();", 1,
         "<sip:127.0.0.1:5070;sn=inner;r2=on;lr;ftag=a1> <sip:127.0.0.1;r2=on;lr;ftag=a1>"},
        {"an address of the script's", "",
         "record_route_preset(\"192.0.2.9:99;x=1\"); add_rr_param(\";y=2\");", 0,
         "<sip:192.0.2.9:99;x=1;ftag=a1;lr;y=2>"},
        {"two of them", "", "record_route_preset(\"192.0.2.9;r2=on\", \"192.0.2.8;r2=on\");", 0,
         "<sip:192.0.2.9;r2=on;ftag=a1;lr> <sip:192.0.2.8;r2=on;ftag=a1;lr>"},
        {"another address, same protocol", "", "record_route_advertised_address(\"192.0.2.9:99\");", 1,
         "<sip:192.0.2.9:99;ftag=a1;lr>"},
        {"another address, other protocol", "",
         "record_route_advertised_address(\"192.0.2.9:99\"); add_rr_param(\";y=2\");", 2,
         "<sip:192.0.2.9:99;transport=tcp;r2=on;ftag=a1;lr;y=2> "
         "<sip:192.0.2.9:99;transport=udp;r2=on;ftag=a1;lr;y=2>"},
        {"taken back", "", "record_route(); add_rr_param(\";y=2\"); remove_record_route();", 2, ""},
        {"SIPS", "", "rewriteuri(\"sips:bob@example.com\"); record_route();", 0,
         "<sips:127.0.0.1;lr;ftag=a1>"},
        {"SIPS ignored", "modparam(\"rr\", \"ignore_sips\", 1)",
         "rewriteuri(\"sips:bob@example.com\"); record_route();", 0, "<sip:127.0.0.1;lr;ftag=a1>"},
        {"text that would end the URI", "",
         "record_route(\";x=>\"); add_rr_param(\"x=1\"); add_rr_param(\";x=\\\"\");", 0, ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loaded f{row.script, row.params};
        test::Messenger message{f.host, test::sample_request()};
        f.script.engine().run_request(*message);
        CHECK(values(f.sent(*message, row.from), "Record-Route") == row.expected);
    }
}

TEST_CASE("our Record-Route goes before those that are there", "[rr]")
{
    Loaded f{"record_route();"};
    test::Messenger message{f.host, test::sample_request("INVITE", "sip:bob@example.com",
                                                         "Record-Route: <sip:192.0.2.1;lr>\r\n")};
    f.script.engine().run_request(*message);
    CHECK(values(f.sent(*message, 0), "Record-Route") == "<sip:127.0.0.1;lr;ftag=a1> <sip:192.0.2.1;lr>");
}

TEST_CASE("a From tag with odd bytes cannot leave the URI", "[rr]")
{
    Loaded f{"record_route();"};
    std::string text = test::sample_request();
    text.replace(text.find("tag=a1"), 6, "tag=\"a>\"");
    test::Messenger message{f.host, text};
    f.script.engine().run_request(*message);
    const auto written = values(f.sent(*message, 0), "Record-Route");
    CHECK(written == "<sip:127.0.0.1;lr;ftag=a%3E>");
}

TEST_CASE("loose_route() finds the next hop", "[rr]")
{
    const std::string bob = "sip:bob@192.0.2.99:5080";
    const struct {
        const char* story;
        const char* uri;
        const char* routes;
        bool dialog;
        int code;
        const char* ruri;
        const char* next;
        const char* left;   // Route headers sent on
        const char* socket; // $fs
    } rows[] = {
        {"no Route", "sip:b@192.0.2.9", "", true, -1, "sip:b@192.0.2.9", "", "", ""},
        {"ours alone", "sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr>\r\n", true, 1, "sip:b@192.0.2.9", "", "",
         ""},
        {"ours and another", "sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr>\r\nRoute: <sip:192.0.2.1;lr>\r\n",
         true, 1, "sip:b@192.0.2.9", "sip:192.0.2.1;lr", "<sip:192.0.2.1;lr>", ""},
        {"in one line", "sip:b@192.0.2.9",
         "Route: <sip:127.0.0.1;lr>, <sip:192.0.2.1;lr> ,<sip:192.0.2.2;lr>\r\n", true, 1, "sip:b@192.0.2.9",
         "sip:192.0.2.1;lr", "<sip:192.0.2.1;lr> ,<sip:192.0.2.2;lr>", ""},
        {"two of ours", "sip:b@192.0.2.9",
         "Route: <sip:127.0.0.1;r2=on;lr>\r\nRoute: <sip:127.0.0.1:5070;r2=on;lr>,<sip:192.0.2.1;lr>\r\n",
         true, 1, "sip:b@192.0.2.9", "sip:192.0.2.1;lr", "<sip:192.0.2.1;lr>", "udp:127.0.0.1:5070"},
        {"two of ours, the second TCP", "sip:b@192.0.2.9",
         "Route: <sip:127.0.0.1;r2=on;lr>,<sip:127.0.0.1:5080;transport=tcp;r2=on;lr>\r\n", true, 1,
         "sip:b@192.0.2.9", "", "", "tcp:127.0.0.1:5080"},
        {"somebody else's alone", "sip:b@192.0.2.9", "Route: <sip:192.0.2.1;lr>\r\n", true, 1,
         "sip:b@192.0.2.9", "sip:192.0.2.1;lr", "<sip:192.0.2.1;lr>", ""},
        {"an initial request to us", "sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr>\r\n", false, -3,
         "sip:b@192.0.2.9", "", "", ""},
        {"an initial request through us", "sip:b@192.0.2.9",
         "Route: <sip:127.0.0.1;lr>\r\nRoute: <sip:192.0.2.1;lr>\r\n", false, 1, "sip:b@192.0.2.9",
         "sip:192.0.2.1;lr", "<sip:192.0.2.1;lr>", ""},
        {"from a strict router", "sip:127.0.0.1;lr",
         "Route: <sip:192.0.2.1;lr>\r\nRoute: <sip:b@192.0.2.9>\r\n", true, 1, "sip:b@192.0.2.9",
         "sip:192.0.2.1;lr", "<sip:192.0.2.1;lr>", ""},
        {"from a strict router to the target", "sip:127.0.0.1", "Route: <sip:b@192.0.2.9>\r\n", true, 1,
         "sip:b@192.0.2.9", "", "", ""},
        {"from a strict router, two of ours", "sip:127.0.0.1;r2=on;lr",
         "Route: <sip:127.0.0.1:5070;r2=on;lr>\r\nRoute: <sip:b@192.0.2.9>\r\n", true, 1, "sip:b@192.0.2.9",
         "", "", "udp:127.0.0.1:5070"},
        {"to a strict router", "sip:b@192.0.2.9",
         "Route: <sip:127.0.0.1;lr>\r\nRoute: <sip:s@192.0.2.3;x=1>\r\nRoute: <sip:192.0.2.1;lr>\r\n", true,
         1, "sip:s@192.0.2.3;x=1", "", "<sip:192.0.2.1;lr> <sip:b@192.0.2.9>", ""},
        {"to a strict router, the last", "sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr>,<sip:s@192.0.2.3>\r\n",
         true, 1, "sip:s@192.0.2.3", "", "<sip:b@192.0.2.9>", ""},
        {"from one strict router to another", "sip:127.0.0.1;lr",
         "Route: <sip:192.0.2.3>\r\nRoute: <sip:b@192.0.2.9>\r\n", true, 1, "sip:192.0.2.3", "",
         "<sip:b@192.0.2.9>", ""},
        {"a contact on this server", "sip:b@127.0.0.1", "Route: <sip:127.0.0.1;lr>\r\n", true, 1,
         "sip:b@127.0.0.1", "", "", ""},
        {"no URI", "sip:b@192.0.2.9", "Route: <sip:\r\n", true, -1, "sip:b@192.0.2.9", "", "<sip:", ""},
        {"no URI behind ours", "sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr>,<sip:\r\n", true, -1,
         "sip:b@192.0.2.9", "", "<sip:127.0.0.1;lr>,<sip:", ""},
        {"no SIP behind ours", "sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr>,<tel:1>\r\n", true, -1,
         "sip:b@192.0.2.9", "", "<sip:127.0.0.1;lr>,<tel:1>", ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loaded f{"loose_route(); return $rc;"};
        test::Messenger message{f.host, in_dialog(row.uri, row.routes, row.dialog)};
        CHECK(f.script.engine().run_request(*message).code == row.code);
        CHECK(message->ruri() == row.ruri);
        CHECK(message->dst_uri() == row.next);
        CHECK(values(f.sent(*message, 0), "Route") == row.left);
        CHECK((message->forced_socket() ? message->forced_socket()->text() : "") == row.socket);
    }
}

TEST_CASE("asked again, loose_route() answers the same and changes nothing more", "[rr]")
{
    Loaded f{"loose_route(); loose_route(); return $rc;"};
    test::Messenger message{
        f.host, in_dialog("sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr>\r\nRoute: <sip:s@192.0.2.3>\r\n")};
    CHECK(f.script.engine().run_request(*message).code == 1);
    CHECK(values(f.sent(*message, 0), "Route") == "<sip:b@192.0.2.9>");
}

TEST_CASE("what a script learns from our Route", "[rr]")
{
    const std::string downstream =
        in_dialog("sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr;ftag=a1;nat=yes>\r\n");
    const std::string upstream =
        in_dialog("sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr;ftag=b2>,<sip:192.0.2.1;lr>\r\n");
    const std::string other = in_dialog("sip:b@192.0.2.9", "Route: <sip:192.0.2.1;lr;nat=yes>\r\n");
    const struct {
        const char* story;
        const std::string& message;
        const char* condition;
    } rows[] = {
        {"a parameter", downstream, "loose_route() && check_route_param(\"nat=yes\")"},
        {"a parameter, before loose_route()", downstream, "check_route_param(\"NAT=y\")"},
        {"a parameter that is not there", upstream, "loose_route() && !check_route_param(\"nat=yes\")"},
        {"somebody else's parameter", other, "loose_route() && !check_route_param(\"nat=yes\")"},
        {"downstream", downstream,
         "loose_route() && is_direction(\"downstream\") && !is_direction(\"upstream\")"},
        {"upstream", upstream,
         "loose_route() && is_direction(\"upstream\") && !is_direction(\"downstream\")"},
        {"nothing to go by", other, "is_direction(\"downstream\")"},
        {"as variables", upstream, "$rdir(name) == \"upstream\" && $rdir(id) == 2"},
        {"tags of the dialog's beginning", upstream, "$fti == \"b2\" && $tti == \"a1\""},
        {"tags downstream", downstream, "$fti == \"a1\" && $tti == \"b2\""},
        {"the topmost Route", upstream, "$route_uri == \"sip:127.0.0.1;lr;ftag=b2\""},
        {"the next hop is a Route's", upstream,
         "!rr_next_hop_route() && loose_route() && rr_next_hop_route()"},
        {"the next hop is the target", downstream, "loose_route() && !rr_next_hop_route()"},
        {"loose_route_preloaded() in a dialog", downstream, "!loose_route_preloaded()"},
        {"a target of ours", in_dialog("sip:127.0.0.1;lr", "Route: <sip:127.0.0.1;lr>\r\n"),
         "loose_route_mode(\"1\") && uri == \"sip:127.0.0.1;lr\""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loaded f{format("if ({}) return 5; return 6;", row.condition)};
        test::Messenger message{f.host, row.message};
        CHECK(f.script.engine().run_request(*message).code == 5);
    }
    Loaded f{"if (loose_route_preloaded()) return 5; return 6;"};
    test::Messenger initial{f.host, in_dialog("sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr>\r\n", false)};
    CHECK(f.script.engine().run_request(*initial).code == 5);
}

TEST_CASE("a re-INVITE of the callee is recorded with the caller's tag", "[rr]")
{
    Loaded f{"loose_route(); record_route();"};
    test::Messenger message{f.host, in_dialog("sip:b@192.0.2.9", "Route: <sip:127.0.0.1;lr;ftag=b2>\r\n")};
    f.script.engine().run_request(*message);
    CHECK(values(f.sent(*message, 0), "Record-Route") == "<sip:127.0.0.1;lr;ftag=b2>");
}

} // namespace sipyard::rr
