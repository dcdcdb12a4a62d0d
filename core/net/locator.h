// core/net/locator.h - the servers a SIP URI names, in the order they are to be tried (RFC 3263)
#pragma once

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/net/address.h"

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace sipyard::sip {
struct Uri; // core/sip/uri.h
} // namespace sipyard::sip

namespace sipyard::net {

class Network;
class Resolver;

// One server.
struct Target {
    Protocol protocol = Protocol::udp;
    Address to;
    friend bool operator==(const Target&, const Target&) = default;
};

// At most 16 of them, each once, without the heap.
class Targets {
public:
    static constexpr std::size_t most = 16;
    std::size_t size() const { return count_; }
    bool empty() const { return count_ == 0; }
    bool full() const { return count_ == most; }
    const Target& operator[](std::size_t i) const
    {
        assert(i < count_);
        return all_[i];
    }
    const Target& front() const { return (*this)[0]; }
    Target* begin() { return all_.data(); }
    Target* end() { return all_.data() + count_; }
    const Target* begin() const { return all_.data(); }
    const Target* end() const { return all_.data() + count_; }
    void push(const Target& target); // nothing when it is in the list already, or the list is full
    void keep(std::size_t how_many); // drops what comes after

private:
    std::array<Target, most> all_{};
    std::size_t count_ = 0;
};

// What a URI says about the server. The views are read during the call that gets them.
struct Wanted {
    std::string_view host;             // name or address, IPv6 with or without brackets
    std::uint16_t port = 0;            // 0: none given
    std::optional<Protocol> transport; // ;transport=, or what the script demands; none: to be found out
    bool sips = false;                 // TLS and nothing else
    std::string_view foreign;          // a ;transport= that no socket of ours speaks ("sctp", "ws")
    // Who keeps no state draws the same lot for a retransmission, a CANCEL and an ACK (RFC 3263 4.4). 0: any
    // lot.
    std::uint64_t lot = 0;
};

// maddr stands for the host (RFC 3263 4: TARGET); a sips URI with transport=tcp means TLS over TCP (4.1).
Wanted wanted_of(const sip::Uri& uri);

// Finds servers, and remembers which did not answer. Any thread.
class Locator {
public:
    struct Settings {
        bool naptr = false;    // dns_try_naptr; without it an unnamed transport is UDP, as Kamailio has it
        bool weights = false;  // dns_srv_lb: draw among equals (RFC 2782), else the heaviest is first
        bool failover = false; // use_dns_failover: all servers, else only the first
        int udp_pref = 30, tcp_pref = 20,
            tls_pref = 10;          // dns_udp_pref...: higher is preferred, below 0 never chosen
        bool use_blocklist = false; // use_dst_blocklist
        Duration blocklist_time = std::chrono::seconds{60}; // dst_blocklist_expire
    };
    static constexpr std::size_t most_blocked = 4096;

    // All three outlive it. The listeners of the network say which protocols and families can be used at all.
    Locator(const Settings& settings, Resolver& resolver, const Network& network, const Clock& clock);
    ~Locator();
    Locator(const Locator&) = delete;
    Locator& operator=(const Locator&) = delete;

    // Never empty. On a fiber; suspends when the DNS has to be asked, and a numeric host neither suspends nor
    // allocates. Blocked servers come last, so somebody is always tried. Errors: not_found (no such host, or
    // no server of it that a socket of ours can reach), timeout, stopping, unsupported (a transport we have
    // no socket for), invalid (no host).
    Result<Targets> locate(const Wanted& wanted);

    // --- the blocklist: all of it nothing without use_blocklist ----------------------------------
    void failed(const Target& target); // no answer, or no way there: last in line for blocklist_time
    bool blocked(const Target& target) const;
    std::size_t blocked_count() const;
    struct Blocked {
        Target target;
        Duration left;
    };
    std::vector<Blocked> all_blocked() const; // soonest to be free first
    void forget();                            // nobody is blocked any more

    const Settings& settings() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace sipyard::net
