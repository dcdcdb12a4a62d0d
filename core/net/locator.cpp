// core/net/locator.cpp - NAPTR, then SRV, then addresses (RFC 3263 4); and who did not answer of late
#include "core/net/locator.h"

#include "core/base/format.h"
#include "core/base/guarded.h"
#include "core/base/text.h"
#include "core/net/network.h"
#include "core/net/resolver.h"
#include "core/sip/uri.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <unordered_map>

namespace sipyard::net {

namespace {

constexpr std::size_t longest_name = 253; // of a host name (RFC 1035 2.3.4)
constexpr std::size_t most_services = 6;  // NAPTR records looked into: what comes back is a stranger's
constexpr int most_timeouts = 2;          // questions that may stay unanswered before the search gives up

struct TargetHash {
    std::size_t operator()(const Target& t) const
    {
        return AddressHash{}(t.to) * 31 + static_cast<std::size_t>(t.protocol);
    }
};

// Where the servers of one transport are written.
struct Service {
    Protocol protocol;
    std::string name; // "_sip._udp.example.com"
};

std::string service_name(Protocol protocol, std::string_view host)
{
    const std::string_view prefix = protocol == Protocol::udp   ? "_sip._udp."
                                    : protocol == Protocol::tcp ? "_sip._tcp."
                                                                : "_sips._tcp.";
    return std::string{prefix} + std::string{host};
}

// RFC 3263 4.1; of other services (SCTP, WebSocket) we know nothing.
std::optional<Protocol> protocol_of(const Naptr& record)
{
    if (!iequals(record.flags, "s") || record.replacement.empty() || record.replacement == ".")
        return std::nullopt;
    return iequals(record.service, "SIP+D2U")    ? std::optional{Protocol::udp}
           : iequals(record.service, "SIP+D2T")  ? std::optional{Protocol::tcp}
           : iequals(record.service, "SIPS+D2T") ? std::optional{Protocol::tls}
                                                 : std::nullopt;
}

} // namespace

void Targets::push(const Target& target)
{
    if (!full() && std::find(begin(), end(), target) == end())
        all_[count_++] = target;
}

void Targets::keep(std::size_t how_many) { count_ = std::min(count_, how_many); }

Wanted wanted_of(const sip::Uri& uri)
{
    Wanted wanted;
    wanted.host = uri.maddr().empty() ? uri.host : uri.maddr();
    wanted.port = uri.port;
    wanted.sips = uri.scheme == sip::Scheme::sips;
    switch (uri.transport()) {
    case sip::Transport::none: break;
    case sip::Transport::udp: wanted.transport = Protocol::udp; break;
    case sip::Transport::tcp: wanted.transport = wanted.sips ? Protocol::tls : Protocol::tcp; break;
    case sip::Transport::tls: wanted.transport = Protocol::tls; break;
    default: wanted.foreign = uri.transport_text();
    }
    return wanted;
}

struct Locator::Parts {
    // What is blocked since when. All are blocked for the same time, so the oldest is the first to be free.
    struct Blocklist {
        std::unordered_map<Target, Instant, TargetHash> until;
        std::deque<std::pair<Target, Instant>> order; // an entry that was renewed is there twice
        void drop_first();
        void tidy(Instant now);
    };
    // One question of locate(), on its way.
    struct Search {
        std::size_t enough;
        Targets found;
        std::optional<Error> last; // why the latest question brought nothing
        int timeouts = 0;
        bool over() const
        {
            return found.size() >= enough || timeouts >= most_timeouts ||
                   (last && last->kind == ErrorKind::stopping);
        }
        void note(const Error& error)
        {
            timeouts += error.kind == ErrorKind::timeout;
            last = error;
        }
    };

    Parts(const Settings& its_settings, Resolver& its_resolver, const Network& its_network,
          const Clock& its_clock)
        : settings{its_settings}, resolver{its_resolver}, network{its_network}, clock{its_clock}
    {
    }
    bool has_socket(Protocol protocol) const;
    bool can_reach(const Target& target) const;
    int preference(Protocol protocol) const;
    Protocol usual() const;
    void by_preference(std::vector<Service>& services) const;
    Result<std::optional<Protocol>> demanded(const Wanted& wanted) const;
    std::vector<Service> services(const Wanted& wanted, std::optional<Protocol> transport, Search& search);
    void add_addresses(std::string_view host, std::uint16_t port, Protocol protocol, Search& search);
    bool add_service(const Service& service, std::uint64_t lot, Search& search);
    void search_names(const Wanted& wanted, std::optional<Protocol> transport, Search& search);
    Result<Targets> in_line(const Targets& found) const;

    const Settings settings;
    Resolver& resolver;
    const Network& network;
    const Clock& clock;
    mutable Guarded<Blocklist> blocklist;
    mutable std::atomic<std::size_t> blocked_now{0}; // nobody blocked is the usual case, and asks no lock
};

// --- what our sockets can do ---------------------------------------------------------------------

bool Locator::Parts::has_socket(Protocol protocol) const
{
    const auto& all = network.listeners();
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one->protocol == protocol; });
}

