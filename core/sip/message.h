// core/sip/message.h - one received message: untouched buffer, header index, typed values on demand (RFC 3261
// 7)
#pragma once

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/sip/auth_header.h"
#include "core/sip/complaint.h"
#include "core/sip/header.h"
#include "core/sip/method.h"
#include "core/sip/name_addr.h"
#include "core/sip/uri.h"
#include "core/sip/values.h"
#include "core/sip/via.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sipyard::sip {

// The values of a header that may repeat and hold comma lists, in order. With a complaint, `items` are those
// before the bad one.
template <class T>
struct ValueList {
    std::span<const T> items;
    Complaint complaint;
    auto begin() const { return items.begin(); }
    auto end() const { return items.end(); }
    std::size_t size() const { return items.size(); }
    bool empty() const { return items.empty(); }
    const T& operator[](std::size_t n) const { return items[n]; }
};

// What is wrong with a message that has a start line and headers. A request gets `code` as its answer if the
// headers a reply needs are there (can_be_answered); replies and ACK are dropped.
struct Fault {
    int code = 0;     // 400, 413, 416, 505 ...; 0: nothing is wrong
    Complaint reason; // e.g. "Missing CSeq header field"
    explicit operator bool() const { return code != 0; }
};

// Immutable: every view points into the buffer, which the caller keeps alive and unchanged as long as the
// message (usually it lies in the same arena). Typed values are parsed at their first use and kept in the
// arena, so even reading is for one fiber at a time. Also holds HTTP/1.x requests, so that scripts may look
// at them with the same words.
class Message {
public:
    static constexpr std::size_t max_headers = 512;
    static constexpr std::size_t max_start_line = 16 * 1024;
    static constexpr std::size_t max_header_size = 64 * 1024; // one header field with its folded lines

    // One pass over start line and header boundaries. An Error means there is nothing to answer to: not SIP
    // or HTTP, no end of the start line, a limit exceeded: drop it. A message that is returned may still have
    // a fault(). Leading line ends are skipped (RFC 3261 7.5). Bare LF is accepted as a line end; a folded
    // line continues its header. The body ends where Content-Length says; a datagram that is longer is cut,
    // one that is shorter has a fault. A header name may hold `extra_name_chars` beside those of a token
    // (used during the call only).
    static Result<Message*> parse(std::string_view buffer, Arena& arena,
                                  std::string_view extra_name_chars = {});

    // --- start line ---
    bool is_request() const { return status_ == 0; }
    bool is_reply() const { return status_ != 0; }
    bool is_http() const { return http_; }    // HTTP requests only
    Method method() const { return method_; } // of a reply: the method of CSeq is cseq()->method
    std::string_view method_text() const { return method_text_; }
    std::string_view uri_text() const { return uri_text_; } // as sent (HTTP: the target)
    std::string_view version() const { return version_; }   // "SIP/2.0"
    int status() const { return status_; }                  // 100..699; 0 of a request
    std::string_view reason() const { return reason_; }
    std::string_view start_line() const { return start_line_; } // without its line end

    // --- text ---
    std::string_view buffer() const { return buffer_; } // from the start line to the end of the body
    std::string_view headers_text() const
    {
        return headers_text_;
    } // first header to the last one, line ends included
    std::string_view body() const { return body_; }
    std::size_t offset_of(std::string_view part) const
    {
        return static_cast<std::size_t>(part.data() - buffer_.data());
    }
    std::size_t headers_offset() const { return offset_of(headers_text_); }
    std::size_t end_of_headers() const
    {
        return headers_offset() + headers_text_.size();
    } // at the empty line
    std::size_t body_offset() const { return offset_of(body_); }

