// modules/xhttp/lifetime_test.cpp - requests that wait, clients that leave or dawdle, streams, and the end of
// the server
#include "modules/xhttp/client_test.h"

#include "core/task/fiber.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace sipyard::xhttp {
namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

// Things that happen on workers, for the test's thread to wait for.
template <class T>
class Seen {
public:
    void add(T thing)
    {
        const std::lock_guard lock{mutex_};
        things_.push_back(std::move(thing));
        changed_.notify_all();
    }
    T next()
    {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, std::chrono::milliseconds{patience_ms},
                               [&] { return !things_.empty(); }))
            throw std::runtime_error{"nothing happened in time"};
        T thing = std::move(things_.front());
        things_.pop_front();
        return thing;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<T> things_;
};

template <class F>
bool comes_true(Server& server, F&& f)
{
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{patience_ms};
    while (!f()) {
        if (std::chrono::steady_clock::now() > until)
            return false;
        server.host.runtime().on_every_worker([](task::Worker&) {});
    }
    return true;
}

} // namespace

TEST_CASE("a script that waits answers later, and others are served meanwhile", "[xhttp]")
{
    Seen<task::Event> waiting;
    Server server{[&](Request& request) {
                      if (request.message().uri_text() == "/wait") {
                          task::Event event;
                          waiting.add(event);
                          (void)event.wait();
                      }
                      return mirror(request);
                  },
                  {},
                  1};
    Client slow{server}, quick{server};
    slow.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /then HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto event = waiting.next();
    CHECK(quick.ask(get).body == "GET /a|");
    event.signal();
    CHECK(slow.answer().body == "GET /wait|");
    CHECK(slow.answer().body == "GET /then|"); // the request behind it was not lost
}

TEST_CASE("64 clients with 20 waiting requests each", "[xhttp]")
{
    Server server{[&](Request& request) {
        task::yield();
        return mirror(request);
    }};
    std::vector<Client> clients;
    for (int i = 0; i < 64; ++i)
        clients.emplace_back(server);
    for (int round = 0; round < 20; ++round) {
        const std::string target = "/" + std::to_string(round);
        for (auto& client : clients)
            client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
        int right = 0;
        for (auto& client : clients)
            right += client.answer().body == "GET " + target + "|";
        CHECK(right == 64);
    }
}

TEST_CASE("a client that leaves while its request waits does no harm", "[xhttp]")
{
    Seen<task::Event> waiting;
    Server server{[&](Request& request) {
        task::Event event;
        waiting.add(event);
        (void)event.wait();
        return mirror(request);
    }};
    {
        Client client{server};
        client.send(get);
        waiting.next().signal();
        CHECK(client.answer().code == 200);
        client.send(get);
    }
    waiting.next().signal();
    CHECK(comes_true(server, [&] { return server.host.network().counters().tcp_open == 0; }));
}

TEST_CASE("when the module ends, whoever waits gets a 503", "[xhttp]")
{
    Seen<task::Event> waiting;
    std::atomic<int> ended{0};
    Server server{[&](Request&) {
                      task::Event event;
                      waiting.add(event);
                      (void)event.wait(); // ends when the runtime stops
                      ++ended;
                      return Verdict::no();
                  },
                  {},
                  2};
    std::vector<Client> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back(server);
        clients.back().send(get);
        waiting.next();
    }
    Client idle{server};
    Client half{server};
    half.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhal");
    server.stop();
    CHECK(ended == 8);
    for (auto& client : clients) {
        const int code = client.answer().code;
        CHECK(
            (code == 500 || code == 503)); // the script ended without a reply, before or after the loops did
        CHECK(client.is_closed());
    }
    CHECK(idle.is_closed());
    CHECK(half.is_closed());
}

