// core/script/operands.cpp - tests of keyword operands
#include "core/script/operands.h"

#include "core/base/text.h"
#include "core/net/resolver.h"
#include "core/script/program.h"
#include "core/script/values.h"
#include "core/sip/message.h"

#include <sys/socket.h>

namespace sipyard::script {

using ast::Operand;

namespace {

// Where the message came from or goes to: empty outside onsend_route for the latter.
const net::Address* address_of(const Run& run, Operand operand)
{
    switch (operand) {
    case Operand::src_ip:
    case Operand::src_port: return &run.request.received().source;
    case Operand::to_ip:
    case Operand::to_port: return run.context.sending_to ? &run.context.sending_to->to : nullptr;
    case Operand::snd_ip:
    case Operand::snd_port:
    case Operand::snd_af:
        return run.context.sending_to && run.context.sending_to->from ? &run.context.sending_to->from->bound
                                                                      : nullptr;
    default: return &run.request.received().local;
    }
}

std::int64_t family_number(const net::Address* address)
{
    if (!address || address->family == net::Address::Family::none)
        return 0;
    return address->family == net::Address::Family::v4 ? AF_INET : AF_INET6;
}

const sip::Uri* uri_of(Run& run, Operand operand)
{
    switch (operand) {
    case Operand::from_uri: return run.request.message().from_uri();
    case Operand::to_uri: return run.request.message().to_uri();
    default: return run.request.parsed_ruri();
    }
}

std::optional<net::Protocol> protocol_of(const sip::Uri& uri)
{
    switch (uri.transport()) {
    case sip::Transport::udp: return net::Protocol::udp;
    case sip::Transport::tcp: return net::Protocol::tcp;
    case sip::Transport::tls: return net::Protocol::tls;
    default: return uri.scheme == sip::Scheme::sips ? std::optional{net::Protocol::tls} : std::nullopt;
    }
}

// Nothing: the message has no such thing, and the test fails.
std::optional<std::string_view> text_of(Run& run, Operand operand, bool status)
{
    const sip::Message& message = run.request.message();
    switch (operand) {
    case Operand::method:
        if (message.is_request())
            return message.method_text();
        return message.cseq() ? std::optional{message.cseq()->method_text} : std::nullopt;
    case Operand::from_uri: return message.from() ? std::optional{message.from()->uri} : std::nullopt;
    case Operand::to_uri: return message.to() ? std::optional{message.to()->uri} : std::nullopt;
    default:
        if (message.is_reply())
            return keep_text(run, Value{message.status()});
        return status ? std::nullopt : std::optional{run.request.ruri()};
    }
}

} // namespace

// An error in such a test is false for == and =~ and true for != (spec/script 11).
Value TextTest::value(Run& run) const
{
    const auto left = text_of(run, operand_, status_);
    if (!left)
        return negated_;
    if (pattern_)
        return pattern_->matches(*left) != negated_;
    NumberText room;
    const Value right = right_->value(run);
    const std::string_view text = to_text(right, room);
    if (!matches_)
        return iequals(*left, text) != negated_;
    const auto pattern = dynamic_pattern(run, text);
    return (pattern && pattern->matches(*left)) != negated_;
}

Value MyselfTest::value(Run& run) const
{
    Host& host = run.request.host();
    switch (operand_) {
    case Operand::uri:
    case Operand::from_uri:
    case Operand::to_uri: {
        const sip::Uri* const uri = uri_of(run, operand_);
        if (!uri)
            return negated_;
        return host.is_myself(uri->host, uri->port, protocol_of(*uri)) != negated_;
    }
    default: break;
    }
    const net::Address* const address = address_of(run, operand_);
    if (!address)
        return negated_;
    bool ours = false;
    for (const auto& listener : host.network().listeners())
        ours = ours || listener->bound.same_ip(*address);
    return (ours || host.is_myself(address->host(), 0, std::nullopt)) != negated_;
}

std::optional<ast::Network> network_of(std::string_view text)
{
    const auto slash = text.find('/');
    const auto address = net::Address::parse(text.substr(0, slash));
    if (!address)
        return std::nullopt;
    const int all = address->family == net::Address::Family::v4 ? 32 : 128;
    if (slash == std::string_view::npos)
        return ast::Network{*address, all};
    const auto mask = text.substr(slash + 1);
    if (const auto bits = parse_uint(mask))
        return *bits <= static_cast<unsigned>(all)
                   ? std::optional{ast::Network{*address, static_cast<int>(*bits)}}
                   : std::nullopt;
    const auto mask_address = net::Address::parse(mask);
    if (!mask_address || mask_address->family != address->family)
        return std::nullopt;
    int bits = 0;
    while (bits < all &&
           (mask_address->bytes[static_cast<std::size_t>(bits) / 8] & (0x80 >> (bits % 8))) != 0)
        ++bits;
    return ast::Network{*address, bits};
}

Value AddressTest::value(Run& run) const
{
    const net::Address* const address = address_of(run, operand_);
    if (!address || address->family == net::Address::Family::none)
        return negated_;
    if (network_)
        return address->in_prefix(network_->address, network_->bits) != negated_;
    char ip[64];
    if (pattern_)
        return pattern_->matches(address->ip_text(ip)) != negated_;
    NumberText room;
    const Value right = text_->value(run);
    const std::string_view text = to_text(right, room);
    if (matches_) {
        const auto pattern = dynamic_pattern(run, text);
        return (pattern && pattern->matches(address->ip_text(ip))) != negated_;
    }
    if (const auto network = network_of(text))
        return address->in_prefix(network->address, network->bits) != negated_;
    const auto found = run.request.host().resolver().addresses(keep_text(run, right), 0);
    if (!found)
        return negated_;
    for (const net::Address& each : *found)
        if (each.same_ip(*address))
            return !negated_;
    return negated_;
}

std::int64_t MessageNumber::integer(Run& run) const
{
    const auto* const address = address_of(run, operand_);
    switch (operand_) {
    case Operand::src_port:
    case Operand::dst_port:
    case Operand::snd_port:
    case Operand::to_port: return address ? address->port : 0;
    case Operand::msg_len:
        return static_cast<std::int64_t>(run.context.sending_to ? run.context.sending.size()
                                                                : run.request.message().buffer().size());
    case Operand::af: return family_number(&run.request.received().source);
    case Operand::snd_af: return family_number(address);
    case Operand::snd_proto:
        return run.context.sending_to ? static_cast<int>(run.context.sending_to->protocol) : 0;
    default: return static_cast<int>(run.request.received().protocol);
    }
}

} // namespace sipyard::script
