// core/sip/message_reader.cpp - start line and header index in one pass over the buffer
#include "core/sip/message_reader.h"

#include "core/base/text.h"
#include "core/sip/lists.h"

#include <cstring>

namespace sipyard::sip {
namespace {

constexpr std::uint32_t first_room = 32; // header fields; most messages have 10 to 25

// Everything from the first byte of `from` to the last one of `to`, both views into the same text.
std::string_view span_of(std::string_view from, std::string_view to)
{
    return {from.data(), static_cast<std::size_t>(to.data() + to.size() - from.data())};
}

} // namespace

bool MessageReader::take_line(std::string_view& line, std::string_view& whole)
{
    const auto* end =
        rest_.empty() ? nullptr : static_cast<const char*>(std::memchr(rest_.data(), '\n', rest_.size()));
    if (end == nullptr)
        return false;
    whole = {rest_.data(), static_cast<std::size_t>(end - rest_.data()) + 1};
    line = whole.substr(0, whole.size() - 1);
    if (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
    rest_.remove_prefix(whole.size());
    return true;
}

Result<void> MessageReader::read_status_line(std::string_view line)
{
    auto& m = *message_;
    std::string_view rest = line;
    m.version_ = cut(rest, ' ');
    if (rest.size() < 3 || !is_digit(rest[0]) || !is_digit(rest[1]) || !is_digit(rest[2]) ||
        (rest.size() > 3 && rest[3] != ' '))
        return invalid("status line without a status code of three digits");
    m.status_ = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
    if (m.status_ < 100 || m.status_ > 699)
        return invalid("status code is not from 100 to 699");
    m.reason_ = rest.size() > 4 ? rest.substr(4) : std::string_view{};
    if (!iequals(m.version_, "SIP/2.0"))
        fault(505, "Version not supported");
    return {};
}

Result<void> MessageReader::read_start_line(std::string_view line)
{
    if (line.size() > Message::max_start_line)
        return invalid("start line too long");
    auto& m = *message_;
    m.start_line_ = line;
    if (istarts_with(line, "SIP/"))
        return read_status_line(line);

    const auto trimmed = trim_right(line);
    const auto method_end = trimmed.find(' ');
    const auto version_begin = trimmed.rfind(' ');
    if (method_end == std::string_view::npos || method_end == version_begin || method_end == 0)
        return invalid("start line is neither SIP nor HTTP");
    m.method_text_ = trimmed.substr(0, method_end);
    m.uri_text_ = trimmed.substr(method_end + 1, version_begin - method_end - 1);
    m.version_ = trimmed.substr(version_begin + 1);
    m.method_ = method_of(m.method_text_);
    if (istarts_with(m.version_, "HTTP/1."))
        m.http_ = true;
    else if (!istarts_with(m.version_, "SIP/"))
        return invalid("start line is neither SIP nor HTTP");
    else if (!iequals(m.version_, "SIP/2.0"))
        fault(505, "Version not supported");

    if (trimmed.size() != line.size())
        fault(400, "Blanks at the end of the request line"); // RFC 4475 3.1.2.10
    if (!is_token(m.method_text_))
        fault(400, "Method is no token");
    for (const char c : m.uri_text_)
        if (is_space(c))
            fault(400, "Blanks in the Request-URI"); // RFC 4475 3.1.2.8, 3.1.2.9
    if (m.uri_text_.empty())
        fault(400, "No Request-URI");
    return {};
}

bool MessageReader::is_header_name(std::string_view name) const
{
    if (extra_name_chars_.empty())
        return is_token(name);
    for (const char c : name)
        if (!is_token_char(c) && extra_name_chars_.find(c) == std::string_view::npos)
            return false;
    return !name.empty();
}

void MessageReader::add_header(std::string_view whole, std::string_view line)
{
    auto& m = *message_;
    const auto* colon = static_cast<const char*>(std::memchr(line.data(), ':', line.size()));
    last_is_header_ = colon != nullptr;
    if (colon == nullptr) {
        fault(400, "Header line without a colon");
        return;
    }
    if (m.header_count_ == room_) {
        room_ = room_ == 0 ? first_room : room_ * 2;
        auto* larger = arena_.array<Header>(room_);
        if (m.header_count_ != 0)
            std::memcpy(static_cast<void*>(larger), m.headers_, m.header_count_ * sizeof(Header));
        m.headers_ = larger;
    }
    const auto name_size = static_cast<std::size_t>(colon - line.data());
    auto& header = *new (&m.headers_[m.header_count_]) Header;
    header.name = trim_right(line.substr(0, name_size)); // HCOLON allows blanks before the colon
    header.value = trim(line.substr(name_size + 1));
    header.whole = whole;
    header.id = header_name_of(header.name);
    ++m.header_count_;
    if (header.id != HeaderName::other) {
        auto& first = m.first_[static_cast<std::size_t>(header.id)];
        if (first == 0)
            first = static_cast<std::uint16_t>(m.header_count_);
    } else if (!is_header_name(header.name)) {
        fault(400, "Header name is no token");
    }
}

void MessageReader::fold_into_last(std::string_view whole, std::string_view line)
{
    auto& m = *message_;
    if (!last_is_header_) {
        fault(400, "Folded line without a header");
        return;
    }
    auto& header = m.headers_[m.header_count_ - 1];
    header.whole = span_of(header.whole, whole);
    if (const auto more = trim(line); !more.empty())
        header.value = header.value.empty() ? more : span_of(header.value, more);
}

Result<void> MessageReader::read_headers()
{
    auto& m = *message_;
    const char* const begin = rest_.data();
    std::string_view line, whole;
    for (;;) {
        const char* const here = rest_.data();
        if (!take_line(line, whole)) {
            fault(400, "Headers do not end with an empty line");
            // what is left is half a header line: it stays out of the index, and there is no body
            m.headers_text_ = {begin, static_cast<std::size_t>(here - begin)};
            m.body_ = rest_.substr(rest_.size());
            return {};
        }
        if (line.empty()) {
            m.headers_text_ = {begin, static_cast<std::size_t>(here - begin)};
            m.body_ = rest_;
            return {};
        }
        if (is_blank(line.front()))
            fold_into_last(whole, line);
        else
            add_header(whole, line);
        if (m.header_count_ > Message::max_headers)
            return invalid("too many header fields");
        if (m.header_count_ != 0 && m.headers_[m.header_count_ - 1].whole.size() > Message::max_header_size)
            return invalid("header field too long");
    }
}

void MessageReader::read_body()
{
    auto& m = *message_;
    const Header* header = m.first(HeaderName::content_length);
    if (header == nullptr)
        return; // in a datagram the body is what is left (RFC 3261 18.3)
    std::uint32_t length = 0;
    for (const auto* h = header; h != nullptr; h = m.next(*h)) {
        std::uint32_t this_length = 0;
        if (!sip::read(h->value, this_length).empty()) {
            fault(400, "Content-Length is no number");
            return;
        }
        if (h != header && this_length != length) {
            fault(400, "Content-Length values differ"); // RFC 4475 3.3.9
            return;
        }
        length = this_length;
    }
    if (length > m.body_.size())
        fault(400, "Content-Length larger than the message"); // RFC 4475 3.1.2.2
    else
        m.body_ = m.body_.substr(0, length);
}

Result<Message*> MessageReader::read()
{
    while (!rest_.empty() && (rest_.front() == '\r' || rest_.front() == '\n')) // RFC 3261 7.5
        rest_.remove_prefix(1);
    const auto begin = rest_;
    std::string_view line, whole;
    if (!take_line(line, whole))
        return invalid("no start line");
    message_ = &arena_.make<Message>();
    message_->arena_ = &arena_;
    message_->buffer_ = begin;
    TRYV(read_start_line(line));
    TRYV(read_headers());
    read_body();
    message_->buffer_ = span_of(begin, message_->body_);
    return message_;
}

} // namespace sipyard::sip
