// core/net/address.cpp - text and hash of addresses
#include "core/net/address.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>
#include <arpa/inet.h>
#include <random>

namespace sipyard::net {

std::string_view to_text(Protocol protocol)
{
    switch (protocol) {
    case Protocol::udp: return "udp";
    case Protocol::tcp: return "tcp";
    case Protocol::tls: return "tls";
    }
    return "?";
}

std::uint16_t default_port(Protocol protocol) { return protocol == Protocol::tls ? 5061 : 5060; }

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0,    0,
                                                     0, 0, 0, 0, 0xff, 0xff}; // ::ffff:0:0/96

} // namespace

Result<Address> Address::parse(std::string_view ip, std::uint16_t port)
{
    const auto refused = [&] { return invalid(format("'{}' is not an IP address", ip)); };
    std::string_view inner = ip;
    if (inner.size() >= 2 && inner.front() == '[' && inner.back() == ']')
        inner = inner.substr(1, inner.size() - 2);
    char text[INET6_ADDRSTRLEN];
    if (inner.empty() || inner.size() >= sizeof text || inner.find('\0') != std::string_view::npos)
        return refused();
    std::memcpy(text, inner.data(), inner.size());
    text[inner.size()] = '\0';

    Address address;
    address.port = port;
    if (inner.size() == ip.size() && inet_pton(AF_INET, text, address.bytes.data()) == 1) {
        address.family = Family::v4;
        return address;
    }
    if (inet_pton(AF_INET6, text, address.bytes.data()) != 1)
        return refused();
    address.family = Family::v6;
    if (std::memcmp(address.bytes.data(), mapped_prefix.data(), mapped_prefix.size()) == 0) {
        std::array<std::uint8_t, 16> v4{};
        std::memcpy(v4.data(), address.bytes.data() + 12, 4);
        address.bytes = v4;
        address.family = Family::v4;
    }
    return address;
}

Result<std::vector<Address>> parse_addresses(std::string_view list, std::uint16_t port)
{
    std::vector<Address> all;
    while (!(list = trim_left(list)).empty()) {
        const auto end = std::min(list.find_first_of(", \t"), list.size());
        const auto one = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        if (one.empty())
            continue;
        // An IPv6 address has colons of its own: its port needs the brackets.
        const auto colon = one.rfind(':');
        const bool has_port =
            colon != std::string_view::npos && colon > 0 && (one[colon - 1] == ']' || one.find(':') == colon);
        std::uint16_t own = port;
        if (has_port) {
            const auto number = parse_uint(one.substr(colon + 1));
            if (!number || *number < 1 || *number > 65'535)
                return invalid(format("'{}' has no port between 1 and 65535", one));
            own = static_cast<std::uint16_t>(*number);
        }
        TRY(const auto address, Address::parse(has_port ? one.substr(0, colon) : one, own));
        all.push_back(address);
    }
    return all;
}

std::string_view Address::ip_text(char* to) const
{
    if (family == Family::none)
        return {to, 0};
    if (family == Family::v4) { // by hand: it is on the way of every Via and Record-Route
        char* at = to;
        for (int i = 0; i < 4; ++i) {
            const unsigned byte = bytes[static_cast<std::size_t>(i)];
            if (i > 0)
                *at++ = '.';
            if (byte >= 100)
                *at++ = static_cast<char>('0' + byte / 100);
            if (byte >= 10)
                *at++ = static_cast<char>('0' + byte / 10 % 10);
            *at++ = static_cast<char>('0' + byte % 10);
        }
        return {to, static_cast<std::size_t>(at - to)};
    }
    inet_ntop(AF_INET6, bytes.data(), to, 48);
    return {to, std::strlen(to)};
}

std::string Address::ip() const
{
    char text[48];
    return std::string{ip_text(text)};
}

std::string Address::host() const { return family == Family::v6 ? "[" + ip() + "]" : ip(); }

std::string Address::text() const { return host() + ":" + std::to_string(port); }

std::string to_text(const Address& address) { return address.text(); }

bool Address::is_any() const { return bytes == std::array<std::uint8_t, 16>{}; }

bool Address::in_prefix(const Address& network, int bits) const
{
    const int size = family == Family::v4 ? 32 : 128;
    if (family == Family::none || family != network.family || bits < 0 || bits > size)
        return false;
    const auto whole = static_cast<std::size_t>(bits / 8);
    if (std::memcmp(bytes.data(), network.bytes.data(), whole) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits % 8));
    return (bytes[whole] & mask) == (network.bytes[whole] & mask);
}

std::size_t AddressHash::operator()(const Address& a) const
{
    // Peers choose their addresses: a seed of this process keeps them from choosing our buckets.
    static const std::uint64_t seed = [] {
        std::random_device random;
        return (static_cast<std::uint64_t>(random()) << 32) | random();
    }();
    std::uint64_t half[2];
    std::memcpy(half, a.bytes.data(), sizeof half);
    __extension__ using Wide = unsigned __int128;
    const auto mix = [](std::uint64_t x, std::uint64_t y) {
        const Wide product = static_cast<Wide>(x) * y;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    };
    const auto tail = (static_cast<std::uint64_t>(a.port) << 8) | static_cast<std::uint64_t>(a.family);
    return mix(mix(half[0] ^ seed, half[1] ^ 0x9e3779b97f4a7c15u) ^ tail, seed | 1);
}

} // namespace sipyard::net
