// test/scenario/locate_test.cpp - where a whole server sends: names of a DNS server it is told, connections
// by their alias
#include "test/support/catch.h"
#include "test/support/dns_server.h"
#include "test/support/running_server.h"

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::StartsWith;

namespace {

const std::string sockets = "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\nlisten=tcp:127.0.0.1:PORT\n"
                            "loadmodule \"sl.so\"\nloadmodule \"pv.so\"\n";

} // namespace

SCENARIO("the servers of a name are asked of dns_servers, and the next is taken where the first cannot be",
         "[locate]")
{
    DnsServer dns{"six.example.test AAAA ::1\nfour.example.test A 127.0.0.1\n_sip._udp.example.test SRV 0 0 "
                  "5060 six.example.test\n"};
    TempDir folder;
    RunningServer server{
        folder.write("d.cfg", sockets + "dns_servers=\"" + dns.text() +
                                  "\"\nuse_dns_failover=yes\n"
                                  "request_route { rewriteuri(\"sip:desk@example.test\"); forward(); }\n")};
    UdpClient phone{server.port()};
    dns.add("_sip._udp.example.test SRV 1 0 " + std::to_string(phone.port()) + " four.example.test");
    UdpClient caller{server.port()};
    caller.send(sip_request("MESSAGE", "sip:x@127.0.0.1", "call1", caller.port()));
    CHECK_THAT(phone.receive(), StartsWith("MESSAGE sip:desk@example.test SIP/2.0\r\n"));
    caller.send(sip_request("MESSAGE", "sip:x@127.0.0.1", "call2", caller.port()));
    CHECK_THAT(phone.receive(), StartsWith("MESSAGE sip:desk@example.test SIP/2.0\r\n"));
    CHECK(dns.asked("_sip._udp.example.test") == 1);
}

SCENARIO("a phone behind a connection is reached by the port its Via names", "[locate]")
{
    // OPTIONS over TCP makes the connection known; a MESSAGE over UDP is forwarded to the port of the alias.
    const std::string routes =
        "request_route {\n"
        "\tif (method == \"OPTIONS\") { HELLO sl_send_reply(\"200\", \"OK\"); exit; }\n"
        "\tset_forward_no_connect();\n"
        "\tif (forward_tcp(127.0.0.1, 9999)) sl_send_reply(\"202\", \"sent\");\n"
        "\telse sl_send_reply(\"404\", \"no connection\");\n"
        "}\n";
    const struct {
        const char* story;
        const char* parameter;
        const char* via_param;
        const char* options; // what the script does with OPTIONS before it answers
        const char* answer;
    } rows[] = {
        {"by default ;alias is not believed", "", ";alias", "", "SIP/2.0 404"},
        {"tcp_accept_aliases", "tcp_accept_aliases=yes\n", ";alias", "", "SIP/2.0 202"},
        {"tcp_accept_aliases, and the phone does not ask", "tcp_accept_aliases=yes\n", "", "", "SIP/2.0 404"},
        {"force_tcp_alias()", "", "", "force_tcp_alias();", "SIP/2.0 202"},
        {"force_tcp_alias() of a port", "", "", "force_tcp_alias(7777);", "SIP/2.0 404"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        std::string script = sockets + row.parameter + routes;
        script.replace(script.find("HELLO"), 5, row.options);
        TempDir folder;
        RunningServer server{folder.write("a.cfg", script)};
        TcpClient phone{server.port()};
        auto hello = sip_request("OPTIONS", "sip:127.0.0.1", "hello", 9999, {}, "TCP");
        hello.insert(hello.find(";branch="), row.via_param);
        phone.send(hello);
        CHECK_THAT(phone.read_message(), StartsWith("SIP/2.0 200"));
        UdpClient caller{server.port()};
        const auto answer = caller.ask(sip_request("MESSAGE", "sip:x@127.0.0.1", "call", caller.port()));
        CHECK_THAT(answer, StartsWith(row.answer));
        if (answer.starts_with("SIP/2.0 202"))
            CHECK_THAT(phone.read_message(), StartsWith("MESSAGE sip:x@127.0.0.1 SIP/2.0\r\n"));
    }
}
