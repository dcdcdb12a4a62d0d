// modules/jsonrpcs/sockets.cpp - the files operators' tools talk to
#include "modules/jsonrpcs/sockets.h"

#include "core/base/text.h"
#include "core/json/value.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace sipyard::jsonrpcs {
namespace {

Error failed(std::string_view what, std::string_view path)
{
    return {ErrorKind::io, format("{} {}: {}", what, path, std::strerror(errno))};
}

// Only a leftover of the same kind is removed: a mistyped path must not cost a file.
Result<void> remove_old(const std::string& path, mode_t kind)
{
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0)
        return {};
    if ((info.st_mode & S_IFMT) != kind)
        return Error{ErrorKind::io, format("{} is something else already", path)};
    if (::unlink(path.c_str()) != 0)
        return failed("cannot remove the old", path);
    return {};
}

Result<void> give_away(const FileSettings& file)
{
    uid_t user = static_cast<uid_t>(-1); // -1: unchanged
    gid_t group = static_cast<gid_t>(-1);
    if (!file.user.empty()) {
        const auto number = parse_uint(file.user);
        const passwd* const entry = number ? nullptr : ::getpwnam(file.user.c_str());
        if (!number && !entry)
            return invalid(format("there is no user '{}'", file.user));
        user = number ? static_cast<uid_t>(*number) : entry->pw_uid;
    }
    if (!file.group.empty()) {
        const auto number = parse_uint(file.group);
        const struct group* const entry = number ? nullptr : ::getgrnam(file.group.c_str());
        if (!number && !entry)
            return invalid(format("there is no group '{}'", file.group));
        group = number ? static_cast<gid_t>(*number) : entry->gr_gid;
    }
    if (::chmod(file.path.c_str(), static_cast<mode_t>(file.mode) & 0777) != 0)
        return failed("cannot set the mode of", file.path);
    if ((!file.user.empty() || !file.group.empty()) && ::lchown(file.path.c_str(), user, group) != 0)
        return failed("cannot give away", file.path);
    return {};
}

void on_worker_0(task::Runtime& runtime, const std::function<void()>& f)
{
    runtime.on_every_worker([&](task::Worker& worker) {
        if (worker.index() == 0)
            f();
    });
}

} // namespace

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::open(Host& host, const FileSettings& file,
                                                             JsonStyle style)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (file.path.size() >= sizeof address.sun_path)
        return invalid(format("the path {} is too long for a socket", file.path));
    std::memcpy(address.sun_path, file.path.c_str(), file.path.size() + 1);
    TRYV(remove_old(file.path, S_IFSOCK));
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return failed("cannot make", file.path);
    // From here the destructor closes.
    std::unique_ptr<DatagramSocket> made{new DatagramSocket{host, file.path, fd, style}};
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return failed("cannot bind", file.path);
    TRYV(give_away(file));
    auto* const self = made.get();
    on_worker_0(host.runtime(), [self, &host] {
        self->watch_ = std::make_unique<task::Watch>(host.runtime().worker(0), self->fd_, EPOLLIN,
                                                     [self](std::uint32_t) { self->readable(); });
    });
    return made;
}

DatagramSocket::DatagramSocket(Host& host, std::string path, int fd, JsonStyle style)
    : host_{host}, log_{host.logger("jsonrpcs")}, path_{std::move(path)}, fd_{fd}, style_{style}
{
}

DatagramSocket::~DatagramSocket()
{
    on_worker_0(host_.runtime(), [this] { watch_.reset(); });
    ::close(fd_);
    ::unlink(path_.c_str());
}

void DatagramSocket::readable()
{
    for (int turn = 0; turn < 16; ++turn) { // others want the worker too; the rest wakes us again
        std::string text(longest, '\0');
        sockaddr_un from{};
        socklen_t from_size = sizeof from;
        const auto size = ::recvfrom(fd_, text.data(), text.size(), MSG_TRUNC,
                                     reinterpret_cast<sockaddr*>(&from), &from_size);
        if (size < 0)
            return;
        if (static_cast<std::size_t>(size) > longest) {
            log_.warn("a request of {} bytes is too long", static_cast<std::int64_t>(size));
            continue;
        }
        text.resize(static_cast<std::size_t>(size));
        const auto taken = host_.runtime().worker(0).spawn([this, text = std::move(text), from, from_size] {
            const std::string answer = answer_json_rpc(host_, text, style_);
            if (answer.empty() || from_size <= sizeof(sa_family_t))
                return; // a notification, or nobody to answer
            if (::sendto(fd_, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                         reinterpret_cast<const sockaddr*>(&from), from_size) < 0)
                log_.warn("an answer of {} bytes could not be sent: {}", answer.size(), std::strerror(errno));
        });
        if (!taken)
            log_.warn("a request is refused: {}", taken.error().text);
    }
}

