// core/net/http_test.cpp - HTTP on the SIP port is handed on, in clear and over TLS
#include "core/net/tls_client_test.h"

#include <thread>

namespace sipyard::net {

namespace {

// Keeps what it is given; the test plays the HTTP library on the descriptors.
class Desk final : public HttpAcceptor {
public:
    struct Handed {
        Client stream;
        Received from;
        std::size_t worker;
    };
    void accept(task::Worker& worker, int fd, const Received& from) override
    {
        fcntl(fd, F_SETFL, 0); // the test waits with poll()
        handed.add({Client{Descriptor{fd}}, from, worker.index()});
    }
    Seen<Handed> handed;
};

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

} // namespace

TEST_CASE("plain HTTP gets its descriptor with nothing read from it", "[net]")
{
    const struct {
        const char* story;
        std::vector<std::string> pieces;
    } rows[] = {
        {"at once", {get}},
        {"in two", {"GE", get.substr(2)}},
        {"a longer method, byte by byte",
         {"P", "R", "O", "P", "F", "I", "N", "D", " ", "/", " HTTP/1.1\r\n\r\n"}},
        {"asterisk", {"OPTIONS * HTTP/1.1\r\n\r\n"}},
    };
    Desk desk;
    Loopback there;
    const auto& listener = there.listen(Protocol::tcp);
    there.network.set_http(&desk);
    there.start();
    for (const auto& row : rows) {
        INFO(row.story);
        Client client{Protocol::tcp, listener.bound};
        std::string all;
        for (const auto& piece : row.pieces) {
            client.send(piece);
            all += piece;
        }
        auto handed = desk.handed.next();
        CHECK(handed.stream.receive_exactly(all.size()) == all);
        CHECK(handed.from.source == client.local());
        CHECK(handed.from.listener == &listener);
        handed.stream.send("HTTP/1.1 200 OK\r\n\r\n");
        CHECK(client.receive() == "HTTP/1.1 200 OK\r\n\r\n");

        const auto all_open = there.network.connections(10);
        REQUIRE(all_open.size() == 1);
        CHECK(all_open[0].http);
        CHECK(all_open[0].id == handed.from.connection);
        CHECK_FALSE(there.network.is_open(handed.from.connection)); // not for SIP
        handed.stream.close();
        there.network.released(handed.from.connection);
        CHECK(there.network.counters().tcp_open == 0);
        CHECK(client.is_closed());
    }
    CHECK(there.network.counters().http_handed == 4);
}

TEST_CASE("HTTP and SIP share a port", "[net]")
{
    Desk desk;
    Loopback there;
    const auto& listener = there.listen(Protocol::tls);
    there.network.set_tls_server(tls_server());
    there.network.set_http(&desk);
    there.start();
    TlsClient phone{listener.bound, tls_client()}, browser{listener.bound, tls_client()};
    browser.send(get);
    phone.send(sip_options("1"));
    auto handed = desk.handed.next();
    CHECK(handed.stream.receive_exactly(get.size()) == get);
    CHECK(there.handler.messages.next().bytes == sip_options("1"));
    CHECK(there.network.tls_info(handed.from.connection)->own.common_name == "localhost");
}

TEST_CASE("HTTP over TLS is carried both ways, and ends in either", "[net]")
{
    for (const char* method : {"TLSv1.2", "TLSv1.3"}) {
        INFO(method);
        Desk desk;
        Loopback there;
        const auto& listener = there.listen(Protocol::tls);
        there.network.set_tls_server(tls_server());
        there.network.set_http(&desk);
        there.start();
        {
            TlsClient client{listener.bound, tls_client(method)};
            for (const char c : get) // a record for each byte
                client.send({&c, 1});
            auto handed = desk.handed.next();
            CHECK(handed.stream.receive_exactly(get.size()) == get);
            CHECK(handed.from.source == client.socket().local());
            handed.stream.send("HTTP/1.1 200 OK\r\n\r\n");
            CHECK(client.receive_exactly(19) == "HTTP/1.1 200 OK\r\n\r\n");
            REQUIRE(there.network.connections(10).size() == 1);
            CHECK(there.network.connections(10)[0].http);
            handed.stream.close();
            CHECK(client.receive().empty());
            CHECK(client.last() == crypto::TlsStream::Step::closed); // close_notify
        }
        CHECK(there.comes_true([&] { return there.network.counters().tls_open == 0; }));
        {
            TlsClient client{listener.bound, tls_client(method)};
            client.send(get);
            auto handed = desk.handed.next();
            client.shutdown(); // only its direction
            CHECK(handed.stream.receive_exactly(get.size() + 1) == get);
            handed.stream.send("late answer");
            CHECK(client.receive_exactly(11) == "late answer");
            handed.stream.close();
            CHECK(client.receive().empty());
        }
        CHECK(there.comes_true([&] { return there.network.counters().tls_open == 0; }));
        {
            auto client = std::make_unique<TlsClient>(listener.bound, tls_client(method));
            client->send(get);
            auto handed = desk.handed.next();
            CHECK(handed.stream.receive_exactly(get.size()) == get);
            const linger now{1, 0}; // vanishes with a reset
            setsockopt(client->socket().fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
            client.reset();
            CHECK(handed.stream.is_closed());
        }
        CHECK(there.comes_true([&] { return there.network.counters().tls_open == 0; }));
    }
}

TEST_CASE("a large body crosses the bridge in both directions at once", "[net]")
{
    Desk desk;
    Loopback there;
    const auto& listener = there.listen(Protocol::tls);
    there.network.set_tls_server(tls_server());
    there.network.set_http(&desk);
    there.start();
    TlsClient client{listener.bound, tls_client()};
    std::string up = get, down;
    for (unsigned i = 0; up.size() < 8'000'000; ++i)
        up += std::to_string(i * 2654435761u);
    for (unsigned i = 0; down.size() < 8'000'000; ++i)
        down += std::to_string(i * 40503u);

    SECTION("one after the other")
    {
        std::string arrived;
        std::thread library{[&] { // blocks as the client blocks
            auto handed = desk.handed.next();
            arrived = handed.stream.receive_exactly(up.size());
            handed.stream.send(down);
        }};
        client.send(up);
        const auto came = client.receive_exactly(down.size());
        library.join();
        CHECK((arrived == up));
        CHECK((came == down));
        CHECK(client.receive().empty());
    }
    SECTION("an answer nobody reads yet does not keep the request from arriving")
    {
        client.send(get);
        auto handed = desk.handed.next();
        std::thread library{[&] { handed.stream.send(down); }};
        std::thread upload{[&] { client.send(up); }};
        CHECK((handed.stream.receive_exactly(get.size() + up.size()) == get + up));
        upload.join();
        CHECK((client.receive_exactly(down.size()) == down));
        library.join();
    }
}

TEST_CASE("a refusal in the middle of an upload still reaches the client", "[net]")
{
    Desk desk;
    Loopback there;
    const auto& listener = there.listen(Protocol::tls);
    there.network.set_tls_server(tls_server());
    there.network.set_http(&desk);
    there.start();
    TlsClient client{listener.bound, tls_client()};
    client.send(get);
    {
        auto handed = desk.handed.next();
        handed.stream.receive_exactly(get.size());
        handed.stream.send("HTTP/1.1 413 Too Large\r\n\r\n");
    } // and closed
    client.send(std::string(100'000, 'x'));
    CHECK(client.receive_exactly(26) == "HTTP/1.1 413 Too Large\r\n\r\n");
}

TEST_CASE("a client that does not read the end of its answer is given up", "[net]")
{
    Desk desk;
    Loopback there;
    const auto& listener = there.listen(Protocol::tls);
    there.network.set_tls_server(tls_server());
    there.network.set_http(&desk);
    there.start();
    TlsClient client{listener.bound, tls_client()};
    client.send(get);
    auto handed = desk.handed.next();
    fcntl(handed.stream.fd(), F_SETFL, O_NONBLOCK);
    REQUIRE(there.comes_true([&] { // until everything between them is full
        const std::string piece(1'000'000, 'x');
        for (int i = 0; i < 100; ++i) {
            if (handed.stream.send(piece))
                return false;
            there.runtime.on_every_worker([](task::Worker&) {});
        }
        return true;
    }));
    handed.stream.close();
    REQUIRE(there.comes_true([&] { return there.runtime.quiet(); }));
    CHECK(there.network.counters().tls_open == 1);
    there.clock.advance(there.runtime, 11s);
    CHECK(there.comes_true([&] { return there.network.counters().tls_open == 0; }));
}

TEST_CASE("HTTP connections count against the limits", "[net]")
{
    Settings settings;
    settings.tcp_max_connections = 1;
    Desk desk;
    Loopback there{settings};
    const auto& listener = there.listen(Protocol::tcp);
    there.network.set_http(&desk);
    there.start();
    Client one{Protocol::tcp, listener.bound};
    one.send(get);
    const auto id = desk.handed.next().from.connection; // and closed at once
    Client two{Protocol::tcp, listener.bound};
    CHECK(two.is_closed());
    there.network.released(id);
    there.network.released(id); // twice does no harm
    Client three{Protocol::tcp, listener.bound};
    three.send(get);
    desk.handed.next();
    CHECK(there.network.counters().refused_limit == 1);
}

} // namespace sipyard::net