    // --- header fields as they stand ---
    std::span<const Header> headers() const { return {headers_, header_count_}; }
    const Header* first(HeaderName id) const // constant time
    {
        const auto n = first_[static_cast<std::size_t>(id)];
        return n == 0 ? nullptr : &headers_[n - 1];
    }
    const Header* next(const Header& header) const; // the next of the same name
    const Header* last(HeaderName id) const;
    const Header* nth(HeaderName id, std::size_t n) const; // from 0
    std::size_t count(HeaderName id) const;
    bool has(HeaderName id) const { return first(id) != nullptr; }
    std::string_view value(HeaderName id) const
    {
        const auto* h = first(id);
        return h ? h->value : std::string_view{};
    }
    // By name in any letter case; compact and long forms are the same header.
    const Header* first(std::string_view name) const;
    const Header* last(std::string_view name) const;
    const Header* nth(std::string_view name, std::size_t n) const;
    std::size_t count(std::string_view name) const;

    // --- typed values: null, nothing or a complaint when the header is absent or malformed ---
    const Uri* request_uri() const; // null for replies and HTTP
    const Via* top_via() const;     // first value of the first Via
    ValueList<Via> vias() const;
    const NameAddr* from() const;
    const NameAddr* to() const;
    const Uri* from_uri() const;
    const Uri* to_uri() const;
    std::string_view call_id() const { return value(HeaderName::call_id); }
    const CSeq* cseq() const;
    ValueList<NameAddr> contacts() const;
    ValueList<NameAddr> routes() const;
    ValueList<NameAddr> record_routes() const;
    ValueList<NameAddr> values(HeaderName id) const; // any header of name-addr values; not cached
    std::optional<std::uint32_t> max_forwards() const;
    std::optional<std::uint32_t> expires() const;
    std::optional<std::uint32_t> content_length() const;
    std::optional<std::uint32_t> number(HeaderName id) const;
    const MediaType* content_type() const;
    const EventType* event() const;
    std::string_view to_tag() const
    {
        const auto* t = to();
        return t ? t->tag() : std::string_view{};
    }
    std::string_view from_tag() const
    {
        const auto* f = from();
        return f ? f->tag() : std::string_view{};
    }
    const DigestView* authorization() const; // the first; others: read(header.value, DigestView&)
    const DigestView* proxy_authorization() const;
    // Why a typed value above is null although the header is there; "" when it is well or absent.
    Complaint complaint_about(HeaderName id) const;

    // --- is it acceptable? ---
    // Found while parsing: framing, header syntax, Content-Length. Cheap.
    const Fault& fault() const { return fault_; }
    // fault(), then what every SIP element should insist on (RFC 3261 8.1.1, 16.3): version, Via From To
    // Call-ID CSeq there once and readable, CSeq's method, the scalars' ranges, R-URI syntax. For HTTP only
    // fault().
    Fault check() const;
    // Via, From, To, Call-ID and CSeq are there and the top Via is readable: a reply can be sent.
    bool can_be_answered() const;

private:
    friend class MessageReader;
    friend class ::sipyard::Arena; // makes it
    Message() = default;

    template <class T>
    struct Lazy { // null: not tried yet
        const T* value = nullptr;
        bool tried = false;
    };
    template <class T>
    const T* lazy(Lazy<T>& slot, HeaderName id) const;
    template <class T>
    const ValueList<T>& lazy_list(Lazy<ValueList<T>>& slot, HeaderName id) const;

    Arena* arena_ = nullptr;
    std::string_view buffer_, start_line_, method_text_, uri_text_, version_, reason_, headers_text_, body_;
    Method method_ = Method::other;
    bool http_ = false;
    int status_ = 0;
    Header* headers_ = nullptr;
    std::uint32_t header_count_ = 0;
    Fault fault_;
    std::uint16_t first_[static_cast<std::size_t>(HeaderName::count_)] = {}; // index + 1

    mutable Lazy<Uri> request_uri_, from_uri_, to_uri_;
    mutable Lazy<Via> top_via_;
    mutable Lazy<NameAddr> from_, to_;
    mutable Lazy<CSeq> cseq_;
    mutable Lazy<MediaType> content_type_;
    mutable Lazy<EventType> event_;
    mutable Lazy<DigestView> authorization_, proxy_authorization_;
    mutable Lazy<ValueList<Via>> vias_;
    mutable Lazy<ValueList<NameAddr>> contacts_, routes_, record_routes_;
};

} // namespace sipyard::sip
