// core/ctl/files.cpp - read, written, listed
#include "core/ctl/files.h"

#include "core/base/format.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace sipyard::ctl {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest = 64 * 1024 * 1024;

Error problem(std::string_view path) { return {ErrorKind::io, format("{}: {}", path, std::strerror(errno))}; }

struct Descriptor {
    int fd;
    ~Descriptor()
    {
        if (fd > 2)
            ::close(fd);
    }
};

} // namespace

Result<std::string> read_file(const std::string& path)
{
    const Descriptor file{path == "-" ? 0 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.fd < 0)
        return problem(path);
    std::string text;
    char buffer[64 * 1024];
    for (;;) {
        const ssize_t count = ::read(file.fd, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return problem(path);
        if (count == 0)
            return text;
        text.append(buffer, static_cast<std::size_t>(count));
        if (text.size() > largest)
            return invalid(format("{} is larger than {} bytes", path, largest));
    }
}

Result<void> write_file(const std::string& path, std::string_view text)
{
    const fs::path whole{path};
    // One by one: create_directories() would let everybody read them.
    fs::path above;
    for (const auto& part : whole.parent_path()) {
        above /= part;
        if (::mkdir(above.c_str(), 0700) != 0 && errno != EEXIST)
            return problem(above.string());
    }
    const std::string beside = (whole.parent_path() / format(".sipyardctl.{}", ::getpid())).string();
    {
        const Descriptor file{
            ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
        if (file.fd < 0)
            return problem(beside);
        while (!text.empty()) {
            const ssize_t count = ::write(file.fd, text.data(), text.size());
            if (count < 0 && errno == EINTR)
                continue;
            if (count < 0) {
                const Error why = problem(path);
                ::unlink(beside.c_str());
                return why;
            }
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) {
        const Error why = problem(path);
        ::unlink(beside.c_str());
        return why;
    }
    return {};
}

Result<std::vector<std::string>> files_below(const std::string& directory)
{
    std::vector<std::string> found;
    std::error_code failed;
    fs::recursive_directory_iterator at{directory, failed}, end;
    for (; !failed && at != end; at.increment(failed)) {
        if (at->path().filename().string().starts_with('.'))
            at.disable_recursion_pending();
        else if (at->symlink_status(failed).type() == fs::file_type::regular)
            found.push_back(at->path().lexically_relative(directory).string());
    }
    if (failed)
        return Error{ErrorKind::io, format("{}: {}", directory, failed.message())};
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace sipyard::ctl
