// modules/xhttp/daemon.h - libmicrohttpd on one worker: its epoll descriptor nested in ours, no thread of its
// own (DESIGN 6)
#pragma once

#include "core/module/counter.h"
#include "core/net/network.h"
#include "core/task/worker.h"
#include "modules/xhttp/exchange.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_set>

struct MHD_Daemon;

namespace sipyard::xhttp {

struct Limits {
    std::size_t connections = 4096;     // of one worker
    std::size_t max_body = 1024 * 1024; // larger ones get 413
    Duration request_timeout{};         // from the request line to the end of the body
    Duration idle_timeout{}; // between requests, and for a client that does not read; negative: for ever
};

struct Counts {
    Counter &requests, &replies, &too_large, &timeouts, &refused, &overloaded;
};

// One client, from the descriptor to its end.
struct Connection {
    enum class Phase : unsigned char {
        reading, // a request is on its way
        running, // a script works on it: no timeout
        writing, // its reply is on its way
        idle,    // between requests
    };
    net::Received received;
    int fd = -1;
    Phase phase = Phase::reading; // its first bytes have been seen by the sniffer
    Instant since{};              // start of the phase
    Exchange* exchange = nullptr; // the request in hand
};

// Used on its worker only; destroyed there, or when the runtime has stopped.
class Daemon {
public:
    // `serve` is called on the worker's loop with a complete request; it starts the fiber, which ends with
    // finished().
    using Serve = std::function<void(Exchange&)>;
    // `ask` is called with the head alone of a request that waits for a 100: true when it started a fiber,
    // which ends with finished() too. A reply it made is sent in place of the 100 (RFC 9110 10.1.1), without
    // one the body is read.
    using Ask = std::function<bool(Exchange&)>;
    Daemon(task::Worker& worker, const Limits& limits, Counts counts, net::Network& network, Serve serve,
           Ask ask);
    ~Daemon(); // answers 503 to whoever still waits; no fiber may be running for it
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    void adopt(int fd, const net::Received& from);
    void finished(Exchange& exchange); // the fiber has ended; on the fiber
    void resume(MHD_Connection* connection);
    task::Worker& worker() { return worker_; }

    const std::shared_ptr<DaemonLink>& link() const { return link_; } // shared with streams

private:
    struct Callbacks; // what libmicrohttpd calls
    friend struct Callbacks;
    void run();
    void sweep(); // closes what is too slow or idle too long
    bool is_late(const Connection& connection, Instant now) const;
    void enter(Connection* connection, Connection::Phase phase);
    int handle(Exchange& exchange, const char* method, const char* version, const char* upload,
               std::size_t* upload_size);
    int take_body(Exchange& exchange, const char* upload, std::size_t* upload_size);
    void begin(Exchange& exchange, const char* method, const char* version);
    void refuse_body(Exchange& exchange);
    int ask(Exchange& exchange);
    int queue(Exchange& exchange);

    task::Worker& worker_;
    Limits limits_;
    Counts counts_;
    net::Network& network_;
    Serve serve_;
    Ask ask_;
    MHD_Daemon* daemon_ = nullptr;
    std::unordered_set<Connection*> connections_; // owned; libmicrohttpd's socket context points at them too
    Connection* arriving_ = nullptr;              // while libmicrohttpd is told of it
    std::unique_ptr<task::Watch> watch_;
    task::Timer sweep_timer_;
    std::uint64_t hook_ = 0;
    bool wanted_ = false; // libmicrohttpd has work now
    bool running_ = false;
    bool ending_ = false;
    Exchange* in_handler_ = nullptr;
    std::shared_ptr<DaemonLink> link_;
};

} // namespace sipyard::xhttp