bool Locator::Parts::can_reach(const Target& target) const
{
    const auto& all = network.listeners();
    return std::any_of(all.begin(), all.end(), [&](const auto& one) {
        return one->protocol == target.protocol && one->bound.family == target.to.family;
    });
}

int Locator::Parts::preference(Protocol protocol) const
{
    return protocol == Protocol::udp   ? settings.udp_pref
           : protocol == Protocol::tcp ? settings.tcp_pref
                                       : settings.tls_pref;
}

// UDP for a sip URI that says nothing (RFC 3263 4.1); a server without UDP sockets takes what it has.
Protocol Locator::Parts::usual() const
{
    Protocol best = Protocol::udp;
    if (has_socket(best))
        return best;
    for (const Protocol other : {Protocol::tcp, Protocol::tls})
        if (has_socket(other) && (best == Protocol::udp || preference(other) > preference(best)))
            best = other;
    return best;
}

// Ours come before the domain's: an operator who wants the domain's order sets all to the same (Kamailio's
// rule).
void Locator::Parts::by_preference(std::vector<Service>& services) const
{
    std::stable_sort(services.begin(), services.end(), [&](const Service& a, const Service& b) {
        return preference(a.protocol) > preference(b.protocol);
    });
}

Result<std::optional<Protocol>> Locator::Parts::demanded(const Wanted& wanted) const
{
    if (!wanted.foreign.empty())
        return Error{ErrorKind::unsupported, format("transport '{}' is not spoken here", wanted.foreign)};
    auto transport = wanted.transport;
    if (wanted.sips && transport == Protocol::udp)
        return Error{ErrorKind::unsupported, "a sips URI asks for TLS, which UDP cannot carry"};
    if (wanted.sips)
        transport = Protocol::tls;
    if (transport && !has_socket(*transport))
        return Error{ErrorKind::unsupported, format("no socket of ours speaks {}", to_text(*transport))};
    return transport;
}

// --- the search ----------------------------------------------------------------------------------

void Locator::Parts::add_addresses(std::string_view host, std::uint16_t port, Protocol protocol,
                                   Search& search)
{
    const auto all = resolver.addresses(host, port);
    if (!all)
        return search.note(all.error());
    for (const Address& address : *all) {
        const Target target{protocol, address};
        if (can_reach(target) && search.found.size() < search.enough)
            search.found.push(target);
    }
    if (search.found.empty())
        search.last =
            Error{ErrorKind::not_found, format("no socket of ours reaches an address of '{}'", host)};
}

// False when there are no SRV records: then the name itself is looked up.
bool Locator::Parts::add_service(const Service& service, std::uint64_t lot, Search& search)
{
    const auto all =
        resolver.srv(service.name, settings.weights ? SrvOrder::drawn : SrvOrder::heaviest_first, lot);
    if (!all) {
        search.note(all.error());
        return false;
    }
    search.last = Error{ErrorKind::not_found, format("'{}' names no server that can be used", service.name)};
    std::size_t looked_at = 0;
    for (const Srv& one : *all) {
        if (search.over() || ++looked_at > Targets::most)
            break;
        // "." says that there is no such service, whatever addresses the domain has (RFC 2782).
        if (one.port != 0 && !one.target.empty() && one.target != ".")
            add_addresses(one.target, one.port, service.protocol, search);
    }
    return true;
}

// The services to look into, the preferred first.
std::vector<Service> Locator::Parts::services(const Wanted& wanted, std::optional<Protocol> transport,
                                              Search& search)
{
    std::vector<Service> list;
    // RFC 3263 4.1: a transport that is named needs no NAPTR. Without dns_try_naptr it counts as named. (sips
    // names none: its servers may be anybody's, and whatever is not TLS is discarded.)
    if (wanted.transport || !settings.naptr) {
        const Protocol protocol = transport.value_or(usual());
        list.push_back({protocol, service_name(protocol, wanted.host)});
        return list;
    }
    const auto can_serve = [&](Protocol protocol) {
        return wanted.sips ? protocol == Protocol::tls : preference(protocol) >= 0 && has_socket(protocol);
    };
    if (const auto records = resolver.naptr(wanted.host)) {
        for (const Naptr& record : *records)
            if (const auto protocol = protocol_of(record);
                protocol && can_serve(*protocol) && list.size() < most_services)
                list.push_back({*protocol, record.replacement});
    } else {
        search.note(records.error());
    }
    by_preference(list);
    if (list.empty()) {
        for (const Protocol protocol : {Protocol::udp, Protocol::tcp, Protocol::tls})
            if (can_serve(protocol))
                list.push_back({protocol, service_name(protocol, wanted.host)});
        by_preference(list);
    }
    return list;
}

