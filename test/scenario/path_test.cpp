// test/scenario/path_test.cpp - a phone registers through an edge: Path there, Route back (RFC 3327)
#include "test/support/catch.h"
#include "test/support/sip_peer.h"

namespace sipyard::test {

namespace {

std::string edge(const std::string& params)
{
    return "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\nlisten=tcp:127.0.0.1:PORT\n"
           "loadmodule \"pv.so\"\nloadmodule \"siputils.so\"\nloadmodule \"rr.so\"\nloadmodule "
           "\"path.so\"\n" +
           params +
           "request_route {\n"
           "    if (method == \"REGISTER\") { add_path_received(\"edge\"); $du = $hdr(X-To); forward(); "
           "exit; }\n"
           "    loose_route();\n    forward();\n}\n";
}

} // namespace

SCENARIO("an edge between TCP phones and a registrar behind UDP puts both its sockets into the Path",
         "[path]")
{
    TempDir folder;
    RunningServer server{folder.write("p.cfg", edge("modparam(\"path\", \"enable_r2\", 1)\n"
                                                    "modparam(\"path\", \"use_received\", 1)\n"))};
    const std::string us = "127.0.0.1:" + std::to_string(server.port());
    SipPeer phone{server.port(), "alice", SipPeer::Over::tcp}, registrar{server.port(), "registrar"};
    phone.request({.method = "REGISTER",
                   .ruri = "sip:example.com",
                   .headers = "X-To: " + registrar.uri() + "\r\nSupported: path\r\n"});
    const SipText seen = registrar.expect("REGISTER");
    REQUIRE(seen);
    // The one the registrar meets comes first (RFC 3327 5.2); the phone's address stands in both.
    const std::string where = "sip:127.0.0.1:" + std::to_string(phone.port()) + "%3Btransport%3Dtcp";
    REQUIRE(seen.count("Path") == 2);
    CHECK(seen.header("Path", 0) == "<sip:edge@" + us + ";lr;r2=on;received=" + where + ">");
    CHECK(seen.header("Path", 1) == "<sip:edge@" + us + ";transport=tcp;lr;r2=on;received=" + where + ">");
    registrar.reply(seen, 200, "OK");
    CHECK(phone.expect(200));

    // Back with the Path as its Route: over the connection the phone has opened, the routes used up.
    registrar.request(
        {.method = "OPTIONS",
         .ruri = "sip:alice@192.0.2.99", // behind a NAT: only `received` leads there
         .headers = "Route: " + seen.header("Path", 0) + "\r\nRoute: " + seen.header("Path", 1) + "\r\n"});
    const SipText asked = phone.expect("OPTIONS");
    REQUIRE(asked);
    CHECK(asked.count("Route") == 0);
    CHECK(asked.header("Via").rfind("SIP/2.0/TCP " + us, 0) == 0);
    phone.reply(asked, 200, "OK");
    CHECK(registrar.expect(200));
}

SCENARIO("without enable_r2 the Path is the socket the request leaves by", "[path]")
{
    TempDir folder;
    RunningServer server{folder.write("p.cfg", edge({}))};
    SipPeer phone{server.port(), "alice"}, registrar{server.port(), "registrar"};
    phone.request({.method = "REGISTER",
                   .ruri = "sip:example.com",
                   .headers = "X-To: " + registrar.uri() + "\r\nPath: <sip:192.0.2.8;lr>\r\n"});
    const SipText seen = registrar.expect("REGISTER");
    REQUIRE(seen);
    REQUIRE(seen.count("Path") == 2);
    CHECK(seen.header("Path", 0) == "<sip:edge@127.0.0.1:" + std::to_string(server.port()) +
                                        ";lr;received=sip:127.0.0.1:" + std::to_string(phone.port()) + ">");
    CHECK(seen.header("Path", 1) == "<sip:192.0.2.8;lr>"); // what the phone's side put there stays below
}

} // namespace sipyard::test
