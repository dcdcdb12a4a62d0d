// core/net/shared.h - what the sockets of one network have in common: settings, handler, connection table,
// counters
#pragma once

#include "core/base/guarded.h"
#include "core/log/log.h"
#include "core/net/connection_table.h"
#include "core/net/network.h"

#include <atomic>
#include <memory>
#include <vector>

namespace sipyard::net {

class StreamWorker;
class UdpWorker;

// Counts of one worker (or of all other threads); see Counters.
struct Tally {
    using Count = std::atomic<std::uint64_t>;
    Count datagrams_in{}, datagrams_out{}, bytes_in{}, bytes_out{}, udp_send_dropped{}, messages_in{},
        garbage{}, accepted{}, connected{}, refused_limit{}, closed_timeout{}, closed_error{},
        tls_handshakes{}, tls_failures{}, http_handed{};
};
inline void bump(Tally::Count& count, std::uint64_t by = 1)
{
    count.fetch_add(by, std::memory_order_relaxed);
}

struct Shared {
    Shared(const Settings& wanted, task::Runtime& its_runtime, log::Journal& journal);
    ~Shared();

    const Settings settings;
    task::Runtime& runtime;
    const log::Logger log;
    MessageHandler* handler = nullptr; // set by start()
    std::atomic<HttpAcceptor*> http{nullptr};
    Guarded<std::shared_ptr<TlsChooser>> tls; // shared with handshakes that are choosing
    ConnectionTable table;
    std::atomic<bool> stopping{false};
    std::vector<std::unique_ptr<Tally>> tallies;        // one per worker and one for the other threads
    std::vector<std::unique_ptr<UdpWorker>> udp;        // one per worker, made by start()
    std::vector<std::unique_ptr<StreamWorker>> streams; // likewise

    Tally& tally(); // the calling thread's
    std::shared_ptr<TlsChooser> tls_chooser()
    {
        return tls.with([](auto& chooser) { return chooser; });
    }
};

} // namespace sipyard::net
