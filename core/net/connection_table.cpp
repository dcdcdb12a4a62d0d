// core/net/connection_table.cpp - places, generations and the map by peer
#include "core/net/connection_table.h"

#include "core/base/format.h"

#include <algorithm>

namespace sipyard::net {

namespace {

std::uint32_t index_of(ConnectionId id) { return static_cast<std::uint32_t>(id.value) - 1; }
std::uint32_t generation_of(ConnectionId id) { return static_cast<std::uint32_t>(id.value >> 32); }

Address source_of(const Address& peer)
{
    Address source = peer;
    source.port = 0;
    return source;
}

} // namespace

ConnectionTable::~ConnectionTable()
{
    for (auto& chunk : chunks_)
        delete[] chunk.load();
}

ConnectionTable::Slot* ConnectionTable::slot(ConnectionId id) const
{
    const auto index = index_of(id);
    if (!id || index >= chunk_size * most_chunks)
        return nullptr;
    Slot* const chunk = chunks_[index / chunk_size].load(std::memory_order_acquire);
    if (!chunk)
        return nullptr;
    Slot& found = chunk[index % chunk_size];
    return found.generation.load(std::memory_order_acquire) == generation_of(id) &&
                   found.taken.load(std::memory_order_acquire)
               ? &found
               : nullptr;
}

Result<ConnectionId> ConnectionTable::open(const Row& row)
{
    return state_.with([&](State& state) -> Result<ConnectionId> {
        auto& count = row.protocol == Protocol::tls ? state.tls : state.tcp;
        const auto most = row.protocol == Protocol::tls ? limits_.tls : limits_.tcp;
        if (count >= most)
            return Error{ErrorKind::overloaded,
                         format("{} {} connections are open already", most, row.protocol)};
        if (row.inbound) {
            auto& of_source = state.sources[source_of(row.peer)];
            if (of_source >= limits_.per_source)
                return Error{ErrorKind::overloaded,
                             format("{} has {} connections already", row.peer.ip(), of_source)};
            ++of_source;
        }
        if (state.free.empty()) {
            const auto chunk = state.slots / chunk_size;
            if (chunk >= most_chunks)
                return Error{ErrorKind::overloaded, "no place for another connection"};
            chunks_[chunk].store(new Slot[chunk_size], std::memory_order_release);
            for (std::size_t i = chunk_size; i > 0; --i)
                state.free.push_back(static_cast<std::uint32_t>(state.slots + i - 1));
            state.slots += chunk_size;
        }
        ++count;
        const auto index = state.free.back();
        state.free.pop_back();
        Slot& slot = chunks_[index / chunk_size].load()[index % chunk_size];
        slot.row = row;
        slot.worker = row.worker;
        slot.queued = 0;
        slot.active = row.since.ns;
        slot.taken.store(true, std::memory_order_release);
        return ConnectionId{(static_cast<std::uint64_t>(slot.generation.load()) << 32) | (index + 1)};
    });
}

ConnectionId ConnectionTable::pick(const ByPeer& peers, const Key& key, const Listener* from, bool strict)
{
    ConnectionId any;
    const auto [begin, end] = peers.equal_range(key);
    for (auto at = begin; at != end; ++at) {
        if (from && at->second.listener == from)
            return at->second.id;
        any = at->second.id;
    }
    return from && strict ? ConnectionId{} : any;
}

ConnectionId ConnectionTable::find(Protocol protocol, const Address& peer, const Listener* from,
                                   bool strict) const
{
    const Key key{protocol, peer};
    return shard(key).with([&](const ByPeer& peers) { return pick(peers, key, from, strict); });
}

Result<ConnectionTable::Found> ConnectionTable::find_or_open(const Row& row, bool strict)
{
    const Key key{row.protocol, row.peer};
    // Under the shard's lock, so that two workers with something for the same peer share one connection.
    return shard(key).with([&](ByPeer& peers) -> Result<Found> {
        if (const auto known = pick(peers, key, row.listener, strict))
            return Found{known, false};
        TRY(const ConnectionId id, open(row));
        peers.emplace(key, Entry{id, row.listener});
        slot(id)->published = true;
        return Found{id, true};
    });
}

void ConnectionTable::publish(ConnectionId id)
{
    Slot* const place = slot(id);
    if (!place || place->published.exchange(true))
        return;
    const auto at = row(id);
    const Key key{at->protocol, at->peer};
    shard(key).with([&](ByPeer& peers) { peers.emplace(key, Entry{id, at->listener}); });
}

void ConnectionTable::forget(const Key& key, ConnectionId id)
{
    shard(key).with([&](ByPeer& peers) {
        const auto [begin, end] = peers.equal_range(key);
        const auto at = std::find_if(begin, end, [&](const auto& entry) { return entry.second.id == id; });
        if (at != end)
            peers.erase(at);
    });
}

void ConnectionTable::withdraw(ConnectionId id)
{
    Slot* const place = slot(id);
    if (!place || !place->published.exchange(false))
        return;
    Key key{};
    auto aliases = state_.with([&](State&) {
        key = {place->row.protocol, place->row.peer};
        return std::exchange(place->aliases, {});
    });
    forget(key, id);
    for (const auto port : aliases) {
        key.peer.port = port;
        forget(key, id);
    }
}

void ConnectionTable::release(ConnectionId id)
{
    withdraw(id);
    const auto tls = state_.with([&](State& state) -> std::shared_ptr<const crypto::TlsInfo> {
        Slot* const place = slot(id);
        if (!place)
            return nullptr;
        --(place->row.protocol == Protocol::tls ? state.tls : state.tcp);
        if (place->row.inbound) {
            const auto source = state.sources.find(source_of(place->row.peer));
            if (source != state.sources.end() && --source->second == 0)
                state.sources.erase(source);
        }
        place->connection = nullptr;
        place->taken.store(false, std::memory_order_release);
        place->generation.fetch_add(1, std::memory_order_release);
        state.free.push_back(index_of(id));
        return std::exchange(place->tls, nullptr); // freed outside the lock
    });
}

bool ConnectionTable::add_alias(ConnectionId id, std::uint16_t port)
{
    constexpr std::size_t most_aliases = 4;
    Slot* const place = slot(id);
    if (!place || !place->published || port == 0)
        return false;
    Key key{};
    const Listener* listener = nullptr;
    const bool wanted = state_.with([&](State&) {
        key = {place->row.protocol, place->row.peer};
        listener = place->row.listener;
        auto& ports = place->aliases;
        if (port == key.peer.port || ports.size() >= most_aliases ||
            std::find(ports.begin(), ports.end(), port) != ports.end())
            return false;
        ports.push_back(port);
        return true;
    });
    if (!wanted)
        return false;
    key.peer.port = port;
    const bool added = shard(key).with([&](ByPeer& peers) {
        if (peers.contains(key))
            return false;
        peers.emplace(key, Entry{id, listener});
        return true;
    });
    if (!added) // it may be free when it is asked for again
        state_.with([&](State&) { std::erase(place->aliases, port); });
    else if (!is_open(id)) // withdrawn meanwhile, and looked for its aliases before this one was there
        forget(key, id);
    return added;
}

bool ConnectionTable::is_open(ConnectionId id) const
{
    const Slot* const place = slot(id);
    return place && place->published.load(std::memory_order_acquire);
}

bool ConnectionTable::is_held(ConnectionId id) const { return slot(id) != nullptr; }

bool ConnectionTable::reserve(ConnectionId id, std::size_t bytes, std::size_t most)
{
    Slot* const place = slot(id);
    if (!place)
        return false;
    if (place->queued.fetch_add(bytes) + bytes <= most)
        return true;
    place->queued.fetch_sub(bytes);
    return false;
}

void ConnectionTable::unreserve(ConnectionId id, std::size_t bytes)
{
    if (Slot* const place = slot(id))
        place->queued.fetch_sub(bytes);
}

std::size_t ConnectionTable::worker(ConnectionId id) const
{
    const Slot* const place = slot(id);
    return place ? place->worker.load(std::memory_order_relaxed) : 0;
}

void ConnectionTable::touch(ConnectionId id, Instant now)
{
    if (Slot* const place = slot(id))
        place->active.store(now.ns, std::memory_order_relaxed);
}

Connection* ConnectionTable::connection(ConnectionId id) const
{
    const Slot* const place = slot(id);
    return place ? place->connection : nullptr;
}

void ConnectionTable::attach(ConnectionId id, Connection* connection)
{
    if (Slot* const place = slot(id))
        place->connection = connection;
}

std::optional<ConnectionTable::Row> ConnectionTable::row(ConnectionId id) const
{
    return state_.with([&](State&) -> std::optional<Row> {
        const Slot* const place = slot(id);
        return place ? std::optional{place->row} : std::nullopt;
    });
}

void ConnectionTable::set_local(ConnectionId id, const Address& local)
{
    state_.with([&](State&) {
        if (Slot* const place = slot(id))
            place->row.local = local;
    });
}

void ConnectionTable::set_http(ConnectionId id)
{
    state_.with([&](State&) {
        if (Slot* const place = slot(id))
            place->row.http = true;
    });
}

void ConnectionTable::set_tls(ConnectionId id, std::shared_ptr<const crypto::TlsInfo> info)
{
    state_.with([&](State&) {
        if (Slot* const place = slot(id))
            place->tls = std::move(info);
    });
}

std::shared_ptr<const crypto::TlsInfo> ConnectionTable::tls(ConnectionId id) const
{
    return state_.with([&](State&) {
        const Slot* const place = slot(id);
        return place ? place->tls : nullptr;
    });
}

std::vector<ConnectionInfo> ConnectionTable::list(std::size_t most, Instant now) const
{
    return state_.with([&](State& state) {
        std::vector<ConnectionInfo> all;
        for (std::size_t index = 0; index < state.slots && all.size() < most; ++index) {
            const Slot& slot = chunks_[index / chunk_size].load()[index % chunk_size];
            if (!slot.taken)
                continue;
            const auto id = (static_cast<std::uint64_t>(slot.generation.load()) << 32) | (index + 1);
            all.push_back({ConnectionId{id}, slot.row.protocol, slot.row.peer, slot.row.local,
                           slot.row.worker, slot.row.inbound, slot.row.http, now - slot.row.since,
                           now - Instant{slot.active.load()}, slot.queued.load()});
        }
        return all;
    });
}

std::size_t ConnectionTable::held(Protocol protocol) const
{
    return state_.with([&](State& state) { return protocol == Protocol::tls ? state.tls : state.tcp; });
}

} // namespace sipyard::net
