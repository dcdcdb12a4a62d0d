// core/log/sinks.cpp - standard error, a file, syslog
#include "core/log/log.h"

#include <fcntl.h>
#include <poll.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>

namespace sipyard::log {

namespace {

// All of it, also to a terminal that another program made non-blocking. An error loses the line: there is
// nowhere left to complain.
void write_all(int fd, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t done = ::write(fd, text.data(), text.size());
        if (done >= 0) {
            text.remove_prefix(static_cast<std::size_t>(done));
        } else if (errno == EAGAIN) {
            pollfd wait{fd, POLLOUT, 0};
            ::poll(&wait, 1, -1);
            if (wait.revents & (POLLERR | POLLHUP | POLLNVAL))
                return;
        } else if (errno != EINTR) {
            return;
        }
    }
}

std::string_view colour_of(Level level)
{
    switch (level) {
    case Level::alert:
    case Level::bug:
    case Level::critical:
    case Level::crit: return "\x1b[1;31m";
    case Level::err: return "\x1b[31m";
    case Level::warn: return "\x1b[33m";
    case Level::notice: return "\x1b[36m";
    case Level::info: return "";
    case Level::dbg: return "\x1b[2m";
    }
    return "";
}

class StandardError final : public Sink {
public:
    explicit StandardError(bool colour) : colour_{colour} {}
    void write(Level level, std::string_view line) override
    {
        const auto colour = colour_ ? colour_of(level) : std::string_view{};
        buffer_.assign(colour);
        buffer_ += line;
        buffer_ += colour.empty() ? "\n" : "\x1b[0m\n";
        write_all(STDERR_FILENO, buffer_); // one call, so that lines of several programs do not mix
    }

private:
    const bool colour_;
    std::string buffer_;
};

class File final : public Sink {
public:
    explicit File(std::string path) : path_{std::move(path)}, fd_{open_file()} {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() override
    {
        if (fd_ >= 0)
            ::close(fd_);
    }
    void write(Level, std::string_view line) override
    {
        buffer_.assign(line);
        buffer_ += '\n';
        write_all(fd_ >= 0 ? fd_ : STDERR_FILENO, buffer_);
    }
    void reopen() override
    {
        const int fresh = open_file();
        if (fresh < 0) // the old file is better than none
            return;
        if (fd_ >= 0)
            ::close(fd_);
        fd_ = fresh;
    }

private:
    int open_file() const
    {
        return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    }

    const std::string path_;
    int fd_;
    std::string buffer_;
};

class Syslog final : public Sink {
public:
    Syslog(std::string name, std::string_view facility) : name_{std::move(name)}
    {
        openlog(name_.c_str(), LOG_PID | LOG_CONS,
                facility_of(facility)); // keeps the pointer, hence the member
    }
    Syslog(const Syslog&) = delete;
    Syslog& operator=(const Syslog&) = delete;
    ~Syslog() override { closelog(); }

    void write(Level level, std::string_view line) override
    {
        // syslog adds the process id itself.
        if (const auto at = line.find(") "); at != std::string_view::npos && !line.starts_with('{'))
            line.remove_prefix(at + 2);
        syslog(priority_of(level), "%.*s", static_cast<int>(line.size()), line.data());
    }

private:
    static int priority_of(Level level)
    {
        switch (level) {
        case Level::alert: return LOG_ALERT;
        case Level::bug:
        case Level::critical:
        case Level::crit: return LOG_CRIT;
        case Level::err: return LOG_ERR;
        case Level::warn: return LOG_WARNING;
        case Level::notice: return LOG_NOTICE;
        case Level::info: return LOG_INFO;
        case Level::dbg: return LOG_DEBUG;
        }
        return LOG_ERR;
    }
    static int facility_of(std::string_view name)
    {
        static constexpr struct {
            std::string_view name;
            int value;
        } rows[] = {
            {"LOG_AUTH", LOG_AUTH},     {"LOG_AUTHPRIV", LOG_AUTHPRIV}, {"LOG_CRON", LOG_CRON},
            {"LOG_DAEMON", LOG_DAEMON}, {"LOG_FTP", LOG_FTP},           {"LOG_KERN", LOG_KERN},
            {"LOG_LOCAL0", LOG_LOCAL0}, {"LOG_LOCAL1", LOG_LOCAL1},     {"LOG_LOCAL2", LOG_LOCAL2},
            {"LOG_LOCAL3", LOG_LOCAL3}, {"LOG_LOCAL4", LOG_LOCAL4},     {"LOG_LOCAL5", LOG_LOCAL5},
            {"LOG_LOCAL6", LOG_LOCAL6}, {"LOG_LOCAL7", LOG_LOCAL7},     {"LOG_LPR", LOG_LPR},
            {"LOG_MAIL", LOG_MAIL},     {"LOG_NEWS", LOG_NEWS},         {"LOG_SYSLOG", LOG_SYSLOG},
            {"LOG_USER", LOG_USER},     {"LOG_UUCP", LOG_UUCP},
        };
        for (const auto& row : rows)
            if (row.name == name)
                return row.value;
        return LOG_DAEMON;
    }

    const std::string name_;
};

} // namespace

std::unique_ptr<Sink> stderr_sink(bool colour) { return std::make_unique<StandardError>(colour); }

std::unique_ptr<Sink> syslog_sink(std::string name, std::string facility)
{
    return std::make_unique<Syslog>(std::move(name), facility);
}

std::unique_ptr<Sink> file_sink(std::string path) { return std::make_unique<File>(std::move(path)); }

} // namespace sipyard::log
