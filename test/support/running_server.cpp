// test/support/running_server.cpp - sockets, processes and folders of the scenarios
#include "test/support/running_server.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/json/value.h"
#include "core/server/process.h"

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sipyard::test {

namespace {

[[noreturn]] void fail(const std::string& what)
{
    throw std::runtime_error{what + ": " + std::strerror(errno)};
}

socklen_t loopback(sockaddr_storage& out, std::uint16_t port, bool ipv6)
{
    std::memset(&out, 0, sizeof out);
    if (ipv6) {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
        v6.sin6_family = AF_INET6;
        v6.sin6_addr = in6addr_loopback;
        v6.sin6_port = htons(port);
        return sizeof v6;
    }
    auto& v4 = reinterpret_cast<sockaddr_in&>(out);
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v4.sin_port = htons(port);
    return sizeof v4;
}

bool readable(int fd, int patience_ms)
{
    pollfd poller{fd, POLLIN, 0};
    return ::poll(&poller, 1, patience_ms) > 0;
}

std::uint16_t port_of(int fd)
{
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                               : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

} // namespace

bool wait_until(const std::function<bool()>& condition, int patience_ms)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{patience_ms};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        ::poll(nullptr, 0, 5);
    }
    return true;
}

std::uint16_t free_port()
{
    for (int attempt = 0; attempt < 50; ++attempt) {
        sockaddr_storage address;
        socklen_t size = loopback(address, 0, false);
        const int tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                  udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        std::uint16_t port = 0;
        if (::bind(tcp, reinterpret_cast<sockaddr*>(&address), size) == 0) {
            port = port_of(tcp);
            size = loopback(address, port, false);
            if (::bind(udp, reinterpret_cast<sockaddr*>(&address), size) != 0)
                port = 0;
        }
        ::close(tcp);
        ::close(udp);
        if (port != 0)
            return port;
    }
    fail("no free port");
}

std::string build_folder()
{
    const auto exe = std::filesystem::read_symlink("/proc/self/exe");
    return exe.parent_path().parent_path().string();
}

void make_certificate(const TempDir& folder)
{
    const Ran made =
        run_program({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                     "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                     folder.file("key.pem"), "-out", folder.file("cert.pem")});
    if (made.status != 0)
        throw std::runtime_error{"openssl: " + made.output};
}

class RunningServer::Sink final : public log::Sink {
public:
    Sink(std::shared_ptr<std::string> lines, std::shared_ptr<std::mutex> mutex)
        : lines_{std::move(lines)}, mutex_{std::move(mutex)}
    {
    }
    void write(log::Level, std::string_view line) override
    {
        const std::lock_guard<std::mutex> lock{*mutex_};
        lines_->append(line).append("\n");
    }

private:
    std::shared_ptr<std::string> lines_; // with the test that reads them
    std::shared_ptr<std::mutex> mutex_;
};

RunningServer::RunningServer(const std::string& config, Options options)
    : lines_{std::make_shared<std::string>()}, lines_mutex_{std::make_shared<std::mutex>()}, port_{
                                                                                                 free_port()}
{
    journal_ = std::make_unique<log::Journal>(std::make_unique<Sink>(lines_, lines_mutex_));
    server::Options command;
    command.config = config;
    command.foreground = true;
    command.rundir = folder_.path();
    command.worker_threads = options.workers;
    command.debug = options.debug;
    if (options.defines.find("PORT") == options.defines.end())
        command.load.defines.emplace_back("PORT", std::to_string(port_));
    for (const auto& [name, value] : options.defines)
        command.load.defines.emplace_back(name, value);
    server_ = std::make_unique<server::Server>(std::move(command), clock_, *journal_);
    if (!server_->load())
        throw std::runtime_error{"the configuration does not load:\n" + server_->report()};
    if (const auto prepared = server::prepare_process(server_->settings()); !prepared) // as main() does
        throw std::runtime_error{prepared.error().text};
    if (const auto started = server_->start(); !started)
        throw std::runtime_error{"the server does not start: " + started.error().text};
}

RunningServer::~RunningServer() { stop(); }

bool RunningServer::stop()
{
    if (stopped_)
        return true;
    stopped_ = true;
    return server_->stop();
}

std::string RunningServer::log() const
{
    const std::lock_guard<std::mutex> lock{*lines_mutex_};
    return *lines_;
}

std::string RunningServer::rpc(std::string_view method, std::string_view params)
{
    return test::rpc(rpc_path(), method, params);
}

std::int64_t RunningServer::counted(std::string_view counter)
{
    const auto answer = json::parse(rpc("stats.fetch", format("[\"{}\"]", counter)));
    return answer ? (*answer)["result"][counter].integer(-1) : -1;
}

std::string rpc(const std::string& socket_path, std::string_view method, std::string_view params)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::string answer;
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        const std::string line =
            format("{{\"jsonrpc\":\"2.0\",\"method\":\"{}\",\"params\":{},\"id\":1}}\n", method, params);
        char buffer[8192];
        if (::send(fd, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size()))
            while (answer.find('\n') == std::string::npos && readable(fd, 40'000)) {
                const ssize_t count = ::read(fd, buffer, sizeof buffer);
                if (count <= 0)
                    break;
                answer.append(buffer, static_cast<std::size_t>(count));
            }
    }
    ::close(fd);
    return answer;
}

UdpClient::UdpClient(std::uint16_t server_port, bool ipv6)
    : fd_{::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)}
{
    sockaddr_storage address;
    const socklen_t size = loopback(address, server_port, ipv6);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0)
        fail("connect");
    port_ = port_of(fd_);
}

