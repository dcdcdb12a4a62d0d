// modules/pv/socket_variables.cpp - where the message came from, where it arrived, what it will leave by
#include "modules/pv/lists.h"
#include "modules/pv/sockets.h"

#include "core/sip/message.h"

namespace sipyard::pv {

namespace {

using net::Address;
using net::Protocol;

// --- addresses as text ---------------------------------------------------------------------------

// The address with IPv6 in brackets, as URIs want it.
std::string_view host_text(Request& r, const Address& a)
{
    char* const text = r.arena().array<char>(50);
    text[0] = '[';
    const auto ip = a.ip_text(text + 1);
    if (a.family != Address::Family::v6)
        return ip;
    text[1 + ip.size()] = ']';
    return {text, ip.size() + 2};
}
Value ip_text(Request& r, const Address& a)
{
    return a.family == Address::Family::none ? Value{} : Value{a.ip_text(r.arena().array<char>(48))};
}
enum class Transport : unsigned char { unless_udp, always };
Value uri_text(Request& r, std::string_view host, std::uint16_t port, Protocol protocol, Transport transport)
{
    const bool named = transport == Transport::always || protocol != Protocol::udp;
    return r.arena().concat("sip:", host, ":", Digits{port}, named ? ";transport=" : "",
                            named ? net::to_text(protocol) : "");
}
std::string_view socket_text(Request& r, Protocol protocol, std::string_view host, std::uint16_t port)
{
    return r.arena().concat(net::to_text(protocol), ":", host, ":", Digits{port});
}
int family_number(const Address& a) // as the system counts them
{
    return a.family == Address::Family::v4 ? 2 : a.family == Address::Family::v6 ? 10 : 0;
}

// --- the source ----------------------------------------------------------------------------------

const Address& source(Request& r) { return r.received().source; }
Protocol protocol(Request& r) { return r.received().protocol; }

Value source_ip(Request& r) { return ip_text(r, source(r)); }
Value source_host(Request& r) { return host_text(r, source(r)); }
Value source_port(Request& r) { return number(source(r).port); }
Value source_uri(Request& r)
{
    return uri_text(r, host_text(r, source(r)), source(r).port, protocol(r), Transport::unless_udp);
}
Value source_uri_transport(Request& r)
{
    return uri_text(r, host_text(r, source(r)), source(r).port, protocol(r), Transport::always);
}
Value source_socket(Request& r)
{
    return socket_text(r, protocol(r), host_text(r, source(r)), source(r).port);
}
Value protocol_name(Request& r) { return net::to_text(protocol(r)); }
Value protocol_number(Request& r) { return static_cast<int>(protocol(r)); }
Value source_family(Request& r) { return family_number(source(r)); }

// --- the socket it arrived at --------------------------------------------------------------------

// A socket bound to every address has seen which one was meant.
const Address& local(Request& r)
{
    const auto& received = r.received();
    return received.local.family != Address::Family::none || !received.listener ? received.local
                                                                                : received.listener->bound;
}
Value local_ip(Request& r) { return ip_text(r, local(r)); }
Value local_port(Request& r) { return number(local(r).port); }
Value local_uri(Request& r)
{
    return uri_text(r, host_text(r, local(r)), local(r).port, protocol(r), Transport::unless_udp);
}
Value local_uri_transport(Request& r)
{
    return uri_text(r, host_text(r, local(r)), local(r).port, protocol(r), Transport::always);
}
Value local_socket(Request& r) { return socket_text(r, protocol(r), host_text(r, local(r)), local(r).port); }
Value local_name(Request& r)
{
    return r.received().listener ? text_or_null(r.received().listener->name) : Value{};
}

// What others know this socket by.
std::string_view advertised_host_text(Request& r)
{
    const auto* listener = r.received().listener;
    return listener && !listener->advertised_host.empty() ? std::string_view{listener->advertised_host}
                                                          : host_text(r, local(r));
}
std::uint16_t advertised_port_number(Request& r)
{
    const auto* listener = r.received().listener;
    return listener && listener->advertised_port != 0 ? listener->advertised_port : local(r).port;
}
Value advertised_ip(Request& r)
{
    const auto* listener = r.received().listener;
    return listener && !listener->advertised_host.empty() ? Value{std::string_view{listener->advertised_host}}
                                                          : local_ip(r);
}
Value advertised_port(Request& r) { return number(advertised_port_number(r)); }
Value advertised_uri(Request& r)
{
    return uri_text(r, advertised_host_text(r), advertised_port_number(r), protocol(r),
                    Transport::unless_udp);
}
Value advertised_uri_transport(Request& r)
{
    return uri_text(r, advertised_host_text(r), advertised_port_number(r), protocol(r), Transport::always);
}

struct ReceivedPart {
    using Meaning = Get;
    static constexpr std::string_view expected =
        "buf, len, proto, sproto, srcip, srcport, rcvip, rcvport or af";
    static Value buffer(Request& r) { return r.message().buffer(); }
    static Value length(Request& r) { return number(r.message().buffer().size()); }
    static constexpr Word<Get> words[] = {
        {"buf", buffer},      {"len", length},         {"proto", protocol_number}, {"sproto", protocol_name},
        {"srcip", source_ip}, {"ip", source_ip},       {"srcport", source_port},   {"port", source_port},
        {"rcvip", local_ip},  {"rcvport", local_port}, {"af", source_family},
    };
};
Value received_part(Request& r, const OneOf<ReceivedPart>& part) { return part.meaning(r); }

// --- the socket it will leave by -----------------------------------------------------------------

Value forced_socket(Request& r)
{
    const auto* socket = r.forced_socket();
    return socket ? Value{listener_text(r, *socket)} : Value{};
}
Value forced_name(Request& r) { return r.forced_socket() ? text_or_null(r.forced_socket()->name) : Value{}; }
Value forced_protocol(Request& r)
{
    return r.forced_socket() ? Value{static_cast<int>(r.forced_socket()->protocol)} : Value{};
}

bool force(Request& r, const Value& value, const net::Listener* (*find)(Request&, std::string_view))
{
    if (value.is_null()) {
        r.force_socket(nullptr);
        return true;
    }
    const auto* found = value.is_text() ? find(r, value.text()) : nullptr;
    if (!found) {
        logger(r).error("no local socket '{}'", text_of(r, value));
        return false;
    }
    r.force_socket(found);
    return true;
}
bool set_forced_socket(Request& r, const Value& value) { return force(r, value, find_listener); }
bool set_forced_name(Request& r, const Value& value) { return force(r, value, find_named_listener); }

// --- connections ---------------------------------------------------------------------------------

Value connection(Request& r)
{
    const auto id = r.received().connection;
    return id ? number(id.value) : Value{};
}
template <Get get>
Value on_stream(Request& r)
{
    return r.received().connection ? get(r) : Value{};
}
struct ConnectionPart {
    using Meaning = Get;
    static constexpr std::string_view expected = "c_si, c_sp, c_proto or conid";
    static constexpr Word<Get> words[] = {
        {"c_si", on_stream<source_ip>},
        {"c_sp", on_stream<source_port>},
        {"c_proto", on_stream<protocol_name>},
        {"conid", connection},
    };
};
Value connection_part(Request& r, const OneOf<ConnectionPart>& part) { return part.meaning(r); }

} // namespace

std::string_view listener_text(Request& r, const net::Listener& socket)
{
    return socket_text(r, socket.protocol, host_text(r, socket.bound), socket.bound.port);
}

const net::Listener* find_named_listener(Request& r, std::string_view name)
{
    for (const auto& listener : r.host().network().listeners())
        if (!name.empty() && listener->name == name)
            return listener.get();
    return nullptr;
}

const net::Listener* find_listener(Request& r, std::string_view text)
{
    std::string_view rest = text;
    const auto colon = rest.find(':');
    const auto scheme = rest.substr(0, colon);
    const bool any =
        colon == std::string_view::npos || (scheme != "udp" && scheme != "tcp" && scheme != "tls");
    if (!any)
        rest.remove_prefix(colon + 1);
    std::uint16_t port = 0; // any
    const auto last = rest.rfind(':');
    if (last != std::string_view::npos && (rest.find(':') == last || rest[last - 1] == ']')) {
        const auto given = parse_uint(rest.substr(last + 1));
        if (!given || *given > 65'535)
            return nullptr;
        port = static_cast<std::uint16_t>(*given);
        rest = rest.substr(0, last);
    }
    const auto ip = Address::parse(rest);
    for (const auto& listener : r.host().network().listeners()) {
        if ((!any && net::to_text(listener->protocol) != scheme) ||
            (port != 0 && listener->bound.port != port))
            continue;
        if (ip ? listener->bound.same_ip(*ip) : iequals(listener->advertised_host, rest))
            return listener.get();
    }
    return nullptr;
}

Variables socket_variables()
{
    return {
        row("si", source_ip, "Source address"),
        row("siz", source_host, "Source address, IPv6 in brackets"),
        row("sp", source_port, "Source port"),
        row("su", source_uri, "Source as a URI, with the transport unless it is UDP"),
        row("sut", source_uri_transport, "Source as a URI with its transport"),
        row("sas", source_socket, "Source as proto:ip:port"),
        row("Ri", local_ip, "Address it arrived at"),
        row("Rp", local_port, "Port it arrived at"),
        row("Ru", local_uri, "Receiving socket as a URI, with the transport unless it is UDP"),
        row("Rut", local_uri_transport, "Receiving socket as a URI with its transport"),
        row("Ras", local_socket, "Receiving socket as proto:ip:port"),
        row("Rn", local_name, "Name of the receiving socket; null without one"),
        row("RAi", advertised_ip, "Advertised address of the receiving socket"),
        row("RAp", advertised_port, "Advertised port of the receiving socket"),
        row("RAu", advertised_uri, "Advertised socket as a URI, with the transport unless it is UDP"),
        row("RAut", advertised_uri_transport, "Advertised socket as a URI with its transport"),
        row("pr|proto", protocol_name, "Protocol it came by: udp, tcp or tls"),
        row("prid", protocol_number, "Number of that protocol"),
        row("af", source_family, "Address family of the source: 2 or 10"),
        row("fs", forced_socket, set_forced_socket,
            "Socket to send from, proto:ip:port; null: chosen by the server"),
        row("fsn", forced_name, set_forced_name, "Name of the socket to send from"),
        row("fsp", forced_protocol, "Protocol number of the socket to send from"),
        row("rcv", received_part, "A part of what was received: $rcv(srcip)"),
        row("conid", connection, "Connection the message came by; null on UDP"),
        row("tcp", connection_part, "A part of that connection: $tcp(c_si); null on UDP"),
    };
}

} // namespace sipyard::pv
