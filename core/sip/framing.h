// core/sip/framing.h - where a message ends in a stream (RFC 3261 18.3, RFC 5626 3.5.1)
#pragma once

#include "core/sip/complaint.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sipyard::sip {

// Looks at the bytes of one connection as they arrive and never scans a byte twice. One per connection, one
// thread.
class Framer {
public:
    enum class Kind : unsigned char {
        more, // the message is not complete; size is the least number of bytes it will take when known, else
              // 0
        message,   // `size` bytes are one message
        ping,      // CRLF CRLF: `size` bytes; the peer wants a CRLF back
        pong,      // single CRLF in front of a message or alone: `size` bytes to drop
        garbage,   // not SIP: close the connection
        too_large, // close, or answer 513 and close
    };
    struct Frame {
        Kind kind = Kind::more;
        std::size_t size = 0;
        Complaint why; // for garbage and too_large
    };
    struct Limits {
        std::size_t max_headers = 64 * 1024;  // bytes of start line and headers
        std::size_t max_message = 256 * 1024; // bytes in all
        bool require_content_length = true;   // without: a message that has none has no body
    };

    Framer() = default;
    explicit Framer(const Limits& limits) : limits_{limits} {}

    // `bytes` is all that is unconsumed, starting where the last frame ended; it only grows between calls
    // that return `more`. After any other kind the caller drops `size` bytes and calls again.
    Frame next(std::string_view bytes);

private:
    enum class State : unsigned char { start, headers, body };
    Frame finish(Kind kind, std::size_t size, Complaint why = {});
    Complaint take_line(std::string_view line); // looks for Content-Length
    Complaint take_length(std::string_view text);

    Limits limits_;
    State state_ = State::start;
    std::size_t line_ = 0;    // start of the current line
    std::size_t scanned_ = 0; // bytes looked at
    std::size_t total_ = 0;   // size of the message once the headers are complete
    std::uint64_t length_ = 0;
    bool has_length_ = false;
    bool first_line_ = true;
    bool length_open_ = false;     // Content-Length had no digits yet: its value is on a folded line
    bool has_length_last_ = false; // the header of the last line was Content-Length
};
std::string_view to_text(Framer::Kind kind);

} // namespace sipyard::sip
