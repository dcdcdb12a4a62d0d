// test/support/running_server.h - a whole server in the test's process, on loopback ports of its own
#pragma once

#include "core/server/server.h"
#include "test/support/temp_dir.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::test {

// Under a sanitizer everything takes several times as long: scenarios with many clients take fewer.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
template <class T>
constexpr T scaled(T in_release, T with_sanitizer)
{
    return sanitized ? with_sanitizer : in_release;
}

// Looks until it is true; false when the patience is over.
bool wait_until(const std::function<bool()>& condition, int patience_ms = 10'000);

// A free loopback port for UDP and TCP. Somebody might take it before the server does; then the start fails
// loudly.
std::uint16_t free_port();

// Where this build's programs and modules are.
std::string build_folder();
// Certificate and key for localhost and 127.0.0.1 in the folder: cert.pem, key.pem.
void make_certificate(const TempDir& folder);

// One command over a management socket: the answer's line, "" when nobody answers.
std::string rpc(const std::string& socket_path, std::string_view method, std::string_view params = "[]");

class RunningServer {
public:
    struct Options {
        std::map<std::string, std::string> defines; // as -A; strings bring their quotes
        int workers = 2;
        int debug = 0;
    };
    // Loads and starts `config`. PORT is defined to a free port, RUNDIR is a folder of its own. Throws what
    // went wrong as text.
    explicit RunningServer(const std::string& config) : RunningServer(config, Options{}) {}
    RunningServer(const std::string& config, Options options);
    ~RunningServer();

    std::uint16_t port() const { return port_; }
    std::string rpc(std::string_view method,
                    std::string_view params = "[]"); // over the management socket: the answer's line
    std::string rpc_path() const { return server_->rpc_path(); }
    std::int64_t counted(std::string_view counter); // "net.garbage", as stats.fetch shows it
    std::string log() const;                        // every line so far
    server::Server& server() { return *server_; }
    TempDir& folder() { return folder_; }
    bool stop(); // before the end of the test; true when clean

private:
    class Sink;
    TempDir folder_;
    SystemClock clock_;
    std::shared_ptr<std::string> lines_;
    std::shared_ptr<std::mutex> lines_mutex_;
    std::unique_ptr<log::Journal> journal_;
    std::unique_ptr<server::Server> server_;
    std::uint16_t port_;
    bool stopped_ = false;
};

// A UDP client on 127.0.0.1 (or ::1). Waits at most 5 s for anything.
class UdpClient {
public:
    explicit UdpClient(std::uint16_t server_port, bool ipv6 = false);
    ~UdpClient();
    UdpClient(const UdpClient&) = delete;
    UdpClient& operator=(const UdpClient&) = delete;
    void send(std::string_view bytes);
    std::string receive(int patience_ms = 5000); // "" when nothing came
    std::string ask(std::string_view bytes)
    {
        send(bytes);
        return receive();
    }
    std::uint16_t port() const { return port_; }

private:
    int fd_;
    std::uint16_t port_ = 0;
};

// A TCP client. Reads until what is asked for is there, at most 5 s.
class TcpClient {
public:
    explicit TcpClient(std::uint16_t server_port, bool ipv6 = false);
    ~TcpClient();
    TcpClient(const TcpClient&) = delete;
    TcpClient& operator=(const TcpClient&) = delete;
    void send(std::string_view bytes);
    std::string read_some(int patience_ms = 5000); // "" at the end or when nothing came
    std::string read_until(std::string_view text, int patience_ms = 5000);
    // One whole HTTP or SIP message by its Content-Length.
    std::string read_message(bool head_only = false);
    bool closed_by_peer(int patience_ms = 5000); // reads what is left and says whether the end came
    void shutdown_writing();
    int fd() const { return fd_; }

private:
    int fd_;
    std::string rest_;
};

struct HttpAnswer {
    int status = 0;
    std::string head, body;
    std::string header(std::string_view name) const; // "" when absent
};
HttpAnswer read_answer(TcpClient& client, bool head_only = false);
// One request on a connection that stays; Content-Length is added when there is a body, and to PUT and POST.
HttpAnswer http(TcpClient& client, std::string_view method, std::string_view target,
                std::string_view headers = {}, std::string_view body = {});
// One request on a connection of its own.
HttpAnswer http(std::uint16_t port, std::string_view method, std::string_view target,
                std::string_view headers = {}, std::string_view body = {});

// An OPTIONS (or other request) a server answers statelessly.
std::string sip_request(std::string_view method, std::string_view uri, std::string_view call_id,
                        std::uint16_t client_port, std::string_view extra_headers = {},
                        std::string_view transport = "UDP");

// Runs a program and gives what it printed (both streams) and its exit status. At most 60 s.
struct Ran {
    int status = -1;
    std::string output;
};
Ran run_program(const std::vector<std::string>& command);

// A program in the background; killed at the end of the test if it still runs.
class Program {
public:
    explicit Program(const std::vector<std::string>& command, const std::string& output_file = "/dev/null");
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    void kill(int signal);
    int wait(int patience_ms = 20'000); // exit status, 128 + signal, or -1 when it still runs
    int pid() const { return pid_; }

private:
    int pid_ = -1;
};

// The server's own binary in the foreground, in a folder of its own: killed, restarted, sent signals.
class ServerProcess {
public:
    // PORT is defined to a free port; `arguments` come after -f, -Y and the defines. Throws with its output
    // when it does not answer.
    ServerProcess(std::string config, std::map<std::string, std::string> defines,
                  std::vector<std::string> arguments = {});
    void start(); // again, after kill() and wait()
    void kill(int signal) { program_->kill(signal); }
    int wait(int patience_ms = 30'000) { return program_->wait(patience_ms); }
    std::uint16_t port() const { return port_; }
    int pid() const { return program_->pid(); }
    std::string rpc_path() const { return folder_.file("sipyard_rpc.sock"); }
    std::string rpc(std::string_view method, std::string_view params = "[]")
    {
        return test::rpc(rpc_path(), method, params);
    }
    std::string output() const; // of all its runs
    TempDir& folder() { return folder_; }

private:
    TempDir folder_;
    std::vector<std::string> command_;
    std::uint16_t port_;
    std::unique_ptr<Program> program_;
};

// SQL for an SQLite file, run by another process; throws what it said when it fails. Rows come as lines,
// columns with '|'.
std::string sqlite(const std::string& file, const std::string& sql);

// Another process holds the write lock of an SQLite file, from construction until release().
class SqliteLock {
public:
    explicit SqliteLock(const std::string& file);
    void release();

private:
    TempDir folder_;
    Program holder_;
};

} // namespace sipyard::test
