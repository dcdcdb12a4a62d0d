// test/scenario/transport_test.cpp - SIP over UDP and TCP, both families: flows, framing, forwarding between
// two phones
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <set>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::StartsWith;

namespace {

const std::string answering = "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\nlisten=tcp:127.0.0.1:PORT\n"
                              "loadmodule \"sl.so\"\nloadmodule \"pv.so\"\n"
                              "request_route {\n"
                              "\t$var(n) = $var(n) + 1;\n"
                              "\tsl_send_reply(\"200\", \"$pr $ci $var(n)\");\n"
                              "}\n";

std::string options(const std::string& call_id, std::uint16_t port, std::string_view transport = "UDP")
{
    return sip_request("OPTIONS", "sip:127.0.0.1", call_id, port, {}, transport);
}

// Values of a header in order, one per line of the message.
std::vector<std::string> values(const std::string& message, const std::string& name)
{
    std::vector<std::string> found;
    for (auto at = message.find("\r\n" + name + ": "); at != std::string::npos;
         at = message.find("\r\n" + name + ": ", at + 2)) {
        const auto begin = at + name.size() + 4;
        found.push_back(message.substr(begin, message.find("\r\n", begin) - begin));
    }
    return found;
}

std::string reply_to(const std::string& request, const std::string& status, const std::string& to_tag)
{
    std::string reply = "SIP/2.0 " + status + "\r\n";
    for (const char* const name : {"Via", "From", "To", "Call-ID", "CSeq"})
        for (const std::string& value : values(request, name))
            reply += std::string{name} + ": " + value +
                     (std::string_view{name} == "To" && !to_tag.empty() ? ";tag=" + to_tag : "") + "\r\n";
    return reply + "Content-Length: 0\r\n\r\n";
}

} // namespace

SCENARIO("every datagram is answered, from one flow and from sixteen", "[transport]")
{
    TempDir folder;
    RunningServer server{folder.write("t.cfg", answering)};
    for (const int flows : {1, 16}) {
        INFO(flows << " flows");
        std::vector<std::unique_ptr<UdpClient>> clients;
        for (int f = 0; f < flows; ++f)
            clients.push_back(std::make_unique<UdpClient>(server.port()));
        const int rounds = scaled(600, 80) / flows, burst = 8;
        int answered = 0;
        for (int round = 0; round < rounds; ++round) {
            for (const auto& client : clients)
                for (int i = 0; i < burst; ++i)
                    client->send(
                        options("f" + std::to_string(round) + "-" + std::to_string(i), client->port()));
            for (const auto& client : clients) {
                std::set<std::string> seen;
                for (int i = 0; i < burst; ++i) {
                    const std::string reply = client->receive();
                    REQUIRE_THAT(reply, StartsWith("SIP/2.0 200 udp f" + std::to_string(round)));
                    seen.insert(values(reply, "Call-ID").at(0));
                    ++answered;
                }
                REQUIRE(seen.size() == burst); // each of them once, to the flow that asked
            }
        }
        CHECK(answered == rounds * flows * burst);
    }
}

SCENARIO("$var outlives the message", "[transport]")
{
    TempDir folder;
    RunningServer::Options one;
    one.workers = 1;
    RunningServer server{folder.write("t.cfg", answering), one};
    UdpClient udp{server.port()};
    TcpClient tcp{server.port()};
    for (int i = 1; i <= 9; i += 2) {
        CHECK_THAT(udp.ask(options("v", udp.port())),
                   StartsWith("SIP/2.0 200 udp v " + std::to_string(i) + "\r\n"));
        tcp.send(options("v", 1, "TCP"));
        CHECK_THAT(tcp.read_message(), StartsWith("SIP/2.0 200 tcp v " + std::to_string(i + 1) + "\r\n"));
    }
}

