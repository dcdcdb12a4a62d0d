// core/net/stream_worker.h - the stream listeners and connections of one worker
#pragma once

#include "core/net/connection.h"

#include <memory>
#include <unordered_map>
#include <vector>

namespace sipyard::net {

// All calls on its worker.
class StreamWorker {
public:
    static constexpr std::size_t scratch_size = 64 * 1024;

    StreamWorker(Shared& shared, task::Worker& worker);
    ~StreamWorker();

    void listen(const Listener& listener, Descriptor fd);
    void stop_accepting();
    void close_all();

    // To a connection of this worker; one that has only its place yet is opened first.
    Result<void> send(ConnectionId id, const Destination& to, std::string_view bytes);
    // Destroys it from the loop, after whoever is using it has returned.
    void drop(Connection& connection);
    // Asks a TLS connection again that has decrypted bytes left, after others had their turn.
    void read_later(ConnectionId id);

    Shared& shared() { return shared_; }
    task::Worker& worker() { return worker_; }
    Tally& tally();
    char* scratch() { return scratch_.get(); } // for one read on this worker

private:
    struct Acceptor {
        Acceptor(StreamWorker& home, const Listener& its_listener, Descriptor its_fd);
        void accept();
        StreamWorker& home;
        const Listener& listener;
        Descriptor fd;
        task::Timer pause; // no descriptor left: asks again a little later
        std::optional<task::Watch> watch;
    };
    void adopt(Descriptor fd, const Listener& listener, const Address& peer);
    Result<void> open(ConnectionId id);

    Shared& shared_;
    task::Worker& worker_;
    std::unique_ptr<char[]> scratch_;
    std::vector<std::unique_ptr<Acceptor>> acceptors_;
    std::unordered_map<const Connection*, std::unique_ptr<Connection>> connections_;
};

} // namespace sipyard::net
