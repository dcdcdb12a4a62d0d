// test/support/sql_server.cpp - starting database servers as their own users, and ending exactly those
#include "test/support/sql_server.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <pwd.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace sipyard {
namespace {

namespace fs = std::filesystem;
constexpr const char* password = "pa;ss}w@rd";
constexpr const char* password_in_url = "pa;ss%7Dw%40rd";
constexpr auto patience = std::chrono::seconds{30};

[[noreturn]] void fail(const std::string& what, const std::string& log = {})
{
    std::string tail;
    if (std::ifstream in{log}; in) {
        tail.assign(std::istreambuf_iterator<char>{in}, {});
        if (tail.size() > 1500)
            tail.erase(0, tail.size() - 1500);
    }
    throw std::runtime_error{what + (tail.empty() ? "" : ":\n" + tail)};
}

std::uint16_t free_port()
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool good = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (fd >= 0)
        ::close(fd);
    if (!good)
        fail("no free port");
    return ntohs(address.sin_port);
}

bool answers(std::uint16_t port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool good = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return good;
}

// Runs a program as `user` (when we are root), its output going to the log.
pid_t launch(const std::vector<std::string>& words, const char* user, const std::string& log)
{
    std::vector<char*> arguments;
    for (const auto& word : words)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const passwd* const account = ::geteuid() == 0 ? ::getpwnam(user) : nullptr;
    const uid_t uid = account ? account->pw_uid : ::geteuid();
    const gid_t gid = account ? account->pw_gid : ::getegid();
    const pid_t pid = ::fork();
    if (pid != 0)
        return pid;
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    const int in = ::open("/dev/null", O_RDONLY);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    if (::geteuid() == 0 && (::setgid(gid) != 0 || ::setuid(uid) != 0))
        ::_exit(126);
    ::setsid();
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
}

int run(const std::vector<std::string>& words, const char* user, const std::string& log)
{
    int status = 0;
    const pid_t pid = launch(words, user, log);
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

std::string postgres_folder()
{
    std::string newest;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{"/usr/lib/postgresql", ignored})
        if (fs::exists(entry.path() / "bin/initdb") && entry.path().string() > newest)
            newest = entry.path().string();
    if (newest.empty())
        fail("PostgreSQL is not installed (package postgresql)");
    return newest + "/bin/";
}

} // namespace

SqlServer::SqlServer(Kind kind) : kind_{kind}, port_{free_port()}
{
    const char* const base = std::getenv("TMPDIR");
    std::string pattern = std::string{base && *base ? base : "/tmp"} + "/sipyard-sql-XXXXXX";
    if (!::mkdtemp(pattern.data()))
        fail("no temporary folder");
    folder_ = pattern;
    const passwd* const account = ::getpwnam(kind == Kind::postgres ? "postgres" : "mysql");
    if (::geteuid() == 0 && (!account || ::chown(folder_.c_str(), account->pw_uid, account->pw_gid) != 0))
        fail("the server's package is not installed: its user is missing");
    try {
        kind == Kind::postgres ? make_postgres() : make_mysql();
    } catch (...) {
        if (pid_ != 0)
            stop();
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
        throw;
    }
}

SqlServer::~SqlServer()
{
    if (pid_ != 0)
        stop();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void SqlServer::make_postgres()
{
    const auto log = folder_ + "/log";
    std::ofstream{folder_ + "/password"} << password << "\n";
    fs::permissions(folder_ + "/password", fs::perms::all);
    if (run({postgres_folder() + "initdb", "-D", folder_ + "/data", "-U", "sipyard",
             "--pwfile=" + folder_ + "/password", "--auth=scram-sha-256", "--no-sync", "-E", "UTF8",
             "--locale=C"},
            "postgres", log) != 0)
        fail("initdb failed", log);
    start();
    ::setenv("PGPASSWORD", password, 1);
    const int made = run({postgres_folder() + "createdb", "-h", "127.0.0.1", "-p", std::to_string(port_),
                          "-U", "sipyard", "sipyard"},
                         "postgres", log);
    ::unsetenv("PGPASSWORD");
    if (made != 0)
        fail("createdb failed", log);
}

void SqlServer::make_mysql()
{
    const auto log = folder_ + "/log";
    const char* const user = "mysql";
    if (run({"mariadb-install-db", "--no-defaults", "--datadir=" + folder_ + "/data",
             "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=4M",
             "--innodb-buffer-pool-size=8M"},
            user, log) != 0)
        fail("mariadb-install-db failed (package mariadb-server)", log);
    start();
    const std::string sql =
        std::string{"CREATE DATABASE sipyard CHARACTER SET utf8mb4; CREATE USER sipyard@'127.0.0.1' "
                    "IDENTIFIED BY '"} +
        password + "'; GRANT ALL ON *.* TO sipyard@'127.0.0.1'";
    if (run({"mariadb", "--no-defaults", "--socket=" + folder_ + "/s", "--user=root", "-e", sql}, user,
            log) != 0)
        fail("creating the test user failed", log);
}

void SqlServer::start()
{
    const auto log = folder_ + "/log", port = std::to_string(port_);
    if (kind_ == Kind::postgres)
        pid_ = launch({postgres_folder() + "postgres", "-D", folder_ + "/data", "-p", port, "-c",
                       "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + folder_, "-c",
                       "fsync=off", "-c", "shared_buffers=16MB"},
                      "postgres", log);
    else
        pid_ = launch({"mariadbd", "--no-defaults", "--datadir=" + folder_ + "/data", "--port=" + port,
                       "--bind-address=127.0.0.1", "--socket=" + folder_ + "/s",
                       "--pid-file=" + folder_ + "/pid", "--innodb-buffer-pool-size=8M",
                       "--innodb-flush-log-at-trx-commit=2", "--skip-name-resolve"},
                      "mysql", log);
    const auto until = std::chrono::steady_clock::now() + patience;
    const auto ready = [&] { // PostgreSQL accepts before it is ready; pg_isready knows
        return answers(port_) && (kind_ == Kind::mysql ||
                                  run({postgres_folder() + "pg_isready", "-q", "-h", "127.0.0.1", "-p", port},
                                      "postgres", "/dev/null") == 0);
    };
    while (!ready()) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = 0;
            fail("the server ended", log);
        }
        if (std::chrono::steady_clock::now() > until)
            fail("the server does not start", log);
        std::this_thread::sleep_for(std::chrono::milliseconds{20}); // no event tells: it is another program
    }
}

void SqlServer::stop()
{
    ::kill(pid_, SIGCONT);
    // PostgreSQL's SIGQUIT ends its children too; MariaDB has none.
    ::kill(pid_, kind_ == Kind::postgres ? SIGQUIT : SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
}

void SqlServer::pause(bool on)
{
    // PostgreSQL's backends are processes of its session.
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
        const auto name = entry.path().filename().string();
        const auto pid = static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10));
        if (pid > 0 && (pid == pid_ || ::getsid(pid) == pid_))
            ::kill(pid, on ? SIGSTOP : SIGCONT);
    }
}

std::string SqlServer::plain_password() { return password; }

std::string SqlServer::url() const
{
    return std::string{kind_ == Kind::postgres ? "postgres" : "mysql"} + "://sipyard:" + password_in_url +
           "@127.0.0.1:" + std::to_string(port_) + "/sipyard";
}

} // namespace sipyard
