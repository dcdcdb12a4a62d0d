// core/net/network.h - the sockets of a server: SIP over UDP, TCP and TLS, and HTTP streams handed on (DESIGN
// 6)
#pragma once

#include "core/base/clock.h"
#include "core/base/function.h"
#include "core/base/result.h"
#include "core/net/address.h"
#include "core/task/runtime.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::crypto {
class TlsContext; // core/crypto/tls.h
struct TlsInfo;
} // namespace sipyard::crypto

namespace sipyard::net {

// A socket the operator asked for (listen=). Lives as long as the network.
struct Listener {
    std::uint32_t index = 0;
    Protocol protocol = Protocol::udp;
    Address bound;                     // port 0 is replaced by the real one at start
    std::string name;                  // listen ... name "x"; may be empty
    std::string advertised_host;       // empty: the bound address
    std::uint16_t advertised_port = 0; // 0: the bound port
    std::string host() const; // what Via and Record-Route show: advertised or bound, IPv6 in brackets
    std::uint16_t port() const;
    std::string text() const; // "udp:127.0.0.1:5060"
};

// A stream connection: index + generation, so a stale one is recognised. 0 is none.
struct ConnectionId {
    std::uint64_t value = 0;
    explicit operator bool() const { return value != 0; }
    friend bool operator==(ConnectionId, ConnectionId) = default;
};

// Where a message came from. Plain values: may be copied and kept.
struct Received {
    Protocol protocol = Protocol::udp;
    Address source;
    Address local;                      // the address it arrived at
    const Listener* listener = nullptr; // null for a connection we opened
    ConnectionId connection;            // streams only
};

struct Destination {
    Protocol protocol = Protocol::udp;
    Address to;
    const Listener* from = nullptr; // socket to send from (UDP) or to match (streams); null: chosen
    ConnectionId connection;        // tried first when it is still open
    bool may_connect = true;        // false: only an existing connection will do
};

// Called on the worker's loop that read the message. `bytes` is valid during the call only.
class MessageHandler {
public:
    virtual ~MessageHandler() = default;
    virtual void on_message(task::Worker& worker, const Received& from, std::string_view bytes) = 0;
    // A queued stream message could not be sent after all. On the loop of the connection's worker.
    virtual void on_send_failed(const Destination& to, std::string_view bytes, const Error& why) = 0;
};

// Takes over HTTP streams (modules/xhttp). Called on the worker's loop; owns the descriptor from then on. For
// TLS the descriptor is one end of a socketpair whose other end the network bridges. Nothing has been read
// from it. When the acceptor has closed the descriptor it tells Network::released(from.connection), so that
// limits and lists are right.
class HttpAcceptor {
public:
    virtual ~HttpAcceptor() = default;
    virtual void accept(task::Worker& worker, int fd, const Received& from) = 0;
};

// TLS of one side; made by modules/tls, which reads the operator's settings. Thread-safe.
using crypto::TlsContext;

// Which context serves a connection, when it depends on the address. Called on any worker; null refuses the
// connection.
class TlsChooser {
public:
    virtual ~TlsChooser() = default;
    virtual std::shared_ptr<TlsContext> for_server(const Address& local) = 0;
    virtual std::shared_ptr<TlsContext> for_client(const Address& peer) = 0;
};

struct Settings {
    std::size_t tcp_max_connections = 2048, tls_max_connections = 2048;
    std::size_t max_per_source = 1024; // tcp_accept_iplimit
    Duration connection_lifetime = std::chrono::seconds{120};
    Duration connect_timeout = std::chrono::seconds{10}, send_timeout = std::chrono::seconds{10};
    Duration first_bytes_timeout = std::chrono::seconds{10}; // a new connection has to say what it speaks
    Duration message_timeout = std::chrono::seconds{20};     // from the first byte of a message to its last
    std::size_t max_message = 65'536;                        // tcp_rd_buf_size: largest stream message
    std::size_t max_datagram = 65'535;
    std::size_t write_queue = 256 * 1024; // per connection; beyond it the connection is closed
    bool crlf_ping = true, no_connect = false, accept_no_content_length = false, reuse_port = false;
    int receive_buffer = 4 * 1024 * 1024, send_buffer = 0;
    bool tcp_keepalive = true;
    int keepalive_idle = 0, keepalive_interval = 0,
        keepalive_count = 0; // seconds, seconds, probes; 0: system's
    int free_bind = 0;
    bool mhomed = false;       // ask the routing table which local address fits a destination
    bool strict_match = false; // tcp_connection_match: reuse connections of `Destination::from` only
};

struct ConnectionInfo {
    ConnectionId id;
    Protocol protocol;
    Address peer, local;
    std::size_t worker;
    bool inbound, http;
    Duration age, idle;
    std::size_t queued_bytes;
};

struct Counters { // sums over all workers
    std::uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out, udp_send_dropped, messages_in, garbage,
        accepted, connected, refused_limit, closed_timeout, closed_error, tls_handshakes, tls_failures,
        http_handed;
    std::size_t tcp_open, tls_open;
};

class Network {
public:
    Network(Settings settings, task::Runtime& runtime, log::Journal& journal);
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    // --- before start ----------------------------------------------------------------------------
    const Listener& add_listener(Listener listener); // not bound yet
    void set_http(HttpAcceptor* acceptor);           // null: HTTP is garbage
    void
    set_tls_server(std::shared_ptr<TlsContext> context); // replaceable while running (certificate reload)
    void set_tls_client(std::shared_ptr<TlsContext> context);
    void set_tls(std::shared_ptr<TlsChooser> chooser); // instead of the two; replaceable too

    // Binds everything (Error names the address; a port somebody uses is refused) and starts reading.
    Result<void> start(MessageHandler& handler);
    void stop_accepting();
    void stop(); // closes everything; before the runtime stops

    // --- while running; any worker ---------------------------------------------------------------
    // UDP: sent, or queued behind 1,024 datagrams (then dropped and counted). Streams: *queued*; a later
    // failure is told to on_send_failed. The bytes are copied when they cannot leave at once. Error: no
    // socket, no connection and may_connect is false, limits.
    Result<void> send(const Destination& to, std::string_view bytes);
    void close(ConnectionId id); // after what is queued has left
    void set_lifetime(ConnectionId id, Duration idle);
    // ";alias": the peer of this connection may also be reached at that port (RFC 5923).
    void add_alias(ConnectionId id, std::uint16_t port);
    // The HTTP acceptor has closed the descriptor of this connection.
    void released(ConnectionId id);
    bool is_open(ConnectionId id) const;
    // What the handshake of a TLS connection agreed on; null when there is no such connection. Shared with
    // the connection.
    std::shared_ptr<const crypto::TlsInfo> tls_info(ConnectionId id) const;

    const std::vector<std::unique_ptr<Listener>>& listeners() const;
    // The socket to send from to that address: same protocol and family, the first configured unless mhomed.
    const Listener* pick(Protocol protocol, const Address& to) const;
    std::vector<ConnectionInfo> connections(std::size_t most) const;
    Counters counters() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace sipyard::net
