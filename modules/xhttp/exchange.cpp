// modules/xhttp/exchange.cpp - replies: from Reply to a libmicrohttpd response
#include "modules/xhttp/exchange.h"

#include "core/base/text.h"
#include "modules/xhttp/daemon.h"

#include <microhttpd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace sipyard::xhttp {

Exchange::Exchange(Daemon& served_by, std::string_view request_target)
    : daemon{served_by}, target{request_target}
{
}

Exchange::~Exchange()
{
    if (response_)
        MHD_destroy_response(response_);
}

MHD_Response* Exchange::take_response()
{
    MHD_Response* const response = response_;
    response_ = nullptr;
    return response;
}

Result<void> Exchange::reply(Request& request, const Reply& reply)
{
    if (!start_reply(request))
        return invalid("the HTTP request has been answered already");
    status = reply.code;
    // MUST_COPY: the body lies in the request's arena, which is gone when libmicrohttpd writes.
    response_ = MHD_create_response_from_buffer(reply.body.size(), const_cast<char*>(reply.body.data()),
                                                MHD_RESPMEM_MUST_COPY);
    if (!response_)
        return Error{ErrorKind::overloaded, "no memory for the reply"};
    put_headers(reply.headers, reply.content_type, request.reply_close);
    put_headers(request.reply_headers(), {}, false);
    request.answered = true;
    return {};
}

Result<void> Exchange::reply_stream(Request& request, const Reply& head, std::shared_ptr<BodyStream> body)
{
    if (!start_reply(request))
        return invalid("the HTTP request has been answered already");
    status = head.code;
    stream_ = body;
    auto* const kept = new std::shared_ptr<BodyStream>(std::move(body)); // owned by the response
    response_ = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, 16 * 1024,
        [](void* cls, std::uint64_t, char* to, std::size_t size) -> ssize_t {
            const long count = (*static_cast<std::shared_ptr<BodyStream>*>(cls))->read(to, size);
            return count < 0 ? MHD_CONTENT_READER_END_OF_STREAM : count;
        },
        kept,
        [](void* cls) {
            auto* const stream = static_cast<std::shared_ptr<BodyStream>*>(cls);
            (*stream)->gone();
            delete stream;
        });
    if (!response_) {
        delete kept;
        stream_.reset();
        return Error{ErrorKind::overloaded, "no memory for the reply"};
    }
    put_headers(head.headers, head.content_type, false);
    request.answered = true;
    return {};
}

void Exchange::refuse(int code, std::string_view reason)
{
    if (response_)
        return;
    status = code;
    response_ = MHD_create_response_from_buffer(reason.size(), const_cast<char*>(reason.data()),
                                                MHD_RESPMEM_MUST_COPY);
    if (response_ && !reason.empty())
        MHD_add_response_header(response_, "Content-Type", "text/plain");
    if (response_ && code == 503)
        MHD_add_response_header(response_, "Retry-After", "1");
}

Duration Exchange::stalled(Instant now) const { return stream_ ? stream_->stalled(now) : Duration{0}; }

void Exchange::end()
{
    if (stream_)
        stream_->end();
    if (!std::exchange(suspended, false))
        return;
    if (!has_reply())
        refuse(503, "the server is stopping\n");
    state = State::done;
    MHD_resume_connection(handle);
}

bool Exchange::start_reply(Request& request) { return !response_ && !request.answered && !queued; }

// "Name: value CRLF" lines; what is no header line is left out, so no script can break the framing.
void Exchange::put_headers(std::string_view lines, std::string_view content_type, bool close)
{
    if (!content_type.empty())
        MHD_add_response_header(response_, "Content-Type", std::string{content_type}.c_str());
    if (close)
        MHD_add_response_header(response_, "Connection", "close");
    while (!lines.empty()) {
        std::string_view line = trim_right(cut(lines, '\n'));
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0)
            continue;
        const std::string name{trim(line.substr(0, colon))}, value{trim(line.substr(colon + 1))};
        if (iequals(name, "Content-Length") || iequals(name, "Transfer-Encoding"))
            continue; // the framing is libmicrohttpd's
        MHD_add_response_header(response_, name.c_str(), value.c_str());
    }
}

BodyStream::BodyStream(Daemon& daemon, MHD_Connection* handle)
    : worker_{daemon.worker()}, link_{daemon.link()}, handle_{handle}
{
}

Result<void> BodyStream::write(std::string_view bytes)
{
    enum class Outcome : unsigned char { queued, wake, full, gone };
    const Outcome outcome = inside_.with([&](Inside& in) {
        if (in.gone || in.finished)
            return Outcome::gone;
        if (in.waiting.size() - in.taken + bytes.size() > max_waiting)
            return Outcome::full;
        in.waiting.append(bytes);
        return std::exchange(in.suspended, false) ? Outcome::wake : Outcome::queued;
    });
    if (outcome == Outcome::gone)
        return Error{ErrorKind::lost, "the client has gone"};
    if (outcome == Outcome::full)
        return Error{ErrorKind::overloaded, "the client reads too slowly"};
    if (outcome == Outcome::wake)
        wake();
    return {};
}

void BodyStream::finish()
{
    const bool was_suspended = inside_.with([](Inside& in) {
        in.finished = true;
        return std::exchange(in.suspended, false);
    });
    if (was_suspended)
        wake();
}

bool BodyStream::is_open() const
{
    return inside_.with([](const Inside& in) { return !in.gone && !in.finished; });
}

void BodyStream::wake()
{
    // While it is suspended nothing ends the connection but the daemon's own end, which wakes it itself.
    worker_.post([self = shared_from_this()] {
        Daemon* const daemon = self->link_->daemon;
        if (daemon && std::exchange(self->asleep_, false)) {
            const Instant now = self->worker_.now();
            self->inside_.with([now](Inside& in) { in.read_at = now; });
            daemon->resume(self->handle_);
        }
    });
}

long BodyStream::read(char* to, std::size_t size)
{
    const Instant now = worker_.now();
    const long count = inside_.with([&](Inside& in) -> long {
        in.read_at = now;
        const std::size_t left = in.waiting.size() - in.taken;
        if (left != 0) {
            const std::size_t taken = std::min(size, left);
            std::memcpy(to, in.waiting.data() + in.taken, taken);
            in.taken += taken;
            if (in.taken == in.waiting.size() || in.taken >= max_waiting) {
                in.waiting.erase(0, in.taken);
                in.taken = 0;
            }
            return static_cast<long>(taken);
        }
        if (in.finished)
            return -1;
        in.suspended = true;
        return 0;
    });
    if (count == 0) { // a writer that comes now posts a job, which runs after this
        asleep_ = true;
        MHD_suspend_connection(handle_);
    }
    return count;
}

void BodyStream::gone()
{
    inside_.with([](Inside& in) {
        in.gone = true;
        in.waiting = {};
        in.taken = 0;
    });
}

void BodyStream::end()
{
    inside_.with([](Inside& in) {
        in.finished = true;
        in.suspended = false;
    });
    if (std::exchange(asleep_, false))
        MHD_resume_connection(handle_);
}

Duration BodyStream::stalled(Instant now) const
{
    return inside_.with([now](const Inside& in) {
        const bool waits = !in.suspended && in.read_at.ns != 0; // asleep: the client has read everything
        return waits ? now - in.read_at : Duration{0};
    });
}

} // namespace sipyard::xhttp
