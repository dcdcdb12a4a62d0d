// test/bench/load.cpp - a load for measuring: `load udp|tcp PORT OPERATIONS WINDOW METHOD TARGET [BODY-FILE
// TYPE]` udp sends SIP requests, tcp HTTP requests over WINDOW keep-alive connections. Prints operations,
// errors and seconds.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int patience_ms = 8000;

int open_socket(int type, int port)
{
    const int fd = ::socket(AF_INET, type, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
        std::perror("connect");
        std::exit(1);
    }
    const int one = 1;
    if (type == SOCK_STREAM)
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

struct Tally {
    long done = 0, errors = 0;
};

Tally run_udp(int port, long operations, int window, const std::string& method, const std::string& uri)
{
    const int fd = open_socket(SOCK_DGRAM, port);
    Tally tally;
    long sent = 0, in_flight = 0;
    char buffer[65536];
    while (tally.done + tally.errors < operations) {
        while (in_flight < window && sent < operations) {
            const int size = std::snprintf(
                buffer, sizeof buffer,
                "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bK%ld;rport\r\nMax-Forwards: "
                "70\r\n"
                "From: <sip:load@127.0.0.1>;tag=%ld\r\nTo: <%s>\r\nCall-ID: %ld@load\r\nCSeq: 1 %s\r\n"
                "Contact: <sip:load@127.0.0.1:5099>\r\nUser-Agent: load\r\nAccept: "
                "application/sdp\r\nContent-Length: 0\r\n\r\n",
                method.c_str(), uri.c_str(), sent, sent, uri.c_str(), sent, method.c_str());
            if (::send(fd, buffer, static_cast<std::size_t>(size), 0) < 0)
                ++tally.errors;
            else
                ++in_flight;
            ++sent;
        }
        pollfd poller{fd, POLLIN, 0};
        if (::poll(&poller, 1, patience_ms) <= 0) {
            tally.errors += in_flight;
            in_flight = 0;
            continue;
        }
        while (in_flight > 0) {
            const ssize_t count = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (count <= 0)
                break;
            --in_flight;
            if (std::string_view{buffer, static_cast<std::size_t>(count)}.starts_with("SIP/2.0 2"))
                ++tally.done;
            else
                ++tally.errors;
        }
    }
    ::close(fd);
    return tally;
}

// The status of the answer at the start of `bytes` and its whole size; 0 when it is not complete.
std::size_t whole_answer(std::string_view bytes, int& status)
{
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos || bytes.size() < 12)
        return 0;
    status = std::atoi(bytes.data() + 9);
    std::size_t length = 0;
    if (const auto at = bytes.substr(0, end).find("Content-Length: "); at != std::string_view::npos)
        length = static_cast<std::size_t>(std::atol(bytes.data() + at + 16));
    const std::size_t size = end + 4 + length;
    return bytes.size() >= size ? size : 0;
}

Tally run_tcp(int port, long operations, int connections, const std::string& request)
{
    struct Connection {
        int fd;
        std::string in;
    };
    std::vector<Connection> all;
    std::vector<pollfd> pollers;
    Tally tally;
    long sent = 0;
    const auto ask = [&](Connection& c) {
        if (sent < operations && ::send(c.fd, request.data(), request.size(), MSG_NOSIGNAL) ==
                                     static_cast<ssize_t>(request.size()))
            ++sent;
    };
    for (int i = 0; i < connections; ++i) {
        all.push_back({open_socket(SOCK_STREAM, port), {}});
        pollers.push_back({all.back().fd, POLLIN, 0});
        ask(all.back());
    }
    char buffer[65536];
    while (tally.done + tally.errors < operations) {
        if (::poll(pollers.data(), pollers.size(), patience_ms) <= 0) {
            tally.errors = operations - tally.done;
            break;
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (!(pollers[i].revents & (POLLIN | POLLHUP)))
                continue;
            const ssize_t count = ::recv(all[i].fd, buffer, sizeof buffer, 0);
            if (count <= 0) {
                std::fprintf(stderr, "a connection was closed\n");
                tally.errors = operations - tally.done;
                return tally;
            }
            all[i].in.append(buffer, static_cast<std::size_t>(count));
            int status = 0;
            if (const std::size_t size = whole_answer(all[i].in, status)) {
                all[i].in.erase(0, size);
                ++((status >= 200 && status < 300) || status == 304 ? tally.done : tally.errors);
                ask(all[i]);
            }
        }
    }
    for (Connection& c : all)
        ::close(c.fd);
    return tally;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 7) {
        std::fprintf(stderr, "usage: load udp|tcp PORT OPERATIONS WINDOW METHOD TARGET [BODY-FILE TYPE]\n");
        return 2;
    }
    const std::string kind = argv[1], method = argv[5], target = argv[6];
    const int port = std::atoi(argv[2]), window = std::atoi(argv[4]);
    const long operations = std::atol(argv[3]);
    const auto start = Clock::now();
    Tally tally;
    if (kind == "udp") {
        tally = run_udp(port, operations, window, method, target);
    } else {
        std::string body;
        if (argc > 8) {
            std::ifstream file{argv[7]};
            std::ostringstream text;
            text << file.rdbuf();
            body = text.str();
        }
        std::string request = method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
        if (!body.empty())
            request += "Content-Type: " + std::string{argv[8]} +
                       "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
        tally = run_tcp(port, operations, window, request + "\r\n" + body);
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::printf("%ld %ld %.3f\n", tally.done, tally.errors, seconds);
    return tally.errors == 0 ? 0 : 1;
}
