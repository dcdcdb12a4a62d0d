// modules/xhttp/file.cpp - names taken apart, opened one below the other, read
#include "modules/xhttp/file.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/task/fiber.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace sipyard::xhttp {

namespace {

constexpr std::size_t most_names = 16, longest_target = 1024;

struct Descriptor {
    explicit Descriptor(int opened) : fd{opened} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor()
    {
        if (fd >= 0)
            ::close(fd);
    }
    void take(int opened)
    {
        ::close(fd);
        fd = opened;
    }
    int fd;
};

Error nothing_there() { return {ErrorKind::not_found, "there is no such file"}; }

// ELOOP: the last name is a symbolic link. ENXIO: a socket.
Error cannot_open()
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EACCES:
    case EPERM:
    case ENXIO:
    case ENAMETOOLONG: return nothing_there();
    default: return {ErrorKind::io, std::strerror(errno)};
    }
}

bool is_file_name(std::string_view name)
{
    return !name.empty() && name.front() != '.' && name.size() <= NAME_MAX && is_utf8(name) &&
           std::none_of(name.begin(), name.end(), [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/' || c == '\\';
           });
}

} // namespace

Result<std::vector<std::string>> names_of(std::string_view target)
{
    std::string_view path = cut(target, '?');
    if (path.size() > longest_target)
        return nothing_there();
    if (path.starts_with('/'))
        path.remove_prefix(1);
    std::vector<std::string> names;
    for (bool more = true; more;) {
        more = path.find('/') != std::string_view::npos;
        const auto name = percent_decode(cut(path, '/')); // after the cut: an escaped slash is no separator
        if (!name || names.size() == most_names)
            return nothing_there();
        names.push_back(!more && name->empty() ? std::string{"index.html"} : *name);
        if (!is_file_name(names.back()))
            return nothing_there();
    }
    return names;
}

bool names_tag(std::string_view if_none_match, std::string_view tag)
{
    // A tag holds no comma of its own here, so the list may be cut at each.
    while (!if_none_match.empty()) {
        std::string_view one = trim(cut(if_none_match, ','));
        if (one == "*")
            return true;
        if (one.starts_with("W/"))
            one.remove_prefix(2);
        if (one.size() == tag.size() + 2 && one.front() == '"' && one.back() == '"' &&
            one.substr(1, tag.size()) == tag)
            return true;
    }
    return false;
}

std::string_view content_type_of(std::string_view name)
{
    static constexpr std::pair<std::string_view, std::string_view> known[] = {
        {"html", "text/html; charset=utf-8"},
        {"htm", "text/html; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"json", "application/json"},
        {"txt", "text/plain; charset=utf-8"},
        {"md", "text/markdown; charset=utf-8"},
        {"xml", "application/xml"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},
        {"gif", "image/gif"},
        {"webp", "image/webp"},
        {"ico", "image/x-icon"},
        {"woff2", "font/woff2"},
        {"wasm", "application/wasm"},
        {"pdf", "application/pdf"},
    };
    const auto dot = name.rfind('.');
    if (dot != std::string_view::npos)
        for (const auto& [extension, type] : known)
            if (iequals(name.substr(dot + 1), extension))
                return type;
    return "application/octet-stream";
}

Result<File> read_below(const std::string& directory, const std::vector<std::string>& names,
                        std::string_view if_none_match)
{
    Descriptor at{::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (at.fd < 0)
        return cannot_open();
    for (std::size_t i = 0; i < names.size(); ++i) {
        // O_NONBLOCK: opening a pipe would wait for its other end.
        const int flags = i + 1 < names.size() ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK | O_NOCTTY;
        const int next = ::openat(at.fd, names[i].c_str(), flags | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return cannot_open();
        at.take(next);
    }
    struct stat about {};
    if (::fstat(at.fd, &about) != 0)
        return Error{ErrorKind::io, std::strerror(errno)};
    if (!S_ISREG(about.st_mode))
        return nothing_there();
    if (static_cast<std::uint64_t>(about.st_size) > largest_file)
        return Error{ErrorKind::unsupported, format("the file is larger than {} bytes", largest_file)};
    File file;
    file.tag = format("{:x}-{:x}-{:x}-{:x}", about.st_ino, about.st_size, about.st_mtim.tv_sec,
                      about.st_mtim.tv_nsec);
    if (names_tag(if_none_match, file.tag))
        return file;
    std::string& bytes = file.bytes.emplace(static_cast<std::size_t>(about.st_size), '\0');
    std::size_t got = 0;
    while (got < bytes.size()) {
        const ssize_t count = ::read(at.fd, bytes.data() + got, bytes.size() - got);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return Error{ErrorKind::io, std::strerror(errno)};
        if (count == 0)
            break; // somebody has cut it short meanwhile
        got += static_cast<std::size_t>(count);
    }
    bytes.resize(got);
    return file;
}

} // namespace sipyard::xhttp

sipyard::Result<sipyard::xhttp::Directory>
sipyard::FromText<sipyard::xhttp::Directory>::parse(std::string_view text)
{
    // A script is compiled off the fibers. On one, this is a variable that is looked at when the function is
    // called: it may hold what a request said, so it names no directory.
    if (task::Fiber::current())
        return invalid("the directory has to be a constant");
    const std::string given{text};
    char real[PATH_MAX];
    struct stat about {};
    if (given.empty() || !::realpath(given.c_str(), real) || ::stat(real, &about) != 0 ||
        !S_ISDIR(about.st_mode))
        return invalid(format("'{}' is no directory that can be read", text));
    return xhttp::Directory{real};
}
