// core/net/udp.h - the datagram sockets of one worker (DESIGN 6)
#pragma once

#include "core/net/shared.h"
#include "core/net/socket.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace sipyard::net {

class UdpWorker;

// One address on one worker. The kernel spreads flows over the workers' sockets, so a trunk (one flow) lands
// on one of them. A socket that cannot keep up lets the other workers read it too, until it catches up.
class UdpSocket {
public:
    UdpSocket(UdpWorker& home, const Listener& listener, Descriptor fd);

    // On the home worker, or on a thread that is no worker (then nothing is queued: the job is posted).
    Result<void> send(const Address& to, std::string_view bytes);
    // Reads what is there, at most 4 batches, into the buffers of `reader` and hands it to the handler. True
    // when the last batch was full.
    bool read(UdpWorker& reader);
    const Listener& listener() const { return listener_; }
    int fd() const { return fd_.get(); }

private:
    void on_event(std::uint32_t events);
    void judge(bool full);
    void enqueue(const Address& to, std::string_view bytes);
    void flush();

    struct Waiting {
        Address to;
        std::string bytes;
    };
    UdpWorker& home_;
    const Listener& listener_;
    Descriptor fd_;
    std::deque<Waiting> queue_; // the send buffer is full
    int full_wakes_ = 0, calm_wakes_ = 0;
    bool helped_ = false;
    task::Watch watch_; // last: its callback uses the rest
};

class UdpWorker {
public:
    UdpWorker(Shared& shared, task::Worker& worker);
    ~UdpWorker();

    // On this worker.
    void add(const Listener& listener, Descriptor fd);
    void help(UdpSocket& socket); // reads another worker's socket as well
    void stop_helping(const UdpSocket& socket);
    void stop_helping();
    void close();
    UdpSocket* socket(const Listener& listener) const
    {
        return listener.index < sockets_.size() ? sockets_[listener.index].get() : nullptr;
    }

    Shared& shared() { return shared_; }
    task::Worker& worker() { return worker_; }

    struct Buffers;
    Buffers& buffers() { return *buffers_; }

private:
    struct Helping {
        UdpSocket* socket;
        std::unique_ptr<task::Watch> watch;
    };
    Shared& shared_;
    task::Worker& worker_;
    std::unique_ptr<Buffers> buffers_;
    std::vector<std::unique_ptr<UdpSocket>> sockets_; // by listener index
    std::vector<Helping> helping_;
};

} // namespace sipyard::net
