// core/script/listen.cpp - reading socket addresses
#include "core/script/listen.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>

namespace sipyard::script {

namespace {

Result<std::uint16_t> parse_port(std::string_view text)
{
    const auto port = parse_uint(text);
    if (!port || *port > 65'535)
        return invalid(format("bad port '{}'", text));
    return static_cast<std::uint16_t>(*port);
}

bool is_host(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '@';
    });
}

// "udp:" and so on; `any` for "*:". Without one nothing is taken.
Result<std::optional<net::Protocol>> take_protocol(std::string_view& text)
{
    const auto colon = text.find(':');
    const std::string_view word = text.substr(0, colon);
    if (colon == std::string_view::npos)
        return std::optional<net::Protocol>{};
    std::optional<net::Protocol> protocol;
    if (word != "*") {
        if (iequals(word, "sctp"))
            return Error{ErrorKind::unsupported, "sctp support is not compiled in"};
        for (const auto known : {net::Protocol::udp, net::Protocol::tcp, net::Protocol::tls})
            if (iequals(word, net::to_text(known)))
                protocol = known;
        if (!protocol)
            return std::optional<net::Protocol>{};
    }
    text.remove_prefix(colon + 1);
    return protocol;
}

} // namespace

Result<ListenLine> parse_socket(std::string_view text)
{
    ListenLine line;
    std::string_view rest = text;
    TRY(line.protocol, take_protocol(rest));
    std::string_view port;
    if (rest.starts_with('[')) {
        const auto close = rest.find(']');
        const std::string_view inside = rest.substr(1, close == std::string_view::npos ? close : close - 1);
        if (close == std::string_view::npos || !net::Address::parse(inside))
            return invalid(format("bad address '{}'", text));
        line.host = inside;
        rest.remove_prefix(close + 1);
        if (!rest.empty() && rest.front() != ':')
            return invalid(format("bad address '{}'", text));
        port = rest.empty() ? rest : rest.substr(1);
        if (!rest.empty() && port.empty())
            return invalid(format("a port is missing in '{}'", text));
    } else if (std::count(rest.begin(), rest.end(), ':') > 1) {
        if (!net::Address::parse(rest))
            return invalid(format("bad address '{}'", text));
        line.host = rest;
    } else {
        const auto colon = rest.find(':');
        line.host = rest.substr(0, colon);
        if (colon != std::string_view::npos) {
            port = rest.substr(colon + 1);
            if (port.empty())
                return invalid(format("a port is missing in '{}'", text));
        }
        if (!is_host(line.host))
            return invalid(format("bad address '{}'", text));
        // Digits and dots only must be an address: 1.2.3 is no host name.
        const bool numeric = line.host.find_first_not_of("0123456789.") == std::string::npos;
        if (numeric && !net::Address::parse(line.host))
            return invalid(format("bad address '{}'", text));
    }
    if (!port.empty()) {
        const auto dash = port.find('-');
        TRY(line.port, parse_port(port.substr(0, dash)));
        if (dash != std::string_view::npos) {
            TRY(line.port_end, parse_port(port.substr(dash + 1)));
            if (line.port_end < line.port)
                return invalid(format("bad port range '{}'", port));
        }
    }
    return line;
}

Result<AliasLine> parse_alias(std::string_view text)
{
    TRY(const auto line, parse_socket(text));
    if (line.port_end != 0)
        return invalid(format("bad port in '{}'", text));
    return AliasLine{line.protocol, line.host, line.port};
}

Result<ListenLine> parse_listen_option(std::string_view text)
{
    const auto slash = text.find('/');
    TRY(auto line, parse_socket(text.substr(0, slash)));
    if (slash != std::string_view::npos) {
        TRY(const auto advertised, parse_socket(text.substr(slash + 1)));
        line.advertised_host = advertised.host;
        line.advertised_port = advertised.port;
    }
    return line;
}

} // namespace sipyard::script
