// test/scenario/failover_test.cpp - a stateful proxy and servers that do not answer: the next one of RFC
// 3263, and what the caller hears
#include "test/support/catch.h"
#include "test/support/dns_server.h"
#include "test/support/sip_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sipyard::test {

namespace {

// A server whose only domain has two servers: `first` at priority 0, `second` at 1.
struct Failover {
    explicit Failover(const std::string& parameters = "use_dns_failover=yes\nuse_dst_blocklist=yes\n")
        : server{folder.write(
              "f.cfg", "debug=2\nauto_aliases=no\nlisten=udp:127.0.0.1:PORT\nlisten=tcp:127.0.0.1:PORT\n"
                       "dns_servers=\"" +
                           dns.text() + "\"\n" + parameters +
                           "loadmodule \"tm.so\"\nloadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule "
                           "\"textops.so\"\n"
                           "modparam(\"tm\", \"fr_timer\", 1000)\nmodparam(\"tm\", \"retr_timer1\", 300)\n"
                           "request_route {\n"
                           "    if (is_method(\"CANCEL\")) { t_relay(); exit; }\n"
                           "    $ru = \"sip:desk@pool.test\" + $hdr(X-Params);\n"
                           "    if (!t_relay()) send_reply(\"500\", \"no way\");\n"
                           "}\n")},
          caller{server.port(), "alice"}, first{server.port(), "one"}, second{server.port(), "two"}
    {
        dns.add("here.test A 127.0.0.1\n");
    }
    void servers(std::uint16_t one, std::uint16_t two, const std::string& service = "_sip._udp")
    {
        dns.add(service + ".pool.test SRV 0 0 " + std::to_string(one) + " here.test\n" + service +
                ".pool.test SRV 1 0 " + std::to_string(two) + " here.test\n");
    }
    SipText invite(const std::string& headers = {}, const std::string& body = {})
    {
        return caller.request(
            {.method = "INVITE", .ruri = "sip:desk@pool.test", .headers = headers, .body = body});
    }

    TempDir folder;
    DnsServer dns;
    RunningServer server;
    SipPeer caller, first, second;
};

// Listens on a port for one connection and reads what comes.
class TcpListener {
public:
    TcpListener()
    {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
        socklen_t size = sizeof at;
        REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        port_ = ntohs(at.sin_port);
        REQUIRE(::listen(fd_, 4) == 0);
    }
    ~TcpListener()
    {
        ::close(fd_);
        if (connection_ >= 0)
            ::close(connection_);
    }
    TcpListener(const TcpListener&) = delete;
    TcpListener& operator=(const TcpListener&) = delete;
    std::uint16_t port() const { return port_; }
    std::string read_head()
    {
        pollfd ready{fd_, POLLIN, 0};
        if (connection_ < 0 && ::poll(&ready, 1, 5000) == 1)
            connection_ = ::accept(fd_, nullptr, nullptr);
        pollfd readable{connection_, POLLIN, 0};
        std::string got;
        char bytes[4096];
        while (got.find("\r\n\r\n") == std::string::npos && ::poll(&readable, 1, 5000) == 1) {
            const auto n = ::recv(connection_, bytes, sizeof bytes, 0);
            if (n <= 0)
                break;
            got.append(bytes, static_cast<std::size_t>(n));
        }
        return got;
    }

private:
    const int fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    int connection_ = -1;
    std::uint16_t port_ = 0;
};

} // namespace

SCENARIO("the first server is silent: the second gets the call, and the next call at once", "[tm][failover]")
{
    Failover f;
    f.servers(f.first.port(), f.second.port());
    const SipText invite = f.invite();
    const SipText tried = f.first.expect("INVITE");
    REQUIRE(tried);
    const SipText seen = f.second.expect("INVITE");
    REQUIRE(seen);
    CHECK(seen.ruri() == "sip:desk@pool.test");
    CHECK(seen.branch() != tried.branch()); // a client transaction of its own (RFC 3263 4.3)
    f.second.reply(seen, 200, "OK");
    const SipText answer = f.caller.expect(200);
    REQUIRE(answer);
    f.caller.ack(invite, answer);
    while (f.first.receive(200)) // its repetitions
        ;
    f.invite();
    REQUIRE(f.second.expect("INVITE"));
    CHECK(f.first.hears_nothing()); // blocked for a while
    CHECK_THAT(f.server.rpc("dns.blocklist"),
               Catch::Contains("{\"proto\":\"udp\",\"address\":\"127.0.0.1:" +
                               std::to_string(f.first.port()) + "\",\"seconds\":"));
    CHECK_THAT(f.server.rpc("dns.blocklist_forget"), Catch::Contains("{\"freed\":1}"));
    CHECK_THAT(f.server.rpc("dst_blocklist.view"), Catch::Contains("[]"));
    f.invite();
    CHECK(f.first.expect("INVITE"));
}

SCENARIO("the first server is overloaded: the second is asked", "[tm][failover]")
{
    Failover f;
    f.servers(f.first.port(), f.second.port());
    f.invite();
    const SipText tried = f.first.expect("INVITE");
    REQUIRE(tried);
    f.first.reply(tried, 503, "Service Unavailable");
    CHECK(f.first.expect("ACK"));
    const SipText seen = f.second.expect("INVITE");
    REQUIRE(seen);
    f.second.reply(seen, 486, "Busy Here");
    CHECK(f.caller.expect(486));
}

SCENARIO("without use_dns_failover the first server's silence is the answer", "[tm][failover]")
{
    Failover f{""};
    f.servers(f.first.port(), f.second.port());
    f.invite();
    REQUIRE(f.first.expect("INVITE"));
    CHECK(f.caller.expect(408));
    CHECK(f.second.hears_nothing());
}

SCENARIO("nobody listens at the first server's TCP port: the second gets the call", "[tm][failover]")
{
    Failover f;
    TcpListener second;
    f.servers(free_port(), second.port(), "_sip._tcp");
    f.invite("X-Params: ;transport=tcp\r\n");
    const std::string seen = second.read_head();
    INFO(f.server.log());
    CHECK(seen.rfind("INVITE sip:desk@pool.test;transport=tcp SIP/2.0\r\n", 0) == 0);
    CHECK(seen.find("Via: SIP/2.0/TCP ") != std::string::npos);
}

SCENARIO("nobody listens at any TCP port: the caller hears it without waiting for a timer", "[tm][failover]")
{
    Failover f;
    f.servers(free_port(), free_port(), "_sip._tcp");
    f.invite("X-Params: ;transport=tcp\r\n");
    SipText answer;
    for (SipText next = f.caller.receive(5000); next && (answer = next).status() < 200;
         next = f.caller.receive(5000))
        ;
    INFO(f.server.log());
    CHECK(answer.status() >= 400);
    CHECK(answer.status() != 408);
}

SCENARIO("a name without servers", "[tm][failover]")
{
    Failover f;
    f.invite();
    SipText answer;
    for (SipText next = f.caller.receive(5000); next && (answer = next).status() < 200;
         next = f.caller.receive(5000))
        ;
    INFO(f.server.log());
    CHECK(answer.status() >= 400);
}

SCENARIO("a request too large for UDP goes over TCP (RFC 3261 18.1.1)", "[tm][failover]")
{
    Failover f{"udp_mtu_try_proto=TCP\n"};
    TcpListener desk;
    f.servers(desk.port(), desk.port());
    f.invite("X-Long: " + std::string(1400, 'x') + "\r\n");
    const std::string seen = desk.read_head();
    INFO(f.server.log());
    CHECK(seen.find("Via: SIP/2.0/TCP ") != std::string::npos);
}

} // namespace sipyard::test
