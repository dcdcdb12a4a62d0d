// core/ctl/socket.cpp - JSON-RPC, one line there, one line back
#include "core/ctl/socket.h"

#include "core/base/format.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace sipyard::ctl {

namespace {

constexpr std::size_t most_answer = 256 * 1024 * 1024;

}

Socket::Socket(std::string path) : path_{std::move(path)} {}

Socket::~Socket()
{
    if (fd_ >= 0)
        ::close(fd_);
}

Result<void> Socket::connect()
{
    if (fd_ >= 0)
        return {};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path)
        return invalid(format("the socket's path {} is too long", path_));
    std::memcpy(address.sun_path, path_.data(), path_.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return Error{ErrorKind::io, std::strerror(errno)};
    const timeval patience{60, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        const int why = errno;
        ::close(fd);
        return Error{ErrorKind::io, format("no server answers on {} ({}); name its socket with -s", path_,
                                           std::strerror(why))};
    }
    fd_ = fd;
    return {};
}

Result<json::Value> Socket::answer(std::string_view method, json::Value params)
{
    TRYV(connect());
    json::Value request = json::Value::object();
    request.set("jsonrpc", "2.0").set("method", method).set("params", std::move(params)).set("id", 1);
    const std::string line = request.dump() + "\n";
    const auto lost = [this](std::string text) {
        ::close(std::exchange(fd_, -1));
        rest_.clear();
        return Error{ErrorKind::lost, std::move(text)};
    };
    std::string_view left = line;
    while (!left.empty()) {
        const ssize_t count = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return lost(format("the server closed the connection ({})", std::strerror(errno)));
        left.remove_prefix(static_cast<std::size_t>(count));
    }
    std::size_t end, searched = 0;
    char buffer[64 * 1024];
    while ((end = rest_.find('\n', searched)) == std::string::npos) {
        searched = rest_.size();
        const ssize_t count = ::read(fd_, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0 || rest_.size() > most_answer)
            return lost("the server gave no answer");
        rest_.append(buffer, static_cast<std::size_t>(count));
    }
    auto answer = json::parse(std::string_view{rest_}.substr(0, end));
    rest_.erase(0, end + 1);
    if (!answer)
        return invalid("the server's answer is no JSON: " + answer.error().text);
    return answer;
}

Result<json::Value> Socket::call(std::string_view method, json::Value params)
{
    TRY(const auto whole, answer(method, std::move(params)));
    if (const json::Value* const error = whole.find("error"))
        return Error{ErrorKind::other, std::string{(*error)["message"].text("the server said no")}};
    return whole["result"];
}

} // namespace sipyard::ctl
