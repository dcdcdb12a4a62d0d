// core/net/stream_test.cpp - SIP over TCP: framing, reuse, limits, time
#include "core/net/loopback_test.h"

namespace sipyard::net {

TEST_CASE("stream messages arrive whole however they were cut", "[net]")
{
    const auto one = sip_options("1"), two = sip_options("2", "body of two"), three = sip_options("3");
    const auto by = [](std::string_view all, std::size_t size) {
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < all.size(); at += size)
            pieces.emplace_back(all.substr(at, size));
        return pieces;
    };
    const struct {
        const char* story;
        std::vector<std::string> pieces;
        std::vector<std::string> messages;
    } rows[] = {
        {"one at once", {one}, {one}},
        {"three in one segment", {one + two + three}, {one, two, three}},
        {"two halves", {two.substr(0, 30), two.substr(30)}, {two}},
        {"a message and a half, then the rest",
         {one + two.substr(0, 50), two.substr(50) + three},
         {one, two, three}},
        {"byte by byte", by(one + two, 1), {one, two}},
        {"in sevens", by(one + two + three, 7), {one, two, three}},
        {"keepalives around it", {"\r\n", one, "\r\n\r\n" + two}, {one, two}},
    };
    Loopback there;
    const auto& listener = there.listen(Protocol::tcp);
    there.start();
    for (const auto& row : rows) {
        INFO(row.story);
        Client client{Protocol::tcp, listener.bound};
        for (const auto& piece : row.pieces)
            REQUIRE(client.send(piece));
        for (const auto& expected : row.messages) {
            const auto message = there.handler.messages.next();
            CHECK(message.bytes == expected);
            CHECK(message.from.source == client.local());
            CHECK(message.from.local == listener.bound);
            CHECK(message.from.listener == &listener);
            CHECK(there.network.is_open(message.from.connection));
        }
    }
    CHECK(there.handler.messages.size() == 0);
}

