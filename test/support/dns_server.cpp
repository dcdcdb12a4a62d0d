// test/support/dns_server.cpp - the zone's lines, and DNS messages on a loopback socket
#include "test/support/dns_server.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace sipyard::test {

namespace {

constexpr int type_a = 1, type_cname = 5, type_aaaa = 28, type_srv = 33, type_naptr = 35;
constexpr int rcode_servfail = 2, rcode_nxdomain = 3;
constexpr std::size_t head_size = 12, plain_udp = 512;

int type_of(std::string_view text)
{
    constexpr std::pair<std::string_view, int> all[] = {
        {"A", type_a}, {"AAAA", type_aaaa}, {"CNAME", type_cname}, {"SRV", type_srv}, {"NAPTR", type_naptr}};
    for (const auto& [name, type] : all)
        if (iequals(name, text))
            return type;
    return 0;
}

std::string u16(unsigned n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }
std::string u32(std::uint32_t n) { return u16(n >> 16) + u16(n & 0xffff); }
std::string label(std::string_view text)
{
    return std::string(1, static_cast<char>(text.size())) + std::string{text};
}
std::string dns_name(std::string_view name) // "." is the root
{
    std::string wire;
    while (!name.empty())
        if (const auto part = cut(name, '.'); !part.empty())
            wire += label(part);
    return wire + '\0';
}

// Words between blanks; "a quoted one" may be empty.
std::vector<std::string> words_of(std::string_view line)
{
    std::vector<std::string> words;
    for (line = trim(line); !line.empty(); line = trim_left(line)) {
        if (line.front() == '"') {
            line.remove_prefix(1);
            words.emplace_back(cut(line, '"'));
        } else {
            const auto end = std::min(line.find_first_of(" \t"), line.size());
            words.emplace_back(line.substr(0, end));
            line.remove_prefix(end);
        }
    }
    return words;
}

bool all_digits(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// The data of a record as on the wire; throws when words are missing.
std::string data_of(int type, const std::vector<std::string>& words)
{
    const auto number = [&](std::size_t i) { return static_cast<unsigned>(std::stoul(words.at(i))); };
    switch (type) {
    case type_a:
    case type_aaaa: {
        char bytes[16];
        if (inet_pton(type == type_a ? AF_INET : AF_INET6, words.at(0).c_str(), bytes) != 1)
            throw std::invalid_argument{"not an address: " + words.at(0)};
        return {bytes, type == type_a ? 4u : 16u};
    }
    case type_cname: return dns_name(words.at(0));
    case type_srv: return u16(number(0)) + u16(number(1)) + u16(number(2)) + dns_name(words.at(3));
    default:
        return u16(number(0)) + u16(number(1)) + label(words.at(2)) + label(words.at(3)) +
               label(words.at(4)) + dns_name(words.at(5));
    }
}

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    return at;
}

bool bind_to(int fd, std::uint16_t port)
{
    const auto at = loopback(port);
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

std::uint16_t port_of(int fd)
{
    sockaddr_in at{};
    socklen_t size = sizeof at;
    getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
}

// Exactly so many bytes, or false when the peer gives up.
bool read_all(int fd, char* to, std::size_t size)
{
    for (std::size_t got = 0; got < size;) {
        pollfd ready{fd, POLLIN, 0};
        const auto n = poll(&ready, 1, 5000) == 1 ? recv(fd, to + got, size - got, 0) : 0;
        if (n <= 0)
            return false;
        got += static_cast<std::size_t>(n);
    }
    return true;
}

} // namespace

DnsServer::DnsServer(std::string_view zone) : wake_{eventfd(0, EFD_CLOEXEC)}
{
    add(zone);
    // The same port twice: whoever holds it for TCP sends us looking for another.
    for (int attempt = 0; attempt < 20 && port_ == 0; ++attempt) {
        udp_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        tcp_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind_to(udp_, 0) && bind_to(tcp_, port_of(udp_)) && listen(tcp_, 16) == 0)
            port_ = port_of(udp_);
        else
            close(udp_), close(tcp_);
    }
    if (port_ == 0)
        throw std::system_error{errno, std::generic_category(), "no port for the DNS server"};
    thread_ = std::thread{[this] { serve(); }};
}

DnsServer::~DnsServer()
{
    {
        const std::lock_guard lock{mutex_};
        ending_ = true;
    }
    const std::uint64_t one = 1;
    static_cast<void>(write(wake_, &one, sizeof one));
    thread_.join();
    for (const int fd : {udp_, tcp_, wake_})
        close(fd);
}

net::Address DnsServer::address() const { return net::Address::parse("127.0.0.1", port_).value(); }

void DnsServer::add(std::string_view zone)
{
    const std::lock_guard lock{mutex_};
    while (!zone.empty()) {
        const auto line = trim(cut(zone, '\n'));
        if (line.empty())
            continue;
        auto words = words_of(line);
        std::uint32_t ttl = 60;
        if (words.size() > 1 && all_digits(words[1])) {
            ttl = static_cast<std::uint32_t>(std::stoul(words[1]));
            words.erase(words.begin() + 1);
        }
        const int type = words.size() > 2 ? type_of(words[1]) : 0;
        if (type == 0)
            throw std::invalid_argument{"not a record: " + std::string{line}};
        const std::vector<std::string> rest{words.begin() + 2, words.end()};
        zone_.emplace(lower(words[0]),
                      Record{type, ttl, data_of(type, rest), type == type_cname ? lower(rest[0]) : ""});
    }
}

void DnsServer::remove(std::string_view name)
{
    const std::lock_guard lock{mutex_};
    zone_.erase(lower(name));
}

