// test/scenario/parameters_test.cpp - global parameters that change what is on the wire, and what a reload
// does with them
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <filesystem>
#include <unistd.h>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const std::string head = "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\n";
const std::string modules = "loadmodule \"sl.so\"\nloadmodule \"pv.so\"\n";

std::string options(const std::string& call_id, std::uint16_t port)
{
    return sip_request("OPTIONS", "sip:127.0.0.1", call_id, port);
}

} // namespace

SCENARIO("replies carry and go where the parameters say", "[parameters]")
{
    TempDir folder;
    SECTION("sip_warning tells what we saw")
    {
        RunningServer server{
            folder.write("w.cfg", head + "sip_warning=1\n" + modules +
                                      "request_route { sl_send_reply(\"404\", \"No\"); }\n")};
        UdpClient client{server.port()};
        CHECK_THAT(client.ask(options("w1", client.port())),
                   Contains("\r\nWarning: 392 127.0.0.1:" + std::to_string(server.port()) +
                            " \"Noisy feedback tells:  pid=") &&
                       Contains(" req_src_ip=127.0.0.1 req_src_port=" + std::to_string(client.port()) +
                                " in_uri=sip:127.0.0.1 out_uri=sip:127.0.0.1 via_cnt==1\"\r\n"));
    }
    SECTION("reply_to_via sends to the Via, not to the sender")
    {
        for (const bool to_via : {false, true}) {
            RunningServer server{folder.write(
                "v.cfg", head + "reply_to_via=" + (to_via ? "yes" : "no") + "\n" + modules +
                             "request_route { force_rport(); sl_send_reply(\"200\", \"OK\"); }\n")};
            UdpClient sender{server.port()}, named{server.port()};
            sender.send(options("v1", named.port())); // the Via names the other one
            CHECK_THAT((to_via ? named : sender).receive(), StartsWith("SIP/2.0 200"));
        }
    }
    SECTION("xavp_via_reply_params adds to the Via")
    {
        RunningServer server{
            folder.write("x.cfg", head + "xavp_via_reply_params=\"v\"\n" + modules +
                                      "request_route { $xavp(v=>one) = \"1\"; $xavp(v[0]=>two) = \"t w o\";"
                                      " $xavp(v[0]=>three) = \"\"; sl_send_reply(\"200\", \"OK\"); }\n")};
        UdpClient client{server.port()};
        const auto reply = client.ask(options("x1", client.port()));
        CHECK_THAT(reply, Contains(";one=1;three\r\n"));
        CHECK(reply.find("two") == std::string::npos); // blanks would break the Via
    }
}

SCENARIO("a forwarded request has the Via the script asks for, and onsend_route the last word",
         "[parameters]")
{
    TempDir folder;
    RunningServer server{folder.write(
        "f.cfg", head + "xavp_via_params=\"p\"\nxavp_via_fields=\"f\"\n" + modules +
                     "request_route {\n\t$xavp(p=>id) = $ci; $xavp(f=>address) = \"edge.example.com\";"
                     " $xavp(f[0]=>port) = 5099;\n\t$var(sent) = \"\";\n\tif "
                     "(!forward())\n\t\tsl_send_reply(\"500\", \"Held $var(sent)\");\n}\n"
                     "onsend_route {\n\t$var(sent) = $sndto(port);\n\tif ($ci == \"held\") drop;\n}\n")};
    UdpClient client{server.port()}, next{server.port()};
    const auto options = [&](const std::string& call_id, std::uint16_t port) {
        return sip_request("OPTIONS", "sip:127.0.0.1:" + std::to_string(next.port()), call_id, port);
    };
    client.send(options("passed", client.port()));
    const auto seen = next.receive();
    CHECK_THAT(seen, Contains("\r\nVia: SIP/2.0/UDP edge.example.com:5099;branch=z9hG4bK") &&
                         Contains(";id=passed\r\n"));
    CHECK_THAT(client.ask(options("held", client.port())),
               StartsWith("SIP/2.0 500 Held " + std::to_string(next.port())));
    CHECK(next.receive(200).empty());
}

SCENARIO("messages are looked at as soon as they come, and not beyond their largest size", "[parameters]")
{
    TempDir folder;
    RunningServer server{folder.write(
        "m.cfg", head + "received_route_mode=1\nmsg_recv_max_size=2000\nmaxbuffer=300000\n" + modules +
                     "request_route { sl_send_reply(\"200\", \"$var(seen)\"); }\n"
                     "event_route[core:msg-received] { $var(seen) = \"seen \" + $ci;"
                     " if ($ci == \"unwanted\") drop; }\n")};
    UdpClient client{server.port()};
    client.send(options("unwanted", client.port()));
    CHECK_THAT(client.ask(options("wanted", client.port())), StartsWith("SIP/2.0 200 seen wanted"));
    client.send(sip_request("OPTIONS", "sip:127.0.0.1", "large", client.port(),
                            "X: " + std::string(2000, 'x') + "\r\n"));
    CHECK_THAT(client.ask(options("small", client.port())), StartsWith("SIP/2.0 200 seen small"));
    CHECK(server.counted("net.garbage") == 1);
}

