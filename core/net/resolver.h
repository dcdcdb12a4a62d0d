// core/net/resolver.h - host names to addresses (c-ares; which to ask is locator.h's), asked from fibers
#pragma once

#include "core/net/address.h"
#include "core/task/runtime.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::net {

struct Srv {
    std::uint16_t priority, weight, port;
    std::string target;
};
struct Naptr {
    std::uint16_t order, preference;
    std::string flags, service, replacement;
};

// Among servers of equal priority: a weighted draw, new each time (RFC 2782), or always the heaviest.
enum class SrvOrder : unsigned char { drawn, heaviest_first };

// One channel per worker, one query in flight per name, answers cached for their TTL. At most 10,000 of them.
// The calling fiber is suspended; off a fiber the thread waits. Errors: not_found, timeout, stopping.
class Resolver {
public:
    struct Settings {
        std::vector<Address> servers; // empty: the system's
        Duration timeout = std::chrono::seconds{2};
        int tries = 2;
        bool try_ipv6 = true, cache = true;
        bool search_list = true; // the system's search domains complete a host name without dots
        Duration negative_ttl = std::chrono::seconds{60}; // how long "no such name" is believed
        Duration least_ttl = std::chrono::seconds{1}, most_ttl = std::chrono::hours{24};
    };
    Resolver(Settings settings, task::Runtime& runtime);
    ~Resolver();
    // Numeric hosts are answered at once. IPv4 first. The port is put into every address.
    Result<std::vector<Address>> addresses(std::string_view host, std::uint16_t port);
    // The lowest priority number first. The same lot, while the records are the same, draws the same order; 0
    // is any.
    Result<std::vector<Srv>> srv(std::string_view name, SrvOrder order = SrvOrder::drawn,
                                 std::uint64_t lot = 0);
    Result<std::vector<Naptr>> naptr(std::string_view name);
    void flush();
    std::size_t cached() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace sipyard::net
