// core/net/address_test.cpp - addresses as text, prefixes, hashes
#include "core/net/address.h"
#include "test/support/catch.h"

#include <unordered_set>

namespace sipyard::net {

TEST_CASE("an address is read and written back", "[net]")
{
    const struct {
        const char *story, *text, *ip, *host;
        Address::Family family;
    } rows[] = {
        {"IPv4", "192.0.2.17", "192.0.2.17", "192.0.2.17", Address::Family::v4},
        {"IPv4 with zeros", "10.0.0.200", "10.0.0.200", "10.0.0.200", Address::Family::v4},
        {"IPv6", "2001:DB8::1", "2001:db8::1", "[2001:db8::1]", Address::Family::v6},
        {"IPv6 in brackets", "[::1]", "::1", "[::1]", Address::Family::v6},
        {"IPv4 in IPv6 clothes is IPv4", "::ffff:10.1.2.3", "10.1.2.3", "10.1.2.3", Address::Family::v4},
        {"any", "0.0.0.0", "0.0.0.0", "0.0.0.0", Address::Family::v4},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto address = Address::parse(row.text, 5060);
        INFO(why(address));
        REQUIRE(address);
        CHECK(address->ip() == row.ip);
        CHECK(address->host() == row.host);
        CHECK(address->text() == std::string{row.host} + ":5060");
        CHECK(address->family == row.family);
        CHECK(*Address::parse(address->ip(), 5060) == *address);
    }
}

TEST_CASE("what is no address is refused with its text", "[net]")
{
    for (const char* text : {"", "[", "[]", "1.2.3", "1.2.3.4.5", "256.1.1.1", "[1.2.3.4]", "::g", "a.b",
                             "fe80::1%eth0", "11111111111111111111111111111111111111111111111111111111111"}) {
        INFO(text);
        const auto address = Address::parse(text);
        REQUIRE_FALSE(address);
        CHECK(address.error().text.find(text) != std::string::npos);
    }
    CHECK_FALSE(Address::parse(std::string_view{"1.2.3.4\0", 8}));
}

TEST_CASE("prefixes", "[net]")
{
    const struct {
        const char *story, *address, *network;
        int bits;
        bool expected;
    } rows[] = {
        {"inside a /8", "10.200.1.1", "10.0.0.0", 8, true},
        {"outside a /8", "11.0.0.0", "10.0.0.0", 8, false},
        {"inside a /20", "192.168.31.255", "192.168.16.0", 20, true},
        {"outside a /20", "192.168.32.0", "192.168.16.0", 20, false},
        {"everything", "1.2.3.4", "0.0.0.0", 0, true},
        {"a host", "1.2.3.4", "1.2.3.4", 32, true},
        {"too many bits for IPv4", "1.2.3.4", "1.2.3.4", 33, false},
        {"families do not mix", "::1", "0.0.0.0", 0, false},
        {"inside a /65", "2001:db8:0:0:8000::1", "2001:db8:0:0:8000::", 65, true},
        {"outside a /65", "2001:db8::1", "2001:db8:0:0:8000::", 65, false},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(Address::parse(row.address)->in_prefix(*Address::parse(row.network), row.bits) == row.expected);
    }
}

TEST_CASE("hashes differ where addresses do", "[net]")
{
    std::unordered_set<std::size_t> seen;
    for (int host = 0; host < 256; ++host)
        for (std::uint16_t port = 5000; port < 5064; ++port)
            seen.insert(AddressHash{}(*Address::parse("10.0.0." + std::to_string(host), port)));
    CHECK(seen.size() == 256 * 64);
}

TEST_CASE("a list of addresses, as the DNS servers are given", "[net]")
{
    const struct {
        const char* story;
        const char* list;
        const char* expected; // "!" when it is refused
    } rows[] = {
        {"nothing", "  ", ""},
        {"one, on the usual port", "192.0.2.1", "192.0.2.1:53"},
        {"commas and blanks", "192.0.2.1,192.0.2.2:5353 , 192.0.2.3",
         "192.0.2.1:53 192.0.2.2:5353 192.0.2.3:53"},
        {"IPv6 with and without port", "2001:db8::1 [2001:db8::2]:54", "[2001:db8::1]:53 [2001:db8::2]:54"},
        {"a name", "dns.example.com", "!"},
        {"no port after the colon", "192.0.2.1:", "!"},
        {"no such port", "192.0.2.1:65536", "!"},
        {"port 0", "192.0.2.1:0", "!"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto list = parse_addresses(row.list, 53);
        std::string seen = list ? "" : "!";
        if (list)
            for (const auto& one : *list)
                seen += (seen.empty() ? "" : " ") + one.text();
        CHECK(seen == row.expected);
    }
}

} // namespace sipyard::net
