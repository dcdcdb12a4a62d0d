// core/net/network.cpp - listeners, start and stop, and the way of a message to its socket
#include "core/net/network.h"

#include "core/base/format.h"
#include "core/crypto/tls.h"
#include "core/net/stream_worker.h"
#include "core/net/udp.h"

#include <atomic>
#include <csignal>

namespace sipyard::net {

std::string Listener::host() const { return advertised_host.empty() ? bound.host() : advertised_host; }
std::uint16_t Listener::port() const { return advertised_port ? advertised_port : bound.port; }
std::string Listener::text() const { return format("{}:{}", protocol, bound.text()); }

Shared::Shared(const Settings& wanted, task::Runtime& its_runtime, log::Journal& journal)
    : settings{wanted}, runtime{its_runtime}, log{journal, "net"}, table{{wanted.tcp_max_connections,
                                                                          wanted.tls_max_connections,
                                                                          wanted.max_per_source}}
{
    for (std::size_t i = 0; i < runtime.workers() + 1; ++i)
        tallies.push_back(std::make_unique<Tally>());
}

Shared::~Shared() = default;

Tally& Shared::tally()
{
    const task::Worker* const worker = task::Worker::current();
    return *tallies[worker ? worker->index() : tallies.size() - 1];
}

namespace {

// One context for all addresses.
class OneForAll final : public TlsChooser {
public:
    std::shared_ptr<TlsContext> for_server(const Address&) override { return get(crypto::TlsSide::server); }
    std::shared_ptr<TlsContext> for_client(const Address&) override { return get(crypto::TlsSide::client); }
    std::shared_ptr<TlsContext> get(crypto::TlsSide side)
    {
        return contexts_.with(
            [&](Contexts& all) { return side == crypto::TlsSide::server ? all.server : all.client; });
    }
    void set(crypto::TlsSide side, std::shared_ptr<TlsContext> context)
    {
        contexts_.with([&](Contexts& all) {
            std::swap(side == crypto::TlsSide::server ? all.server : all.client, context);
        });
    }

private:
    struct Contexts {
        std::shared_ptr<TlsContext> server, client; // shared with the streams that use them
    };
    Guarded<Contexts> contexts_;
};

} // namespace

struct Network::Parts {
    Parts(const Settings& settings, task::Runtime& runtime, log::Journal& journal)
        : shared{settings, runtime, journal}
    {
    }
    Shared shared;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::shared_ptr<OneForAll> contexts = std::make_shared<OneForAll>(); // also shared.tls, unless replaced
    std::atomic<bool> started{false}; // read by fibers while stop() clears it