void DnsServer::set(std::string_view name, Mood mood)
{
    const std::lock_guard lock{mutex_};
    moods_[lower(name)] = mood;
}

void DnsServer::set_all(Mood mood)
{
    const std::lock_guard lock{mutex_};
    mood_ = mood;
}

void DnsServer::release()
{
    const std::lock_guard lock{mutex_};
    for (auto& [name, mood] : moods_)
        if (mood == Mood::hold)
            mood = Mood::answer;
    if (mood_ == Mood::hold)
        mood_ = Mood::answer;
    for (const Held& one : held_) {
        const auto to = loopback(one.to.port);
        sendto(udp_, one.answer.data(), one.answer.size(), 0, reinterpret_cast<const sockaddr*>(&to),
               sizeof to);
    }
    held_.clear();
}

int DnsServer::asked(std::string_view name, std::string_view type) const
{
    const std::lock_guard lock{mutex_};
    int sum = 0;
    for (const auto& [question, times] : asked_)
        if (question.first == lower(name) && (type.empty() || question.second == type_of(type)))
            sum += times;
    return sum;
}

int DnsServer::asked_in_all() const
{
    const std::lock_guard lock{mutex_};
    int sum = 0;
    for (const auto& [question, times] : asked_)
        sum += times;
    return sum;
}

int DnsServer::asked_over_tcp() const
{
    const std::lock_guard lock{mutex_};
    return over_tcp_;
}

std::string DnsServer::answer(std::string_view message, std::size_t most, bool& hold)
{
    if (message.size() < head_size + 5)
        return {};
    std::string name;
    std::size_t at = head_size;
    while (at < message.size() && message[at] != 0) {
        const auto length = static_cast<std::size_t>(static_cast<unsigned char>(message[at]));
        name += (name.empty() ? "" : ".") + lower(message.substr(std::min(at + 1, message.size()), length));
        at += length + 1;
    }
    if (at + 5 > message.size())
        return {};
    const int type =
        (static_cast<unsigned char>(message[at + 1]) << 8) | static_cast<unsigned char>(message[at + 2]);
    const auto question = message.substr(head_size, at + 5 - head_size);
    const auto reply = [&](unsigned flags, unsigned count, std::string_view records) {
        return std::string{message.substr(0, 2)} + u16(flags) + u16(1) + u16(count) + u32(0) +
               std::string{question} + std::string{records};
    };

    const std::lock_guard lock{mutex_};
    ++asked_[{name, type}];
    over_tcp_ += most > plain_udp;
    const auto own = moods_.find(name);
    const Mood mood = own == moods_.end() ? mood_ : own->second;
    hold = mood == Mood::hold;
    constexpr unsigned answered = 0x8180; // a response, recursion wanted and available
    switch (mood) {
    case Mood::drop: return {};
    case Mood::nxdomain: return reply(answered | rcode_nxdomain, 0, {});
    case Mood::servfail: return reply(answered | rcode_servfail, 0, {});
    case Mood::garbage: return reply(answered, 7, u16(0xc00c) + u16(static_cast<unsigned>(type)) + "\x01");
    default: break;
    }
    std::string records, owner = name;
    unsigned count = 0;
    const bool known = zone_.contains(name);
    // An alias is followed inside the zone; one that leads back to itself ends after a few steps (RFC
    // 1034 3.6.2).
    for (int steps = 0; steps < 8 && !owner.empty(); ++steps) {
        std::string next;
        for (auto [one, end] = zone_.equal_range(owner); one != end; ++one) {
            const Record& record = one->second;
            if (record.type != type && record.type != type_cname)
                continue;
            records += dns_name(owner) + u16(static_cast<unsigned>(record.type)) + u16(1) + u32(record.ttl) +
                       u16(static_cast<unsigned>(record.data.size())) + record.data;
            ++count;
            if (record.type == type_cname && type != type_cname)
                next = record.target;
        }
        owner = next;
    }
    auto whole = reply(known ? answered : answered | rcode_nxdomain, count, records);
    constexpr unsigned truncated = 0x0200;
    return whole.size() > most ? reply(answered | truncated, 0, {}) : whole;
}

void DnsServer::on_datagram()
{
    char bytes[4096];
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const auto got = recvfrom(udp_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (got <= 0)
        return;
    bool hold = false;
    const auto reply = answer({bytes, static_cast<std::size_t>(got)}, plain_udp, hold);
    if (hold) {
        const std::lock_guard lock{mutex_};
        net::Address to = address();
        to.port = ntohs(peer.sin_port);
        held_.push_back({to, reply});
    } else if (!reply.empty()) {
        sendto(udp_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), size);
    }
}

// One question a connection is enough for the resolvers we know.
void DnsServer::on_connection()
{
    const int fd = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    char length[2];
    if (read_all(fd, length, sizeof length)) {
        std::string question((static_cast<std::size_t>(static_cast<unsigned char>(length[0])) << 8) |
                                 static_cast<unsigned char>(length[1]),
                             '\0');
        bool hold = false;
        if (read_all(fd, question.data(), question.size()))
            if (const auto reply = answer(question, 65'535, hold); !reply.empty() && !hold) {
                const auto framed = u16(static_cast<unsigned>(reply.size())) + reply;
                send(fd, framed.data(), framed.size(), MSG_NOSIGNAL);
            }
    }
    close(fd);
}

void DnsServer::serve()
{
    while (true) {
        pollfd sockets[] = {{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {wake_, POLLIN, 0}};
        poll(sockets, std::size(sockets), -1);
        {
            const std::lock_guard lock{mutex_};
            if (ending_)
                return;
        }
        if (sockets[0].revents)
            on_datagram();
        if (sockets[1].revents)
            on_connection();
    }
}

} // namespace sipyard::test