void Locator::Parts::search_names(const Wanted& wanted, std::optional<Protocol> transport, Search& search)
{
    if (wanted.port != 0) // RFC 3263 4.2: with a port there is nothing to ask but the address
        return add_addresses(wanted.host, wanted.port, transport.value_or(usual()), search);
    bool any = false;
    for (const Service& service : services(wanted, transport, search)) {
        if (search.over())
            return;
        any = add_service(service, wanted.lot, search) || any;
    }
    const Protocol protocol = transport.value_or(usual());
    if (!any && !search.over())
        add_addresses(wanted.host, default_port(protocol), protocol, search);
}

// --- the blocklist -------------------------------------------------------------------------------

void Locator::Parts::Blocklist::drop_first()
{
    const auto& [target, since] = order.front();
    if (const auto found = until.find(target); found != until.end() && found->second == since)
        until.erase(found);
    order.pop_front();
}

void Locator::Parts::Blocklist::tidy(Instant now)
{
    while (!order.empty() && order.front().second <= now)
        drop_first();
}

Result<Targets> Locator::Parts::in_line(const Targets& found) const
{
    Targets line = found;
    if (found.size() > 1 && blocked_now.load(std::memory_order_relaxed) > 0) {
        const auto now = clock.now();
        line = blocklist.with([&](Blocklist& list) {
            list.tidy(now);
            blocked_now = list.until.size();
            Targets sorted;
            for (const bool blocked : {false, true})
                for (const Target& one : found)
                    if (list.until.contains(one) == blocked)
                        sorted.push(one);
            return sorted;
        });
    }
    line.keep(settings.failover ? Targets::most : 1);
    return line;
}

Locator::Locator(const Settings& settings, Resolver& resolver, const Network& network, const Clock& clock)
    : parts_{std::make_unique<Parts>(settings, resolver, network, clock)}
{
}

Locator::~Locator() = default;

Result<Targets> Locator::locate(const Wanted& wanted)
{
    Parts& p = *parts_;
    if (wanted.host.empty())
        return Error{ErrorKind::invalid, "the URI names no host"};
    TRY(const auto transport, p.demanded(wanted));
    const Protocol protocol = transport.value_or(p.usual());
    if (const auto numeric =
            Address::parse(wanted.host, wanted.port ? wanted.port : default_port(protocol))) {
        Targets one;
        one.push({protocol, *numeric});
        return one;
    }
    if (wanted.host.size() > longest_name)
        return Error{ErrorKind::not_found,
                     format("'{}...' is longer than a host name may be", wanted.host.substr(0, 40))};
    Parts::Search search;
    // A blocked server is no use as the only one: then all are found, and the best is kept.
    search.enough = p.settings.failover || p.blocked_now > 0 ? Targets::most : 1;
    p.search_names(wanted, transport, search);
    if (search.found.empty())
        return search.last ? *search.last
                           : Error{ErrorKind::not_found, format("no server found for '{}'", wanted.host)};
    return p.in_line(search.found);
}

void Locator::failed(const Target& target)
{
    Parts& p = *parts_;
    if (!p.settings.use_blocklist)
        return;
    const auto now = p.clock.now();
    const auto until = now + p.settings.blocklist_time;
    p.blocklist.with([&](Parts::Blocklist& list) {
        list.tidy(now);
        auto& entry = list.until[target];
        if (until - entry > 1s) { // many requests fail at once: one of them is enough
            entry = until;
            list.order.emplace_back(target, until);
        }
        while (list.order.size() > most_blocked)
            list.drop_first();
        p.blocked_now = list.until.size();
    });
}

bool Locator::blocked(const Target& target) const
{
    const Parts& p = *parts_;
    if (p.blocked_now.load(std::memory_order_relaxed) == 0)
        return false;
    const auto now = p.clock.now();
    return p.blocklist.with([&](const Parts::Blocklist& list) {
        const auto entry = list.until.find(target);
        return entry != list.until.end() && entry->second > now;
    });
}

std::size_t Locator::blocked_count() const
{
    const Parts& p = *parts_;
    const auto now = p.clock.now();
    return p.blocklist.with([&](Parts::Blocklist& list) {
        list.tidy(now);
        return list.until.size();
    });
}

std::vector<Locator::Blocked> Locator::all_blocked() const
{
    const auto now = parts_->clock.now();
    auto all = parts_->blocklist.with([&](Parts::Blocklist& list) {
        list.tidy(now);
        std::vector<Blocked> rows;
        for (const auto& [target, until] : list.until)
            rows.push_back({target, until - now});
        return rows;
    });
    std::sort(all.begin(), all.end(), [](const Blocked& a, const Blocked& b) { return a.left < b.left; });
    return all;
}

void Locator::forget()
{
    parts_->blocklist.with([&](Parts::Blocklist& list) {
        list.until.clear();
        list.order.clear();
        parts_->blocked_now = 0;
    });
}

const Locator::Settings& Locator::settings() const { return parts_->settings; }

} // namespace sipyard::net
