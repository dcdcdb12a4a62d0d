// test/scenario/two_servers_test.cpp - two servers in one process know nothing of each other
#include "test/support/catch.h"
#include "test/support/running_server.h"

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::StartsWith;

namespace {

// One table of the same name in both, a counter in $var, a reply that names the server.
std::string script_of(const std::string& name)
{
    return "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\nserver_header=\"Server: " + name +
           "\"\n"
           "loadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule \"htable.so\"\nloadmodule \"xlog.so\"\n"
           "modparam(\"htable\", \"htable\", \"seen=>size=4\")\n"
           "modparam(\"xlog\", \"prefix\", \"" +
           name +
           ": \")\n"
           "request_route {\n"
           "\t$sht(seen=>count) = $sht(seen=>count) + 1;\n"
           "\t$var(n) = $var(n) + 1;\n"
           "\txlog(\"L_ERR\", \"number $var(n)\\n\");\n"
           "\tsl_send_reply(\"200\", \"" +
           name +
           " $sht(seen=>count) $var(n)\");\n"
           "}\n";
}

} // namespace

SCENARIO("two servers live in one process", "[server]")
{
    TempDir folder;
    RunningServer::Options single;
    single.workers = 1; // $var belongs to a worker
    RunningServer red{folder.write("red.cfg", script_of("red")), single};
    auto blue = std::make_unique<RunningServer>(folder.write("blue.cfg", script_of("blue")), single);
    const auto ask = [](RunningServer& server, int i) {
        UdpClient client{server.port()};
        return client.ask(sip_request("OPTIONS", "sip:127.0.0.1", "two-" + std::to_string(i), client.port()));
    };

    WHEN("one is asked more often than the other")
    {
        CHECK_THAT(ask(red, 1), StartsWith("SIP/2.0 200 red 1 1\r\n"));
        CHECK_THAT(ask(red, 2), StartsWith("SIP/2.0 200 red 2 2\r\n"));
        const std::string reply = ask(*blue, 3);
        CHECK_THAT(reply, StartsWith("SIP/2.0 200 blue 1 1\r\n"));
        CHECK(reply.find("\r\nServer: blue\r\n") != std::string::npos);
        CHECK_THAT(ask(red, 4), StartsWith("SIP/2.0 200 red 3 3\r\n"));
        THEN("tables, variables, counters, log levels and logs are each one's own")
        {
            CHECK(red.counted("core.rcv_requests") == 3);
            CHECK(blue->counted("core.rcv_requests") == 1);
            INFO(red.log());
            CHECK(red.log().find("red: ") != std::string::npos);
            CHECK(red.log().find("number 3") != std::string::npos);
            CHECK(blue->log().find("number 3") == std::string::npos);
            CHECK(red.log().find("blue") == std::string::npos);
            CHECK(blue->log().find("red") == std::string::npos);
            red.rpc("core.log_level", "[3]");
            CHECK(red.rpc("core.log_level").find("\"debug\":3") != std::string::npos);
            CHECK(blue->rpc("core.log_level").find("\"debug\":0") != std::string::npos);
        }
    }
    WHEN("one stops")
    {
        REQUIRE_THAT(ask(*blue, 1), StartsWith("SIP/2.0 200 blue"));
        CHECK(blue->stop());
        blue.reset();
        THEN("the other goes on, and a third may come")
        {
            CHECK_THAT(ask(red, 2), StartsWith("SIP/2.0 200 red 1 1\r\n"));
            RunningServer green{folder.write("green.cfg", script_of("green")), single};
            CHECK_THAT(ask(green, 3), StartsWith("SIP/2.0 200 green 1 1\r\n"));
            CHECK_THAT(ask(red, 4), StartsWith("SIP/2.0 200 red 2 2\r\n"));
        }
    }
}
