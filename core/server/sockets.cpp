// core/server/sockets.cpp - addresses of hosts and interfaces
#include "core/server/sockets.h"

#include "core/base/text.h"

#include <arpa/inet.h>
#include <condition_variable>
#include <cstring>
#include <ifaddrs.h>
#include <map>
#include <memory>
#include <mutex>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <thread>

namespace sipyard::server {

namespace {

Result<net::Address> from_sockaddr(const sockaddr* address)
{
    char text[INET6_ADDRSTRLEN];
    const void* bytes = nullptr;
    if (address->sa_family == AF_INET)
        bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    else if (address->sa_family == AF_INET6)
        bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (!bytes || !::inet_ntop(address->sa_family, bytes, text, sizeof text))
        return Error{ErrorKind::unsupported, "not an IP address"};
    return net::Address::parse(text);
}

enum class Take : unsigned char { v4, both };

// Addresses of one interface, or of all that are up (loopback last resort excluded, as Kamailio does).
std::vector<net::Address> interface_addresses(std::string_view name, Take take)
{
    std::vector<net::Address> found;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0)
        return found;
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, &::freeifaddrs};
    for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
        if (!at->ifa_addr || !(at->ifa_flags & IFF_UP) || (!name.empty() && name != at->ifa_name))
            continue;
        if (at->ifa_addr->sa_family == AF_INET6) {
            const auto* v6 = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
            if (take == Take::v4 || IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
                continue;
        }
        if (auto address = from_sockaddr(at->ifa_addr))
            found.push_back(*address);
    }
    return found;
}

std::vector<net::Address> lookup(const std::string& host)
{
    std::vector<net::Address> found;
    addrinfo hints{}, *list = nullptr;
    hints.ai_socktype = SOCK_DGRAM;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0)
        return found;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{list, &::freeaddrinfo};
    for (const addrinfo* at = list; at != nullptr && found.empty(); at = at->ai_next)
        if (auto address = from_sockaddr(at->ai_addr))
            found.push_back(*address);
    return found;
}

std::vector<net::Protocol> protocols_of(const ListenLine& line, const CoreSettings& settings)
{
    if (line.protocol)
        return {*line.protocol};
    std::vector<net::Protocol> all{net::Protocol::udp};
    if (!settings.disable_tcp)
        all.push_back(net::Protocol::tcp);
    if (settings.enable_tls && !settings.disable_tcp)
        all.push_back(net::Protocol::tls);
    return all;
}

} // namespace

Result<std::vector<net::Listener>> listeners_of(const CoreSettings& settings)
{
    std::vector<ListenLine> lines = settings.listen;
    if (lines.empty())
        lines.emplace_back();
    std::vector<net::Listener> listeners;
    for (const ListenLine& line : lines) {
        if (line.virtual_address)
            continue; // counts as ours, is not bound
        std::vector<net::Address> addresses;
        if (auto literal = net::Address::parse(line.host); literal && !line.host.empty()) {
            addresses.push_back(*literal);
        } else {
            addresses = interface_addresses(line.host, settings.auto_bind_ipv6 != 0 ? Take::both : Take::v4);
            if (addresses.empty() && !line.host.empty())
                addresses = lookup(line.host);
        }
        if (addresses.empty())
            return Error{
                ErrorKind::not_found,
                format("{}:{}: cannot resolve the listen address '{}': expected an IP address, an interface "
                       "or a host name",
                       line.file.empty() ? settings.config_file : line.file, line.line, line.host)};
        for (const net::Protocol protocol : protocols_of(line, settings)) {
            if (protocol != net::Protocol::udp && settings.disable_tcp)
                continue; // listen lines of a transport that is switched off are passed over, as in Kamailio
            if (protocol == net::Protocol::tls && !settings.enable_tls)
                continue;
            for (net::Address address : addresses) {
                const std::uint16_t fallback =
                    protocol == net::Protocol::tls ? settings.tls_port_no : settings.port;
                // A line without protocol and with a port puts TLS one above it, as two cannot share a TCP
                // port.
                const bool shared = !line.protocol && protocol == net::Protocol::tls && line.port != 0;
                address.port =
                    line.port == 0 ? fallback : static_cast<std::uint16_t>(line.port + (shared ? 1 : 0));
                net::Listener listener;
                listener.protocol = protocol;
                listener.bound = address;
                listener.name = line.name;
                listener.advertised_host =
                    !line.advertised_host.empty() ? line.advertised_host : settings.advertised_address;
                listener.advertised_port =
                    line.advertised_port != 0 ? line.advertised_port : settings.advertised_port;
                listeners.push_back(std::move(listener));
            }
        }
    }
    return listeners;
}

