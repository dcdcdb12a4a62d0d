// core/net/dns_channel.h - one worker's way to the DNS servers: c-ares driven by the worker's epoll and
// timers
#pragma once

#include "core/base/function.h"
#include "core/net/resolver.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sipyard::net {

enum class DnsKind : unsigned char { addresses, srv, naptr };

// What became of a question. `error` is not_found (the name or the type does not exist), timeout, stopping or
// other.
struct DnsAnswer {
    std::optional<Error> error;
    std::vector<Address> addresses; // IPv4 first, port 0
    std::vector<Srv> srv;
    std::vector<Naptr> naptr;
    Duration ttl{};
};

// Used and destroyed on its worker's loop. Questions still open at the end are answered with Error{stopping}.
class DnsChannel {
public:
    using Done = Function<void(DnsAnswer)>;

    DnsChannel(const Resolver::Settings& settings, task::Worker& worker);
    ~DnsChannel();
    // `done` runs on the loop, possibly inside the call.
    void ask(DnsKind kind, const std::string& name, Done done);

    // For threads outside the loops (start-up): asks on a channel of its own and waits.
    static DnsAnswer ask_and_wait(const Resolver::Settings& settings, DnsKind kind, const std::string& name);

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

// Longest time a question may take: c-ares doubles its patience with each round over the servers.
Duration longest_question(const Resolver::Settings& settings);

} // namespace sipyard::net
