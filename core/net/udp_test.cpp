// core/net/udp_test.cpp - datagrams over real loopback sockets
#include "core/net/loopback_test.h"

#include <arpa/inet.h>

namespace sipyard::net {

TEST_CASE("a datagram comes back to its sender", "[net]")
{
    for (const char* ip : {"127.0.0.1", "::1"}) {
        INFO(ip);
        Loopback there;
        there.echo();
        const auto& listener = there.listen(Protocol::udp, ip);
        there.start();
        REQUIRE(listener.bound.port != 0);
        Client client{Protocol::udp, listener.bound};
        client.send("OPTIONS sip:a@b SIP/2.0");
        CHECK(client.receive() == "OPTIONS sip:a@b SIP/2.0");
    }
}

TEST_CASE("a handler learns who sent where", "[net]")
{
    const struct {
        const char *story, *bound, *client;
    } rows[] = {
        {"a bound address", "127.0.0.1", "127.0.0.1"},
        {"the wildcard says which address was meant", "0.0.0.0", "127.0.0.1"},
        {"another address of the wildcard", "0.0.0.0", "127.0.0.2"},
        {"the IPv6 wildcard", "::", "::1"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loopback there;
        const auto& listener = there.listen(Protocol::udp, row.bound);
        there.start();
        const auto to = *Address::parse(row.client, listener.bound.port);
        Client client{Protocol::udp, to};
        client.send("OPTIONS sip:a@b SIP/2.0");
        const auto message = there.handler.messages.next();
        CHECK(message.bytes == "OPTIONS sip:a@b SIP/2.0");
        CHECK(message.from.source == client.local());
        CHECK(message.from.local == to);
        CHECK(message.from.listener == &listener);
        CHECK(message.from.protocol == Protocol::udp);
        CHECK_FALSE(message.from.connection);
    }
}

TEST_CASE("one flow and sixteen: nothing is lost and nothing is mixed up", "[net]")
{
    for (const std::size_t flows : {1u, 16u}) {
        INFO(flows << " flows");
        Loopback there;
        there.echo();
        const auto& listener = there.listen(Protocol::udp);
        there.start();
        std::vector<std::unique_ptr<Client>> clients;
        for (std::size_t i = 0; i < flows; ++i)
            clients.push_back(std::make_unique<Client>(Protocol::udp, listener.bound));
        for (int round = 0; round < 10; ++round) {
            std::set<std::string> sent, seen;
            for (auto& client : clients)
                for (std::size_t i = 0; i < 160 / flows; ++i) {
                    const auto text =
                        sip_options(std::to_string(client->local().port) + "-" + std::to_string(i));
                    sent.insert(text);
                    client->send(text);
                }
            for (auto& client : clients)
                for (std::size_t i = 0; i < 160 / flows; ++i) {
                    const auto text = client->receive();
                    CHECK(text.find(std::to_string(client->local().port)) != std::string::npos);
                    seen.insert(text);
                }
            CHECK(seen == sent);
        }
        CHECK(there.comes_true([&] { return there.network.counters().datagrams_in == 1600; }));
        CHECK(there.network.counters().datagrams_out == 1600);
    }
}

TEST_CASE("a flood of one flow is read by others too, and answered in full", "[net]")
{
    Loopback there{{}, 2};
    std::mutex mutex;
    std::set<std::size_t> workers;
    there.handler.answer = [&](const Received& from, std::string_view bytes) {
        {
            const std::lock_guard lock{mutex};
            workers.insert(task::Worker::current()->index());
        }
        // Work that takes long enough for the socket to fill up behind it.
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds{30};
        while (std::chrono::steady_clock::now() < until) {
        }
        static_cast<void>(there.network.send({from.protocol, from.source, from.listener, {}, false}, bytes));
    };
    const auto& listener = there.listen(Protocol::udp);
    there.start();
    Client client{Protocol::udp, listener.bound};
    const int room = 4 * 1024 * 1024;
    setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    bool helped = false;
    for (int round = 0; round < 200 && !helped; ++round) {
        for (int i = 0; i < 320; ++i) // more than two wakes take, less than the client's buffer holds
            client.send("OPTIONS sip:a@b SIP/2.0");
        for (int i = 0; i < 320; ++i)
            REQUIRE(client.receive().size() == 23);
        const std::lock_guard lock{mutex};
        helped = workers.size() == 2;
    }
    CHECK(helped);
}

TEST_CASE("keepalives and oversized datagrams do not reach the handler", "[net]")
{
    Settings settings;
    settings.max_datagram = 1000;
    Loopback there{settings};
    const auto& listener = there.listen(Protocol::udp);
    there.start();
    Client client{Protocol::udp, listener.bound};
    client.send(std::string_view{"\0\0\0\0", 4});
    client.send("\r\n\r\n");
    client.send(std::string(1001, 'x'));
    client.send(std::string(1000, 'y'));
    CHECK(there.handler.messages.next().bytes == std::string(1000, 'y'));
    CHECK(there.comes_true([&] { return there.network.counters().datagrams_in == 4; }));
    CHECK(there.network.counters().garbage == 1);
    CHECK(there.network.counters().messages_in == 1);
}

TEST_CASE("a second instance on the same address is refused by name", "[net]")
{
    for (const auto protocol : {Protocol::udp, Protocol::tcp}) {
        INFO(to_text(protocol));
        Loopback first, second;
        const auto& taken = first.listen(protocol);
        first.start();
        Listener same;
        same.protocol = protocol;
        same.bound = taken.bound;
        second.network.add_listener(same);
        second.runtime.start();
        const auto started = second.network.start(second.handler);
        REQUIRE_FALSE(started);
        CHECK(started.error().text.find(taken.text()) != std::string::npos);
        CHECK(started.error().text.find("in use") != std::string::npos);
    }
}

TEST_CASE("a datagram without a fitting socket is an error of the sender", "[net]")
{
    Loopback there;
    there.listen(Protocol::udp);
    there.start();
    const auto sent =
        there.network.send({Protocol::udp, *Address::parse("::1", 5060), nullptr, {}, true}, "x");
    REQUIRE_FALSE(sent);
    CHECK(sent.error().text.find("[::1]:5060") != std::string::npos);
    CHECK(there.network.pick(Protocol::udp, *Address::parse("127.0.0.9")) ==
          there.network.listeners()[0].get());
    CHECK(there.network.pick(Protocol::tcp, *Address::parse("127.0.0.9")) == nullptr);
}

TEST_CASE("with mhomed the socket is chosen by the route", "[net]")
{
    Settings settings;
    settings.mhomed = true;
    Loopback there{settings};
    there.listen(Protocol::udp, "127.0.0.2");
    const auto& routed = there.listen(Protocol::udp, "127.0.0.1");
    there.start();
    CHECK(there.network.pick(Protocol::udp, *Address::parse("127.0.0.1", 9)) == &routed);
}

} // namespace sipyard::net
