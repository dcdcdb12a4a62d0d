// core/server/process.cpp - fork, setuid, files
#include "core/server/process.h"

#include "core/base/format.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sipyard::server {

Daemon::~Daemon()
{
    if (pipe_ >= 0)
        ::close(pipe_); // without ready(): the parent reads the end of file and reports failure
}

namespace {

constexpr char has_detached = 1, stays = 2; // what the child tells

volatile pid_t the_child = 0; // for the parent's signal handler

} // namespace

std::optional<int> Daemon::detach()
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return 255;
    const pid_t child = ::fork();
    if (child < 0)
        return 255;
    if (child > 0) {
        ::close(ends[1]);
        char verdict = 0;
        ssize_t count;
        do
            count = ::read(ends[0], &verdict, 1);
        while (count < 0 && errno == EINTR);
        if (count == 1 && verdict == has_detached)
            return 0;
        if (count ==
            1) { // fork=no: this process stands for the other one, to the shell and to who sends it signals
            the_child = child;
            for (const int signal : {SIGTERM, SIGINT, SIGHUP})
                ::signal(signal, [](int which) { ::kill(the_child, which); });
        }
        int status = 0;
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        if (count == 1)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 255;
    }
    ::close(ends[0]);
    pipe_ = ends[1];
    ::setsid();
    return std::nullopt;
}

void Daemon::stay()
{
    if (pipe_ < 0)
        return;
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    [[maybe_unused]] const ssize_t told = ::write(pipe_, &stays, 1);
    ::close(pipe_);
    pipe_ = -1;
}

void Daemon::ready()
{
    if (pipe_ < 0)
        return;
    was_detached_ = true;
    const int null = ::open("/dev/null", O_RDWR);
    if (null >= 0) {
        for (const int fd : {0, 1, 2})
            ::dup2(null, fd);
        if (null > 2)
            ::close(null);
    }
    [[maybe_unused]] const ssize_t told = ::write(pipe_, &has_detached, 1);
    ::close(pipe_);
    pipe_ = -1;
}

Result<void> prepare_process(const CoreSettings& settings)
{
    if (settings.open_files_limit > 0) {
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = static_cast<rlim_t>(settings.open_files_limit);
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
            return Error{ErrorKind::io,
                         format("open_files_limit={}: {}", settings.open_files_limit, std::strerror(errno))};
    } else {
        rlimit limit{};
        if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
            limit.rlim_cur = limit.rlim_max; // what we may have anyway
            ::setrlimit(RLIMIT_NOFILE, &limit);
        }
    }
    std::error_code failed;
    std::filesystem::create_directories(settings.rundir,
                                        failed); // a missing management socket is only a warning
    if (!settings.workdir.empty() && settings.chroot.empty() && ::chdir(settings.workdir.c_str()) != 0)
        return Error{ErrorKind::io, format("workdir {}: {}", settings.workdir, std::strerror(errno))};
    return {};
}

namespace {

// The working directory is one inside the new root, as the operator sees it from there.
Result<void> enter_root(const CoreSettings& settings)
{
    if (settings.chroot.empty())
        return {};
    const char* const inside = settings.workdir.empty() ? "/" : settings.workdir.c_str();
    if (::chroot(settings.chroot.c_str()) != 0 || ::chdir(inside) != 0)
        return Error{ErrorKind::io, format("chroot {}: {}", settings.chroot, std::strerror(errno))};
    return {};
}

} // namespace

Result<void> drop_privileges(const CoreSettings& settings, const std::string& rpc_path)
{
    if (settings.user.empty() && settings.group.empty())
        return enter_root(settings);
    uid_t uid = ::getuid();
    gid_t gid = ::getgid();
    if (!settings.user.empty()) {
        const passwd* const entry = ::getpwnam(settings.user.c_str());
        if (!entry)
            return Error{ErrorKind::not_found, format("user '{}' does not exist", settings.user)};
        uid = entry->pw_uid;
        gid = entry->pw_gid;
    }
    if (!settings.group.empty()) {
        const group* const entry = ::getgrnam(settings.group.c_str());
        if (!entry)
            return Error{ErrorKind::not_found, format("group '{}' does not exist", settings.group)};
        gid = entry->gr_gid;
    }
    if (::access(rpc_path.c_str(), F_OK) == 0 && ::chown(rpc_path.c_str(), uid, gid) != 0)
        return Error{ErrorKind::io, format("{}: {}", rpc_path, std::strerror(errno))};
    TRYV(enter_root(settings));
    if (::getuid() == 0 && ::setgroups(1, &gid) != 0)
        return Error{ErrorKind::io, format("setgroups: {}", std::strerror(errno))};
    if (::setgid(gid) != 0 || ::setuid(uid) != 0)
        return Error{ErrorKind::io,
                     format("cannot become {}:{}: {}", settings.user, settings.group, std::strerror(errno))};
    return {};
}

PidFile::PidFile(std::string path) : path_{std::move(path)}
{
    if (path_.empty())
        return;
    const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const std::string text = std::to_string(::getpid()) + "\n";
    if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        error_ = format("pid file {}: {}", path_, std::strerror(errno));
    else
        written_ = true;
    if (fd >= 0)
        ::close(fd);
}

void PidFile::remove() const
{
    if (written_)
        ::unlink(path_.c_str());
}

} // namespace sipyard::server
