// core/net/udp.cpp - reading in batches, sending at once
#include "core/net/udp.h"

#include "core/base/format.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/epoll.h>

namespace sipyard::net {

namespace {

constexpr std::size_t batch_size = 32, batches_per_wake = 4, queue_most = 1024;
constexpr std::size_t shortest_message = 8; // whatever is below is a keepalive, or nothing

} // namespace

// What recvmmsg fills. 2 MiB of address space for the largest datagrams; only pages that were used count.
struct UdpWorker::Buffers {
    explicit Buffers(std::size_t max_datagram)
        // An odd number of cache lines on top, lest all 32 buffers start in the same cache set.
        : size{max_datagram}, stride{(max_datagram + 63) / 64 * 64 + 64 * 17},
          memory{std::make_unique_for_overwrite<char[]>(stride * batch_size)}
    {
        for (std::size_t i = 0; i < batch_size; ++i) {
            pieces[i] = {memory.get() + i * stride, size};
            auto& header = messages[i].msg_hdr;
            header = {};
            header.msg_name = &names[i];
            header.msg_iov = &pieces[i];
            header.msg_iovlen = 1;
        }
    }
    int receive(int fd, bool wants_local)
    {
        for (std::size_t i = 0; i < batch_size; ++i) {
            auto& header = messages[i].msg_hdr;
            header.msg_namelen = sizeof names[i];
            header.msg_control = wants_local ? controls[i].bytes : nullptr;
            header.msg_controllen = wants_local ? sizeof controls[i].bytes : 0;
        }
        return recvmmsg(fd, messages.data(), batch_size, MSG_DONTWAIT, nullptr);
    }
    // The address a datagram on a wildcard socket came to.
    Address local(std::size_t i, const Address& bound)
    {
        Address local = bound;
        auto& header = messages[i].msg_hdr;
        for (cmsghdr* control = CMSG_FIRSTHDR(&header); control; control = CMSG_NXTHDR(&header, control)) {
            if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
                in_pktinfo info;
                std::memcpy(&info, CMSG_DATA(control), sizeof info);
                std::memcpy(local.bytes.data(), &info.ipi_addr, 4);
            } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
                in6_pktinfo info;
                std::memcpy(&info, CMSG_DATA(control), sizeof info);
                std::memcpy(local.bytes.data(), &info.ipi6_addr, 16);
            }
        }
        return local;
    }

    struct Control {
        alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(in6_pktinfo))];
    };
    const std::size_t size, stride;
    std::unique_ptr<char[]> memory;
    std::array<mmsghdr, batch_size> messages{};
    std::array<iovec, batch_size> pieces{};
    std::array<SocketAddress, batch_size> names{};
    std::array<Control, batch_size> controls{};
};

UdpSocket::UdpSocket(UdpWorker& home, const Listener& listener, Descriptor fd)
    : home_{home}, listener_{listener}, fd_{std::move(fd)}, watch_{home.worker(), fd_.get(), EPOLLIN,
                                                                   [this](std::uint32_t events) {
                                                                       on_event(events);
                                                                   }}
{
}

void UdpSocket::on_event(std::uint32_t events)
{
    if (events & EPOLLOUT)
        flush();
    if (events & ~static_cast<std::uint32_t>(EPOLLOUT))
        judge(read(home_));
}

bool UdpSocket::read(UdpWorker& reader)
{
    Shared& shared = reader.shared();
    auto& buffers = reader.buffers();
    Tally& tally = *shared.tallies[reader.worker().index()];
    const bool any = listener_.bound.is_any();
    Received from;
    from.listener = &listener_;
    from.local = listener_.bound;
    for (std::size_t batch = 0; batch < batches_per_wake; ++batch) {
        const int got = buffers.receive(fd_.get(), any);
        if (got <= 0)
            return false; // nothing left, or an ICMP error that concerns nobody here
        const auto count = static_cast<std::size_t>(got);
        std::uint64_t bytes = 0, messages = 0, garbage = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t size = buffers.messages[i].msg_len;
            bytes += size;
            if (buffers.messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
                ++garbage;
                continue;
            }
            if (size < shortest_message)
                continue;
            ++messages;
            from.source = from_system(buffers.names[i]);
            if (any)
                from.local = buffers.local(i, listener_.bound);
            shared.handler->on_message(reader.worker(), from,
                                       {buffers.memory.get() + i * buffers.stride, size});
        }
        bump(tally.datagrams_in, count);
        bump(tally.bytes_in, bytes);
        bump(tally.messages_in, messages);
        if (garbage)
            bump(tally.garbage, garbage);
        if (count < batch_size)
            return false;
    }
    return true;
}