SCENARIO("IPv6 is served like IPv4", "[transport]")
{
    TempDir folder;
    const std::string config =
        folder.write("t.cfg", "auto_aliases=no\nlisten=udp:[::1]:PORT\nlisten=tcp:[::1]:PORT\n"
                              "loadmodule \"sl.so\"\nloadmodule \"pv.so\"\n"
                              "request_route { sl_send_reply(\"200\", \"$pr $siz at $Ri\"); }\n");
    RunningServer server{config};
    UdpClient udp{server.port(), true};
    std::string request = options("six", udp.port());
    request.replace(request.find("127.0.0.1:"), 10, "[::1]:");
    const std::string reply = udp.ask(request);
    CHECK_THAT(reply, StartsWith("SIP/2.0 200 udp [::1] at ::1\r\n"));
    CHECK(values(reply, "Via").at(0).find(";rport=" + std::to_string(udp.port())) != std::string::npos);
    TcpClient tcp{server.port(), true};
    tcp.send(options("six", 1, "TCP"));
    CHECK_THAT(tcp.read_message(), StartsWith("SIP/2.0 200 tcp [::1] at ::1\r\n"));
}

SCENARIO("a stream is cut into messages wherever its bytes break", "[transport]")
{
    TempDir folder;
    RunningServer server{folder.write("t.cfg", answering)};
    TcpClient phone{server.port()};
    const auto answer_to = [&](const std::string& call_id) {
        const std::string reply = phone.read_message();
        CHECK(values(reply, "Call-ID") == std::vector{call_id});
    };

    WHEN("several requests come in one piece")
    {
        phone.send(options("a", 1, "TCP") + options("b", 1, "TCP") + "\r\n\r\n" + options("c", 1, "TCP"));
        std::string all;
        THEN("each is answered, and so is the ping between them (RFC 5626 3.5.1)")
        {
            std::set<std::string> seen;
            for (int i = 0; i < 3; ++i) {
                std::string reply = phone.read_until("\r\n\r\n");
                if (reply.starts_with("\r\nSIP")) // the pong is two bytes
                    reply.erase(0, 2);
                REQUIRE_THAT(reply, StartsWith("SIP/2.0 200 tcp "));
                seen.insert(values(reply, "Call-ID").at(0));
            }
            CHECK(seen == std::set<std::string>{"a", "b", "c"});
        }
    }
    WHEN("a request comes byte by byte")
    {
        for (const char c : options("slow", 1, "TCP"))
            phone.send({&c, 1});
        answer_to("slow");
    }
    WHEN("a body is cut in two")
    {
        std::string request = sip_request("MESSAGE", "sip:127.0.0.1", "body", 1, {}, "TCP");
        request.replace(request.find("Content-Length: 0"), 17, "Content-Length: 10");
        phone.send(request + "01234");
        CHECK(phone.read_some(50).empty()); // not yet
        phone.send("56789" + options("next", 1, "TCP"));
        answer_to("body");
        answer_to("next");
    }
    WHEN("a phone pings")
    {
        phone.send("\r\n\r\n");
        CHECK(phone.read_some() == "\r\n");
        phone.send(options("after", 1, "TCP"));
        answer_to("after");
    }
    WHEN("the phone has nothing more to say but waits for the answer")
    {
        phone.send(options("last", 1, "TCP"));
        answer_to("last");
        phone.shutdown_writing();
        CHECK(phone.closed_by_peer());
    }
}

SCENARIO("a second server on the same port is refused in clear words", "[transport]")
{
    TempDir folder;
    RunningServer first{folder.write("t.cfg", answering)};
    RunningServer::Options same;
    same.defines = {{"PORT", std::to_string(first.port())}};
    std::string complaint;
    try {
        RunningServer second{folder.write("t2.cfg", answering), same};
    } catch (const std::exception& error) {
        complaint = error.what();
    }
    INFO(complaint);
    CHECK(complaint.find("127.0.0.1:" + std::to_string(first.port())) != std::string::npos);
    CHECK(complaint.find("in use") != std::string::npos);
    UdpClient client{first.port()};
    CHECK_THAT(client.ask(options("still", client.port())), StartsWith("SIP/2.0 200"));
}