UdpClient::~UdpClient() { ::close(fd_); }

void UdpClient::send(std::string_view bytes)
{
    if (::send(fd_, bytes.data(), bytes.size(), 0) < 0)
        fail("send");
}

std::string UdpClient::receive(int patience_ms)
{
    if (!readable(fd_, patience_ms))
        return {};
    std::string bytes(65536, '\0');
    const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
}

TcpClient::TcpClient(std::uint16_t server_port, bool ipv6)
    : fd_{::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
{
    sockaddr_storage address;
    const socklen_t size = loopback(address, server_port, ipv6);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0) {
        ::close(fd_);
        fail("connect");
    }
}

TcpClient::~TcpClient() { ::close(fd_); }

void TcpClient::send(std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0)
            return; // the peer has closed: what it said is still to be read
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

std::string TcpClient::read_some(int patience_ms)
{
    if (!rest_.empty())
        return std::exchange(rest_, {});
    if (!readable(fd_, patience_ms))
        return {};
    std::string bytes(65536, '\0');
    const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
}

std::string TcpClient::read_until(std::string_view text, int patience_ms)
{
    std::string all;
    while (all.find(text) == std::string::npos) {
        const std::string more = read_some(patience_ms);
        if (more.empty())
            return all;
        all += more;
    }
    const std::size_t end = all.find(text) + text.size();
    rest_ = all.substr(end);
    all.resize(end);
    return all;
}

std::string TcpClient::read_message(bool head_only)
{
    std::string message = read_until("\r\n\r\n");
    std::size_t length = 0;
    std::string_view lines = message;
    while (!lines.empty()) {
        std::string_view line = cut(lines, '\n');
        const std::string_view name = trim(cut(line, ':'));
        if (iequals(name, "Content-Length") || iequals(name, "l"))
            length = parse_uint(trim(line)).value_or(0);
    }
    const std::size_t whole = message.size() + (head_only ? 0 : length);
    while (message.size() < whole) {
        const std::string more = read_some();
        if (more.empty())
            break;
        message += more;
    }
    if (message.size() > whole) {
        rest_ = message.substr(whole) + rest_;
        message.resize(whole);
    }
    return message;
}

bool TcpClient::closed_by_peer(int patience_ms)
{
    for (;;) {
        if (!readable(fd_, patience_ms))
            return false;
        char buffer[4096];
        const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
        if (count <= 0)
            return true;
    }
}

void TcpClient::shutdown_writing() { ::shutdown(fd_, SHUT_WR); }

std::string HttpAnswer::header(std::string_view name) const
{
    std::string_view lines = head;
    while (!lines.empty()) {
        std::string_view line = cut(lines, '\n');
        if (iequals(trim(cut(line, ':')), name))
            return std::string{trim(line)};
    }
    return {};
}

HttpAnswer read_answer(TcpClient& client, bool head_only)
{
    const std::string message = client.read_message(head_only);
    HttpAnswer answer;
    const auto end = message.find("\r\n\r\n");
    answer.head = message.substr(0, end);
    if (end != std::string::npos)
        answer.body = message.substr(end + 4);
    if (message.size() > 12 && message.starts_with("HTTP/1."))
        answer.status = static_cast<int>(parse_uint(std::string_view{message}.substr(9, 3)).value_or(0));
    return answer;
}

HttpAnswer http(TcpClient& client, std::string_view method, std::string_view target, std::string_view headers,
                std::string_view body)
{
    std::string request = format("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}", method, target, headers);
    if (!body.empty() || method == "PUT" || method == "POST")
        request += format("Content-Length: {}\r\n", body.size());
    client.send(request + "\r\n" + std::string{body});
    return read_answer(client, method == "HEAD");
}

