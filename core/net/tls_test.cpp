// core/net/tls_test.cpp - SIP over TLS: handshake, half-open peers, names, memory
#include "core/net/tls_client_test.h"

namespace sipyard::net {

TEST_CASE("SIP over TLS goes both ways", "[net]")
{
    for (const char* method : {"TLSv1.2", "TLSv1.3"}) {
        INFO(method);
        Loopback there;
        there.echo();
        const auto& listener = there.listen(Protocol::tls);
        there.network.set_tls_server(tls_server());
        there.start();
        TlsClient client{listener.bound, tls_client(method)};
        const auto text = sip_options("1", std::string(60'000, 'b'));
        for (int i = 0; i < 5; ++i) {
            client.send(text);
            CHECK(client.receive_exactly(text.size()) == text);
        }
        client.send("\r\n\r\n");
        CHECK(client.receive_exactly(2) == "\r\n");
        for (const char c : sip_options("2")) // a record per byte
            client.send({&c, 1});
        CHECK(client.receive_exactly(sip_options("2").size()) == sip_options("2"));

        const auto all = there.network.connections(10);
        REQUIRE(all.size() == 1);
        CHECK(all[0].protocol == Protocol::tls);
        const auto info = there.network.tls_info(all[0].id);
        REQUIRE(info);
        CHECK(info->own.common_name == "localhost");
        CHECK(info->version == std::string{"TLSv1."} + method[6]);
        CHECK(info->cipher_bits >= 128);
        CHECK_FALSE(info->peer_shown);
    }
}

TEST_CASE("close_notify ends the connection, and ours is sent", "[net]")
{
    Loopback there;
    const auto& listener = there.listen(Protocol::tls);
    there.network.set_tls_server(tls_server());
    there.start();
    {
        TlsClient client{listener.bound, tls_client()};
        client.send(sip_options("1"));
        const auto id = there.handler.messages.next().from.connection;
        client.shutdown();
        CHECK(there.comes_true([&] { return !there.network.is_open(id); }));
    }
    TlsClient client{listener.bound, tls_client()};
    client.send(sip_options("2"));
    there.network.close(there.handler.messages.next().from.connection);
    CHECK(client.receive().empty());
    CHECK(client.last() == crypto::TlsStream::Step::closed);
}

TEST_CASE("a handshake that does not end is ended", "[net]")
{
    const struct {
        const char* story;
        std::string said;
    } rows[] = {
        {"says nothing", ""},
        {"half a hello", std::string{"\x16\x03\x01\x02\x00\x01\x00", 7}},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loopback there;
        const auto& listener = there.listen(Protocol::tls);
        there.network.set_tls_server(tls_server());
        there.start();
        Client client{Protocol::tcp, listener.bound};
        client.send(row.said);
        REQUIRE(there.comes_true([&] { return there.network.counters().tls_open == 1; }));
        there.clock.advance(there.runtime, 9s);
        CHECK_FALSE(client.readable(0));
        there.clock.advance(there.runtime, 2s);
        CHECK(client.is_closed());
        CHECK(there.network.counters().tls_failures == 1);
        CHECK(there.network.counters().closed_timeout == 1);
    }
}

TEST_CASE("a peer that speaks no TLS is refused at once", "[net]")
{
    Loopback there;
    const auto& listener = there.listen(Protocol::tls);
    there.network.set_tls_server(tls_server());
    there.start();
    Client client{Protocol::tcp, listener.bound};
    client.send(sip_options("1"));
    while (!client.receive().empty()) {
    } // an alert, perhaps
    CHECK(there.comes_true([&] { return there.network.counters().tls_failures == 1; }));
    CHECK(there.comes_true([&] { return there.network.counters().tls_open == 0; }));
}

TEST_CASE("we connect over TLS, and look at the certificate when told to", "[net]")
{
    const struct {
        const char *story, *ca, *name;
        bool verify, expected;
    } rows[] = {
        {"nobody asks", "", "", false, true},
        {"a trusted certificate", "localhost", "localhost", true, true},
        {"a trusted certificate of somebody else", "localhost", "example.com", true, false},
        {"a certificate nobody knows", "other", "localhost", true, false},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loopback here, there;
        const auto& listener = there.listen(Protocol::tls);
        there.network.set_tls_server(tls_server());
        crypto::TlsSettings settings;
        settings.side = crypto::TlsSide::client;
        settings.verify_certificate = row.verify;
        settings.ca_list = *row.ca ? pem(row.ca, "cert") : "";
        settings.server_name = row.name;
        here.network.set_tls_client(must(crypto::TlsContext::make(settings)));
        there.start();
        here.start();
        const Destination to{Protocol::tls, listener.bound, nullptr, {}, true};
        here.runtime.run_on_fiber([&] { REQUIRE(here.network.send(to, sip_options("1"))); });
        if (row.expected) {
            const auto message = there.handler.messages.next();
            CHECK(message.bytes == sip_options("1"));
            REQUIRE(there.network.send({Protocol::tls, message.from.source, nullptr, {}, false},
                                       sip_options("2")));
            const auto back = here.handler.messages.next();
            CHECK(back.bytes == sip_options("2"));
            CHECK(here.network.tls_info(back.from.connection)->peer_verified == row.verify);
            CHECK(here.network.tls_info(back.from.connection)->peer.common_name == "localhost");
        } else {
            const auto failure = here.handler.failures.next();
            INFO(failure.why.text);
            CHECK(failure.bytes == sip_options("1"));
            CHECK(failure.why.text.find("certificate") != std::string::npos);
        }
    }
}

TEST_CASE("without a certificate a TLS connection is refused, and the network says so", "[net]")
{
    Loopback there;
    const auto& listener = there.listen(Protocol::tls);
    there.start();
    Client client{Protocol::tcp, listener.bound};
    CHECK(client.is_closed());
    CHECK(there.network.counters().tls_failures == 1);
    there.runtime.run_on_fiber([&] {
        const auto sent = there.network.send({Protocol::tls, listener.bound, nullptr, {}, true}, "x");
        CHECK_FALSE(sent);
    });
    CHECK(there.comes_true([&] { return there.network.counters().tls_open == 0; }));
}

TEST_CASE("a reload serves newcomers the new certificate and leaves the others alone", "[net]")
{
    Loopback there;
    there.echo();
    const auto& listener = there.listen(Protocol::tls);
    there.network.set_tls_server(tls_server());
    there.start();
    TlsClient before{listener.bound, tls_client()};
    there.network.set_tls_server(tls_server("other"));
    TlsClient after{listener.bound, tls_client()};
    CHECK(before.peer() == "localhost");
    CHECK(after.peer() == "other.test");
    before.send(sip_options("1"));
    CHECK(before.receive_exactly(sip_options("1").size()) == sip_options("1"));
}

TEST_CASE("the name a client asks for selects the certificate", "[net]")
{
    const struct {
        const char *asked, *shown;
    } rows[] = {
        {"", "localhost"},
        {"unknown.test", "localhost"},
        {"other.test", "other.test"},
        {"OTHER.test", "other.test"},
        {"a.wild.test", "other.test"},
        {"a.b.wild.test", "localhost"},
        {"wild.test", "localhost"},
    };
    Loopback there;
    const auto& listener = there.listen(Protocol::tls);
    auto server = tls_server();
    server->add_name("other.test", tls_server("other"));
    server->add_name("*.wild.test", tls_server("other"));
    there.network.set_tls_server(server);
    there.start();
    for (const auto& row : rows) {
        INFO(row.asked);
        TlsClient client{listener.bound, tls_client(), row.asked};
        CHECK(client.peer() == row.shown);
    }
}

TEST_CASE("many connections, all idle, cost little", "[net]")
{
    // Both ends live in this process: what is measured is one server and one client side.
    Loopback there;
    const auto& listener = there.listen(Protocol::tls);
    there.network.set_tls_server(tls_server());
    there.start();
    const auto context = tls_client();
    const auto heap = [] { return memory_in_use(); };
    std::vector<std::unique_ptr<TlsClient>> clients;
    const auto add = [&](int count) {
        for (int i = 0; i < count; ++i) {
            clients.push_back(std::make_unique<TlsClient>(listener.bound, context));
            clients.back()->send(sip_options("1"));
            static_cast<void>(there.handler.messages.next());
        }
    };
    add(20); // whatever is allocated once
    const auto before = heap();
    add(200);
    const auto each = (heap() - before) / 200;
    INFO(each << " bytes for both ends of a TLS connection");
    CHECK(each < 2 * 24 * 1024);
}

} // namespace sipyard::net
