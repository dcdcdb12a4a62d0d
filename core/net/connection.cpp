// core/net/connection.cpp - the life of one stream connection
#include "core/net/connection.h"

#include "core/base/format.h"
#include "core/net/stream_worker.h"
#include "core/net/tls_bridge.h"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>

namespace sipyard::net {

namespace {

constexpr Duration linger_time = 2s;
constexpr int records_per_event = 8; // then others have their turn
constexpr std::size_t peek_size = 64;

} // namespace

Connection::Connection(StreamWorker& home, ConnectionId id, Descriptor fd, const Received& from, Phase phase,
                       std::shared_ptr<crypto::TlsContext> context)
    : home_{home}, id_{id}, fd_{std::move(fd)}, from_{from}, phase_{phase}, context_{std::move(context)},
      framer_{{.max_headers = home.shared().settings.max_message,
               .max_message = home.shared().settings.max_message,
               .require_content_length = !home.shared().settings.accept_no_content_length}},
      lifetime_{home.shared().settings.connection_lifetime}, begun_{home.worker().now()}, active_{begun_},
      progress_{begun_}, armed_{task::never}, timer_{home.worker(), [this] { on_time(); }}
{
    // Peeking leaves the bytes where they are: only an edge tells that there are more (level-triggered would
    // spin).
    events_ = phase == Phase::connecting ? EPOLLOUT
              : phase == Phase::sniffing ? EPOLLIN | EPOLLRDHUP | EPOLLET
                                         : EPOLLIN;
    watch_.emplace(home.worker(), fd_.get(), events_, [this](std::uint32_t events) { on_event(events); });
    schedule();
}

Connection::~Connection()
{
    while (first_) // one by one: a long list would recurse deeply
        first_ = std::move(first_->next);
}

// --- deadlines -----------------------------------------------------------------------------------

Instant Connection::deadline() const
{
    const auto& settings = home_.shared().settings;
    switch (phase_) {
    case Phase::connecting: return begun_ + settings.connect_timeout;
    case Phase::handshaking:
        return begun_ + (from_.listener ? settings.first_bytes_timeout : settings.connect_timeout);
    case Phase::sniffing: return begun_ + settings.first_bytes_timeout;
    case Phase::lingering: return progress_ + (first_ ? settings.send_timeout : linger_time);
    case Phase::sip: {
        Instant next = lifetime_.count() < 0 ? task::never : active_ + lifetime_;
        if (has_begun_message())
            next = std::min(next, message_begun_ + settings.message_timeout);
        if (first_)
            next = std::min(next, progress_ + settings.send_timeout);
        return next;
    }
    case Phase::bridged:
    case Phase::dead: break;
    }
    return task::never;
}

// Deadlines mostly move into the future: the timer is left alone then and looks again when it has run.
void Connection::schedule()
{
    const Instant next = deadline();
    if (next >= armed_)
        return;
    armed_ = next;
    timer_.arm(next);
}

void Connection::on_time()
{
    armed_ = task::never;
    const Instant next = deadline();
    if (next > home_.worker().clock().now())
        return schedule();
    bump(home_.tally().closed_timeout);
    if (phase_ == Phase::handshaking)
        bump(home_.tally().tls_failures);
    if (phase_ == Phase::sip && !has_begun_message() && !first_)
        return close(); // idle
    fail({ErrorKind::timeout, format("{}: no progress in time", from_.source.text())});
}

void Connection::touched()
{
    active_ = home_.worker().now();
    home_.shared().table.touch(id_, active_);
}

void Connection::set_lifetime(Duration idle)
{
    lifetime_ = idle;
    schedule();
}

// --- events --------------------------------------------------------------------------------------

void Connection::want(std::uint32_t events)
{
    if (events_ == events || !watch_)
        return;
    events_ = events;
    watch_->change(events);
}

void Connection::on_event(std::uint32_t events)
{
    switch (phase_) {
    case Phase::connecting: return on_connected();
    case Phase::handshaking: return shake();
    case Phase::sniffing:
        if (tls_)
            return read_tls();
        peek();
        if (phase_ == Phase::sniffing && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
            fail({ErrorKind::lost, format("{} closed before it said anything", from_.source.text())});
        return;
    case Phase::sip:
        if ((events & EPOLLOUT) && !flush())
            return;
        if (tls_)
            return read_tls(); // a write may have waited for something to read, so in any case
        if (events & ~static_cast<std::uint32_t>(EPOLLOUT))
            read_tcp();
        return;
    case Phase::lingering: return drain();
    case Phase::bridged:
    case Phase::dead: return;
    }
}

void Connection::on_connected()
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
        return fail(system_error(from_.source.text(), error));
    bump(home_.tally().connected);
    home_.shared().table.set_local(id_, local_address(fd_.get()));
    if (context_) {
        phase_ = Phase::handshaking;
        return shake();
    }
    established();
}

void Connection::shake()
{
    if (!tls_)
        tls_ = std::make_unique<crypto::TlsStream>(std::exchange(context_, nullptr), fd_.get());
    switch (tls_->handshake()) {
    case crypto::TlsStream::Step::done: break;
    case crypto::TlsStream::Step::want_read: return want(EPOLLIN);
    case crypto::TlsStream::Step::want_write: return want(EPOLLOUT);
    default:
        bump(home_.tally().tls_failures);
        return fail({ErrorKind::lost, format("{}: {}", from_.source.text(), tls_->error())});
    }
    bump(home_.tally().tls_handshakes);
    home_.shared().table.set_tls(id_, std::make_shared<crypto::TlsInfo>(tls_->info()));
    if (from_.listener) {
        phase_ = Phase::sniffing;
        want(EPOLLIN);
        return read_tls(); // the first bytes may have come with the end of the handshake
    }
    established();
    if (phase_ == Phase::sip)
        read_tls();
}

// An outbound connection is ready: what waited for it leaves.
void Connection::established()
{
    phase_ = Phase::sip;
    progress_ = home_.worker().now();
    touched();
    want(EPOLLIN);
    if (!flush())
        return;
    schedule();
    if (close_when_sent_)
        close();
}

void Connection::peek()
{
    char bytes[peek_size];
    const auto got = recv(fd_.get(), bytes, sizeof bytes, MSG_PEEK);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        return fail(got == 0 ? Error{ErrorKind::lost, format("{} closed", from_.source.text())}
                             : system_error(from_.source.text(), errno));
    sniffed(sniff({bytes, static_cast<std::size_t>(got)}));
    if (phase_ == Phase::sip)
        read_tcp();
}

void Connection::sniffed(Spoken spoken)
{
    if (spoken == Spoken::unclear)
        return;
    if (spoken == Spoken::http && home_.shared().http.load())
        return hand_over();
    phase_ = Phase::sip; // the framer will say that HTTP is garbage
    touched();
    want(EPOLLIN);
    home_.shared().table.publish(id_);
    schedule();
}

void Connection::read_tcp()
{
    const auto got = recv(fd_.get(), home_.scratch(), StreamWorker::scratch_size, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0)
        return fail(system_error(from_.source.text(), errno));
    if (got == 0)
        return fail({ErrorKind::lost, format("{} closed the connection", from_.source.text())});
    bump(home_.tally().bytes_in, static_cast<std::uint64_t>(got));
    take({home_.scratch(), static_cast<std::size_t>(got)});
}

void Connection::read_tls()
{
    read_again_ = false;
    for (int i = 0; i < records_per_event; ++i) {
        const auto io = tls_->read(home_.scratch(), StreamWorker::scratch_size);
        switch (io.step) {
        case crypto::TlsStream::Step::done: break;
        case crypto::TlsStream::Step::want_read: return;
        case crypto::TlsStream::Step::want_write: return want(EPOLLIN | EPOLLOUT);
        case crypto::TlsStream::Step::closed:
            return fail({ErrorKind::lost, format("{} closed the connection", from_.source.text())});
        case crypto::TlsStream::Step::failed:
            return fail({ErrorKind::lost, format("{}: {}", from_.source.text(), tls_->error())});
        }
        bump(home_.tally().bytes_in, io.bytes);
        const std::string_view fresh{home_.scratch(), io.bytes};
        if (phase_ == Phase::sip) {
            take(fresh);
        } else {
            rest_.append(fresh);
            sniffed(sniff(rest_));
            if (phase_ == Phase::sip) {
                const std::string begun = std::exchange(rest_, {});
                take(begun);
            }
        }
        if (phase_ != Phase::sip && phase_ != Phase::sniffing)
            return;
    }
    // The rest of what was received sits in the library: the socket will not tell.
    if (!std::exchange(read_again_, true))
        home_.read_later(id_);
}

// --- SIP -----------------------------------------------------------------------------------------

void Connection::take(std::string_view fresh)
{
    touched();
    const bool had_rest = !rest_.empty();
    if (had_rest)
        rest_.append(fresh);
    const std::string_view all = had_rest ? std::string_view{rest_} : fresh;
    std::size_t used = 0;
    while (used < all.size()) {
        const auto frame = framer_.next(all.substr(used));
        if (frame.kind == sip::Framer::Kind::more)
            break;
        if (!take_frame(all.substr(used, frame.size), frame))
            return;
        used += frame.size;
    }
    if (used > 0 || !had_rest)
        message_begun_ = active_;
    if (!had_rest)
        rest_.assign(all.substr(used));
    else if (used == all.size())
        std::string{}.swap(rest_); // an idle connection keeps no buffer
    else
        rest_.erase(0, used);
    if (has_begun_message())
        schedule();
}

// A lone CRLF is half a ping or a pong (RFC 5626 3.5.1): it may stay for as long as the connection.
bool Connection::has_begun_message() const { return !rest_.empty() && rest_.front() != '\r'; }

// False: nothing more is to be read from this connection.
bool Connection::take_frame(std::string_view bytes, const sip::Framer::Frame& frame)
{
    Shared& shared = home_.shared();
    switch (frame.kind) {
    case sip::Framer::Kind::message:
        bump(home_.tally().messages_in);
        shared.handler->on_message(home_.worker(), from_, bytes);
        break;
    case sip::Framer::Kind::ping: // RFC 5626 3.5.1; who does not read our pongs gets no more of them
        if (shared.settings.crlf_ping && !first_)
            static_cast<void>(send({from_.protocol, from_.source, nullptr, id_, false}, "\r\n"));
        break;
    case sip::Framer::Kind::garbage:
    case sip::Framer::Kind::too_large:
        bump(home_.tally().garbage);
        fail(invalid(format("{}: {}", frame.kind, frame.why)));
        break;
    case sip::Framer::Kind::pong:
    case sip::Framer::Kind::more: break;
    }
    return phase_ == Phase::sip;
}

Result<void> Connection::send(const Destination& to, std::string_view bytes)
{
    Shared& shared = home_.shared();
    if (phase_ == Phase::dead || phase_ == Phase::lingering || phase_ == Phase::bridged)
        return Error{ErrorKind::lost, format("the connection to {} is gone", from_.source.text())};
    std::size_t sent = 0;
    if (phase_ == Phase::sip && !first_) {
        const auto some = write_some(bytes);
        if (!some)
            return *why_;
        sent = *some;
        if (sent == bytes.size())
            return {};
    }
    if (!shared.table.reserve(id_, bytes.size() - sent, shared.settings.write_queue)) {
        overflow();
        return Error{ErrorKind::overloaded,
                     format("too much is waiting for {} already", from_.source.text())};
    }
    auto waiting = std::make_unique<Waiting>(Waiting{to, std::string{bytes}, sent, nullptr});
    Waiting* const added = waiting.get();
    if (first_) {
        last_->next = std::move(waiting);
    } else {
        first_ = std::move(waiting);
        progress_ = home_.worker().now();
        if (phase_ == Phase::sip)
            want(EPOLLIN | EPOLLOUT);
    }
    last_ = added;
    schedule();
    return {};
}

// Others had more for this peer than may wait. Was it the peer, or were we slow to look at it?
void Connection::overflow()
{
    if (first_)
        fail({ErrorKind::overloaded, format("{} does not read: {} bytes are waiting for it",
                                            from_.source.text(), home_.shared().settings.write_queue)});
}

std::optional<std::size_t> Connection::write_some(std::string_view bytes)
{
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto left = bytes.substr(sent);
        if (tls_) {
            const auto io = tls_->write(left.data(), left.size());
            if (io.step == crypto::TlsStream::Step::want_read ||
                io.step == crypto::TlsStream::Step::want_write)
                break;
            if (io.step != crypto::TlsStream::Step::done) {
                fail({ErrorKind::lost, format("{}: {}", from_.source.text(), tls_->error())});
                return {};
            }
            sent += io.bytes;
        } else {
            const auto written = ::send(fd_.get(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (written < 0 && errno == EINTR)
                continue;
            if (written < 0 && errno == EAGAIN)
                break;
            if (written < 0) {
                fail(system_error(from_.source.text(), errno));
                return {};
            }
            sent += static_cast<std::size_t>(written);
        }
    }
    if (sent > 0) {
        touched();
        bump(home_.tally().bytes_out, sent);
    }
    return sent;
}

bool Connection::flush()
{
    while (first_) {
        const auto some = write_some(std::string_view{first_->bytes}.substr(first_->sent));
        if (!some)
            return false;
        first_->sent += *some;
        home_.shared().table.unreserve(id_, *some);
        if (*some > 0)
            progress_ = home_.worker().now();
        if (first_->sent < first_->bytes.size()) {
            want(EPOLLIN | EPOLLOUT);
            return true;
        }
        first_ = std::move(first_->next);
    }
    last_ = nullptr;
    want(EPOLLIN);
    return true;
}

// --- the end -------------------------------------------------------------------------------------

void Connection::close()
{
    if (phase_ == Phase::sip) {
        home_.shared().table.withdraw(id_); // nobody shall find it any more
        phase_ = Phase::lingering;
        progress_ = home_.worker().now();
        if (!first_)
            linger();
        else
            want(EPOLLIN | EPOLLOUT);
        schedule();
    } else if (first_ && (phase_ == Phase::connecting || phase_ == Phase::handshaking)) {
        home_.shared().table.withdraw(id_);
        close_when_sent_ = true;
    } else if (phase_ != Phase::lingering && phase_ != Phase::dead) {
        fail({ErrorKind::lost, format("the connection to {} was closed", from_.source.text())});
    }
}

// Everything is out: says so and waits a little for the peer to hang up. Closing at once would answer bytes
// it sends meanwhile with a reset, which may destroy what we sent last.
void Connection::linger()
{
    if (tls_)
        tls_->shutdown();
    shutdown(fd_.get(), SHUT_WR);
    want(EPOLLIN);
}

void Connection::drain()
{
    if (first_) {
        if (!flush() || first_)
            return;
        progress_ = home_.worker().now();
        armed_ = task::never;
        schedule();
        return linger();
    }
    const auto got = recv(fd_.get(), home_.scratch(), StreamWorker::scratch_size, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        fail({ErrorKind::lost, format("{} closed the connection", from_.source.text())});
}

void Connection::fail(Error why)
{
    if (phase_ == Phase::dead)
        return;
    Shared& shared = home_.shared();
    if (why.kind != ErrorKind::lost && why.kind != ErrorKind::timeout)
        bump(home_.tally().closed_error);
    if (why.kind != ErrorKind::lost)
        shared.log.info("{} {} closed: {}", from_.protocol, from_.source.text(), why.text);
    else
        shared.log.debug("{} {} closed: {}", from_.protocol, from_.source.text(), why.text);
    if (tls_ && phase_ == Phase::sip && why.kind != ErrorKind::lost)
        tls_->shutdown(); // so that the peer knows it was no attack
    shared.table.withdraw(id_);
    phase_ = Phase::dead;
    why_ = std::move(why);
    timer_.cancel();
    watch_.reset();
    home_.drop(*this);
}

// --- HTTP ----------------------------------------------------------------------------------------

void Connection::hand_over()
{
    Shared& shared = home_.shared();
    Received from = from_;
    from.connection = id_;
    timer_.cancel();
    armed_ = task::never;
    watch_.reset();
    bump(home_.tally().http_handed);
    shared.table.set_http(id_);
    HttpAcceptor& acceptor = *shared.http.load();
    if (!tls_) {
        phase_ = Phase::dead;
        handed_ = true; // its place stays taken until released()
        shared.table.attach(id_, nullptr);
        home_.drop(*this);
        acceptor.accept(home_.worker(), fd_.release(), from);
        return;
    }
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return fail(system_error("socketpair", errno));
    phase_ = Phase::bridged;
    bridge_ = std::make_unique<TlsBridge>(
        home_.worker(), TlsBridge::Ends{*tls_, fd_.get(), Descriptor{ends[0]}}, std::exchange(rest_, {}),
        home_.scratch(), shared.settings.send_timeout, [this](std::optional<Error> why) {
            if (why)
                return fail(std::move(*why));
            phase_ = Phase::lingering;
            progress_ = home_.worker().now();
            events_ = EPOLLIN;
            watch_.emplace(home_.worker(), fd_.get(), events_,
                           [this](std::uint32_t events) { on_event(events); });
            linger();
            schedule();
        });
    acceptor.accept(home_.worker(), ends[1], from);
}

} // namespace sipyard::net
