// core/server/rpc_socket.cpp - connections of the management socket
#include "core/server/rpc_socket.h"

#include "core/module/json_rpc.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace sipyard::server {

struct RpcSocket::Connection {
    int fd = -1;
    std::unique_ptr<task::Watch> watch;
    std::string in, out;
    bool busy = false, closed = false, at_end = false;
    ~Connection()
    {
        if (fd >= 0)
            ::close(fd);
    }
};

namespace {

bool fill(sockaddr_un& address, const std::string& path)
{
    std::memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return false;
    std::memcpy(address.sun_path, path.data(), path.size());
    return true;
}

} // namespace

Result<std::unique_ptr<RpcSocket>> RpcSocket::open(const std::string& path, Host& host)
{
    sockaddr_un address;
    if (!fill(address, path))
        return invalid(format("the RPC socket's path {} is too long", path));
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return Error{ErrorKind::io, format("RPC socket: {}", std::strerror(errno))};
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(fd, generic, sizeof address) == 0) {
        ::close(fd);
        return Error{ErrorKind::busy, format("another server answers on {}", path)};
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode))
        ::unlink(path.c_str()); // left by a server that is gone
    const mode_t before = ::umask(0117);
    const int bound = ::bind(fd, generic, sizeof address);
    const int why = errno;
    ::umask(before);
    if (bound != 0 || ::listen(fd, 32) != 0) {
        const std::string text = format("RPC socket {}: {}", path, std::strerror(bound != 0 ? why : errno));
        ::close(fd);
        return Error{ErrorKind::io, text};
    }
    return std::unique_ptr<RpcSocket>{new RpcSocket{path, fd, host}};
}

RpcSocket::~RpcSocket()
{
    if (fd_ >= 0) {
        ::close(fd_);
        ::unlink(path_.c_str());
    }
}

void RpcSocket::start(task::Worker& worker)
{
    worker_ = &worker;
    watch_ = std::make_unique<task::Watch>(worker, fd_, EPOLLIN, [this](std::uint32_t) { accept_all(); });
}

void RpcSocket::stop()
{
    watch_.reset();
    while (!connections_.empty())
        drop(*connections_.begin());
}

void RpcSocket::accept_all()
{
    for (;;) {
        const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (connections_.size() >= most_connections) {
            ::close(fd);
            continue;
        }
        auto connection = std::make_shared<Connection>();
        connection->fd = fd;
        std::weak_ptr<Connection> weak = connection;
        connection->watch =
            std::make_unique<task::Watch>(*worker_, fd, EPOLLIN, [this, weak](std::uint32_t events) {
                if (auto held = weak.lock())
                    on_event(held, events);
            });
        connections_.insert(std::move(connection));
    }
}

void RpcSocket::on_event(const std::shared_ptr<Connection>& connection, std::uint32_t events)
{
    if (events & EPOLLIN) {
        char buffer[16 * 1024];
        const ssize_t count = ::read(connection->fd, buffer, sizeof buffer);
        if (count > 0)
            connection->in.append(buffer, static_cast<std::size_t>(count));
        else if (count == 0)
            connection->at_end = true;
        else if (errno != EAGAIN && errno != EINTR)
            return drop(connection);
        if (connection->in.size() > most_line && connection->in.find('\n') == std::string::npos)
            return drop(connection); // no request is that long
        run_lines(connection);
    } else if (events & (EPOLLHUP | EPOLLERR)) {
        return drop(connection);
    }
    if (!connection->closed)
        flush(connection);
}

// One request at a time: answers keep the order of the lines.
void RpcSocket::run_lines(const std::shared_ptr<Connection>& connection)
{
    while (!connection->busy && !connection->closed) {
        const auto end = connection->in.find('\n');
        if (end == std::string::npos)
            break;
        auto line = std::make_shared<std::string>(connection->in.substr(0, end));
        connection->in.erase(0, end + 1);
        if (line->empty())
            continue;
        connection->busy = true;
        worker_->spawn_always([this, connection, line] {
            std::string answer = answer_json_rpc(host_, *line);
            worker_->post([this, connection, answer = std::move(answer)]() mutable {
                connection->busy = false;
                if (connection->closed)
                    return;
                if (!answer.empty())
                    connection->out += answer + "\n";
                run_lines(connection);
                flush(connection);
            });
        });
    }
}

void RpcSocket::flush(const std::shared_ptr<Connection>& connection)
{
    while (!connection->out.empty()) {
        const ssize_t count =
            ::send(connection->fd, connection->out.data(), connection->out.size(), MSG_NOSIGNAL);
        if (count < 0) {
            if (errno == EAGAIN)
                break;
            return drop(connection);
        }
        connection->out.erase(0, static_cast<std::size_t>(count));
    }
    const bool idle = connection->out.empty() && !connection->busy;
    if (connection->at_end && idle)
        return drop(connection);
    // While an answer is being made or written nothing more is read: a flood waits in its own socket.
    const std::uint32_t reading = connection->at_end || !idle ? 0u : static_cast<std::uint32_t>(EPOLLIN);
    connection->watch->change(reading |
                              (connection->out.empty() ? 0u : static_cast<std::uint32_t>(EPOLLOUT)));
}

void RpcSocket::drop(const std::shared_ptr<Connection>& connection)
{
    const std::shared_ptr<Connection> held = connection; // the set may own the last reference
    held->closed = true;
    held->watch.reset();
    connections_.erase(held);
}

} // namespace sipyard::server