Result<std::unique_ptr<Fifo>> Fifo::open(Host& host, const FileSettings& file, std::string reply_dir,
                                         JsonStyle style)
{
    TRYV(remove_old(file.path, S_IFIFO));
    if (::mkfifo(file.path.c_str(), 0600) != 0)
        return failed("cannot make", file.path);
    // Open for writing too: else every writer that closes leaves an end of file behind.
    const int fd = ::open(file.path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return failed("cannot open", file.path);
    std::unique_ptr<Fifo> made{new Fifo{host, file.path, std::move(reply_dir), fd, style}};
    TRYV(give_away(file));
    auto* const self = made.get();
    on_worker_0(host.runtime(), [self, &host] {
        self->watch_ = std::make_unique<task::Watch>(host.runtime().worker(0), self->fd_, EPOLLIN,
                                                     [self](std::uint32_t) { self->readable(); });
    });
    return made;
}

Fifo::Fifo(Host& host, std::string path, std::string reply_dir, int fd, JsonStyle style)
    : host_{host}, log_{host.logger("jsonrpcs")}, path_{std::move(path)},
      reply_dir_{std::move(reply_dir)}, fd_{fd}, style_{style}
{
}

Fifo::~Fifo()
{
    on_worker_0(host_.runtime(), [this] { watch_.reset(); });
    ::close(fd_);
    ::unlink(path_.c_str());
}

// A FIFO has no message boundaries: a document is complete when it parses, and given up when a line ends and
// it does not.
void Fifo::readable()
{
    char piece[4096];
    const auto size = ::read(fd_, piece, sizeof piece);
    if (size <= 0)
        return;
    unread_.append(piece, static_cast<std::size_t>(size));
    if (json::parse(trim(unread_))) {
        const auto taken =
            host_.runtime().worker(0).spawn([this, text = std::move(unread_)] { answer(text); });
        if (!taken)
            log_.warn("a request is refused: {}", taken.error().text);
        unread_.clear();
    } else if (unread_.ends_with('\n') || unread_.size() > longest) {
        if (!trim(unread_).empty())
            log_.warn("{} bytes that are no JSON document are dropped", unread_.size());
        unread_.clear();
    }
}

void Fifo::answer(const std::string& text)
{
    const std::string answer = answer_json_rpc(host_, text, style_);
    const auto document = json::parse(trim(text));
    const std::string name{document ? (*document)["reply_name"].text() : std::string_view{}};
    if (answer.empty() || name.empty())
        return;
    if (name.find('/') != std::string::npos || name.front() == '.') {
        log_.warn("reply_name '{}' is not the plain name of a FIFO", name);
        return;
    }
    const auto written = task::blocking(
        host_.runtime().pool(), std::chrono::seconds{3},
        [](const std::string& path, const std::string& bytes) -> Result<void> {
            const int fd = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
            if (fd < 0)
                return failed("cannot open", path);
            struct stat info {};
            Result<void> result;
            if (::fstat(fd, &info) != 0 || !S_ISFIFO(info.st_mode))
                result = Error{ErrorKind::io, format("{} is no FIFO", path)};
            for (std::size_t at = 0; result && at < bytes.size();) {
                pollfd ready{fd, POLLOUT, 0};
                if (::poll(&ready, 1, 2000) <= 0) {
                    result = Error{ErrorKind::timeout, format("nobody reads {}", path)};
                    break;
                }
                const auto size = ::write(fd, bytes.data() + at, bytes.size() - at);
                if (size < 0 && errno != EAGAIN)
                    result = failed("cannot write", path);
                at += size > 0 ? static_cast<std::size_t>(size) : 0;
            }
            ::close(fd);
            return result;
        },
        reply_dir_ + "/" + name, answer + "\n");
    if (!written)
        log_.warn("an answer is lost: {}", written.error().text);
}

} // namespace sipyard::jsonrpcs
