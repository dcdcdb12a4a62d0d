// core/net/stream_worker.cpp - accepting, opening and ending connections
#include "core/net/stream_worker.h"

#include "core/net/tls_bridge.h"

#include <cerrno>
#include <sys/epoll.h>

namespace sipyard::net {

StreamWorker::StreamWorker(Shared& shared, task::Worker& worker)
    : shared_{shared}, worker_{worker}, scratch_{std::make_unique_for_overwrite<char[]>(scratch_size)}
{
}

StreamWorker::~StreamWorker() = default;

Tally& StreamWorker::tally() { return *shared_.tallies[worker_.index()]; }

StreamWorker::Acceptor::Acceptor(StreamWorker& its_home, const Listener& its_listener, Descriptor its_fd)
    : home{its_home}, listener{its_listener}, fd{std::move(its_fd)}, pause{home.worker_,
                                                                           [this] { watch->change(EPOLLIN); }}
{
    watch.emplace(home.worker_, fd.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
}

void StreamWorker::Acceptor::accept()
{
    for (int i = 0; i < 64; ++i) { // then others have their turn
        SocketAddress peer{};
        socklen_t size = sizeof peer;
        Descriptor connection{accept4(fd.get(), &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (connection) {
            home.adopt(std::move(connection), listener, from_system(peer));
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            home.shared_.log.error("cannot accept: {}", system_error(listener.text(), errno).text);
            watch->change(0); // it would report the same connection again and again
            pause.arm_in(100ms);
            return;
        }
        if (errno == EAGAIN)
            return;
    }
}

void StreamWorker::listen(const Listener& listener, Descriptor fd)
{
    acceptors_.push_back(std::make_unique<Acceptor>(*this, listener, std::move(fd)));
}

void StreamWorker::stop_accepting() { acceptors_.clear(); }

void StreamWorker::close_all()
{
    acceptors_.clear();
    for (auto& [at, connection] : connections_) {
        if (connection->tls_ && connection->phase_ == Connection::Phase::sip)
            connection->tls_->shutdown();
        if (!connection->handed_)
            shared_.table.release(connection->id_);
    }
    connections_.clear();
}

void StreamWorker::adopt(Descriptor fd, const Listener& listener, const Address& peer)
{
    const bool tls = listener.protocol == Protocol::tls;
    Received from;
    from.protocol = listener.protocol;
    from.source = peer;
    from.local = listener.bound.is_any() ? local_address(fd.get()) : listener.bound;
    from.listener = &listener;
    const auto id = shared_.table.open(
        {from.protocol, peer, from.local, &listener, worker_.index(), true, false, worker_.now()});
    if (!id) {
        bump(tally().refused_limit);
        shared_.log.info("{} refused: {}", peer.text(), id.error().text);
        return;
    }
    from.connection = *id;
    std::shared_ptr<crypto::TlsContext> context; // shared with the module that loaded it
    if (tls) {
        const auto chooser = shared_.tls_chooser();
        context = chooser ? chooser->for_server(from.local) : nullptr;
        if (!context) {
            bump(tally().tls_failures);
            shared_.log.error("{} refused: no TLS certificate for {}", peer.text(), from.local.text());
            shared_.table.release(*id);
            return;
        }
    }
    bump(tally().accepted);
    tune_stream(fd.get(), shared_.settings);
    const auto phase = tls ? Connection::Phase::handshaking : Connection::Phase::sniffing;
    auto connection =
        std::make_unique<Connection>(*this, *id, std::move(fd), from, phase, std::move(context));
    shared_.table.attach(*id, connection.get());
    const auto* const at = connection.get();
    connections_.emplace(at, std::move(connection));
}

Result<void> StreamWorker::open(ConnectionId id)
{
    const auto row = shared_.table.row(id);
    if (!row)
        return Error{ErrorKind::lost, "the connection is gone"};
    Received from;
    from.protocol = row->protocol;
    from.source = row->peer;
    from.connection = id;
    std::shared_ptr<crypto::TlsContext> context; // shared with the module that loaded it
    if (row->protocol == Protocol::tls) {
        const auto chooser = shared_.tls_chooser();
        context = chooser ? chooser->for_client(row->peer) : nullptr;
        if (!context)
            return Error{ErrorKind::unsupported, "no TLS settings for " + row->peer.text()};
    }
    TRY(Descriptor fd, start_connect(row->peer, row->listener, shared_.settings));
    from.local = local_address(fd.get());
    auto connection = std::make_unique<Connection>(*this, id, std::move(fd), from,
                                                   Connection::Phase::connecting, std::move(context));
    shared_.table.attach(id, connection.get());
    const auto* const at = connection.get();
    connections_.emplace(at, std::move(connection));
    return {};
}

Result<void> StreamWorker::send(ConnectionId id, const Destination& to, std::string_view bytes)
{
    Connection* connection = shared_.table.connection(id);
    if (!connection) {
        if (!shared_.table.is_open(id))
            return Error{ErrorKind::lost, "the connection to " + to.to.text() + " is gone"};
        if (const auto opened = open(id); !opened) {
            shared_.table.release(id);
            return opened.error();
        }
        connection = shared_.table.connection(id);
    }
    return connection->send(to, bytes);
}

void StreamWorker::drop(Connection& connection)
{
    worker_.post([this, at = &connection] {
        const auto found = connections_.find(at);
        if (found == connections_.end())
            return; // everything was closed meanwhile
        const auto gone = std::move(found->second);
        connections_.erase(found);
        if (!gone->handed_)
            shared_.table.release(gone->id_);
        for (auto waiting = std::move(gone->first_); waiting; waiting = std::move(waiting->next))
            if (gone->why_ && !shared_.stopping)
                shared_.handler->on_send_failed(waiting->to, waiting->bytes, *gone->why_);
    });
}

void StreamWorker::read_later(ConnectionId id)
{
    worker_.post([this, id] {
        Connection* const connection = shared_.table.connection(id);
        if (connection && connection->tls_ &&
            (connection->phase_ == Connection::Phase::sip ||
             connection->phase_ == Connection::Phase::sniffing))
            connection->read_tls();
    });
}

} // namespace sipyard::net
