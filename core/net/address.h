// core/net/address.h - IPv4/IPv6 address with port, and the transport protocols
#pragma once

#include "core/base/result.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::net {

enum class Protocol : unsigned char { udp = 1, tcp = 2, tls = 3 }; // Kamailio's numbers ($prid)
std::string_view to_text(Protocol protocol);                       // "udp" "tcp" "tls"
inline bool is_stream(Protocol p) { return p != Protocol::udp; }
std::uint16_t default_port(Protocol protocol); // 5060, 5061 for tls

// Value type, 20 bytes, hashable. IPv4-mapped IPv6 addresses are kept as IPv4.
struct Address {
    enum class Family : unsigned char { none, v4, v6 };
    std::array<std::uint8_t, 16> bytes{};
    std::uint16_t port = 0;
    Family family = Family::none;

    static Result<Address> parse(std::string_view ip, std::uint16_t port = 0); // "1.2.3.4", "::1", "[::1]"
    // Text goes to `to` (at least 48 bytes); the returned view is that text.
    std::string_view ip_text(char* to) const; // without brackets
    std::string ip() const;
    std::string host() const; // IPv6 in brackets
    std::string text() const; // host:port
    bool is_any() const;
    bool same_ip(const Address& other) const { return family == other.family && bytes == other.bytes; }
    bool in_prefix(const Address& network, int bits) const;
    friend bool operator==(const Address&, const Address&) = default;
};
std::string to_text(const Address& address);
// "192.0.2.1, 192.0.2.2:5353 [2001:db8::1]:53": between commas or blanks; `port` for those that name none.
Result<std::vector<Address>> parse_addresses(std::string_view list, std::uint16_t port);

struct AddressHash {
    std::size_t operator()(const Address& a) const;
};

} // namespace sipyard::net