TEST_CASE("slow and idle clients are closed", "[xhttp]")
{
    const struct {
        const char* story;
        std::string sent;
        int answers;
        int seconds; // after which it is closed
    } rows[] = {
        {"half a body", "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhal", 0, 5},
        {"half a header", "GET /a HTTP/1.1\r\nHos", 0, 5},
        {"nothing more to say", get, 1, 60},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Server server{mirror, {{"request_timeout", "5"}}};
        server.host.settings.tcp_connection_lifetime = 120;
        Client client{server};
        client.send(row.sent);
        for (int i = 0; i < row.answers; ++i)
            CHECK(client.answer().code == 200);
        REQUIRE(comes_true(server, [&] { return server.host.network().counters().http_handed == 1; }));
        server.host.advance(std::chrono::seconds{row.seconds - 2});
        CHECK(server.host.counted("xhttp", "timeouts") == 0);
        server.host.advance(std::chrono::seconds{row.answers ? 120 : 4});
        CHECK(server.host.counted("xhttp", "timeouts") == 1);
        CHECK(client.is_closed());
    }
}

TEST_CASE("connections beyond the limit are closed, and the limit recovers", "[xhttp]")
{
    Server server{mirror, {{"max_connections", "4"}}, 1};
    std::vector<Client> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back(server);
        CHECK(clients.back().ask(get).code == 200);
    }
    {
        Client fifth{server};
        fifth.send(get);
        CHECK(fifth.answer().code == 0);
    }
    CHECK(comes_true(server, [&] { return server.host.counted("xhttp", "refused") == 1; }));
    clients.clear();
    CHECK(comes_true(server, [&] { return server.host.network().counters().tcp_open == 0; }));
    Client later{server};
    CHECK(later.ask(get).code == 200);
}

TEST_CASE("a streamed reply arrives piece by piece", "[xhttp]")
{
    Seen<std::shared_ptr<Stream>> streams;
    Server* there = nullptr;
    Server server{[&](Request& request) {
        auto stream = there->api().stream(
            request, {200, "OK", "Cache-Control: no-store\r\n", "text/event-stream", "first\n"});
        streams.add(stream ? *stream : nullptr);
        return Verdict::of(stream.has_value());
    }};
    there = &server;
    Client client{server, 4096};
    client.send(get);
    const auto stream = streams.next();
    REQUIRE(stream);
    CHECK(client.take_until("\r\n\r\n").find("text/event-stream") != std::string::npos);
    CHECK(client.chunk() == "first\n");
    SECTION("written and finished from another thread")
    {
        for (int i = 0; i < 20; ++i) {
            const std::string piece = "event " + std::to_string(i) + "\n";
            CHECK(stream->write(piece));
            CHECK(client.chunk() == piece);
        }
        stream->finish();
        CHECK(client.chunk() == "");
        CHECK_FALSE(stream->is_open());
        CHECK_FALSE(stream->write("late"));
        client.send(get); // the connection goes on
        const auto second = streams.next();
        REQUIRE(second);
        second->finish();
        CHECK(client.answer().body == "first\n");
    }
    SECTION("the client does not read")
    {
        const std::string piece(16 * 1024, 'x');
        Result<void> written;
        int count = 0;
        while ((written = stream->write(piece)) && ++count < 10'000)
            server.host.runtime().on_every_worker([](task::Worker&) {});
        REQUIRE_FALSE(written);
        CHECK(written.error().kind == ErrorKind::overloaded);
        CHECK(stream->is_open());
        server.host.advance(std::chrono::seconds{125});
        CHECK(comes_true(server, [&] { return !stream->is_open(); }));
        CHECK(server.host.counted("xhttp", "timeouts") == 1);
    }
    SECTION("the client has gone")
    {
        client.close();
        CHECK(comes_true(server, [&] { return !stream->write("beat\n") || !stream->is_open(); }));
        CHECK(stream->write("more").error().kind == ErrorKind::lost);
    }
    SECTION("the server ends")
    {
        server.stop();
        CHECK_FALSE(stream->is_open());
        CHECK_FALSE(stream->write("more"));
        CHECK(client.is_closed());
    }
    SECTION("an open stream has no time limit")
    {
        server.host.advance(std::chrono::seconds{3600});
        CHECK(stream->write("still here\n"));
        CHECK(client.chunk() == "still here\n");
        stream->finish();
    }
}

} // namespace sipyard::xhttp