std::vector<AliasLine> names_of(const CoreSettings& settings, const std::vector<net::Listener>& listeners)
{
    std::vector<AliasLine> names = settings.alias;
    for (const net::Listener& listener : listeners) {
        std::vector<net::Address> addresses{listener.bound};
        if (listener.bound.is_any()) // bound to all: every local address is ours
            addresses = interface_addresses({}, listener.bound.family == net::Address::Family::v6 ? Take::both
                                                                                                  : Take::v4);
        for (const net::Address& address : addresses)
            names.push_back({listener.protocol, address.ip(), listener.bound.port});
        if (!listener.advertised_host.empty())
            names.push_back({listener.protocol, listener.advertised_host, listener.port()});
    }
    for (const ListenLine& line : settings.listen)
        if (line.virtual_address || (!line.host.empty() && !net::Address::parse(line.host)))
            names.push_back({line.protocol, line.host, line.port != 0 ? line.port : settings.port});
    return names;
}

std::optional<std::string> reverse_lookup(const net::Address& address)
{
    sockaddr_storage place{};
    socklen_t size = 0;
    if (address.family == net::Address::Family::v4) {
        auto* const v4 = reinterpret_cast<sockaddr_in*>(&place);
        v4->sin_family = AF_INET;
        std::memcpy(&v4->sin_addr, address.bytes.data(), 4);
        size = sizeof *v4;
    } else {
        auto* const v6 = reinterpret_cast<sockaddr_in6*>(&place);
        v6->sin6_family = AF_INET6;
        std::memcpy(&v6->sin6_addr, address.bytes.data(), 16);
        size = sizeof *v6;
    }
    char name[NI_MAXHOST];
    if (::getnameinfo(reinterpret_cast<sockaddr*>(&place), size, name, sizeof name, nullptr, 0,
                      NI_NAMEREQD) != 0)
        return std::nullopt;
    return name;
}

std::vector<AliasLine> reverse_names(const std::vector<AliasLine>& ours, Duration patience,
                                     ReverseLookup lookup)
{
    struct Found {
        std::mutex mutex;
        std::condition_variable changed;
        std::vector<AliasLine> names;
        bool done = false;
    };
    auto found = std::make_shared<Found>(); // owners: this call and the thread, which may stay longer
    std::thread{[found, ours, lookup] {
        std::map<std::string, std::optional<std::string>> asked; // an address has many sockets, and one name
        for (const AliasLine& line : ours) {
            const auto address = net::Address::parse(line.host);
            if (!address)
                continue;
            const auto [place, fresh] = asked.try_emplace(line.host);
            if (fresh)
                place->second = lookup(*address);
            if (!place->second)
                continue;
            const std::lock_guard lock{found->mutex};
            found->names.push_back({line.protocol, *place->second, line.port});
        }
        const std::lock_guard lock{found->mutex};
        found->done = true;
        found->changed.notify_all();
    }}.detach();
    std::unique_lock lock{found->mutex};
    found->changed.wait_for(lock, std::chrono::nanoseconds{patience}, [&] { return found->done; });
    return found->names;
}

} // namespace sipyard::server
