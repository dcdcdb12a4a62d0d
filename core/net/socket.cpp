// core/net/socket.cpp - making, binding and tuning sockets
#include "core/net/socket.h"

#include "core/base/format.h"

#include <cerrno>
#include <netinet/tcp.h>
#include <system_error>
#include <unistd.h>

namespace sipyard::net {

void Descriptor::close()
{
    if (fd_ >= 0)
        ::close(std::exchange(fd_, -1));
}

socklen_t to_system(const Address& address, SocketAddress& to)
{
    if (address.family == Address::Family::v4) {
        to.v4 = sockaddr_in{};
        to.v4.sin_family = AF_INET;
        to.v4.sin_port = htons(address.port);
        std::memcpy(&to.v4.sin_addr, address.bytes.data(), 4);
        return sizeof to.v4;
    }
    to.v6 = sockaddr_in6{};
    to.v6.sin6_family = AF_INET6;
    to.v6.sin6_port = htons(address.port);
    std::memcpy(&to.v6.sin6_addr, address.bytes.data(), 16);
    return sizeof to.v6;
}

Address from_system(const SocketAddress& from)
{
    Address address;
    if (from.any.sa_family == AF_INET) {
        address.family = Address::Family::v4;
        address.port = ntohs(from.v4.sin_port);
        std::memcpy(address.bytes.data(), &from.v4.sin_addr, 4);
    } else if (from.any.sa_family == AF_INET6) {
        address.port = ntohs(from.v6.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&from.v6.sin6_addr)) {
            address.family = Address::Family::v4;
            std::memcpy(address.bytes.data(), reinterpret_cast<const char*>(&from.v6.sin6_addr) + 12, 4);
        } else {
            address.family = Address::Family::v6;
            std::memcpy(address.bytes.data(), &from.v6.sin6_addr, 16);
        }
    }
    return address;
}

Address local_address(int fd)
{
    SocketAddress local{};
    socklen_t size = sizeof local;
    if (getsockname(fd, &local.any, &size) != 0)
        return {};
    return from_system(local);
}

Error system_error(std::string_view what, int error)
{
    return {ErrorKind::io, format("{}: {}", what, std::generic_category().message(error))};
}

namespace {

void set(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof value); }

int system_family(const Address& address)
{
    return address.family == Address::Family::v4 ? AF_INET : AF_INET6;
}

enum class Sharing { no, yes };

Result<Descriptor> open_bound(const Listener& listener, const Settings& settings, Sharing sharing)
{
    if (listener.bound.family == Address::Family::none)
        return invalid(format("{}: no address to listen on", listener.text()));
    const int type = is_stream(listener.protocol) ? SOCK_STREAM : SOCK_DGRAM;
    Descriptor fd{socket(system_family(listener.bound), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd)
        return system_error(listener.text(), errno);
    if (listener.bound.family == Address::Family::v6)
        set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (is_stream(listener.protocol))
        set(fd.get(), SOL_SOCKET, SO_REUSEADDR,
            1); // connections of the previous run in TIME_WAIT do not count
    if (sharing == Sharing::yes)
        set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    if (settings.free_bind != 0)
        set(fd.get(), IPPROTO_IP, IP_FREEBIND, 1);
    SocketAddress at{};
    const socklen_t size = to_system(listener.bound, at);
    if (bind(fd.get(), &at.any, size) != 0)
        return system_error(listener.text(), errno);
    return fd;
}

} // namespace

Result<Address> source_address_for(const Address& to)
{
    const Descriptor fd{socket(system_family(to), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    SocketAddress at{};
    const socklen_t size = to_system(to, at);
    if (!fd || connect(fd.get(), &at.any, size) != 0) // sends nothing: a datagram socket
        return system_error(to.text(), errno);
    Address local = local_address(fd.get());
    local.port = 0;
    return local;
}

Result<void> claim(Listener& listener, const Settings& settings)
{
    TRY(const Descriptor fd, open_bound(listener, settings, Sharing::no));
    // Another TCP socket may be bound but not listening yet: only listen() settles whose port it is.
    if (is_stream(listener.protocol) && listen(fd.get(), 1) != 0)
        return system_error(listener.text(), errno);
    if (listener.bound.port == 0)
        listener.bound.port = local_address(fd.get()).port;
    return {};
}

Result<Descriptor> open_udp(const Listener& listener, const Settings& settings)
{
    TRY(Descriptor fd, open_bound(listener, settings, Sharing::yes));
    if (settings.receive_buffer > 0)
        set(fd.get(), SOL_SOCKET, SO_RCVBUF, settings.receive_buffer);
    if (settings.send_buffer > 0)
        set(fd.get(), SOL_SOCKET, SO_SNDBUF, settings.send_buffer);
    if (listener.bound.is_any()) { // which of our addresses did a datagram come to?
        if (listener.bound.family == Address::Family::v4)
            set(fd.get(), IPPROTO_IP, IP_PKTINFO, 1);
        else
            set(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    }
    return fd;
}

Result<Descriptor> open_acceptor(const Listener& listener, const Settings& settings)
{
    TRY(Descriptor fd, open_bound(listener, settings, Sharing::yes));
    if (listen(fd.get(), 1024) != 0)
        return system_error(listener.text(), errno);
    return fd;
}

Result<Descriptor> start_connect(const Address& to, const Listener* from, const Settings& settings)
{
    Descriptor fd{socket(system_family(to), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd)
        return system_error(to.text(), errno);
    tune_stream(fd.get(), settings);
    SocketAddress at{};
    if (from && from->bound.family == to.family && (settings.reuse_port || !from->bound.is_any())) {
        Address source = from->bound;
        if (settings.reuse_port) {
            set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
            set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
        } else {
            source.port = 0;
            set(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        }
        const socklen_t size = to_system(source, at);
        if (bind(fd.get(), &at.any, size) != 0)
            return system_error(source.text(), errno);
    }
    const socklen_t size = to_system(to, at);
    if (connect(fd.get(), &at.any, size) != 0 && errno != EINPROGRESS)
        return system_error(to.text(), errno);
    return fd;
}

void tune_stream(int fd, const Settings& settings)
{
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!settings.tcp_keepalive)
        return;
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (settings.keepalive_idle > 0)
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, settings.keepalive_idle);
    if (settings.keepalive_interval > 0)
        set(fd, IPPROTO_TCP, TCP_KEEPINTVL, settings.keepalive_interval);
    if (settings.keepalive_count > 0)
        set(fd, IPPROTO_TCP, TCP_KEEPCNT, settings.keepalive_count);
}

} // namespace sipyard::net
