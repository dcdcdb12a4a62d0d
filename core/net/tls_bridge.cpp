// core/net/tls_bridge.cpp - the two directions of a bridged HTTP connection
#include "core/net/tls_bridge.h"

#include <cerrno>
#include <sys/epoll.h>

namespace sipyard::net {

namespace {

constexpr std::size_t piece = 16 * 1024; // one TLS record
constexpr int records_per_turn = 8;
constexpr std::uint32_t trouble = EPOLLERR | EPOLLHUP;

} // namespace

TlsBridge::TlsBridge(task::Worker& worker, Ends ends, std::string begun, char* scratch, Duration patience,
                     Function<void(std::optional<Error>)> on_end)
    : worker_{worker}, tls_{ends.tls}, tls_fd_{ends.tls_fd}, pair_{std::move(ends.pair)}, scratch_{scratch},
      patience_{patience}, on_end_{std::move(on_end)}, inward_{std::move(begun)},
      alive_{std::make_shared<bool>(true)},
      timer_{worker, [this] {
                 end(Error{ErrorKind::timeout, "the client does not read the rest of its answer"});
             }}
{
    pump_in();
    arm();
}

TlsBridge::~TlsBridge() { *alive_ = false; }

void TlsBridge::on_client(std::uint32_t events)
{
    if (events & trouble)
        return end(Error{ErrorKind::lost, "the client is gone"});
    if (events & EPOLLOUT) {
        wants_write_ = false;
        flush_out();
    }
    pump_in();
    arm();
}

void TlsBridge::on_pair(std::uint32_t events)
{
    if (events & EPOLLOUT)
        pump_in();
    if ((events & trouble) && !outward_.empty()) { // it has closed behind what the client does not take yet
        hung_up_ = true;
        timer_.arm_in(patience_);
    } else if (events & (EPOLLIN | trouble)) {
        pump_out();
    }
    arm();
}

void TlsBridge::pump_in()
{
    for (int i = 0; i < records_per_turn && !ended_; ++i) {
        if (!flush_in() || client_done_)
            return;
        const auto io = tls_.read(scratch_, piece);
        switch (io.step) {
        case crypto::TlsStream::Step::done: break;
        case crypto::TlsStream::Step::want_read: return;
        case crypto::TlsStream::Step::want_write: wants_write_ = true; return;
        case crypto::TlsStream::Step::failed: return end(Error{ErrorKind::lost, tls_.error()});
        case crypto::TlsStream::Step::closed: // it may still want to read: only this direction ends
            client_done_ = true;
            shutdown(pair_.get(), SHUT_WR);
            return;
        }
        write_pair({scratch_, io.bytes});
    }
    if (ended_ || !inward_.empty())
        return;
    // Records may be left in the library, of which the socket knows nothing. The others first.
    worker_.post([this, alive = alive_] {
        if (*alive && !ended_) {
            pump_in();
            arm();
        }
    });
}

// False: the HTTP side has not taken everything yet.
bool TlsBridge::flush_in()
{
    if (!inward_.empty())
        write_pair(std::exchange(inward_, {}));
    return inward_.empty();
}

void TlsBridge::write_pair(std::string_view bytes)
{
    while (!bytes.empty() && !deaf_) {
        const auto sent = send(pair_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            inward_.assign(bytes);
            return;
        } else if (errno != EINTR) {
            deaf_ = true; // it has closed: what the client still sends is for nobody, but an answer may be on
                          // its way
        }
    }
}

void TlsBridge::pump_out()
{
    if (ended_ || pair_done_ || !outward_.empty())
        return;
    // One recv per event: draining to EAGAIN costs more than it saves.
    const auto got = recv(pair_.get(), scratch_, piece, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0)
        return write_client({scratch_, static_cast<std::size_t>(got)});
    pair_done_ = true;
    finish();
}

void TlsBridge::flush_out()
{
    if (!outward_.empty())
        write_client(std::exchange(outward_, {}));
    if (outward_.empty() && !pair_done_)
        timer_.cancel();
    finish();
}

void TlsBridge::write_client(std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto io = tls_.write(bytes.data(), bytes.size());
        if (io.step == crypto::TlsStream::Step::done) {
            bytes.remove_prefix(io.bytes);
        } else if (io.step == crypto::TlsStream::Step::want_read ||
                   io.step == crypto::TlsStream::Step::want_write) {
            outward_.assign(bytes);
            if (pair_done_ || hung_up_)
                timer_.arm_in(patience_);
            return;
        } else {
            return end(Error{ErrorKind::lost, tls_.error()});
        }
    }
}

// The HTTP side has closed: once everything it wrote is out, it is over.
void TlsBridge::finish()
{
    if (!pair_done_ || ended_)
        return;
    if (outward_.empty())
        return end({});
    if (!timer_.armed())
        timer_.arm_in(patience_);
}

void TlsBridge::end(std::optional<Error> why)
{
    if (ended_)
        return;
    ended_ = true;
    timer_.cancel();
    tls_watch_.reset();
    pair_watch_.reset();
    on_end_(std::move(why));
}

void TlsBridge::arm()
{
    if (ended_)
        return;
    const auto of_client = (inward_.empty() && !client_done_ ? EPOLLIN : 0u) |
                           (!outward_.empty() || wants_write_ ? EPOLLOUT : 0u);
    const auto of_pair =
        (outward_.empty() && !pair_done_ ? EPOLLIN : 0u) | (!inward_.empty() ? EPOLLOUT : 0u);
    if (!tls_watch_)
        tls_watch_.emplace(worker_, tls_fd_, of_client, [this](std::uint32_t events) { on_client(events); });
    else if (of_client != tls_events_)
        tls_watch_->change(of_client);
    tls_events_ = of_client;
    // A closed pair reports itself whether asked or not, and again and again: once is enough.
    if (of_pair == 0 && (hung_up_ || pair_done_))
        pair_watch_.reset();
    else if (!pair_watch_)
        pair_watch_.emplace(worker_, pair_.get(), of_pair, [this](std::uint32_t events) { on_pair(events); });
    else if (of_pair != pair_events_)
        pair_watch_->change(of_pair);
    pair_events_ = of_pair;
}

} // namespace sipyard::net