// Two wakes that end with a full batch: the others are asked to help. Eight that do not: it goes without them
// again.
void UdpSocket::judge(bool full)
{
    full_wakes_ = full ? full_wakes_ + 1 : 0;
    calm_wakes_ = full ? 0 : calm_wakes_ + 1;
    Shared& shared = home_.shared();
    if (shared.stopping || shared.udp.size() < 2)
        return;
    const bool wanted = helped_ ? calm_wakes_ < 8 : full_wakes_ >= 2;
    if (wanted == helped_)
        return;
    helped_ = wanted;
    for (auto& other : shared.udp)
        if (other.get() != &home_)
            other->worker().post([this, helper = other.get(), wanted] {
                if (wanted)
                    helper->help(*this);
                else
                    helper->stop_helping(*this);
            });
}

Result<void> UdpSocket::send(const Address& to, std::string_view bytes)
{
    Shared& shared = home_.shared();
    const bool at_home = task::Worker::current() == &home_.worker();
    Tally& tally = shared.tally();
    if (!at_home || queue_.empty()) {
        SocketAddress address;
        const socklen_t size = to_system(to, address);
        if (sendto(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, &address.any, size) >=
            0) {
            bump(tally.datagrams_out);
            bump(tally.bytes_out, bytes.size());
            return {};
        }
        if (errno != EAGAIN && errno != ENOBUFS)
            return system_error(to.text(), errno);
    }
    if (at_home)
        enqueue(to, bytes);
    else
        home_.worker().post([this, to, copy = std::string{bytes}] {
            if (!home_.shared().stopping)
                enqueue(to, copy);
        });
    return {};
}

void UdpSocket::enqueue(const Address& to, std::string_view bytes)
{
    if (queue_.size() >= queue_most) {
        bump(home_.shared().tally().udp_send_dropped);
        return;
    }
    queue_.push_back({to, std::string{bytes}});
    if (queue_.size() == 1)
        watch_.change(EPOLLIN | EPOLLOUT);
}

void UdpSocket::flush()
{
    Tally& tally = home_.shared().tally();
    for (std::size_t sent = 0; !queue_.empty() && sent < batch_size; ++sent) {
        const auto& next = queue_.front();
        SocketAddress address;
        const socklen_t size = to_system(next.to, address);
        if (sendto(fd_.get(), next.bytes.data(), next.bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, &address.any,
                   size) >= 0) {
            bump(tally.datagrams_out);
            bump(tally.bytes_out, next.bytes.size());
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            return;
        } else {
            bump(tally.udp_send_dropped);
        }
        queue_.pop_front();
    }
    if (queue_.empty())
        watch_.change(EPOLLIN);
}

UdpWorker::UdpWorker(Shared& shared, task::Worker& worker)
    : shared_{shared}, worker_{worker}, buffers_{std::make_unique<Buffers>(shared.settings.max_datagram)}
{
}

UdpWorker::~UdpWorker() = default;

void UdpWorker::add(const Listener& listener, Descriptor fd)
{
    if (sockets_.size() <= listener.index)
        sockets_.resize(listener.index + 1);
    sockets_[listener.index] = std::make_unique<UdpSocket>(*this, listener, std::move(fd));
}

void UdpWorker::help(UdpSocket& socket)
{
    if (shared_.stopping)
        return;
    // Exclusive: a datagram wakes one of the helpers, not all. The owner is woken in any case.
    auto watch = std::make_unique<task::Watch>(worker_, socket.fd(), EPOLLIN | EPOLLEXCLUSIVE,
                                               [this, &socket](std::uint32_t) { socket.read(*this); });
    helping_.push_back({&socket, std::move(watch)});
}

void UdpWorker::stop_helping(const UdpSocket& socket)
{
    std::erase_if(helping_, [&](const Helping& one) { return one.socket == &socket; });
}

void UdpWorker::stop_helping() { helping_.clear(); }

void UdpWorker::close() { sockets_.clear(); }

} // namespace sipyard::net
