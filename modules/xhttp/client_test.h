// modules/xhttp/client_test.h - for this module's tests: a server on 127.0.0.1 whose script is C++, and a raw
// HTTP client
#pragma once

#include "core/base/text.h"
#include "core/module/module.h"
#include "core/sip/message.h"
#include "modules/xhttp/api.h"
#include "test/support/catch.h"
#include "test/support/fake_host.h"

#include <arpa/inet.h>
#include <functional>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

extern "C" const sipyard::ModuleEntry* sipyard_module();

namespace sipyard::xhttp {

constexpr int patience_ms = 10'000; // real time; a test that waits so long has failed

class NoSip final : public net::MessageHandler {
public:
    void on_message(task::Worker&, const net::Received&, std::string_view) override {}
    void on_send_failed(const net::Destination&, std::string_view, const Error&) override {}
};

class Server {
public:
    using Script = std::function<Verdict(Request&)>;
    using Params = std::vector<std::pair<std::string, std::string>>;
    explicit Server(Script script, const Params& params = {}, std::size_t workers = 2)
        : host{{.workers = workers}}, manifest{sipyard_module()->manifest()}
    {
        host.on_event_route("xhttp:request", std::move(script));
        const auto settings = manifest.make_settings();
        for (const auto& [name, value] : params)
            for (const auto& p : manifest.params)
                if (p.name == name)
                    REQUIRE(p.set(settings.get(), value));
        module = manifest.construct(settings.get(), host);
        net::Listener wanted;
        wanted.protocol = net::Protocol::tcp;
        wanted.bound = *net::Address::parse("127.0.0.1");
        listener = &host.network().add_listener(wanted);
        host.start_workers();
        REQUIRE(host.network().start(no_sip));
    }
    ~Server() { stop(); }
    void stop()
    {
        if (!std::exchange(running, false))
            return;
        host.network().stop();
        (void)host.runtime().stop(std::chrono::seconds{5});
        module.reset();
    }
    // As stop(), with what waits told to end only after the module has answered 503 for it.
    void stop_module() { module.reset(); }
    Api& api() { return *static_cast<Api*>(manifest.offers.at(0).cast(module.get())); }
    std::uint16_t port() const { return listener->bound.port; }

    test::FakeHost host;
    AnyManifest manifest;
    std::shared_ptr<void> module;
    NoSip no_sip;
    const net::Listener* listener = nullptr;
    bool running = true;
};

struct Answer {
    int code = 0;
    std::string head, body;
    bool complete = false;
    std::string header(std::string_view name) const
    {
        std::string_view rest = head;
        while (!rest.empty()) {
            const auto line = trim(cut(rest, '\n'));
            const auto colon = line.find(':');
            if (colon != std::string_view::npos && iequals(line.substr(0, colon), name))
                return std::string{trim(line.substr(colon + 1))};
        }
        return {};
    }
};

class Client {
public:
    explicit Client(const Server& server, int receive_buffer = 0)
        : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
    {
        if (receive_buffer != 0)
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(server.port());
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
            throw std::runtime_error{"connect failed"};
    }
    Client(Client&& other) noexcept : fd_{std::exchange(other.fd_, -1)}, input_{std::move(other.input_)} {}
    ~Client() { close(); }
    void close()
    {
        if (fd_ >= 0)
            ::close(std::exchange(fd_, -1));
    }
    void half_close() { ::shutdown(fd_, SHUT_WR); }
    bool send(std::string_view bytes) // false: the server has closed
    {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0)
                return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    bool more() // false: end of stream, or nothing in time
    {
        pollfd wait{fd_, POLLIN, 0};
        if (::poll(&wait, 1, patience_ms) != 1)
            return false;
        char buffer[65536];
        const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
        if (got <= 0)
            return false;
        input_.append(buffer, static_cast<std::size_t>(got));
        return true;
    }
    bool is_closed()
    {
        while (more()) {
        }
        pollfd wait{fd_, POLLIN, 0};
        return ::poll(&wait, 1, 0) == 1;
    }
    std::string take_until(std::string_view end)
    {
        std::size_t at;
        while ((at = input_.find(end)) == std::string::npos)
            if (!more())
                return {};
        std::string found = input_.substr(0, at + end.size());
        input_.erase(0, found.size());
        return found;
    }
    std::string take(std::size_t size)
    {
        while (input_.size() < size && more()) {
        }
        std::string found = input_.substr(0, size);
        input_.erase(0, found.size());
        return found;
    }
    // One whole reply; `method` HEAD has no body.
    Answer answer(std::string_view method = "GET")
    {
        Answer a;
        a.head = take_until("\r\n\r\n");
        if (a.head.size() < 12)
            return a;
        a.code = std::atoi(a.head.c_str() + 9);
        if (a.code == 100)
            return a;
        if (method == "HEAD" || a.code == 204 || a.code == 304) {
            a.complete = true;
        } else if (const auto length = a.header("Content-Length"); !length.empty()) {
            a.body = take(static_cast<std::size_t>(std::atoll(length.c_str())));
            a.complete = a.body.size() == static_cast<std::size_t>(std::atoll(length.c_str()));
        } else if (iequals(a.header("Transfer-Encoding"), "chunked")) {
            for (;;) {
                const auto piece = chunk();
                if (!piece)
                    return a;
                if (piece->empty())
                    break;
                a.body += *piece;
            }
            a.complete = true;
        } else {
            while (more()) {
            }
            a.body = std::exchange(input_, {});
            a.complete = true;
        }
        return a;
    }
    std::optional<std::string> chunk() // "" is the last one
    {
        const auto line = take_until("\r\n");
        if (line.empty())
            return {};
        const auto size = static_cast<std::size_t>(std::strtoull(line.c_str(), nullptr, 16));
        const auto data = take(size + 2);
        if (data.size() != size + 2)
            return {};
        return data.substr(0, size);
    }
    Answer ask(std::string_view request, std::string_view method = "GET")
    {
        send(request);
        return answer(method);
    }

private:
    int fd_;
    std::string input_;
};

// The usual script: says what it saw.
inline Verdict mirror(Request& request)
{
    const auto& m = request.message();
    const auto text = request.arena().concat(m.method_text(), " ", m.uri_text(), "|", m.body());
    return Verdict::of(request.reply({200, "OK", "X-Seen: yes\r\n", "text/plain", text}).has_value());
}

} // namespace sipyard::xhttp
