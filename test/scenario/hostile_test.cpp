// test/scenario/hostile_test.cpp - garbage, slow clients, floods of connections, oversized messages: the
// server stays
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <random>

#include <sys/socket.h>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::StartsWith;

namespace {

const std::string uri = "sip:127.0.0.1";

// SIP on UDP, TCP and TLS, HTTP on the streams; patience of one second; as many connections as a test wants.
struct Target {
    TempDir folder;
    std::uint16_t tls_port = free_port();
    RunningServer server;
    UdpClient friendly;
    int asked = 0;

    explicit Target(const std::string& more = {}) : server{prepared(more), options()}, friendly{server.port()}
    {
    }
    std::string prepared(const std::string& more)
    {
        make_certificate(folder);
        return folder.write(
            "h.cfg", "auto_aliases=no\nenable_tls=yes\nlisten=udp:127.0.0.1:PORT\nlisten=tcp:127.0.0.1:PORT\n"
                     "listen=tls:127.0.0.1:TLS_PORT\ntcp_accept_no_cl=yes\ntcp_msg_read_timeout=1\n" +
                         more +
                         "\nloadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule \"xhttp.so\"\nloadmodule "
                         "\"tls.so\"\n"
                         "modparam(\"tls\", \"certificate\", CERTIFICATE)\n"
                         "modparam(\"tls\", \"private_key\", PRIVATE_KEY)\n"
                         "modparam(\"xhttp\", \"max_body_size\", 65536)\n"
                         "modparam(\"xhttp\", \"request_timeout\", 1)\n"
                         "request_route { sl_send_reply(\"200\", \"OK\"); }\n"
                         "event_route[xhttp:request] { xhttp_reply(\"200\", \"OK\", \"text/plain\", "
                         "\"fine\\n\"); }\n");
    }
    RunningServer::Options options()
    {
        RunningServer::Options options;
        options.defines = {{"TLS_PORT", std::to_string(tls_port)},
                           {"CERTIFICATE", "\"" + folder.file("cert.pem") + "\""},
                           {"PRIVATE_KEY", "\"" + folder.file("key.pem") + "\""}};
        return options;
    }
    std::uint16_t port() const { return server.port(); }
    std::int64_t counted(std::string_view name) { return server.counted(name); }
    bool answers_udp()
    {
        return friendly.ask(sip_request("OPTIONS", uri, "ok-" + std::to_string(++asked), friendly.port()))
            .starts_with("SIP/2.0 200");
    }
    bool answers_tls() // a whole new HTTPS request
    {
        const Ran ran = run_program({"curl", "-sS", "-m", "10", "--cacert", folder.file("cert.pem"),
                                     "https://127.0.0.1:" + std::to_string(tls_port) + "/"});
        INFO(ran.output);
        return ran.output == "fine\n";
    }
    bool answers() { return answers_udp() && http(port(), "GET", "/").body == "fine\n"; }
};

std::string noise(std::mt19937& random, std::size_t most)
{
    std::string bytes(std::uniform_int_distribution<std::size_t>{1, most}(random), '\0');
    for (char& c : bytes)
        c = static_cast<char>(random());
    return bytes;
}

} // namespace

