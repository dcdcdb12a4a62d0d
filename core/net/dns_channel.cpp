// core/net/dns_channel.cpp - c-ares: set up, asked, and its answers as values
#include "core/net/dns_channel.h"

#include "core/base/format.h"

#include <algorithm>
#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <map>
#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/time.h>

namespace sipyard::net {

namespace {

constexpr std::uint32_t longest_ttl = 86'400; // a day; who says more is mistaken (RFC 8767 4)

struct Question {
    DnsKind kind;
    std::string name;
    DnsChannel::Done done;
};

Error error_of(int status, const Question& question)
{
    switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_ENONAME:
    case ARES_EBADNAME: return {ErrorKind::not_found, format("the DNS knows no '{}'", question.name)};
    case ARES_ETIMEOUT:
        return {ErrorKind::timeout, format("no DNS server answered about '{}'", question.name)};
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED: return {ErrorKind::stopping, "the resolver is stopping"};
    default:
        return {ErrorKind::other, format("DNS question about '{}': {}", question.name,
                                         std::string_view{ares_strerror(status)})};
    }
}

DnsAnswer failed(Error error)
{
    DnsAnswer answer;
    answer.error = std::move(error);
    return answer;
}

// The library's parsers leave the time to live of SRV and NAPTR out: the least of the answer section.
std::uint32_t least_ttl(const unsigned char* bytes, int size)
{
    const auto skip_name = [&](const unsigned char* at) -> const unsigned char* {
        char* name = nullptr;
        long used = 0;
        if (ares_expand_name(at, bytes, size, &name, &used) != ARES_SUCCESS)
            return nullptr;
        ares_free_string(name);
        return at + used;
    };
    const unsigned char* const end = bytes + size;
    const unsigned char* at = bytes + HFIXEDSZ;
    if (size < HFIXEDSZ)
        return 0;
    const auto number = [](const unsigned char* p) { return (unsigned{p[0]} << 8) | p[1]; };
    for (unsigned i = number(bytes + 4); i > 0; --i) {
        at = at < end ? skip_name(at) : nullptr;
        if (!at || end - at < QFIXEDSZ)
            return 0;
        at += QFIXEDSZ;
    }
    std::uint32_t least = longest_ttl;
    for (unsigned i = number(bytes + 6); i > 0; --i) {
        at = at < end ? skip_name(at) : nullptr;
        if (!at || end - at < RRFIXEDSZ)
            return 0;
        least = std::min<std::uint32_t>(least, (number(at + 4) << 16) | number(at + 6));
        const auto length = static_cast<std::ptrdiff_t>(number(at + 8));
        at += RRFIXEDSZ;
        if (end - at < length)
            return 0;
        at += length;
    }
    return least;
}

void on_records(void* argument, int status, int, unsigned char* bytes, int size)
{
    const std::unique_ptr<Question> question{static_cast<Question*>(argument)};
    DnsAnswer answer;
    if (status == ARES_SUCCESS && question->kind == DnsKind::srv) {
        ares_srv_reply* list = nullptr;
        status = ares_parse_srv_reply(bytes, size, &list);
        for (const auto* one = list; one; one = one->next)
            answer.srv.push_back({one->priority, one->weight, one->port, one->host});
        ares_free_data(list);
    } else if (status == ARES_SUCCESS) {
        ares_naptr_reply* list = nullptr;
        status = ares_parse_naptr_reply(bytes, size, &list);
        const auto text = [](const unsigned char* p) {
            return std::string{reinterpret_cast<const char*>(p)};
        };
        for (const auto* one = list; one; one = one->next)
            answer.naptr.push_back(
                {one->order, one->preference, text(one->flags), text(one->service), one->replacement});
        ares_free_data(list);
    }
    if (status == ARES_SUCCESS && answer.srv.empty() && answer.naptr.empty())
        status = ARES_ENODATA;
    if (status == ARES_SUCCESS)
        answer.ttl = std::chrono::seconds{least_ttl(bytes, size)};
    else
        answer.error = error_of(status, *question);
    question->done(std::move(answer));
}

void on_addresses(void* argument, int status, int, ares_addrinfo* list)
{
    const std::unique_ptr<Question> question{static_cast<Question*>(argument)};
    DnsAnswer answer;
    std::uint32_t ttl = longest_ttl;
    for (const auto* one = list ? list->nodes : nullptr; one; one = one->ai_next) {
        Address address;
        if (one->ai_family == AF_INET) {
            address.family = Address::Family::v4;
            std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr,
                        4);
        } else if (one->ai_family == AF_INET6) {
            address.family = Address::Family::v6;
            std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(one->ai_addr)->sin6_addr,
                        16);
        } else {
            continue;
        }
        if (std::find(answer.addresses.begin(), answer.addresses.end(), address) == answer.addresses.end())
            answer.addresses.push_back(address);
        if (one->ai_ttl >= 0)
            ttl = std::min(ttl, static_cast<std::uint32_t>(one->ai_ttl));
    }
    ares_freeaddrinfo(list);
    std::stable_partition(answer.addresses.begin(), answer.addresses.end(),
                          [](const Address& a) { return a.family == Address::Family::v4; });
    if (status == ARES_SUCCESS && answer.addresses.empty())
        status = ARES_ENODATA;
    if (status == ARES_SUCCESS)
        answer.ttl = std::chrono::seconds{ttl};
    else
        answer.error = error_of(status, *question);
    question->done(std::move(answer));
}

