// modules/xhttp/daemon.h - libmicrohttpd on one worker: its epoll descriptor nested in ours, no thread of its own (DESIGN 6)
#pragma once

#include "core/module/counter.h"
#include "core/net/network.h"
#include "core/task/worker.h"
#include "modules/xhttp/exchange.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>

struct MHD_Daemon;

namespace sipyard::xhttp {

struct Limits {
    std::size_t connections = 4096;          // of one worker
    std::size_t max_body = 1024 * 1024;      // larger ones get 413
    Duration    request_timeout{};           // from the request line to the end of the body
    Duration    idle_timeout{};              // between requests; negative: for ever
};

struct Counts {
    Counter &requests, &replies, &too_large, &timeouts, &refused, &overloaded;
};

// Used on its worker only, except wake().
class Daemon {
public:
    // `serve` is called on the worker's loop with a complete request; it starts the fiber, which ends with finished().
    using Serve = std::function<void(Exchange&)>;
    Daemon(task::Worker& worker, const Limits& limits, Counts counts, net::Network& network, Serve serve);
    ~Daemon();                               // no fiber may be running for it

    void adopt(int fd, const net::Received& from);
    void finished(Exchange& exchange);       // the fiber has ended; on the fiber
    void resume(MHD_Connection* connection); // on the loop
    task::Worker& worker() { return worker_; }

private:
    struct Callbacks;                        // what libmicrohttpd calls
    friend struct Callbacks;
    struct Connection {
        net::Received received;
        Instant       since{};               // start of the request or of idleness
        bool          in_request = true;     // its first bytes have been seen by the sniffer
        std::size_t   running = 0;           // a script works on it: no timeout
    };
    void run();
    void sweep();                            // closes what is too slow or idle too long
    int  handle(Exchange& exchange, MHD_Connection* connection, const char* method, const char* version,
                const char* upload, std::size_t* upload_size);
    void begin(Exchange& exchange, const char* method, const char* version);
    int  queue(Exchange& exchange);

    task::Worker&                       worker_;
    Limits                              limits_;
    Counts                              counts_;
    net::Network&                       network_;
    Serve                               serve_;
    MHD_Daemon*                         daemon_ = nullptr;
    std::unordered_map<int, Connection> connections_; // by descriptor
    std::unique_ptr<task::Watch>        watch_;
    task::Timer                         sweep_timer_;
    std::uint64_t                       hook_ = 0;
    bool                                wanted_ = false; // libmicrohttpd has work now
    bool                                running_ = false;
    Exchange*                           in_handler_ = nullptr;
};

} // namespace sipyard::xhttp
