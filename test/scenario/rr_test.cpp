// test/scenario/rr_test.cpp - a server that stays in the path of a call: Record-Route, Route, two transports,
// strict routers
#include "test/support/catch.h"
#include "test/support/running_server.h"
#include "test/support/sip_peer.h"

#include <netinet/in.h>
#include <sys/socket.h>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const std::string routing = "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\nlisten=tcp:127.0.0.1:PORT\n"
                            "loadmodule \"pv.so\"\nloadmodule \"siputils.so\"\nloadmodule \"rr.so\"\n"
                            "request_route {\n"
                            "\tif (has_totag()) {\n\t\tloose_route();\n\t\tforward();\n\t\texit;\n\t}\n"
                            "\tadd_rr_param(\";note=1\");\n\trecord_route();\n"
                            "\t$du = $hdr(X-To);\n\tforward();\n}\n";

// A request of alice's (or, with swapped tags, of bob's).
std::string request(const std::string& method, const std::string& uri, int number, std::uint16_t port,
                    const std::string& from_tag, const std::string& to_tag, const std::string& headers,
                    const std::string& transport = "UDP")
{
    return method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/" + transport +
           " 127.0.0.1:" + std::to_string(port) + ";branch=z9hG4bK" + method + std::to_string(number) +
           from_tag + ";rport\r\nFrom: <sip:" + from_tag + "@example.org>;tag=" + from_tag +
           "\r\nTo: <sip:other@example.org>" + (to_tag.empty() ? "" : ";tag=" + to_tag) +
           "\r\nCall-ID: call-1\r\nCSeq: " + std::to_string(number) + " " + method +
           "\r\nMax-Forwards: 70\r\n" + headers + "Content-Length: 0\r\n\r\n";
}

std::string ok(const std::string& asked, const std::string& tag) { return reply_text(asked, "200 OK", tag); }

std::string contact(const std::string& user, std::uint16_t port)
{
    return "sip:" + user + "@127.0.0.1:" + std::to_string(port);
}

} // namespace

SCENARIO("a call between two phones goes through the server to its end", "[rr]")
{
    TempDir folder;
    RunningServer server{folder.write("rr.cfg", routing)};
    UdpClient alice{server.port()}, bob{server.port()};
    const std::string us = "127.0.0.1:" + std::to_string(server.port());

    alice.send(request("INVITE", contact("bob", bob.port()), 1, alice.port(), "A", "",
                       "X-To: " + contact("x", bob.port()) + "\r\n"));
    const std::string invite = bob.receive();
    REQUIRE_THAT(invite, StartsWith("INVITE " + contact("bob", bob.port())));
    CHECK(header_values(invite, "Record-Route") ==
          std::vector<std::string>{"<sip:" + us + ";lr;ftag=A;note=1>"});
    bob.send(ok(invite, "B"));
    const std::string answer = alice.receive();
    REQUIRE_THAT(answer, StartsWith("SIP/2.0 200 OK"));
    const std::string route = header_lines("Route", header_values(answer, "Record-Route"));

    alice.send(request("ACK", contact("bob", bob.port()), 1, alice.port(), "A", "B", route));
    const std::string ack = bob.receive();
    REQUIRE_THAT(ack, StartsWith("ACK " + contact("bob", bob.port())));
    CHECK(header_values(ack, "Route").empty());

    bob.send(request("BYE", contact("alice", alice.port()), 1, bob.port(), "B", "A", route));
    const std::string bye = alice.receive();
    REQUIRE_THAT(bye, StartsWith("BYE " + contact("alice", alice.port())));
    CHECK(header_values(bye, "Route").empty());
    alice.send(ok(bye, "A"));
    CHECK_THAT(bob.receive(), StartsWith("SIP/2.0 200 OK"));
}

SCENARIO("a call between TCP and UDP carries a Record-Route for each side", "[rr]")
{
    TempDir folder;
    RunningServer server{folder.write("rr.cfg", routing)};
    TcpClient alice{server.port()};
    UdpClient bob{server.port()};
    sockaddr_in own{};
    socklen_t size = sizeof own;
    REQUIRE(getsockname(alice.fd(), reinterpret_cast<sockaddr*>(&own), &size) == 0);
    const std::uint16_t alice_port = ntohs(own.sin_port);
    const std::string us = "127.0.0.1:" + std::to_string(server.port());

    alice.send(request("INVITE", contact("bob", bob.port()), 1, alice_port, "A", "",
                       "X-To: " + contact("x", bob.port()) + "\r\n", "TCP"));
    const std::string invite = bob.receive();
    CHECK(header_values(invite, "Record-Route") ==
          std::vector<std::string>{"<sip:" + us + ";r2=on;lr;ftag=A;note=1>",
                                   "<sip:" + us + ";transport=tcp;r2=on;lr;ftag=A;note=1>"});
    bob.send(ok(invite, "B"));
    const std::string answer = alice.read_message();
    auto set = header_values(answer, "Record-Route");
    REQUIRE(set.size() == 2);
    const std::string for_bob = header_lines("Route", set),
                      for_alice =
                          header_lines("Route", {set[1], set[0]}); // hers is reversed (RFC 3261 12.1.2)

    alice.send(request("ACK", contact("bob", bob.port()), 1, alice_port, "A", "B", for_alice, "TCP"));
    const std::string ack = bob.receive();
    REQUIRE_THAT(ack, StartsWith("ACK "));
    CHECK(header_values(ack, "Route").empty());

    // Back to the phone over the connection it opened.
    bob.send(
        request("BYE", contact("alice", alice_port) + ";transport=tcp", 1, bob.port(), "B", "A", for_bob));
    const std::string bye = alice.read_message();
    REQUIRE_THAT(bye, StartsWith("BYE "));
    CHECK(header_values(bye, "Route").empty());
    CHECK_THAT(header_values(bye, "Via").at(0), StartsWith("SIP/2.0/TCP " + us));
}

SCENARIO("strict routers before and behind the server are understood", "[rr]")
{
    TempDir folder;
    RunningServer server{folder.write("rr.cfg", routing)};
    UdpClient alice{server.port()}, bob{server.port()};
    const std::string us = "sip:127.0.0.1:" + std::to_string(server.port()) + ";lr;ftag=A";

    // The one before us put our Record-Route into the R-URI and the target to the end.
    alice.send(
        request("BYE", us, 2, alice.port(), "A", "B", "Route: <" + contact("bob", bob.port()) + ">\r\n"));
    const std::string from_strict = bob.receive();
    CHECK_THAT(from_strict, StartsWith("BYE " + contact("bob", bob.port()) + " SIP/2.0"));
    CHECK(header_values(from_strict, "Route").empty());

    // The one behind us wants itself in the R-URI.
    alice.send(request("BYE", "sip:target@192.0.2.9", 3, alice.port(), "A", "B",
                       "Route: <" + us + ">\r\nRoute: <" + contact("strict", bob.port()) + ">\r\n"));
    const std::string to_strict = bob.receive();
    CHECK_THAT(to_strict, StartsWith("BYE " + contact("strict", bob.port()) + " SIP/2.0"));
    CHECK(header_values(to_strict, "Route") == std::vector<std::string>{"<sip:target@192.0.2.9>"});
}
