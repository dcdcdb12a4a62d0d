// core/net/socket.h - descriptors and socket addresses of the operating system, wrapped where they are born
#pragma once

#include "core/base/result.h"
#include "core/net/network.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <utility>

namespace sipyard::net {

// Owns a file descriptor.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_{fd} {}
    Descriptor(Descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        if (this != &other) {
            close();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    ~Descriptor() { close(); }

    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    void close();
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

// An Address as the system calls want it; 28 bytes instead of the 128 of sockaddr_storage.
union SocketAddress {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};
socklen_t to_system(const Address& address, SocketAddress& to); // returns the size used
Address from_system(const SocketAddress& from);
Address local_address(int fd);

// The address of ours that the routing table would send from; the port is 0.
Result<Address> source_address_for(const Address& to);

// "udp:127.0.0.1:5060: Address already in use"
Error system_error(std::string_view what, int error);

// Binds the listener's address once without sharing it, so that a second instance is refused, and lets go of
// it again. A port 0 becomes the one the system chose.
Result<void> claim(Listener& listener, const Settings& settings);

// A non-blocking socket bound to the listener's address that shares it with the other workers'
// (SO_REUSEPORT).
Result<Descriptor> open_udp(const Listener& listener, const Settings& settings);
Result<Descriptor> open_acceptor(const Listener& listener, const Settings& settings); // listening

// Starts a connection; it is established or failed when the descriptor becomes writable. `from` may be null.
Result<Descriptor> start_connect(const Address& to, const Listener* from, const Settings& settings);
void tune_stream(int fd, const Settings& settings); // no delay, keepalive

} // namespace sipyard::net
