// core/net/connection_table.h - every stream connection of the server: ids, limits, who has which peer
#pragma once

#include "core/base/guarded.h"
#include "core/net/network.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace sipyard::net {

class Connection;

// Thread-safe. A connection holds a place from open() to release(); in between publish() makes it findable by
// its peer's address and withdraw() ends that. Asking whether an id is still good takes no lock.
class ConnectionTable {
public:
    struct Limits {
        std::size_t tcp, tls, per_source;
    };
    struct Row {
        Protocol protocol = Protocol::tcp;
        Address peer, local;
        const Listener* listener = nullptr; // it was accepted at, or shall be opened from
        std::size_t worker = 0;
        bool inbound = true, http = false;
        Instant since{};
    };
    struct Found {
        ConnectionId id;
        bool fresh = false; // made by this call
    };

    explicit ConnectionTable(const Limits& limits) : limits_{limits} {}
    ~ConnectionTable();

    // A place for a connection, or Error{overloaded} naming the limit.
    Result<ConnectionId> open(const Row& row);
    // The published connection to row.peer, or a new, published place for an outbound one.
    Result<Found> find_or_open(const Row& row, bool strict);
    // Newest published connection to that peer, rather one of `from`; with `strict` no other.
    ConnectionId find(Protocol protocol, const Address& peer, const Listener* from, bool strict) const;
    void publish(ConnectionId id);
    void withdraw(ConnectionId id);
    void release(ConnectionId id);                       // withdraws too; the id is stale from now on
    bool add_alias(ConnectionId id, std::uint16_t port); // at most 4; an address somebody has stays his

    bool is_open(ConnectionId id) const; // published
    bool is_held(ConnectionId id) const; // has a place
    // Bytes on their way to it. reserve() answers false when `most` would be exceeded.
    bool reserve(ConnectionId id, std::size_t bytes, std::size_t most);
    void unreserve(ConnectionId id, std::size_t bytes);
    std::size_t worker(ConnectionId id) const; // of a held one
    void touch(ConnectionId id, Instant now);  // something was read or written

    // For the connection's worker only.
    Connection* connection(ConnectionId id) const;
    void attach(ConnectionId id, Connection* connection);

    std::optional<Row> row(ConnectionId id) const;
    void set_local(ConnectionId id, const Address& local);
    void set_http(ConnectionId id);
    void set_tls(ConnectionId id, std::shared_ptr<const crypto::TlsInfo> info);
    std::shared_ptr<const crypto::TlsInfo> tls(ConnectionId id) const;
    std::vector<ConnectionInfo> list(std::size_t most, Instant now) const;
    std::size_t held(Protocol protocol) const;

private:
    struct Slot {
        std::atomic<std::uint32_t> generation{1}; // of the connection that holds it, or of the next
        std::atomic<bool> taken{false}, published{false};
        std::atomic<std::size_t> worker{0}, queued{0};
        std::atomic<std::int64_t> active{0};
        Connection* connection = nullptr; // its worker's
        // the rest under the lock
        Row row;
        std::vector<std::uint16_t> aliases;
        std::shared_ptr<const crypto::TlsInfo> tls; // shared with whoever looks at it
    };
    static constexpr std::size_t chunk_size = 256, most_chunks = 4096; // a million connections
    struct Key {
        Protocol protocol;
        Address peer;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const
        {
            return AddressHash{}(key.peer) + static_cast<std::size_t>(key.protocol);
        }
    };
    struct Entry {
        ConnectionId id;
        const Listener* listener;
    };
    using ByPeer = std::unordered_multimap<Key, Entry, KeyHash>;
    struct State {
        std::vector<std::uint32_t> free;
        std::size_t slots = 0, tcp = 0, tls = 0;
        std::unordered_map<Address, std::size_t, AddressHash> sources; // inbound connections by IP
    };

    Slot* slot(ConnectionId id) const; // null when the id is stale
    Guarded<ByPeer>& shard(const Key& key) const { return shards_[KeyHash{}(key) >> 60]; }
    static ConnectionId pick(const ByPeer& peers, const Key& key, const Listener* from, bool strict);
    void forget(const Key& key, ConnectionId id);

    const Limits limits_;
    mutable Guarded<State> state_;
    mutable std::array<Guarded<ByPeer>, 16> shards_;
    mutable std::array<std::atomic<Slot*>, most_chunks> chunks_{};
};

} // namespace sipyard::net