// Null when the library cannot be set up.
ares_channel open_channel(const Resolver::Settings& settings, ares_sock_state_cb on_socket, void* argument)
{
    ares_options options{};
    options.timeout =
        static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(settings.timeout).count());
    options.tries = settings.tries;
    options.sock_state_cb = on_socket;
    options.sock_state_cb_data = argument;
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    ares_channel channel = nullptr;
    if (on_socket)
        mask |= ARES_OPT_SOCK_STATE_CB;
    if (!settings.search_list) {
        mask |= ARES_OPT_FLAGS;
        options.flags = ARES_FLAG_NOSEARCH;
    }
    if (ares_init_options(&channel, &options, mask) != ARES_SUCCESS)
        return nullptr;
    std::string servers;
    for (Address server : settings.servers) {
        server.port = server.port ? server.port : 53;
        servers += (servers.empty() ? "" : ",") + server.text();
    }
    if (!servers.empty())
        ares_set_servers_ports_csv(channel, servers.c_str());
    return channel;
}

void ask_channel(ares_channel channel, const Resolver::Settings& settings, Question question)
{
    auto* const kept = new Question{std::move(question)}; // the callback frees it; it is always called
    if (kept->kind == DnsKind::addresses) {
        ares_addrinfo_hints hints{};
        hints.ai_family = settings.try_ipv6 ? AF_UNSPEC : AF_INET;
        hints.ai_flags = ARES_AI_NOSORT; // sorting would open a socket for each address
        const std::string name = kept->name;
        ares_getaddrinfo(channel, name.c_str(), nullptr, &hints, on_addresses, kept);
    } else {
        const std::string name = kept->name;
        ares_query(channel, name.c_str(), ns_c_in, kept->kind == DnsKind::srv ? ns_t_srv : ns_t_naptr,
                   on_records, kept);
    }
}

} // namespace

struct DnsChannel::Parts {
    Parts(const Resolver::Settings& its_settings, task::Worker& its_worker)
        : settings{its_settings}, worker{its_worker}, timer{worker,
                                                            [this] {
                                                                process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
                                                            }},
          channel{open_channel(settings, &Parts::on_socket, this)}
    {
    }
    ~Parts()
    {
        if (channel)
            ares_destroy(channel);
    }
    static void on_socket(void* argument, ares_socket_t fd, int readable, int writable)
    {
        auto& self = *static_cast<Parts*>(argument);
        const auto events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
        const auto found = self.watches.find(fd);
        if (events == 0) {
            self.watches.erase(fd);
        } else if (found != self.watches.end()) {
            found->second->change(events);
        } else {
            self.watches[fd] =
                std::make_unique<task::Watch>(self.worker, fd, events, [&self, fd](std::uint32_t seen) {
                    const auto trouble = seen & (EPOLLERR | EPOLLHUP);
                    self.process(seen & EPOLLIN || trouble ? fd : ARES_SOCKET_BAD,
                                 seen & EPOLLOUT ? fd : ARES_SOCKET_BAD);
                });
        }
    }
    void process(ares_socket_t readable, ares_socket_t writable)
    {
        ares_process_fd(channel, readable, writable);
        schedule();
    }
    void schedule()
    {
        timeval left{};
        if (!ares_timeout(channel, nullptr, &left))
            return timer.cancel();
        timer.arm_in(std::chrono::seconds{left.tv_sec} + std::chrono::microseconds{left.tv_usec});
    }

    const Resolver::Settings settings;
    task::Worker& worker;
    task::Timer timer;
    std::map<ares_socket_t, std::unique_ptr<task::Watch>> watches;
    ares_channel channel;
};

DnsChannel::DnsChannel(const Resolver::Settings& settings, task::Worker& worker)
    : parts_{std::make_unique<Parts>(settings, worker)}
{
}

DnsChannel::~DnsChannel() = default;

void DnsChannel::ask(DnsKind kind, const std::string& name, Done done)
{
    if (!parts_->channel)
        return done(failed({ErrorKind::other, "the DNS library cannot be set up"}));
    ask_channel(parts_->channel, parts_->settings, {kind, name, std::move(done)});
    parts_->schedule();
}

DnsAnswer DnsChannel::ask_and_wait(const Resolver::Settings& settings, DnsKind kind, const std::string& name)
{
    std::optional<DnsAnswer> answer;
    const ares_channel channel = open_channel(settings, nullptr, nullptr);
    if (!channel)
        return failed({ErrorKind::other, "the DNS library cannot be set up"});
    ask_channel(channel, settings, {kind, name, [&answer](DnsAnswer given) { answer = std::move(given); }});
    while (!answer) {
        ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
        const auto wanted = static_cast<unsigned>(ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM));
        pollfd polled[ARES_GETSOCK_MAXNUM];
        nfds_t count = 0;
        for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
            const int events = (ARES_GETSOCK_READABLE(wanted, i) ? POLLIN : 0) |
                               (ARES_GETSOCK_WRITABLE(wanted, i) ? POLLOUT : 0);
            if (events)
                polled[count++] = {sockets[i], static_cast<short>(events), 0};
        }
        timeval left{}, most{1, 0};
        const timeval* const wait = ares_timeout(channel, &most, &left);
        poll(polled, count, static_cast<int>(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
        for (nfds_t i = 0; i < count; ++i)
            ares_process_fd(channel, polled[i].revents & ~POLLOUT ? polled[i].fd : ARES_SOCKET_BAD,
                            polled[i].revents & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD);
        if (count == 0)
            ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
    ares_destroy(channel);
    return std::move(*answer);
}

Duration longest_question(const Resolver::Settings& settings)
{
    const auto servers = std::clamp<std::int64_t>(static_cast<std::int64_t>(settings.servers.size()), 1, 3);
    const auto rounds = (std::int64_t{1} << std::clamp(settings.tries, 1, 6)) - 1;
    return std::min<Duration>(settings.timeout * servers * rounds + 1s, 60s);
}

} // namespace sipyard::net
