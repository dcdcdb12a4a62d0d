// core/script/forward_test.cpp - forward() on real sockets of the loopback; onsend_route's operands
#include "test/support/catch.h"
#include "test/support/dns_server.h"
#include "test/support/run_script.h"

#include "core/base/format.h"
#include "core/net/udp_size.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace sipyard;
using test::FakeHost;
using test::Messenger;
using test::ScriptFixture;

namespace {

struct Nobody final : net::MessageHandler {
    void on_message(task::Worker&, const net::Received&, std::string_view) override {}
    void on_send_failed(const net::Destination&, std::string_view, const Error&) override {}
};

// A phone's UDP socket; with a TCP socket on the same port when it listens there too.
class Phone {
public:
    enum class Listens : unsigned char { udp, udp_and_tcp };
    explicit Phone(Listens listens = Listens::udp)
    {
        // A port that is free for one protocol may be taken for the other.
        for (int tries = 0; !bind_both(listens); ++tries)
            REQUIRE(tries < 20);
        if (tcp_ >= 0)
            REQUIRE(listen(tcp_, 4) == 0);
    }
    ~Phone()
    {
        for (const int fd : {fd_, tcp_, connection_})
            if (fd >= 0)
                close(fd);
    }
    int port() const { return port_; }
    // What comes over the one TCP connection until `end`; "" when nothing does within five seconds.
    std::string receive_tcp(std::string_view end)
    {
        pollfd ready{tcp_, POLLIN, 0};
        if (connection_ < 0 && poll(&ready, 1, 5000) == 1)
            connection_ = accept(tcp_, nullptr, nullptr);
        pollfd readable{connection_, POLLIN, 0};
        std::string got;
        char bytes[4096];
        while (got.find(end) == std::string::npos && poll(&readable, 1, 5000) == 1) {
            const auto n = recv(connection_, bytes, sizeof bytes, 0);
            if (n <= 0)
                break;
            got.append(bytes, static_cast<std::size_t>(n));
        }
        return got;
    }
    std::string receive() const // "" when nothing comes within five seconds
    {
        pollfd ready{fd_, POLLIN, 0};
        if (poll(&ready, 1, 5000) != 1)
            return {};
        char bytes[4096];
        const auto n = recv(fd_, bytes, sizeof bytes, 0);
        return n > 0 ? std::string{bytes, static_cast<std::size_t>(n)} : std::string{};
    }

private:
    bool bind_both(Listens listens)
    {
        for (int* const fd : {&fd_, &tcp_})
            if (*fd >= 0)
                close(std::exchange(*fd, -1));
        fd_ = socket(AF_INET, SOCK_DGRAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
        socklen_t size = sizeof at;
        REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        port_ = ntohs(at.sin_port);
        if (listens == Listens::udp)
            return true;
        tcp_ = socket(AF_INET, SOCK_STREAM, 0);
        return bind(tcp_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
    }

    int fd_ = -1, tcp_ = -1, connection_ = -1;
    int port_ = 0;
};

// A host with sockets on 127.0.0.1 that runs scripts.
struct Router {
    explicit Router(bool tcp = true)
    {
        for (const auto protocol : {net::Protocol::udp, net::Protocol::tcp})
            if (protocol == net::Protocol::udp || tcp) {
                net::Listener listener;
                listener.protocol = protocol;
                listener.bound = *net::Address::parse("127.0.0.1", 0);
                host.network().add_listener(listener);
            }
        host.start_workers();
        REQUIRE(host.network().start(nobody));
    }
    // Whether forward() after the statements sent something. (A script that waited for the DNS has its own
    // variables.)
    bool run(const std::string& statements, const std::string& call = "forward()")
    {
        const bool loaded = script.load(parameters + "request_route { " + statements + " if (" + call +
                                        " > 0) setflag(7); }");
        INFO(script.errors());
        REQUIRE(loaded);
        bool sent = false;
        host.on_fiber([&] {
            Messenger message{host, test::sample_request()};
            script.engine().run_request(*message);
            sent = (message->flags & (1u << 7)) != 0;
        });
        return sent;
    }
    static FakeHost::Options real_time()
    {
        FakeHost::Options options;
        options.system_clock = true;
        return options;
    }

    std::string parameters; // global ones, in front of the route
    FakeHost host{real_time()};
    ScriptFixture script{host};
    Nobody nobody;
};

} // namespace

TEST_CASE("forward() sends the request on with our Via on top", "[script]")
{
    FakeHost::Options options;
    options.system_clock = true;
    FakeHost host{options};
    ScriptFixture script{host};
    Nobody nobody;
    Phone phone;
    net::Listener listener;
    listener.bound = *net::Address::parse("127.0.0.1", 0);
    const net::Listener& ours = host.network().add_listener(listener);
    host.start_workers();
    REQUIRE(host.network().start(nobody));

    const struct {
        const char* story;
        std::string call;
        const char* request_line;
    } rows[] = {
        {"to a host and port", format("forward(127.0.0.1, {});", phone.port()),
         "INVITE sip:bob@example.com SIP/2.0\r\n"},
        {"to the request URI as changed",
         format("rewriteuri(\"sip:eve@127.0.0.1:{}\"); forward();", phone.port()),
         "INVITE sip:eve@127.0.0.1:"},
        {"to the host of the URI, over UDP",
         format("rewriteuri(\"sip:x@127.0.0.1:{}\"); forward_udp(uri:host, uri:port);", phone.port()),
         "INVITE sip:x@127.0.0.1:"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const bool loaded = script.load("request_route { $var(sent) = 0; " + row.call + " $var(sent) = 1; }");
        INFO(script.errors());
        REQUIRE(loaded);
        host.on_fiber([&] { script.run(); });
        const auto got = phone.receive();
        INFO(got);
        INFO(host.log_lines().text());
        CHECK(got.rfind(row.request_line, 0) == 0);
        CHECK(got.find(format("Via: SIP/2.0/UDP 127.0.0.1:{};branch=z9hG4bK", ours.port())) !=
              std::string::npos);
        CHECK(got.find(";received=192.0.2.7;rport=5070") !=
              std::string::npos); // rport was asked for (RFC 3581 4)
    }
    INFO("a URI that is none fails");
    REQUIRE(script.load("request_route { rewriteuri(\"nonsense\"); $var(r) = forward(); }"));
    host.on_fiber([&] { script.run(); });
    host.on_fiber([&] { CHECK(script.value("$var(r)") == "-1"); });
}

TEST_CASE("forward() goes where the DNS says, and on to the next when there is no way", "[script]")
{
    Phone phone, both{Phone::Listens::udp_and_tcp};
    test::DnsServer dns{format("_sip._udp.one.test SRV 0 0 {} here.test\n"
                               "_sip._tcp.two.test SRV 0 0 {} here.test\n"
                               "two.test NAPTR 1 1 s SIP+D2T \"\" _sip._tcp.two.test\n"
                               "_sip._udp.next.test SRV 0 0 5060 six.test\n"
                               "_sip._udp.next.test SRV 1 0 {} here.test\n"
                               "six.test AAAA ::1\n"
                               "here.test A 127.0.0.1\n",
                               phone.port(), both.port(), phone.port())};
    Router router;
    router.parameters = "dns_servers=\"" + dns.text() + "\"\nuse_dns_failover=yes\ndns_try_naptr=yes\n";
    INFO("the SRV record of a name");
    CHECK(router.run("rewriteuri(\"sip:bob@one.test\");"));
    CHECK(phone.receive().rfind("INVITE sip:bob@one.test SIP/2.0\r\n", 0) == 0);
    INFO("a host of the script's");
    CHECK(router.run("", "forward(one.test)"));
    CHECK(phone.receive().rfind("INVITE ", 0) == 0);
    INFO("the transport NAPTR names, and its Via");
    CHECK(router.run("rewriteuri(\"sip:bob@two.test\");"));
    const auto streamed = both.receive_tcp("\r\n\r\n");
    CHECK(streamed.find("\r\nVia: SIP/2.0/TCP 127.0.0.1:") != std::string::npos);
    CHECK(streamed.find("\r\nContent-Length: ") != std::string::npos);
    INFO("a server no socket reaches is passed over");
    CHECK(router.run("rewriteuri(\"sip:bob@next.test\");"));
    CHECK(phone.receive().rfind("INVITE sip:bob@next.test", 0) == 0);
    INFO("the next server when no connection may be opened to the first");
    dns.add(format("_sip._tcp.alias.test SRV 0 0 1 here.test\n_sip._tcp.alias.test SRV 1 0 {} here.test",
                   both.port()));
    CHECK(router.run("set_forward_no_connect(); rewriteuri(\"sip:bob@alias.test;transport=tcp\");"));
    CHECK(both.receive_tcp("\r\n\r\n").find("INVITE sip:bob@alias.test") != std::string::npos);
    CHECK(router.host.log_lines().has("tcp to 127.0.0.1:1: no tcp connection"));
    INFO("the script's protocol stands above the URI's");
    CHECK(router.run("rewriteuri(\"sips:bob@one.test\");", "forward_udp()"));
    CHECK(phone.receive().rfind("INVITE sips:bob@one.test", 0) == 0);
    INFO("nowhere to go");
    CHECK_FALSE(router.run("rewriteuri(\"sip:bob@nowhere.test\");"));
    CHECK_FALSE(router.run("rewriteuri(\"sip:bob@one.test;transport=sctp\");"));
}

TEST_CASE("what is too large for UDP goes over a stream", "[script]")
{
    using net::Protocol;
    const struct {
        const char* story;
        std::size_t size;
        Protocol chosen;
        net::UdpSize rule;
        Protocol expected;
    } rows[] = {
        {"without udp_mtu_try_proto everything goes over UDP", 60'000, Protocol::udp, {}, Protocol::udp},
        {"udp_mtu alone changes nothing", 60'000, Protocol::udp, {1000, {}}, Protocol::udp},
        {"as large as the limit", 1000, Protocol::udp, {1000, Protocol::tcp}, Protocol::udp},
        {"one byte more", 1001, Protocol::udp, {1000, Protocol::tcp}, Protocol::tcp},
        {"TLS", 1001, Protocol::udp, {1000, Protocol::tls}, Protocol::tls},
        {"the RFC's limit", 1300, Protocol::udp, {0, Protocol::tcp}, Protocol::udp},
        {"beyond the RFC's limit", 1301, Protocol::udp, {0, Protocol::tcp}, Protocol::tcp},
        {"UDP says: never", 60'000, Protocol::udp, {1000, Protocol::udp}, Protocol::udp},
        {"a stream stays what it is", 60'000, Protocol::tls, {1000, Protocol::tcp}, Protocol::tls},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(net::protocol_for(row.size, row.chosen, row.rule) == row.expected);
    }

    Phone phone{Phone::Listens::udp_and_tcp};
    const auto to = format("rewriteuri(\"sip:bob@127.0.0.1:{}\"); ", phone.port());
    Router router;
    router.parameters = "udp_mtu=1400\nudp_mtu_try_proto=TCP\n";
    CHECK(router.run(to));
    CHECK(phone.receive().find("Via: SIP/2.0/UDP") != std::string::npos);
    router.parameters = "udp_mtu=100\nudp_mtu_try_proto=TCP\n";
    CHECK(router.run(to));
    CHECK(phone.receive_tcp("\r\n\r\n").find("Via: SIP/2.0/TCP") != std::string::npos);
    INFO("without a TCP socket a large datagram is better than nothing");
    Router no_tcp{false};
    no_tcp.parameters = router.parameters;
    CHECK(no_tcp.run(to));
    CHECK(phone.receive().find("Via: SIP/2.0/UDP") != std::string::npos);
}

TEST_CASE("onsend_route sees where a message goes and may stop it", "[script]")
{
    FakeHost host;
    ScriptFixture script{host};
    REQUIRE(script.load(
        "request_route { ; }\nonsend_route { if (to_ip == 198.51.100.9 && to_port == 5090 && msg:len == 4"
        " && snd_proto == TCP) drop; }"));
    REQUIRE(script.engine().has_onsend());
    Messenger message{host, test::sample_request()};
    net::Destination to;
    to.protocol = net::Protocol::tcp;
    to.to = *net::Address::parse("198.51.100.9", 5090);
    CHECK_FALSE(script.engine().run_onsend(*message, to, "1234"));
    CHECK(script.engine().run_onsend(*message, to, "12345"));
    to.to = *net::Address::parse("198.51.100.8", 5090);
    CHECK(script.engine().run_onsend(*message, to, "1234"));
}
