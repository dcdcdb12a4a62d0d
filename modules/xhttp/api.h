// modules/xhttp/api.h - what other modules may ask of the HTTP server: replies that go on for a while
#pragma once

#include "core/base/result.h"
#include "core/module/request.h"

#include <memory>
#include <string_view>

namespace sipyard::xhttp {

// A reply whose body is written piece by piece (server-sent events, long lists). Thread-safe; shared by
// whoever writes and the connection. A client that is gone is noticed at the next write, so long streams send
// a heartbeat.
class Stream {
public:
    static constexpr std::size_t max_waiting = 256 * 1024;
    virtual ~Stream() = default;
    // Queues bytes. Errors: lost when the client has gone, overloaded when max_waiting bytes wait (nothing is
    // queued then).
    virtual Result<void> write(std::string_view bytes) = 0;
    virtual void finish() = 0; // the body ends after what is queued; whoever streams must call it
    virtual bool is_open() const = 0;
};

struct Api {
    static constexpr std::string_view name = "xhttp";
    virtual ~Api() = default;
    // Begins a streamed reply instead of Request::reply(); on the request's fiber. `head.body` is its first
    // piece. Errors: invalid when the request is no HTTP request or has been answered.
    virtual Result<std::shared_ptr<Stream>> stream(Request& request, const Reply& head) = 0;
};

} // namespace sipyard::xhttp