SCENARIO("a header name has the characters an operator allows", "[parameters]")
{
    TempDir folder;
    const std::string route = modules + "request_route { sl_send_reply(\"200\", \"$hdr(X@Y)\"); }\n";
    RunningServer strict{folder.write("s.cfg", head + route)};
    RunningServer tolerant{folder.write("t.cfg", head + "hdr_name_extra_chars=\"@\"\n" + route)};
    const auto odd = [](RunningServer& server) {
        UdpClient client{server.port()};
        return client.ask(sip_request("OPTIONS", "sip:127.0.0.1", "odd", client.port(), "X@Y: seen\r\n"));
    };
    CHECK_THAT(odd(strict), StartsWith("SIP/2.0 400 Header name is no token"));
    CHECK_THAT(odd(tolerant), StartsWith("SIP/2.0 200 seen"));
}

SCENARIO("a reload says what it did with the parameters", "[parameters][reload]")
{
    TempDir folder;
    const std::string route = "request_route { $var(i) = 0; while ($var(i) < 1000) $var(i) = $var(i) + 1;"
                              " sl_send_reply(\"200\", \"$var(i)\"); }\n";
    RunningServer server{folder.write(
        "r.cfg", head + "max_while_loops=10\nserver_header=\"Server: one\"\nchildren=2\n" + modules + route)};
    UdpClient client{server.port()};
    CHECK_THAT(client.ask(options("r1", client.port())), StartsWith("SIP/2.0 200 10"));
    folder.write("r.cfg",
                 head + "max_while_loops=20\nserver_header=\"Server: two\"\nchildren=4\n" + modules + route);
    const auto answer = server.rpc("core.reload");
    CHECK_THAT(
        answer,
        Contains("; applied: max_while_loops; needs a restart: server_header\"")); // children never mattered
    CHECK_THAT(server.log(), Contains("parameters that need a restart: server_header"));
    const auto reply = client.ask(options("r2", client.port()));
    CHECK_THAT(reply, StartsWith("SIP/2.0 200 20") && Contains("Server: one"));
    // What was applied is not told again; what waits for a restart is.
    CHECK_THAT(server.rpc("core.reload"), Contains("route blocks; needs a restart: server_header\""));
    folder.write("r.cfg", head + "server_header=\"Server: one\"\nchildren=2\n" + modules + route);
    CHECK_THAT(server.rpc("core.reload"), Contains("; applied: max_while_loops\"")); // back to the defaults
    CHECK_THAT(client.ask(options("r3", client.port())), StartsWith("SIP/2.0 200 100"));
}

SCENARIO("the level of a configuration is applied by a reload, that of the command line stays",
         "[parameters][reload]")
{
    TempDir folder;
    const std::string rest = modules + "request_route { sl_send_reply(\"200\", \"OK\"); }\n";
    const auto level = [](const std::string& answer) {
        const auto at = answer.find("\"debug\"");
        return at == std::string::npos ? answer : answer.substr(answer.find_first_of("-0123456789", at), 1);
    };
    for (const bool on_command_line : {false, true}) {
        const auto file = folder.write("d.cfg", head + "debug=1\n" + rest);
        ServerProcess process{
            file, {}, on_command_line ? std::vector<std::string>{"--debug=0"} : std::vector<std::string>{}};
        CHECK(level(process.rpc("core.log_level")) == (on_command_line ? "0" : "1"));
        folder.write("d.cfg", head + "debug=2\n" + rest);
        const auto answer = process.rpc("core.reload");
        INFO(answer);
        CHECK((answer.find("applied: debug") != std::string::npos) == !on_command_line);
        CHECK(level(process.rpc("core.log_level")) == (on_command_line ? "0" : "2"));
    }
}

SCENARIO("log lines are objects with log_engine_type json", "[parameters]")
{
    TempDir folder;
    ServerProcess process{
        folder.write(
            "j.cfg",
            head + "log_engine_type=\"json\"\nloadmodule \"xlog.so\"\n" + modules +
                "request_route { xlog(\"L_ERR\", \"say \\\"$ci\\\"\"); sl_send_reply(\"200\", \"OK\"); }\n"),
        {}};
    UdpClient client{process.port()};
    CHECK_THAT(client.ask(options("j1", client.port())), StartsWith("SIP/2.0 200"));
    const std::string expected =
        "\"level\":\"ERROR\",\"module\":\"script\",\"logprefix\":\"\",\"message\":\"say \\\"j1\\\"\"}";
    const bool found = wait_until([&] { return process.output().find(expected) != std::string::npos; });
    INFO(process.output());
    CHECK(found);
}

SCENARIO("the process moves into its chroot", "[parameters]")
{
    if (::getuid() != 0)
        return; // only root may
    TempDir jail;
    std::filesystem::create_directory(jail.file("work"));
    TempDir folder;
    ServerProcess process{folder.write("c.cfg", head + "chroot=\"" + jail.path() + "\"\nworkdir=\"/work\"\n" +
                                                    modules +
                                                    "request_route { sl_send_reply(\"200\", \"OK\"); }\n"),
                          {}};
    const auto link = [&](const char* name) {
        return std::filesystem::read_symlink("/proc/" + std::to_string(process.pid()) + "/" + name).string();
    };
    CHECK(wait_until([&] { return link("root") == jail.path(); })); // the sockets are bound first
    CHECK(link("cwd") == jail.path() + "/work");
    UdpClient client{process.port()};
    CHECK_THAT(client.ask(options("c1", client.port())), StartsWith("SIP/2.0 200"));
}