SCENARIO("garbage is counted and dropped", "[hostile]")
{
    Target target;
    std::mt19937 random{20260101};
    const std::string good = sip_request("OPTIONS", uri, "good", 9, {}, "UDP");

    WHEN("datagrams are noise, or real messages with damage")
    {
        UdpClient attacker{target.port()};
        for (int i = 0; i < scaled(2000, 300); ++i) {
            std::string bytes = good;
            switch (i % 4) {
            case 0: bytes = noise(random, 1400); break;
            case 1: bytes.resize(random() % bytes.size()); break;
            case 2:
                for (int hits = 0; hits < 5; ++hits)
                    bytes[random() % bytes.size()] = static_cast<char>(random());
                break;
            default: bytes.insert(random() % bytes.size(), noise(random, 40)); break;
            }
            if (bytes.empty())
                bytes = "\r\n\r\n";
            attacker.send(bytes);
            if (i % 50 == 0)
                REQUIRE(target.answers_udp());
        }
        THEN("the server answers and knows what it has seen")
        {
            CHECK(target.answers());
            CHECK(target.counted("core.bad_msg_hdr") > 0);
        }
    }
    WHEN("streams carry noise")
    {
        for (int i = 0; i < scaled(200, 40); ++i) {
            TcpClient attacker{target.port()};
            std::string bytes = i % 2 == 0 ? noise(random, 4000)
                                           : "OPTIONS sip:x SIP/2.0\r\n" + noise(random, 400) + "\r\n\r\n" +
                                                 noise(random, 4000);
            attacker.send(bytes);
            if (i % 4 == 3)
                attacker.shutdown_writing();
        }
        CHECK(wait_until([&] { return target.counted("net.garbage") > 0; }));
        CHECK(target.answers());
    }
    WHEN("HTTP requests are broken")
    {
        for (const std::string& bytes : std::vector<std::string>{
                 "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n",
                 "GET / HTTP/1.1\r\n: x\r\n\r\n", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                 "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                 "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
            INFO(bytes);
            TcpClient attacker{target.port()};
            attacker.send(bytes);
            attacker.shutdown_writing();
            CHECK(attacker.closed_by_peer());
            CHECK(target.answers());
        }
    }
    WHEN("the TLS port hears no TLS")
    {
        for (const std::string& bytes :
             {std::string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n"}, good, noise(random, 4000),
              std::string{"\x16\x03\x01\xff\xff\x01", 6} + noise(random, 4000)}) {
            TcpClient attacker{target.tls_port};
            attacker.send(bytes);
            attacker.shutdown_writing();
            CHECK(attacker.closed_by_peer());
        }
        CHECK(target.counted("net.tls_failures") >= 4);
        CHECK(target.answers_tls());
    }
}

SCENARIO("who is too slow is hung up on", "[hostile]")
{
    Target target;
    WHEN("connections say nothing, or begin a handshake and stop, or send a byte now and then")
    {
        std::vector<std::unique_ptr<TcpClient>> silent, half_open;
        for (int i = 0; i < 10; ++i) {
            silent.push_back(std::make_unique<TcpClient>(target.port()));
            half_open.push_back(std::make_unique<TcpClient>(target.tls_port));
            half_open.back()->send({"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", i % 2 == 0 ? 11u : 3u});
        }
        TcpClient drop_by_drop{target.port()}, http_drops{target.port()};
        const std::string slow_sip = sip_request("OPTIONS", uri, "drops", 1, {}, "TCP");
        drop_by_drop.send(slow_sip.substr(0, 30));
        http_drops.send("GET / HTTP/1.1\r\nX: ");
        // A byte every tenth of a second keeps none of them alive.
        bool sip_closed = false, http_closed = false;
        for (int i = 0; i < 60 && !(sip_closed && http_closed); ++i) {
            if (!sip_closed) {
                drop_by_drop.send(slow_sip.substr(30 + static_cast<std::size_t>(i), 1));
                sip_closed = drop_by_drop.closed_by_peer(50);
            }
            if (!http_closed) {
                http_drops.send("y");
                http_closed = http_drops.closed_by_peer(50);
            }
        }
        THEN("they are closed in time, and the others never noticed")
        {
            CHECK(sip_closed);
            CHECK(http_closed);
            for (const auto& client : silent)
                CHECK(client->closed_by_peer());
            for (const auto& client : half_open)
                CHECK(client->closed_by_peer());
            CHECK(target.counted("net.closed_timeout") >= 21);
            CHECK(target.counted("net.tls_failures") >= 10);
            CHECK(target.counted("xhttp.timeouts") >= 1);
            CHECK(wait_until(
                [&] { return target.counted("net.tcp_open") == 0 && target.counted("net.tls_open") == 0; }));
            CHECK(target.answers());
            CHECK(target.answers_tls());
        }
    }
}

SCENARIO("connections have limits", "[hostile]")
{
    WHEN("there are more than tcp_max_connections")
    {
        Target target{"tcp_max_connections=20"};
        std::vector<std::unique_ptr<TcpClient>> clients;
        for (int i = 0; i < 30; ++i) {
            clients.push_back(std::make_unique<TcpClient>(target.port()));
            clients.back()->send(sip_request("OPTIONS", uri, "lim-" + std::to_string(i), 1, {}, "TCP"));
        }
        int answered = 0, refused = 0;
        for (const auto& client : clients)
            (client->read_message().starts_with("SIP/2.0 200") ? answered : refused)++;
        THEN("so many are served and the rest is refused, until somebody leaves")
        {
            CHECK(answered == 20);
            CHECK(refused == 10);
            CHECK(target.counted("net.refused_limit") == 10);
            CHECK(target.answers_udp());
            clients.clear();
            CHECK(wait_until([&] { return target.counted("net.tcp_open") == 0; }));
            CHECK(target.answers());
        }
    }
    WHEN("one address opens more than tcp_accept_iplimit")
    {
        Target target{"tcp_accept_iplimit=5"};
        std::vector<std::unique_ptr<TcpClient>> clients;
        for (int i = 0; i < 8; ++i)
            clients.push_back(std::make_unique<TcpClient>(target.port()));
        CHECK(wait_until([&] { return target.counted("net.refused_limit") == 3; }));
        CHECK(target.counted("net.tcp_open") == 5);
        CHECK(target.answers_udp());
    }
    WHEN("thousands of phones keep idle connections")
    {
        const int idle = scaled(2000, 200);
        Target target{"tcp_max_connections=4000\ntcp_accept_iplimit=4000"};
        std::vector<std::unique_ptr<TcpClient>> phones;
        for (int i = 0; i < idle; ++i) {
            phones.push_back(std::make_unique<TcpClient>(target.port()));
            phones.back()->send("\r\n\r\n"); // a ping: it is there, and has nothing to say
            if (i % 100 == 99)
                REQUIRE(phones.back()->read_some() == "\r\n");
        }
        THEN("they cost nobody anything and work when they are needed")
        {
            CHECK(wait_until([&] { return target.counted("net.tcp_open") == idle; }));
            CHECK(target.answers());
            for (int i = 0; i < idle; i += idle / 20) {
                TcpClient& phone = *phones[static_cast<std::size_t>(i)];
                phone.send(sip_request("OPTIONS", uri, "idle-" + std::to_string(i), 1, {}, "TCP"));
                CHECK(phone.read_until("\r\n\r\n").find("SIP/2.0 200") != std::string::npos);
            }
        }
    }
}

SCENARIO("what is too large is refused", "[hostile]")
{
    Target target;
    const std::string head =
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKl\r\n";
    WHEN("a line has no end")
    {
        for (const std::string& begin : {head + "X: ", std::string{"OPTIONS sip:"}, std::string{"GET /"},
                                         std::string{"GET / HTTP/1.1\r\nX: "}}) {
            INFO(begin);
            TcpClient attacker{target.port()};
            attacker.send(begin + std::string(200'000, 'x'));
            CHECK(attacker.closed_by_peer());
            CHECK(target.answers());
        }
        CHECK(target.counted("net.garbage") >= 2);
    }
    WHEN("a body is announced that nobody can take")
    {
        for (const char* const length : {"100000", "4294967296", "18446744073709551616", "-5", "x"}) {
            INFO(length);
            TcpClient attacker{target.port()};
            attacker.send(head +
                          "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: l\r\nCSeq: 1 "
                          "OPTIONS\r\nContent-Length: " +
                          length + "\r\n\r\n" + std::string(20'000, 'b'));
            CHECK(attacker.closed_by_peer());
            CHECK(target.answers());
        }
    }
    WHEN("an HTTP body is larger than xhttp allows")
    {
        TcpClient client{target.port()};
        client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + std::string(70'000, 'b'));
        CHECK(read_answer(client).status == 413);
        CHECK(target.counted("xhttp.too_large") == 1);
        CHECK(target.answers());
    }
    WHEN("a datagram is large")
    { // msg_recv_max_size is 32,767
        UdpClient attacker{target.port()};
        attacker.send(
            sip_request("OPTIONS", uri, "big", attacker.port(), "X: " + std::string(30'000, 'x') + "\r\n"));
        CHECK_THAT(attacker.receive(), StartsWith("SIP/2.0 200"));
        attacker.send(sip_request("OPTIONS", uri, "bigger", attacker.port(),
                                  "X: " + std::string(60'000, 'x') + "\r\n"));
        attacker.send(sip_request("OPTIONS", uri, "next", attacker.port()));
        CHECK_THAT(attacker.receive(), Catch::Matchers::Contains("Call-ID: next"));
        CHECK(target.answers());
    }
    WHEN("a client sends and sends and never reads")
    {
        TcpClient deaf{target.port()};
        const int small = 4096;
        ::setsockopt(deaf.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        const timeval patience{0, 200'000};
        ::setsockopt(deaf.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        std::string many;
        for (int i = 0; i < 200; ++i)
            many += sip_request("OPTIONS", uri, "deaf-" + std::to_string(i), 1, {}, "TCP");
        for (int i = 0; i < 200 && target.counted("net.tcp_open") > 0; ++i)
            deaf.send(many);
        THEN("its connection is closed before it costs much, and everybody else is served")
        {
            CHECK(wait_until([&] { return target.counted("net.tcp_open") == 0; }, 20'000));
            CHECK(target.answers());
        }
    }
}