    Result<void> open_sockets();
    Result<void> send_stream(const Destination& to, std::string_view bytes);
    Result<void> deliver(ConnectionId id, const Destination& to, std::string_view bytes);
    Result<const Listener*> routed(Protocol protocol, const Address& to) const;
    // Runs f(the worker's part) where the connection lives; nothing when it is gone.
    template <class F>
    void at_home(ConnectionId id, F f)
    {
        if (!shared.table.is_held(id) || shared.streams.empty() || shared.stopping)
            return;
        task::Worker& worker = shared.runtime.worker(shared.table.worker(id));
        const auto act = [this, id, f] {
            if (Connection* const connection = shared.table.connection(id))
                f(*connection);
        };
        if (task::Worker::current() == &worker)
            act();
        else
            worker.post(act);
    }
};

Network::Network(Settings settings, task::Runtime& runtime, log::Journal& journal)
    : parts_{std::make_unique<Parts>(settings, runtime, journal)}
{
    parts_->shared.tls.with([this](auto& chooser) { chooser = parts_->contexts; });
}

Network::~Network() { stop(); }

const Listener& Network::add_listener(Listener listener)
{
    listener.index = static_cast<std::uint32_t>(parts_->listeners.size());
    return *parts_->listeners.emplace_back(std::make_unique<Listener>(std::move(listener)));
}

void Network::set_http(HttpAcceptor* acceptor) { parts_->shared.http = acceptor; }

void Network::set_tls_server(std::shared_ptr<TlsContext> context)
{
    parts_->contexts->set(crypto::TlsSide::server, std::move(context));
}

void Network::set_tls_client(std::shared_ptr<TlsContext> context)
{
    parts_->contexts->set(crypto::TlsSide::client, std::move(context));
}

void Network::set_tls(std::shared_ptr<TlsChooser> chooser)
{
    parts_->shared.tls.with([&](auto& current) { std::swap(current, chooser); });
}

Result<void> Network::start(MessageHandler& handler)
{
    Shared& shared = parts_->shared;
    shared.handler = &handler;
    std::signal(SIGPIPE,
                SIG_IGN); // a peer that hangs up is an error of that write, not the end of the server
    for (std::size_t i = 0; i < shared.runtime.workers(); ++i) {
        shared.udp.push_back(std::make_unique<UdpWorker>(shared, shared.runtime.worker(i)));
        shared.streams.push_back(std::make_unique<StreamWorker>(shared, shared.runtime.worker(i)));
    }
    parts_->started = true;
    auto opened = parts_->open_sockets();
    if (!opened)
        stop();
    return opened;
}

Result<void> Network::Parts::open_sockets()
{
    for (auto& listener : listeners) {
        const bool any_port = listener->bound.port == 0;
        std::vector<Descriptor> fds;
        // The system's choice of a port may be taken by somebody else between the two binds: then it chooses
        // again.
        for (int attempt = 0; fds.size() < shared.runtime.workers(); ++attempt) {
            fds.clear();
            if (any_port)
                listener->bound.port = 0;
            TRYV(claim(*listener, shared.settings));
            while (fds.size() < shared.runtime.workers()) {
                auto fd = is_stream(listener->protocol) ? open_acceptor(*listener, shared.settings)
                                                        : open_udp(*listener, shared.settings);
                if (!fd && any_port && attempt < 10)
                    break;
                if (!fd)
                    return fd.error();
                fds.push_back(std::move(*fd));
            }
        }
        shared.runtime.on_every_worker([&](task::Worker& worker) {
            auto& fd = fds[worker.index()];
            if (is_stream(listener->protocol))
                shared.streams[worker.index()]->listen(*listener, std::move(fd));
            else
                shared.udp[worker.index()]->add(*listener, std::move(fd));
        });
    }
    return {};
}

void Network::stop_accepting()
{
    if (!parts_->started)
        return;
    parts_->shared.runtime.on_every_worker(
        [this](task::Worker& worker) { parts_->shared.streams[worker.index()]->stop_accepting(); });
}

void Network::stop()
{
    if (!parts_->started)
        return;
    parts_->started = false;
    Shared& shared = parts_->shared;
    shared.stopping = true;
    // Helpers read sockets of others, so nobody closes before all have stopped reading. Posted jobs run
    // before these.
    shared.runtime.on_every_worker([&](task::Worker& worker) { shared.udp[worker.index()]->stop_helping(); });
    shared.runtime.on_every_worker([&](task::Worker& worker) {
        shared.udp[worker.index()]->close();
        shared.streams[worker.index()]->close_all();
    });
    shared.runtime.on_every_worker([](task::Worker&) {}); // what those posted
}

Result<void> Network::send(const Destination& to, std::string_view bytes)
{
    Shared& shared = parts_->shared;
    if (shared.stopping || !parts_->started)
        return Error{ErrorKind::stopping, "the network is stopping"};
    if (is_stream(to.protocol))
        return parts_->send_stream(to, bytes);
    const Listener* const from = to.from ? to.from : pick(to.protocol, to.to);
    if (!from || from->protocol != Protocol::udp || from->bound.family != to.to.family)
        return Error{ErrorKind::not_found, format("no UDP socket for {}", to.to.text())};
    const task::Worker* const worker = task::Worker::current();
    return shared.udp[worker ? worker->index() : 0]->socket(*from)->send(to.to, bytes);
}

Result<void> Network::Parts::send_stream(const Destination& to, std::string_view bytes)
{
    if (to.connection && shared.table.is_open(to.connection))
        return deliver(to.connection, to, bytes);
    if (to.to.family == Address::Family::none)
        return Error{ErrorKind::not_found, "the connection is gone and no address was given"};
    const bool strict = shared.settings.strict_match;
    if (!to.may_connect || shared.settings.no_connect) {
        const auto known = shared.table.find(to.protocol, to.to, to.from, strict);
        if (known)
            return deliver(known, to, bytes);
        return Error{ErrorKind::not_found, format("no {} connection to {}", to.protocol, to.to.text())};
    }
    const task::Worker* const worker = task::Worker::current();
    ConnectionTable::Row row;
    row.protocol = to.protocol;
    row.peer = to.to;
    row.listener = to.from;
    row.worker = worker ? worker->index() : 0;
    row.inbound = false;
    row.since = shared.runtime.clock().now();
    TRY(const auto found, shared.table.find_or_open(row, strict));
    return deliver(found.id, to, bytes);
}

Result<void> Network::Parts::deliver(ConnectionId id, const Destination& to, std::string_view bytes)
{
    task::Worker& home = shared.runtime.worker(shared.table.worker(id));
    if (task::Worker::current() == &home)
        return shared.streams[home.index()]->send(id, to, bytes);
    if (!shared.table.reserve(id, bytes.size(), shared.settings.write_queue)) {
        at_home(id, [](Connection& connection) { connection.overflow(); });
        return Error{ErrorKind::overloaded, format("too much is waiting for {} already", to.to.text())};
    }
    home.post([this, id, to, copy = std::string{bytes}, &home] {
        shared.table.unreserve(id, copy.size());
        if (shared.stopping)
            return;
        if (const auto sent = shared.streams[home.index()]->send(id, to, copy); !sent)
            shared.handler->on_send_failed(to, copy, sent.error());
    });
    return {};
}

void Network::close(ConnectionId id)
{
    parts_->at_home(id, [](Connection& connection) { connection.close(); });
}

void Network::set_lifetime(ConnectionId id, Duration idle)
{
    parts_->at_home(id, [idle](Connection& connection) { connection.set_lifetime(idle); });
}

void Network::add_alias(ConnectionId id, std::uint16_t port) { parts_->shared.table.add_alias(id, port); }

void Network::released(ConnectionId id)
{
    const auto row = parts_->shared.table.row(id);
    if (row && row->http && row->protocol == Protocol::tcp) // a bridge sees the end by itself
        parts_->shared.table.release(id);
}

bool Network::is_open(ConnectionId id) const { return parts_->shared.table.is_open(id); }

std::shared_ptr<const crypto::TlsInfo> Network::tls_info(ConnectionId id) const
{
    return parts_->shared.table.tls(id);
}

const std::vector<std::unique_ptr<Listener>>& Network::listeners() const { return parts_->listeners; }

const Listener* Network::pick(Protocol protocol, const Address& to) const
{
    if (parts_->shared.settings.mhomed)
        if (const auto routed = parts_->routed(protocol, to); routed && *routed)
            return *routed;
    for (const auto& listener : parts_->listeners)
        if (listener->protocol == protocol && listener->bound.family == to.family)
            return listener.get();
    return nullptr;
}

// The listener on the address the system would use to reach `to`.
Result<const Listener*> Network::Parts::routed(Protocol protocol, const Address& to) const
{
    TRY(const Address local, source_address_for(to));
    for (const auto& listener : listeners)
        if (listener->protocol == protocol && listener->bound.same_ip(local))
            return listener.get();
    return static_cast<const Listener*>(nullptr);
}

std::vector<ConnectionInfo> Network::connections(std::size_t most) const
{
    return parts_->shared.table.list(most, parts_->shared.runtime.clock().now());
}

Counters Network::counters() const
{
    Counters sum{};
    for (const auto& tally : parts_->shared.tallies) {
        const auto add = [](std::uint64_t& to, const Tally::Count& count) {
            to += count.load(std::memory_order_relaxed);
        };
        add(sum.datagrams_in, tally->datagrams_in);
        add(sum.datagrams_out, tally->datagrams_out);
        add(sum.bytes_in, tally->bytes_in);
        add(sum.bytes_out, tally->bytes_out);
        add(sum.udp_send_dropped, tally->udp_send_dropped);
        add(sum.messages_in, tally->messages_in);
        add(sum.garbage, tally->garbage);
        add(sum.accepted, tally->accepted);
        add(sum.connected, tally->connected);
        add(sum.refused_limit, tally->refused_limit);
        add(sum.closed_timeout, tally->closed_timeout);
        add(sum.closed_error, tally->closed_error);
        add(sum.tls_handshakes, tally->tls_handshakes);
        add(sum.tls_failures, tally->tls_failures);
        add(sum.http_handed, tally->http_handed);
    }
    sum.tcp_open = parts_->shared.table.held(Protocol::tcp);
    sum.tls_open = parts_->shared.table.held(Protocol::tls);
    return sum;
}

} // namespace sipyard::net
