// core/script/forward_test.cpp - forward() on real sockets of the loopback; onsend_route's operands
#include "test/support/catch.h"
#include "test/support/run_script.h"

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

// A phone's UDP socket.
class Phone {
public:
    Phone()
    {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
        socklen_t size = sizeof at;
        REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        port_ = ntohs(at.sin_port);
    }
    ~Phone() { close(fd_); }
    int port() const { return port_; }
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
    const int fd_ = socket(AF_INET, SOCK_DGRAM, 0);
    int       port_ = 0;
};

} // namespace

TEST_CASE("forward() sends the request on with our Via on top", "[script]")
{
    FakeHost::Options options;
    options.system_clock = true;
    FakeHost      host{options};
    ScriptFixture script{host};
    Nobody        nobody;
    Phone         phone;
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
        {"to a host and port", format("forward(127.0.0.1, {});", phone.port()), "INVITE sip:bob@example.com SIP/2.0\r\n"},
        {"to the request URI as changed", format("rewriteuri(\"sip:eve@127.0.0.1:{}\"); forward();", phone.port()),
         "INVITE sip:eve@127.0.0.1:"},
        {"to the host of the URI, over UDP", format("rewriteuri(\"sip:x@127.0.0.1:{}\"); forward_udp(uri:host, uri:port);", phone.port()),
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
        CHECK(got.find(format("Via: SIP/2.0/UDP 127.0.0.1:{};branch=z9hG4bK", ours.port())) != std::string::npos);
        CHECK(got.find(";received=192.0.2.7;rport=5070") != std::string::npos); // rport was asked for (RFC 3581 4)
    }
    INFO("a URI that is none fails");
    REQUIRE(script.load("request_route { rewriteuri(\"nonsense\"); $var(r) = forward(); }"));
    host.on_fiber([&] { script.run(); });
    host.on_fiber([&] { CHECK(script.value("$var(r)") == "-1"); });
}

TEST_CASE("onsend_route sees where a message goes and may stop it", "[script]")
{
    FakeHost      host;
    ScriptFixture script{host};
    REQUIRE(script.load("request_route { ; }\nonsend_route { if (to_ip == 198.51.100.9 && to_port == 5090 && msg:len == 4"
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
