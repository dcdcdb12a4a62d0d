// core/server/rpc_socket.h - the management door: JSON-RPC 2.0 on a unix socket, one request a line
// (sipyardctl)
#pragma once

#include "core/base/result.h"
#include "core/module/host.h"
#include "core/task/runtime.h"

#include <memory>
#include <set>
#include <string>

namespace sipyard::server {

// Lives on worker 0. A line is one request or batch, at most 1 MiB; its answer is one line. At most 32
// connections. The socket file is readable and writable by owner and group only.
class RpcSocket {
public:
    // A stale socket file of a dead server is replaced; a live one is refused.
    static Result<std::unique_ptr<RpcSocket>> open(const std::string& path, Host& host);
    ~RpcSocket();

    void start(task::Worker& worker); // on that worker's loop
    void stop();                      // on that worker's loop: closes every connection

    const std::string& path() const { return path_; }

private:
    static constexpr std::size_t most_connections = 32, most_line = 8 * 1024 * 1024;
    struct Connection;
    RpcSocket(std::string path, int fd, Host& host) : path_{std::move(path)}, fd_{fd}, host_{host} {}
    void accept_all();
    void on_event(const std::shared_ptr<Connection>& connection, std::uint32_t events);
    void run_lines(const std::shared_ptr<Connection>& connection);
    void flush(const std::shared_ptr<Connection>& connection);
    void drop(const std::shared_ptr<Connection>& connection);

    std::string path_;
    int fd_;
    Host& host_;
    task::Worker* worker_ = nullptr;
    std::unique_ptr<task::Watch> watch_;
    std::set<std::shared_ptr<Connection>> connections_; // shared with the fiber that answers
};

} // namespace sipyard::server
