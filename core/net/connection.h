// core/net/connection.h - one TCP or TLS connection on its worker: opens, sniffs, frames SIP, queues what is
// to be sent
#pragma once

#include "core/crypto/tls.h"
#include "core/net/shared.h"
#include "core/net/sniff.h"
#include "core/net/socket.h"
#include "core/sip/framing.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::net {

class TlsBridge;

// All calls on its worker. Ends by itself: fail() or the end of close() hands it back to the StreamWorker,
// which destroys it from the loop, so that no caller up the stack loses it under its feet. An idle one keeps
// no buffer.
//
//   inbound:   [handshaking] -> sniffing -+-> sip -> lingering -> dead
//   outbound:  connecting -> [handshaking]+   |
//                                             +-> bridged (HTTP over TLS), or handed away (HTTP)
class Connection {
public:
    enum class Phase : unsigned char { connecting, handshaking, sniffing, sip, bridged, lingering, dead };

    // Inbound: `fd` is connected. Outbound: it is connecting. `context` is null for TCP.
    Connection(StreamWorker& home, ConnectionId id, Descriptor fd, const Received& from, Phase phase,
               std::shared_ptr<crypto::TlsContext> context);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Written now, or copied into the queue. Error: it has failed, or the queue is full (then it fails, too).
    Result<void> send(const Destination& to, std::string_view bytes);
    void close();                     // after what is queued has left
    void set_lifetime(Duration idle); // negative: for ever
    void fail(Error why);
    void overflow(); // the queue was full; fails unless it has moved on
    ConnectionId id() const { return id_; }

private:
    friend class StreamWorker;
    struct Waiting { // a message that could not be written at once; a list, for an idle connection has none
        Destination to;
        std::string bytes;
        std::size_t sent = 0;
        std::unique_ptr<Waiting> next;
    };

    void on_event(std::uint32_t events);
    void on_connected();
    void shake();
    void established();
    void peek(); // TCP: what does it speak?
    void read_tcp();
    void read_tls();
    void sniffed(Spoken spoken);
    void take(std::string_view fresh); // SIP bytes as they come
    bool has_begun_message() const;
    bool take_frame(std::string_view bytes, const sip::Framer::Frame& frame);
    void hand_over(); // HTTP
    void linger();
    void drain();

    std::optional<std::size_t> write_some(std::string_view bytes); // nothing: it has failed
    bool flush();                                                  // false: it has failed
    void want(std::uint32_t events);
    void schedule(); // makes sure the timer runs no later than the next deadline
    void on_time();
    Instant deadline() const;
    void touched();

    StreamWorker& home_;
    const ConnectionId id_;
    Descriptor fd_;
    const Received from_;
    Phase phase_;
    bool handed_ = false, read_again_ = false, close_when_sent_ = false;
    std::uint32_t events_ = 0;
    std::unique_ptr<crypto::TlsStream> tls_;
    std::shared_ptr<crypto::TlsContext> context_; // until the handshake starts; shared with the network
    std::unique_ptr<TlsBridge> bridge_;
    sip::Framer framer_;
    std::string rest_; // the beginning of a message
    std::unique_ptr<Waiting> first_;
    Waiting* last_ = nullptr;
    Duration lifetime_;
    Instant begun_, active_, message_begun_, progress_, armed_;
    std::optional<Error> why_; // it failed
    task::Timer timer_;
    std::optional<task::Watch> watch_; // last: its callback uses the rest
};

} // namespace sipyard::net