// alice          server          bob
//   | INVITE ------>| INVITE ----->|
//   |<------- 180 --|<------ 180 --|
//   |<------- 200 --|<------ 200 --|
//   | ACK --------->| ACK -------->|
//   |<------- BYE --|<------ BYE --|
//   | 200 --------->| 200 -------->|
SCENARIO("two phones call each other through a server without memory", "[transport]")
{
    TempDir folder;
    const std::uint16_t port = free_port();
    UdpClient alice{port}, bob{port};
    const std::string script = "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\n"
                               "loadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule \"maxfwd.so\"\n"
                               "request_route {\n"
                               "\tif (!mf_process_maxfwd_header(\"70\")) {\n"
                               "\t\tsl_send_reply(\"483\", \"Too Many Hops\");\n"
                               "\t\texit;\n"
                               "\t}\n"
                               "\tif ($rU == \"bob\") $du = \"sip:127.0.0.1:" +
                               std::to_string(bob.port()) +
                               "\";\n"
                               "\telse $du = \"sip:127.0.0.1:" +
                               std::to_string(alice.port()) +
                               "\";\n"
                               "\tforward();\n"
                               "}\n"
                               "reply_route {\n"
                               "\tif ($rs == 183) drop;\n"
                               "}\n";
    RunningServer::Options at;
    at.defines = {{"PORT", std::to_string(port)}};
    RunningServer server{folder.write("t.cfg", script), at};
    const std::string own = "127.0.0.1:" + std::to_string(port);

    alice.send(sip_request("INVITE", "sip:bob@example.com", "call", alice.port(),
                           "Contact: <sip:alice@127.0.0.1>\r\n"));
    const std::string invite = bob.receive();
    REQUIRE_THAT(invite, StartsWith("INVITE sip:bob@example.com SIP/2.0\r\n"));
    const auto vias = values(invite, "Via");
    REQUIRE(vias.size() == 2);
    CHECK_THAT(vias[0], StartsWith("SIP/2.0/UDP " + own + ";branch=z9hG4bK"));
    CHECK(vias[1].find(";rport=" + std::to_string(alice.port())) != std::string::npos);
    CHECK(values(invite, "Max-Forwards") == std::vector<std::string>{"69"});

    for (const std::string& status :
         std::vector<std::string>{"180 Ringing", "183 Session Progress", "200 OK"}) {
        bob.send(reply_to(invite, status, "b1"));
        if (status.starts_with("183"))
            continue; // the reply route keeps it
        const std::string reply = alice.receive();
        CHECK_THAT(reply, StartsWith("SIP/2.0 " + status + "\r\n"));
        CHECK(values(reply, "Via").size() == 1); // ours is gone
        CHECK(values(reply, "To").at(0).find(";tag=b1") != std::string::npos);
    }
    alice.send(sip_request("ACK", "sip:bob@example.com", "call", alice.port()));
    CHECK_THAT(bob.receive(), StartsWith("ACK sip:bob@example.com SIP/2.0\r\n"));

    bob.send(sip_request("BYE", "sip:alice@example.com", "bye", bob.port()));
    const std::string bye = alice.receive();
    REQUIRE_THAT(bye, StartsWith("BYE sip:alice@example.com SIP/2.0\r\n"));
    alice.send(reply_to(bye, "200 OK", ""));
    CHECK_THAT(bob.receive(), StartsWith("SIP/2.0 200 OK\r\n"));
    CHECK(alice.receive(0).empty());
    CHECK(server.counted("core.fwd_replies") == 3);

    // A retransmission takes the same way with the same branch: without a transaction nobody else recognises
    // it (RFC 3261 16.11).
    alice.send(sip_request("INVITE", "sip:bob@example.com", "call", alice.port(),
                           "Contact: <sip:alice@127.0.0.1>\r\n"));
    CHECK(values(bob.receive(), "Via").at(0) == vias[0]);
    // Replies that are not for us are not sent round in circles.
    bob.send("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\nVia: SIP/2.0/UDP " + own +
             ";branch=z9hG4bKy\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 "
             "INVITE\r\nContent-Length: 0\r\n\r\n");
    CHECK(wait_until(
        [&] { return server.counted("core.drop_requests") + server.counted("core.rcv_replies") >= 5; }));
    CHECK(alice.receive(0).empty());
    CHECK(bob.receive(0).empty());
}
