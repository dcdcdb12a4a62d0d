// modules/corex/target.cpp - where to send, whose subdomains, how much a branch weighs
#include "modules/corex/target.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/sip/lists.h"
#include "core/sip/name_addr.h"
#include "core/sip/uri.h"

namespace sipyard::corex {

namespace {

// "host[:port]"; a colon inside brackets is IPv6.
Result<void> read_host_port(std::string_view text, std::string& host, std::uint16_t& port)
{
    const auto colon = text.rfind(':');
    if (colon != std::string_view::npos &&
        (text.find(':') == colon || (colon > 0 && text[colon - 1] == ']'))) {
        const auto number = parse_uint(text.substr(colon + 1));
        if (!number || *number == 0 || *number > 65'535)
            return invalid(format("'{}' has no port behind its colon", text));
        port = static_cast<std::uint16_t>(*number);
        text = text.substr(0, colon);
    }
    if (!sip::is_host_text(text))
        return invalid(format("'{}' is no host", text));
    host = text;
    return {};
}

} // namespace

Result<Target> parse_target(std::string_view text)
{
    Target target;
    sip::Uri uri;
    if (sip::read(text, uri).empty() && uri.is_sip()) {
        target.host = uri.maddr().empty() ? uri.host : uri.maddr();
        target.port = uri.port;
        const auto transport = uri.transport();
        target.protocol = transport == sip::Transport::tcp ? net::Protocol::tcp
                          : transport == sip::Transport::tls || uri.scheme == sip::Scheme::sips
                              ? net::Protocol::tls
                              : net::Protocol::udp;
        return target;
    }
    TRYV(read_host_port(text, target.host, target.port));
    return target;
}

Result<Domain> parse_domain(std::string_view text)
{
    Domain domain;
    auto rest = trim(text);
    for (const std::string_view protocol : {"udp:", "tcp:", "tls:"})
        if (rest.starts_with(protocol)) {
            rest.remove_prefix(protocol.size());
            break;
        }
    TRYV(read_host_port(rest, domain.name, domain.port));
    return domain;
}

bool covers(const Domain& domain, std::string_view host, std::uint16_t port)
{
    if (domain.port != 0 && port != 0 && port != domain.port)
        return false;
    if (iequals(host, domain.name))
        return true;
    return host.size() > domain.name.size() + 1 && host[host.size() - domain.name.size() - 1] == '.' &&
           iequals(host.substr(host.size() - domain.name.size()), domain.name);
}

std::optional<int> parse_q(std::string_view text)
{
    sip::NameAddr address; // the grammar of q is that of a Contact's
    const std::string contact = format("<sip:q>;q={}", text);
    if (!sip::read(contact, address).empty())
        return {};
    const int q = address.q();
    return q < 0 ? std::nullopt : std::optional{q};
}

} // namespace sipyard::corex
