// core/net/loopback_test.h - for the tests of this room: a network on 127.0.0.1, and clients that wait with a
// deadline
#pragma once

#include "core/crypto/tls.h"
#include "core/net/network.h"
#include "core/net/socket.h"
#include "test/support/catch.h"
#include "test/support/movable_clock.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <malloc.h>
#include <map>
#include <mutex>
#include <poll.h>
#include <set>
#include <stdexcept>

namespace sipyard::net {

constexpr int patience_ms = 10'000; // real time; a test that waits so long has failed

inline std::string sip_options(std::string_view call_id, std::string_view body = "")
{
    return "OPTIONS sip:echo@127.0.0.1 SIP/2.0\r\nCall-ID: " + std::string{call_id} +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

inline std::size_t memory_in_use()
{
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// Fails the test from any thread; the macros of Catch are for the main one.
inline void expect(bool is_so, const char* what)
{
    if (!is_so)
        throw std::runtime_error{what};
}

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
        const bool came =
            changed_.wait_for(lock, std::chrono::milliseconds{patience_ms}, [&] { return !things_.empty(); });
        expect(came, "nothing happened in time");
        T thing = std::move(things_.front());
        things_.pop_front();
        return thing;
    }
    std::size_t size()
    {
        const std::lock_guard lock{mutex_};
        return things_.size();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<T> things_;
};

struct Message {
    std::size_t worker;
    Received from;
    std::string bytes;
};
struct Failure {
    Destination to;
    std::string bytes;
    Error why;
};

class Recorder final : public MessageHandler {
public:
    void on_message(task::Worker& worker, const Received& from, std::string_view bytes) override
    {
        if (answer)
            answer(from, bytes);
        else
            messages.add({worker.index(), from, std::string{bytes}});
    }
    void on_send_failed(const Destination& to, std::string_view bytes, const Error& why) override
    {
        failures.add({to, std::string{bytes}, why});
    }
    Seen<Message> messages;
    Seen<Failure> failures;
    std::function<void(const Received&, std::string_view)> answer; // set before start
};

class Quiet final : public log::Sink {
public:
    void write(log::Level, std::string_view) override {}
};

// A network with its runtime, two workers unless told otherwise.
class Loopback {
public:
    explicit Loopback(Settings settings = {}, std::size_t workers = 2)
        : journal{std::make_unique<Quiet>()}, runtime{{.workers = workers}, clock, journal}, network{settings,
                                                                                                     runtime,
                                                                                                     journal}
    {
    }
    ~Loopback()
    {
        network.stop();
        runtime.stop(5s);
    }
    const Listener& listen(Protocol protocol, std::string_view ip = "127.0.0.1")
    {
        Listener listener;
        listener.protocol = protocol;
        listener.bound = *Address::parse(ip);
        return network.add_listener(std::move(listener));
    }
    void start()
    {
        runtime.start();
        const auto started = network.start(handler);
        INFO(why(started));
        REQUIRE(started);
    }
    void echo()
    {
        handler.answer = [this](const Received& from, std::string_view bytes) {
            static_cast<void>(
                network.send({from.protocol, from.source, from.listener, from.connection, false}, bytes));
        };
    }
    // Waits, without sleeping longer than a scheduler's turn, until a worker has done what the test cannot
    // wait for otherwise.
    template <class F>
    bool comes_true(F&& f)
    {
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{patience_ms};
        while (!f()) {
            if (std::chrono::steady_clock::now() > until)
                return false;
            runtime.on_every_worker([](task::Worker&) {});
        }
        return true;
    }

    MovableClock clock;
    log::Journal journal;
    task::Runtime runtime;
    Recorder handler;
    Network network; // after the handler it calls
};

// A client's socket; every wait has a deadline.
class Client {
public:
    Client(Protocol protocol, const Address& to)
        : fd_{socket(to.family == Address::Family::v4 ? AF_INET : AF_INET6,
                     (is_stream(protocol) ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0)}
    {
        SocketAddress at{};
        const socklen_t size = to_system(to, at);
        expect(connect(fd_.get(), &at.any, size) == 0, "cannot connect");
    }
    explicit Client(Descriptor fd) : fd_{std::move(fd)} {}

    int fd() const { return fd_.get(); }
    Address local() const { return local_address(fd_.get()); }
    bool send(std::string_view bytes)
    {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0)
                return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    // What arrives next, "" at the end of the stream; fails the test when nothing does.
    std::string receive(std::size_t most = 65'536)
    {
        expect(readable(), "nothing arrived in time");
        std::string bytes(most, '\0');
        const auto got = recv(fd_.get(), bytes.data(), most, 0);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }
    std::string receive_exactly(std::size_t size)
    {
        std::string all;
        while (all.size() < size) {
            const auto more = receive(size - all.size());
            if (more.empty())
                break;
            all += more;
        }
        return all;
    }
    bool readable(int wait_ms = patience_ms)
    {
        pollfd one{fd_.get(), POLLIN, 0};
        return poll(&one, 1, wait_ms) == 1;
    }
    bool is_closed() { return receive().empty(); } // waits for it
    void close() { fd_.close(); }

private:
    Descriptor fd_;
};

} // namespace sipyard::net
