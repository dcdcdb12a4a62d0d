// modules/xhttp/exchange.h - one HTTP request and its reply, from the request line to the last byte
#pragma once

#include "core/base/guarded.h"
#include "core/module/request.h"
#include "core/net/network.h"
#include "modules/xhttp/api.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct MHD_Connection;
struct MHD_Response;

namespace sipyard::xhttp {

class Daemon;
class BodyStream;
struct Connection;

// How jobs of other threads find the daemon when they run on its worker: null when it is gone.
struct DaemonLink {
    Daemon* daemon;
};

// Lives on one worker, from the request line until libmicrohttpd reports the request completed. A connection
// whose fiber has suspended is suspended too, so the exchange outlives the fiber.
class Exchange final : public Responder {
public:
    Exchange(Daemon& daemon, std::string_view target);
    ~Exchange() override;

    // Sets the reply: made on the fiber, sent by the handler. Error when there is one already.
    Result<void> reply(Request& request, const Reply& reply) override;
    // The same for a reply that is read from `body` as it is written.
    Result<void> reply_stream(Request& request, const Reply& head, std::shared_ptr<BodyStream> body);
    // A reply without any script.
    void refuse(int code, std::string_view reason);

    bool has_reply() const { return response_ != nullptr; }
    bool is_stream() const { return stream_ != nullptr; }
    // How long the client has not read what a stream has for it; 0 when nothing waits.
    Duration stalled(Instant now) const;
    // The server ends: nothing stays suspended.
    void end();

    enum class State : unsigned char { reading, running, done };
    Daemon& daemon;
    MHD_Connection* handle = nullptr;
    Connection* connection = nullptr; // lives longer than the exchange
    net::Received received;
    std::string target;      // as sent
    std::string text;        // the request as a message: request line, headers, body
    std::size_t body_at = 0; // where the body begins in text
    State state = State::reading;
    bool asking = false;  // the script looks at the head of a client that waits for a 100
    bool at_head = false; // suspended there: the next call of the handler is still about the head
    bool head_seen = false, body_too_large = false, suspended = false, queued = false;
    int status = 0;
    MHD_Response* take_response(); // the caller destroys it

private:
    bool start_reply(Request& request);
    void put_headers(std::string_view lines, std::string_view content_type, bool close);
    MHD_Response* response_ = nullptr;
    std::shared_ptr<BodyStream> stream_; // shared with its writers and the response
};

// The body of a streamed reply: written by anyone, read by libmicrohttpd on the connection's worker.
class BodyStream final : public Stream, public std::enable_shared_from_this<BodyStream> {
public:
    BodyStream(Daemon& daemon, MHD_Connection* handle);
    Result<void> write(std::string_view bytes) override;
    void finish() override;
    bool is_open() const override;

    // --- on the connection's worker ---
    // Up to `size` bytes into `to`; 0: none now (the connection has been suspended), -1: the end.
    long read(char* to, std::size_t size);
    void gone(); // the connection has ended
    void end();  // finish(), at once
    Duration stalled(Instant now) const;

private:
    struct Inside {
        std::string waiting;
        std::size_t taken = 0; // bytes at the front of `waiting` that have left
        Instant read_at{};     // when the client last took something, or had nothing to take
        bool finished = false, gone = false, suspended = false;
    };
    void wake(); // posts a resume to the worker
    task::Worker& worker_;
    const std::shared_ptr<DaemonLink> link_; // shared with the daemon, which may be gone first
    MHD_Connection* const handle_;           // of the daemon's
    bool asleep_ = false;                    // libmicrohttpd's connection is suspended; on the worker
    Guarded<Inside> inside_;
};

} // namespace sipyard::xhttp