HttpAnswer http(std::uint16_t port, std::string_view method, std::string_view target,
                std::string_view headers, std::string_view body)
{
    TcpClient client{port};
    return http(client, method, target, headers, body);
}

std::string sip_request(std::string_view method, std::string_view uri, std::string_view call_id,
                        std::uint16_t client_port, std::string_view extra_headers, std::string_view transport)
{
    return format("{} {} SIP/2.0\r\nVia: SIP/2.0/{} 127.0.0.1:{};branch=z9hG4bK{};rport\r\nFrom: "
                  "<sip:tester@127.0.0.1>;tag=t1\r\n"
                  "To: <{}>\r\nCall-ID: {}\r\nCSeq: 1 {}\r\nMax-Forwards: 70\r\n{}Content-Length: 0\r\n\r\n",
                  method, uri, transport, client_port, call_id, uri, call_id, method, extra_headers);
}

namespace {

// Between fork and exec nothing may be allocated: the process has other threads, and they may hold the heap's
// lock.
int start_program(const std::vector<std::string>& command, int output)
{
    std::vector<char*> words;
    for (const std::string& word : command)
        words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    const pid_t pid = ::fork();
    if (pid < 0)
        fail("fork");
    if (pid > 0)
        return pid;
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execvp(words[0], words.data());
    ::_exit(127);
}

} // namespace

Ran run_program(const std::vector<std::string>& command)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        fail("pipe");
    const int pid = start_program(command, ends[1]);
    ::close(ends[1]);
    Ran ran;
    char buffer[8192];
    while (readable(ends[0], 60'000)) {
        const ssize_t count = ::read(ends[0], buffer, sizeof buffer);
        if (count <= 0)
            break;
        ran.output.append(buffer, static_cast<std::size_t>(count));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ran;
}

Program::Program(const std::vector<std::string>& command, const std::string& output_file)
{
    const int output = ::open(output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    pid_ = start_program(command, output);
    ::close(output);
}

Program::~Program()
{
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

void Program::kill(int signal)
{
    if (pid_ > 0)
        ::kill(pid_, signal);
}

int Program::wait(int patience_ms)
{
    for (int waited = 0; pid_ > 0; waited += 5) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        if (waited >= patience_ms)
            return -1;
        ::poll(nullptr, 0, 5);
    }
    return -1;
}

ServerProcess::ServerProcess(std::string config, std::map<std::string, std::string> defines,
                             std::vector<std::string> arguments)
    : port_{free_port()}
{
    defines.emplace("PORT", std::to_string(port_));
    command_ = {build_folder() + "/sipyard", "-D", "-E", "-f", std::move(config), "-Y", folder_.path()};
    for (const auto& [name, value] : defines)
        command_.insert(command_.end(), {"-A", name + "=" + value});
    command_.insert(command_.end(), arguments.begin(), arguments.end());
    start();
}

void ServerProcess::start()
{
    program_ = std::make_unique<Program>(command_, folder_.file("output"));
    const bool answers =
        wait_until([&] { return !rpc("core.uptime").empty() || program_->wait(0) >= 0; }, 30'000);
    if (!answers || program_->pid() < 0)
        throw std::runtime_error{"the server process does not start:\n" + output()};
}

std::string ServerProcess::output() const
{
    std::ifstream in{folder_.file("output"), std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::string sqlite(const std::string& file, const std::string& sql)
{
    static const std::string script = "import sqlite3, sys\n"
                                      "db = sqlite3.connect(sys.argv[1], timeout=10)\n"
                                      "for statement in sys.argv[2].split(';'):\n"
                                      "    for row in db.execute(statement):\n"
                                      "        print('|'.join(str(v) for v in row))\n"
                                      "db.commit()\n";
    const Ran ran = run_program({"python3", "-c", script, file, sql});
    if (ran.status != 0)
        throw std::runtime_error{"sqlite: " + ran.output};
    return ran.output;
}

namespace {

// The lock ends with the process.
std::vector<std::string> lock_command(const std::string& file, const std::string& locked)
{
    return {"python3", "-c",
            "import sqlite3, sys, signal\n"
            "db = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)\n"
            "db.execute('begin immediate')\n"
            "open(sys.argv[2], 'w').close()\n"
            "signal.pause()\n",
            file, locked};
}

} // namespace

SqliteLock::SqliteLock(const std::string& file) : holder_{lock_command(file, folder_.file("locked"))}
{
    if (!wait_until([&] { return std::filesystem::exists(folder_.file("locked")); }, 20'000))
        throw std::runtime_error{"nobody could lock " + file};
}

void SqliteLock::release()
{
    holder_.kill(SIGTERM);
    holder_.wait();
}

} // namespace sipyard::test