TEST_CASE("an answer takes the connection the request came on", "[net]")
{
    for (const char* ip : {"127.0.0.1", "::1"}) {
        INFO(ip);
        Loopback there;
        there.echo();
        const auto& listener = there.listen(Protocol::tcp, ip);
        there.start();
        Client client{Protocol::tcp, listener.bound};
        const auto text = sip_options("1", std::string(60'000, 'b'));
        for (int i = 0; i < 20; ++i) {
            REQUIRE(client.send(text));
            CHECK(client.receive_exactly(text.size()) == text);
        }
        CHECK(there.network.counters().accepted == 1);
        CHECK(there.network.counters().messages_in == 20);
    }
}

TEST_CASE("a double CRLF is answered by a single one", "[net]")
{
    Loopback there;
    const auto& listener = there.listen(Protocol::tcp);
    there.start();
    Client client{Protocol::tcp, listener.bound};
    client.send("\r\n\r\n");
    CHECK(client.receive() == "\r\n");
    client.send("\r\n");
    client.send(sip_options("after a pong"));
    CHECK(there.handler.messages.next().bytes == sip_options("after a pong"));
}

TEST_CASE("garbage closes the connection and is counted", "[net]")
{
    const struct {
        const char* story;
        std::string bytes;
    } rows[] = {
        {"text", "hello there\r\n\r\n"},
        {"HTTP where nobody takes it", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"no Content-Length", "OPTIONS sip:a@b SIP/2.0\r\n\r\n"},
        {"a TLS hello", "\x16\x03\x01\x02"},
        {"larger than allowed", sip_options("1", std::string(70'000, 'x'))},
        {"headers without end", "OPTIONS sip:a@b SIP/2.0\r\nX: " + std::string(70'000, 'x')},
    };
    Loopback there;
    const auto& listener = there.listen(Protocol::tcp);
    there.start();
    std::uint64_t count = 0;
    for (const auto& row : rows) {
        INFO(row.story);
        Client client{Protocol::tcp, listener.bound};
        client.send(row.bytes);
        CHECK(client.is_closed());
        ++count;
        CHECK(there.comes_true([&] { return there.network.counters().garbage == count; }));
    }
    CHECK(there.handler.messages.size() == 0);
    CHECK(there.comes_true([&] { return there.network.counters().tcp_open == 0; }));
}

TEST_CASE("we open a connection, use it again, and hear when it is gone", "[net]")
{
    Loopback here, there;
    const auto& listener = there.listen(Protocol::tcp);
    there.start();
    here.start();
    const Destination to{Protocol::tcp, listener.bound, nullptr, {}, true};
    here.runtime.run_on_fiber([&] {
        REQUIRE(here.network.send(to, sip_options("1")));
        REQUIRE(here.network.send(to, sip_options("2")));
    });
    const auto first = there.handler.messages.next();
    CHECK(first.bytes == sip_options("1"));
    CHECK(there.handler.messages.next().bytes == sip_options("2"));
    CHECK(here.network.counters().connected == 1);

    // and the other way over the same connection
    REQUIRE(there.network.send({Protocol::tcp, first.from.source, nullptr, first.from.connection, false},
                               sip_options("3")));
    const auto back = here.handler.messages.next();
    CHECK(back.bytes == sip_options("3"));
    CHECK(back.from.source == listener.bound);
    CHECK(back.from.local == first.from.source);
    CHECK(back.from.listener == nullptr);

    there.network.close(first.from.connection);
    REQUIRE(here.comes_true([&] { return !here.network.is_open(back.from.connection); }));
    SECTION("a stale id is not mistaken for its successor")
    {
        here.runtime.run_on_fiber([&] { REQUIRE(here.network.send(to, sip_options("4"))); });
        CHECK(there.handler.messages.next().bytes == sip_options("4"));
        CHECK_FALSE(here.network.is_open(back.from.connection));
        const auto all = here.network.connections(10);
        CHECK(std::any_of(all.begin(), all.end(),
                          [&](const auto& one) { return here.network.is_open(one.id); }));
        const Destination stale{Protocol::tcp, {}, nullptr, back.from.connection, true};
        CHECK_FALSE(here.network.send(stale, sip_options("5")));
    }
    SECTION("without leave to connect it is an error")
    {
        const auto sent =
            here.network.send({Protocol::tcp, listener.bound, nullptr, back.from.connection, false}, "x");
        REQUIRE_FALSE(sent);
        CHECK(sent.error().kind == ErrorKind::not_found);
    }
}

TEST_CASE("nobody listens there: the handler is told which message was lost", "[net]")
{
    Loopback here;
    here.start();
    Address free_port;
    {
        Loopback shortly;
        const auto& listener = shortly.listen(Protocol::tcp);
        shortly.start();
        free_port = listener.bound;
    }
    const Destination to{Protocol::tcp, free_port, nullptr, {}, true};
    here.runtime.run_on_fiber([&] { static_cast<void>(here.network.send(to, sip_options("lost"))); });
    const auto failure = here.handler.failures.next();
    CHECK(failure.bytes == sip_options("lost"));
    CHECK(failure.to.to == free_port);
    CHECK(failure.why.text.find("refused") != std::string::npos);
    CHECK(here.comes_true([&] { return here.network.counters().tcp_open == 0; }));
}

TEST_CASE("two workers with something for the same peer share a connection", "[net]")
{
    Loopback here, there;
    const auto& listener = there.listen(Protocol::tcp);
    there.start();
    here.start();
    const Destination to{Protocol::tcp, listener.bound, nullptr, {}, true};
    here.runtime.on_every_worker([&](task::Worker&) {
        for (int i = 0; i < 100; ++i)
            static_cast<void>(here.network.send(to, sip_options("x")));
    });
    for (int i = 0; i < 200; ++i)
        CHECK(there.handler.messages.next().bytes == sip_options("x"));
    CHECK(here.network.counters().connected == 1);
}

TEST_CASE("an alias finds the connection, but takes no other peer's place", "[net]")
{
    Loopback there;
    const auto& listener = there.listen(Protocol::tcp);
    there.start();
    Client phone{Protocol::tcp, listener.bound}, other{Protocol::tcp, listener.bound};
    phone.send(sip_options("1"));
    const auto id = there.handler.messages.next().from.connection;
    other.send(sip_options("2"));
    static_cast<void>(there.handler.messages.next());
    there.network.add_alias(id, 5060);
    there.network.add_alias(id, other.local().port);
    auto at = phone.local();
    at.port = 5060;
    REQUIRE(there.network.send({Protocol::tcp, at, nullptr, {}, false}, "to the alias"));
    CHECK(phone.receive() == "to the alias");
    REQUIRE(there.network.send({Protocol::tcp, other.local(), nullptr, {}, false}, "to the other"));
    CHECK(other.receive() == "to the other");
    phone.close();
    REQUIRE(there.comes_true([&] { return !there.network.is_open(id); }));
    CHECK_FALSE(there.network.send({Protocol::tcp, at, nullptr, {}, false}, "x"));
}

TEST_CASE("limits refuse what is too much", "[net]")
{
    const struct {
        const char* story;
        std::size_t all, per_source;
    } rows[] = {{"in all", 3, 100}, {"per source", 100, 3}};
    for (const auto& row : rows) {
        INFO(row.story);
        Settings settings;
        settings.tcp_max_connections = row.all;
        settings.max_per_source = row.per_source;
        Loopback there{settings};
        const auto& listener = there.listen(Protocol::tcp);
        there.start();
        std::vector<std::unique_ptr<Client>> clients;
        for (int i = 0; i < 3; ++i) {
            clients.push_back(std::make_unique<Client>(Protocol::tcp, listener.bound));
            clients.back()->send(sip_options("1"));
            static_cast<void>(there.handler.messages.next());
        }
        Client refused{Protocol::tcp, listener.bound};
        CHECK(refused.is_closed());
        CHECK(there.network.counters().refused_limit == 1);
        CHECK(there.network.counters().tcp_open == 3);
        clients.pop_back();
        REQUIRE(there.comes_true([&] { return there.network.counters().tcp_open == 2; }));
        Client again{Protocol::tcp, listener.bound};
        again.send(sip_options("2"));
        CHECK(there.handler.messages.next().bytes == sip_options("2"));
    }
}

TEST_CASE("time closes connections that deserve it, and no others", "[net]")
{
    const struct {
        const char* story;
        std::string said;
        Duration kept, closed; // it is there after `kept`, and gone after `closed` more
    } rows[] = {
        {"says nothing at all", "", 9s, 2s},
        {"says half a method", "INV", 9s, 2s},
        {"begins a message and does not end it", "OPTIONS sip:a@b SIP/2.0\r\n", 19s, 2s},
        {"is idle", sip_options("1"), 119s, 2s},
        {"is idle after half a ping", sip_options("1") + "\r\n", 119s, 2s},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loopback there;
        const auto& listener = there.listen(Protocol::tcp);
        there.start();
        Client client{Protocol::tcp, listener.bound};
        client.send(row.said);
        if (row.said.size() > 100)
            static_cast<void>(there.handler.messages.next());
        REQUIRE(there.comes_true([&] { return there.network.counters().tcp_open == 1; }));
        REQUIRE(there.comes_true(
            [&] { return row.said.size() < 10 || there.network.counters().bytes_in == row.said.size(); }));
        there.clock.advance(there.runtime, row.kept);
        CHECK_FALSE(client.readable(0));
        there.clock.advance(there.runtime, row.closed);
        CHECK(client.is_closed());
        CHECK(there.network.counters().closed_timeout == 1);
        client.close();
        CHECK(there.comes_true([&] { return there.network.counters().tcp_open == 0; }));
    }
}

TEST_CASE("traffic keeps a connection, and set_lifetime changes how long it may be idle", "[net]")
{
    Loopback there;
    const auto& listener = there.listen(Protocol::tcp);
    there.start();
    Client client{Protocol::tcp, listener.bound};
    client.send(sip_options("1"));
    const auto id = there.handler.messages.next().from.connection;
    for (int i = 0; i < 3; ++i) {
        there.clock.advance(there.runtime, 100s);
        client.send("\r\n\r\n");
        CHECK(client.receive() == "\r\n");
    }
    there.network.set_lifetime(id, 3600s);
    there.clock.advance(there.runtime, 3500s);
    CHECK(there.network.is_open(id));
    there.network.set_lifetime(id, 10s);
    there.clock.advance(there.runtime, 1s);
    CHECK(there.comes_true([&] { return !there.network.is_open(id); }));
}

TEST_CASE("who does not read is cut off, and what he missed is reported", "[net]")
{
    Settings settings;
    settings.write_queue = 100'000;
    Loopback there{settings};
    const auto& listener = there.listen(Protocol::tcp);
    there.start();
    Client client{Protocol::tcp, listener.bound};
    client.send(sip_options("1"));
    const auto from = there.handler.messages.next().from;
    const auto text = sip_options("big", std::string(50'000, 'b'));
    const Destination to{Protocol::tcp, from.source, nullptr, from.connection, false};

    const auto waiting = [&] { return there.network.connections(1).at(0).queued_bytes; };
    const auto send_all = [&](std::string_view what, auto&& until) { // from a thread that has to post
        return there.comes_true([&] {
            static_cast<void>(there.network.send(to, what));
            there.runtime.on_every_worker([](task::Worker&) {});
            return until();
        });
    };
    SECTION("the queue is full")
    {
        REQUIRE(send_all(text, [&] { return !there.network.is_open(from.connection); }));
        const auto failure = there.handler.failures.next();
        CHECK(failure.bytes == text);
        CHECK(failure.why.kind == ErrorKind::overloaded);
    }
    SECTION("or nothing moves for too long")
    {
        REQUIRE(send_all(text, [&] { return waiting() > 0; }));
        there.clock.advance(there.runtime, 9s);
        CHECK(there.network.is_open(from.connection));
        there.clock.advance(there.runtime, 2s);
        REQUIRE(there.comes_true([&] { return !there.network.is_open(from.connection); }));
        const auto failure = there.handler.failures.next();
        CHECK(failure.bytes == text);
        CHECK(failure.why.kind == ErrorKind::timeout);
    }
}

TEST_CASE("close lets what is queued leave first", "[net]")
{
    Loopback there;
    const auto& listener = there.listen(Protocol::tcp);
    std::size_t sent = 0;
    const auto text = sip_options("big", std::string(200'000, 'b'));
    there.handler.answer = [&](const Received& from, std::string_view) {
        // to its own worker: written at once or queued
        const Destination to{Protocol::tcp, from.source, nullptr, from.connection, false};
        while (sent < 100 * text.size() && there.network.connections(1).at(0).queued_bytes == 0) {
            expect(there.network.send(to, text).has_value(), "cannot send");
            sent += text.size();
        }
        there.network.close(from.connection);
        expect(!there.network.is_open(from.connection), "still open for others");
    };
    there.start();
    Client client{Protocol::tcp, listener.bound};
    client.send(sip_options("1") + sip_options("never looked at"));
    std::size_t got = 0;
    REQUIRE(client.readable());
    for (std::string piece = client.receive(); !piece.empty(); piece = client.receive())
        got += piece.size();
    CHECK(got == sent);
    client.close();
    CHECK(there.comes_true([&] { return there.network.counters().tcp_open == 0; }));
}

TEST_CASE("an idle connection costs little", "[net]")
{
    Loopback there;
    const auto& listener = there.listen(Protocol::tcp);
    there.start();
    std::vector<std::unique_ptr<Client>> clients;
    clients.reserve(1000);
    const auto add = [&](int count) {
        for (int i = 0; i < count; ++i) {
            clients.push_back(std::make_unique<Client>(Protocol::tcp, listener.bound));
            clients.back()->send(sip_options("1", std::string(1000, 'x')));
            static_cast<void>(there.handler.messages.next());
        }
    };
    add(20); // whatever is allocated once
    const auto before = memory_in_use();
    add(300);
    const auto each = (memory_in_use() - before) / 300;
    INFO(each << " bytes for a TCP connection");
    CHECK(each < 4 * 1024);
}

TEST_CASE("stop_accepting refuses newcomers and keeps the others; stop closes all", "[net]")
{
    Loopback there;
    const auto& listener = there.listen(Protocol::tcp);
    there.start();
    Client client{Protocol::tcp, listener.bound};
    client.send(sip_options("1"));
    static_cast<void>(there.handler.messages.next());
    there.network.stop_accepting();
    const Descriptor late{socket(AF_INET, SOCK_STREAM, 0)};
    SocketAddress at{};
    const auto size = to_system(listener.bound, at);
    CHECK(connect(late.get(), &at.any, size) != 0);
    client.send(sip_options("2"));
    CHECK(there.handler.messages.next().bytes == sip_options("2"));
    there.network.stop();
    CHECK(client.is_closed());
    CHECK(there.network.counters().tcp_open == 0);
    CHECK(there.network.send({Protocol::tcp, client.local(), nullptr, {}, true}, "x").error().kind ==
          ErrorKind::stopping);
}

TEST_CASE("a connecting attempt ends in time", "[net]")
{
    // A listener whose backlog is full and that never accepts: the kernel ignores further attempts.
    Listener trap;
    trap.protocol = Protocol::tcp;
    trap.bound = *Address::parse("127.0.0.1");
    const Descriptor listening{socket(AF_INET, SOCK_STREAM, 0)};
    SocketAddress at{};
    const auto size = to_system(trap.bound, at);
    REQUIRE(bind(listening.get(), &at.any, size) == 0);
    REQUIRE(listen(listening.get(), 0) == 0);
    const auto where = local_address(listening.get());
    Client filler{Protocol::tcp, where};

    Loopback here;
    here.start();
    const Destination to{Protocol::tcp, where, nullptr, {}, true};
    here.runtime.run_on_fiber([&] { REQUIRE(here.network.send(to, sip_options("slow"))); });
    here.clock.advance(here.runtime, 9s);
    CHECK(here.handler.failures.size() == 0);
    here.clock.advance(here.runtime, 2s);
    const auto failure = here.handler.failures.next();
    CHECK(failure.bytes == sip_options("slow"));
    CHECK(failure.why.kind == ErrorKind::timeout);
}

} // namespace sipyard::net
