// core/sip/framing.cpp - line by line through a stream, each byte once
#include "core/sip/framing.h"

#include "core/base/text.h"
#include "core/sip/header.h"
#include "core/sip/lists.h"

#include <cstring>

namespace sipyard::sip {

std::string_view to_text(Framer::Kind kind)
{
    switch (kind) {
    case Framer::Kind::more: return "more";
    case Framer::Kind::message: return "message";
    case Framer::Kind::ping: return "ping";
    case Framer::Kind::pong: return "pong";
    case Framer::Kind::garbage: return "garbage";
    case Framer::Kind::too_large: return "too large";
    }
    return "";
}

Framer::Frame Framer::finish(Kind kind, std::size_t size, Complaint why)
{
    *this = Framer{limits_};
    return {kind, size, why};
}

// The digits of a Content-Length, or of its folded line.
Complaint Framer::take_length(std::string_view text)
{
    text = trim(text);
    length_open_ = text.empty();
    if (text.empty())
        return {};
    std::uint64_t length = 0;
    for (const char c : text) {
        if (!is_digit(c))
            return "Content-Length is no number";
        if (length <= limits_.max_message)
            length = length * 10 + static_cast<unsigned>(c - '0');
    }
    // Two lengths: two elements would see two different messages in these bytes.
    if (has_length_ && length != length_)
        return "Content-Length values differ";
    has_length_ = true;
    length_ = length;
    return {};
}

Complaint Framer::take_line(std::string_view line)
{
    if (first_line_) {
        first_line_ = false;
        const auto version =
            line.rfind(' ') == std::string_view::npos ? std::string_view{} : line.substr(line.rfind(' ') + 1);
        if (istarts_with(line, "SIP/") || istarts_with(version, "SIP/"))
            return {};
        // a request line with blanks at its end is SIP all the same, and gets its 400
        return line.find(" SIP/") != std::string_view::npos ? Complaint{}
                                                            : Complaint{"start line is not SIP"};
    }
    if (is_blank(line.front())) {
        if (!length_open_)
            return has_length_last_ && !trim(line).empty() ? Complaint{"Content-Length is no number"}
                                                           : Complaint{};
        return take_length(line);
    }
    if (length_open_)
        return "Content-Length is no number";
    has_length_last_ = false;
    const char first = to_lower(line.front());
    if (first != 'c' && first != 'l')
        return {};
    const auto colon = line.find(':');
    if (colon == std::string_view::npos ||
        header_name_of(trim_right(line.substr(0, colon))) != HeaderName::content_length)
        return {};
    has_length_last_ = true;
    return take_length(line.substr(colon + 1));
}

Framer::Frame Framer::next(std::string_view bytes)
{
    if (state_ == State::start) {
        if (bytes.empty())
            return {};
        if (bytes.starts_with("\r\n\r\n"))
            return finish(Kind::ping, 4);
        if (bytes.front() == '\n')
            return finish(Kind::pong, 1);
        if (bytes.front() == '\r') {
            if (bytes.size() < 2)
                return {};
            if (bytes[1] != '\n')
                return finish(Kind::garbage, 0, "a lone CR before a message");
            // One CRLF may be half a ping; whoever sends a message next has sent a pong or padding (RFC
            // 3261 7.5).
            if (bytes.size() == 2 || (bytes.size() == 3 && bytes[2] == '\r'))
                return {};
            return finish(Kind::pong, 2);
        }
        if (!is_token_char(bytes.front()))
            return finish(Kind::garbage, 0, "a message cannot begin with this byte");
        state_ = State::headers;
    }

    while (state_ == State::headers) {
        const auto* end = scanned_ < bytes.size()
                              ? static_cast<const char*>(
                                    std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_))
                              : nullptr;
        const std::size_t seen =
            end != nullptr ? static_cast<std::size_t>(end - bytes.data()) + 1 : bytes.size();
        if (seen > limits_.max_headers)
            return finish(Kind::too_large, 0, "headers exceed the limit");
        if (end == nullptr) {
            scanned_ = bytes.size();
            return {};
        }
        auto line = bytes.substr(line_, seen - 1 - line_);
        if (!line.empty() && line.back() == '\r')
            line.remove_suffix(1);
        line_ = scanned_ = seen;
        if (!line.empty()) {
            if (const auto why = take_line(line); !why.empty())
                return finish(Kind::garbage, 0, why);
            continue;
        }
        if (length_open_)
            return finish(Kind::garbage, 0, "Content-Length is no number");
        if (!has_length_ && limits_.require_content_length)
            return finish(Kind::garbage, 0, "no Content-Length in a stream"); // RFC 3261 18.3
        if (length_ > limits_.max_message || seen + length_ > limits_.max_message)
            return finish(Kind::too_large, 0, "message exceeds the limit");
        total_ = seen + static_cast<std::size_t>(length_);
        state_ = State::body;
    }
    if (bytes.size() < total_)
        return {Kind::more, total_, {}};
    return finish(Kind::message, total_);
}

} // namespace sipyard::sip
