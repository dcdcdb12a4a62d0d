// core/sip/build.cpp - replies and requests of ours, written in one pass
#include "core/sip/build.h"

#include "core/base/text.h"
#include "core/sip/edit_writer.h"
#include "core/sip/lists.h"

namespace sipyard::sip {
namespace {

constexpr std::string_view crlf = "\r\n";

// A received header line as it leaves: as it came, but never with a bare LF at its end.
void put_header(Pen& pen, const Header& header)
{
    if (header.whole.ends_with(crlf)) {
        pen.put(header.whole);
        return;
    }
    pen.put(header.name);
    pen.put(": ");
    pen.put(header.value);
    pen.put(crlf);
}

std::size_t size_of(const Message& message, HeaderName id)
{
    std::size_t size = 0;
    for (const auto* h = message.first(id); h != nullptr; h = message.next(*h))
        size += h->whole.size() + 4;
    return size;
}

void put_all(Pen& pen, const Message& message, HeaderName id)
{
    for (const auto* h = message.first(id); h != nullptr; h = message.next(*h))
        put_header(pen, *h);
}

bool needs_received(const Via& via, const Source& source)
{
    if (source.always_received || via.has_rport || source.force_rport) // RFC 3581 4: with rport always
        return true;
    auto host = via.host;
    if (host.size() > 2 && host.front() == '[')
        host = host.substr(1, host.size() - 2);
    return !iequals(host, source.address); // RFC 3261 18.2.1
}

// A line end in a phrase would begin a header of the caller's making.
void put_phrase(Pen& pen, std::string_view reason)
{
    for (const char c : reason)
        pen.put(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
}

} // namespace

std::string_view with_source(const Via& via, const Source& source, Arena& arena)
{
    if (source.address.empty())
        return via.whole;
    const bool received = needs_received(via, source);
    const bool rport = source.port != 0 && (via.has_rport || source.force_rport);
    if (!received && !rport && via.received.empty() && source.params.empty())
        return via.whole;

    char* const start =
        arena.array<char>(via.whole.size() * 2 + source.address.size() + source.params.size() + 40);
    Pen pen{start};
    const auto params = via.params.text();
    pen.put(params.empty() ? via.whole
                           : via.whole.substr(0, static_cast<std::size_t>(params.data() - via.whole.data())));
    Param param;
    for (auto rest = params; ParamsView::next(rest, param);) {
        // What an earlier element wrote there, or a client pretends: our own observation replaces it.
        if (iequals(param.name, "received") || (rport && iequals(param.name, "rport")))
            continue;
        pen.put(';');
        pen.put(param.name);
        if (param.has_value) {
            pen.put('=');
            pen.put(param.value);
        }
    }
    if (received) {
        pen.put(";received=");
        pen.put(source.address);
    }
    if (rport) {
        pen.put(";rport=");
        pen.put_number(source.port);
    }
    pen.put(source.params);
    return {start, static_cast<std::size_t>(pen.at - start)};
}

std::string_view build_reply(const Message& request, int code, std::string_view reason,
                             const ReplyParts& parts, Arena& arena)
{
    const bool record_routes = parts.record_routes && code > 100 && code < 300;
    const auto* top = request.top_via();
    const auto top_text = top != nullptr ? with_source(*top, parts.source, arena) : std::string_view{};

    // Room first, then writing without looking. 128: start line, Content-Length, separators.
    std::size_t room = 128 + reason.size() + parts.to_tag.size() + parts.headers.size() +
                       parts.server.size() + parts.content_type.size() + parts.body.size() + top_text.size();
    // At most every header is copied, with a blank and a line end that it may have lacked.
    room += request.headers_text().size() + 4 * request.headers().size();
    char* const start = arena.array<char>(room);
    Pen pen{start};

    pen.put("SIP/2.0 ");
    pen.put_number(static_cast<std::uint64_t>(code));
    pen.put(' ');
    put_phrase(pen, reason);
    pen.put(crlf);

    for (const auto* h = request.first(HeaderName::via); h != nullptr; h = request.next(*h)) {
        if (top == nullptr || h != request.first(HeaderName::via) || top_text.data() == top->whole.data()) {
            put_header(pen, *h);
            continue;
        }
        pen.put("Via: ");
        pen.put(top_text);
        const auto* behind = top->whole.data() + top->whole.size(); // other values of the same line
        pen.put({behind, static_cast<std::size_t>(h->value.data() + h->value.size() - behind)});
        pen.put(crlf);
    }
    if (record_routes)
        put_all(pen, request, HeaderName::record_route);
    put_all(pen, request, HeaderName::from);
    if (const auto* to = request.first(HeaderName::to)) {
        if (parts.to_tag.empty() || (request.to() != nullptr && request.to()->params.has("tag"))) {
            put_header(pen, *to);
        } else {
            pen.put("To: ");
            pen.put(to->value);
            pen.put(";tag=");
            pen.put(parts.to_tag);
            pen.put(crlf);
        }
    }
    put_all(pen, request, HeaderName::call_id);
    put_all(pen, request, HeaderName::cseq);
    if (code == 100)
        put_all(pen, request, HeaderName::timestamp); // RFC 3261 8.2.6.1
    pen.put(parts.headers);
    if (!parts.server.empty()) {
        pen.put(parts.server);
        pen.put(crlf);
    }
    if (!parts.content_type.empty() && !parts.body.empty()) {
        pen.put("Content-Type: ");
        pen.put(parts.content_type);
        pen.put(crlf);
    }
    pen.put("Content-Length: ");
    pen.put_number(parts.body.size());
    pen.put("\r\n\r\n");
    pen.put(parts.body);
    return {start, static_cast<std::size_t>(pen.at - start)};
}

namespace {

// Start line, the top Via alone, From, To of `to_from`, Call-ID, CSeq with another method, the route set.
std::string_view build_follow_up(const Message& sent, const Message& to_from, std::string_view method,
                                 std::string_view extra_headers, Arena& arena)
{
    const auto* via = sent.top_via();
    const auto* cseq = sent.cseq();
    std::size_t room = 256 + 2 * method.size() + sent.uri_text().size() + extra_headers.size() +
                       (via != nullptr ? via->whole.size() : 0) + size_of(to_from, HeaderName::to);
    for (const auto id : {HeaderName::from, HeaderName::call_id, HeaderName::route})
        room += size_of(sent, id);
    char* const start = arena.array<char>(room);
    Pen pen{start};
    pen.put(method);
    pen.put(' ');
    pen.put(sent.uri_text());
    pen.put(" SIP/2.0\r\n");
    if (via != nullptr) {
        pen.put("Via: ");
        pen.put(via->whole);
        pen.put(crlf);
    }
    put_all(pen, sent, HeaderName::route); // RFC 3261 9.1, 17.1.1.3: the same Route as the INVITE
    put_all(pen, sent, HeaderName::from);
    put_all(pen, to_from, HeaderName::to);
    put_all(pen, sent, HeaderName::call_id);
    pen.put("CSeq: ");
    pen.put_number(cseq != nullptr ? cseq->number : 0);
    pen.put(' ');
    pen.put(method);
    pen.put("\r\nMax-Forwards: 70\r\n");
    pen.put(extra_headers);
    pen.put("Content-Length: 0\r\n\r\n");
    return {start, static_cast<std::size_t>(pen.at - start)};
}

} // namespace

std::string_view build_cancel(const Message& sent, std::string_view extra_headers, Arena& arena)
{
    return build_follow_up(sent, sent, "CANCEL", extra_headers, arena);
}

std::string_view build_ack(const Message& sent, const Message& reply, Arena& arena)
{
    return build_follow_up(sent, reply, "ACK", {}, arena);
}

std::string_view default_reason(int code)
{
    switch (code) {
    case 100: return "Trying";
    case 180: return "Ringing";
    case 181: return "Call Is Being Forwarded";
    case 182: return "Queued";
    case 183: return "Session Progress";
    case 199: return "Early Dialog Terminated";
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Notification";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Moved Temporarily";
    case 305: return "Use Proxy";
    case 380: return "Alternative Service";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 410: return "Gone";
    case 412: return "Conditional Request Failed";
    case 413: return "Request Entity Too Large";
    case 414: return "Request-URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Unsupported URI Scheme";
    case 417: return "Unknown Resource-Priority";
    case 420: return "Bad Extension";
    case 421: return "Extension Required";
    case 422: return "Session Interval Too Small";
    case 423: return "Interval Too Brief";
    case 424: return "Bad Location Information";
    case 428: return "Use Identity Header";
    case 429: return "Provide Referrer Identity";
    case 430: return "Flow Failed";
    case 433: return "Anonymity Disallowed";
    case 436: return "Bad Identity Info";
    case 437: return "Unsupported Credential";
    case 438: return "Invalid Identity Header";
    case 439: return "First Hop Lacks Outbound Support";
    case 440: return "Max-Breadth Exceeded";
    case 469: return "Bad Info Package";
    case 470: return "Consent Needed";
    case 480: return "Temporarily Unavailable";
    case 481: return "Call/Transaction Does Not Exist";
    case 482: return "Loop Detected";
    case 483: return "Too Many Hops";
    case 484: return "Address Incomplete";
    case 485: return "Ambiguous";
    case 486: return "Busy Here";
    case 487: return "Request Terminated";
    case 488: return "Not Acceptable Here";
    case 489: return "Bad Event";
    case 491: return "Request Pending";
    case 493: return "Undecipherable";
    case 494: return "Security Agreement Required";
    case 500: return "Server Internal Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Server Time-out";
    case 505: return "Version Not Supported";
    case 513: return "Message Too Large";
    case 580: return "Precondition Failure";
    case 600: return "Busy Everywhere";
    case 603: return "Decline";
    case 604: return "Does Not Exist Anywhere";
    case 606: return "Not Acceptable";
    case 607: return "Unwanted";
    case 608: return "Rejected";
    default: return "";
    }
}

} // namespace sipyard::sip
