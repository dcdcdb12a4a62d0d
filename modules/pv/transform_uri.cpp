// modules/pv/transform_uri.cpp - {uri.*}, {nameaddr.*}, {tobody.*}, {urialias.*}: addresses taken apart
#include "modules/pv/transform.h"
#include "modules/pv/uri_text.h"

#include "core/sip/name_addr.h"
#include "core/sip/uri.h"

namespace sipyard::pv {

namespace {

// --- uri. ----------------------------------------------------------------------------------------

using UriPart = Value (*)(Request&, const sip::Uri&, Args);

// Reads the URI and hands it to `part`.
template <UriPart part>
Value of_uri(Request& r, const Value& in, Args args)
{
    sip::Uri uri;
    const auto text = in_text(r, in);
    if (const auto complaint = sip::read(text, uri); !complaint.empty())
        return refuse(r, "uri", complaint, text);
    return part(r, uri, args);
}

std::string_view scheme_text(const sip::Uri& uri)
{
    return uri.scheme == sip::Scheme::other ? uri.scheme_text : to_text(uri.scheme);
}
std::string_view param_text(const sip::Uri& uri, std::string_view name)
{
    return uri.params.find(name).value_or("");
}
std::string_view params_text(const sip::Uri& uri) // without the ';' in front
{
    auto text = uri.params.text();
    if (text.starts_with(';'))
        text.remove_prefix(1);
    return text;
}
std::string_view port_text(Request& r, const sip::Uri& uri)
{
    return uri.port ? r.arena().concat(":", Digits{uri.port}) : std::string_view{};
}
std::string_view transport_text(Request& r, const sip::Uri& uri)
{
    const auto transport = uri.transport_text();
    return transport.empty() ? std::string_view{} : r.arena().concat(";transport=", transport);
}

Value user(Request&, const sip::Uri& uri, Args) { return uri.user; }
Value host(Request&, const sip::Uri& uri, Args) { return uri.host; }
Value port(Request&, const sip::Uri& uri, Args) { return uri.port ? number(uri.port) : Value{""}; }
Value password(Request&, const sip::Uri& uri, Args) { return uri.password; }
Value params(Request&, const sip::Uri& uri, Args) { return params_text(uri); }
Value headers(Request&, const sip::Uri& uri, Args) { return uri.headers; }
Value scheme(Request&, const sip::Uri& uri, Args) { return scheme_text(uri); }
Value param(Request& r, const sip::Uri& uri, Args args) { return param_text(uri, arg_text(r, args, 0)); }
Value transport(Request&, const sip::Uri& uri, Args) { return uri.transport_text(); }
Value ttl(Request&, const sip::Uri& uri, Args) { return param_text(uri, "ttl"); }
Value user_param(Request&, const sip::Uri& uri, Args) { return param_text(uri, "user"); }
Value maddr(Request&, const sip::Uri& uri, Args) { return uri.maddr(); }
Value method(Request&, const sip::Uri& uri, Args) { return param_text(uri, "method"); }
Value lr(Request&, const sip::Uri& uri, Args) { return param_text(uri, "lr"); }
Value r2(Request&, const sip::Uri& uri, Args) { return param_text(uri, "r2"); }
Value remove_param(Request& r, const sip::Uri& uri, Args args)
{
    sip::Uri changed = uri;
    changed.params = sip::ParamsView{without_param(uri.params.text(), arg_text(r, args, 0), r.arena())};
    return sip::print(changed, r.arena());
}
Value to_socket(Request& r, const sip::Uri& uri, Args)
{
    const auto named = uri.transport_text();
    const auto protocol = !named.empty()                    ? to_param(uri.transport())
                          : uri.scheme == sip::Scheme::sips ? "tls"
                                                            : "udp";
    return r.arena().concat(protocol.empty() ? named : protocol, ":", uri.host, ":",
                            Digits{uri.port_or_default()});
}
std::string_view address_of_record(Request& r, const sip::Uri& uri)
{
    if (!uri.is_sip())
        return r.arena().concat(scheme_text(uri), ":",
                                uri.scheme == sip::Scheme::tel ? uri.user : uri.opaque);
    return r.arena().concat(scheme_text(uri), ":", uri.user, uri.has_user ? "@" : "", uri.host);
}
Value aor(Request& r, const sip::Uri& uri, Args) { return address_of_record(r, uri); }
Value simple(Request& r, const sip::Uri& uri, Args)
{
    return r.arena().concat(address_of_record(r, uri), port_text(r, uri), transport_text(r, uri));
}
Value destination(Request& r, const sip::Uri& uri, Args)
{
    if (!uri.is_sip())
        return refuse(r, "uri.duri", "has no host", uri.text);
    return r.arena().concat(scheme_text(uri), ":", uri.host, port_text(r, uri), transport_text(r, uri));
}

// --- nameaddr. -----------------------------------------------------------------------------------

using AddressPart = Value (*)(Request&, const sip::NameAddr&, std::string_view text);

template <AddressPart part>
Value of_address(Request& r, const Value& in, Args)
{
    sip::NameAddr address;
    const auto text = in_text(r, in);
    if (const auto complaint = sip::read(text, address); !complaint.empty())
        return refuse(r, "nameaddr", complaint, text);
    return part(r, address, text);
}

Value address_uri(Request&, const sip::NameAddr& a, std::string_view) { return a.uri; }
Value address_name(Request&, const sip::NameAddr& a, std::string_view text)
{
    if (!a.in_brackets || a.display.empty())
        return a.display;
    // Up to the bracket: the blank in front of it belongs to the name here.
    const auto from = static_cast<std::size_t>(a.display.data() - text.data());
    const auto bracket = static_cast<std::size_t>(a.uri.data() - text.data()) - 1;
    return text.substr(from, bracket - from);
}
Value address_length(Request&, const sip::NameAddr& a, std::string_view text)
{
    const auto start =
        a.in_brackets && !a.display.empty() ? a.display.data() : a.uri.data() - (a.in_brackets ? 1 : 0);
    const auto end = a.uri.data() + a.uri.size() + (a.in_brackets ? 1 : 0);
    (void)text;
    return number(end - start);
}

// --- tobody. -------------------------------------------------------------------------------------

Value body_display(Request&, const sip::NameAddr& a, std::string_view) { return a.display; }
Value body_tag(Request&, const sip::NameAddr& a, std::string_view) { return a.tag(); }
Value body_params(Request&, const sip::NameAddr& a, std::string_view)
{
    auto text = a.params.text();
    if (text.starts_with(';'))
        text.remove_prefix(1);
    return text;
}
template <std::string_view sip::Uri::*part>
Value body_uri_part(Request& r, const sip::NameAddr& a, std::string_view)
{
    sip::Uri uri;
    if (const auto complaint = sip::read(a.uri, uri); !complaint.empty())
        return refuse(r, "tobody", complaint, a.uri);
    return uri.*part;
}

// --- urialias. -----------------------------------------------------------------------------------

// The numbers are Kamailio's; an alias is read by whoever wrote it.
constexpr std::string_view protocols[] = {"", "udp", "tcp", "tls", "sctp", "ws", "wss"};

Value alias_encode(Request& r, const sip::Uri& uri, Args)
{
    if (!uri.is_sip())
        return refuse(r, "urialias.encode", "has no host", uri.text);
    const auto named = uri.transport_text();
    std::size_t protocol = uri.scheme == sip::Scheme::sips ? 3 : 1;
    for (std::size_t i = 1; i < std::size(protocols); ++i)
        if (iequals(named, protocols[i]))
            protocol = i;
    return r.arena().concat(uri.host, "~", Digits{uri.port_or_default()}, "~",
                            Digits{static_cast<std::int64_t>(protocol)});
}
Value alias_decode(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    auto rest = text;
    const auto host = cut(rest, '~'), port = cut(rest, '~');
    const auto number = parse_uint(port), protocol = parse_uint(rest);
    if (host.empty() || !number || *number > 65'535 || !protocol || *protocol == 0 ||
        *protocol >= std::size(protocols))
        return refuse(r, "urialias.decode", "not ip~port~proto", text);
    return r.arena().concat("sip:", host, ":", port,
                            *protocol == 1 ? "" : ";transport=", *protocol == 1 ? "" : protocols[*protocol]);
}

template <UriPart part>
TransformationSpec uri_row(std::string op, std::string about, std::size_t args = 0)
{
    return transformation("uri", std::move(op), args, args, of_uri<part>, std::move(about));
}
template <AddressPart part>
TransformationSpec address_row(std::string class_name, std::string op, std::string about)
{
    return transformation(std::move(class_name), std::move(op), 0, 0, of_address<part>, std::move(about));
}

} // namespace

Transformations uri_transformations()
{
    return {
        uri_row<user>("user", "User"),
        uri_row<host>("host", "Host"),
        uri_row<host>("domain", "Host"),
        uri_row<port>("port", "Port, \"\" when it says none"),
        uri_row<password>("passwd", "Password"),
        uri_row<params>("params", "Parameters"),
        uri_row<param>("param", "Value of a parameter", 1),
        uri_row<remove_param>("rmparam", "The URI without a parameter", 1),
        uri_row<headers>("headers", "Headers"),
        uri_row<transport>("transport", "Parameter transport"),
        uri_row<ttl>("ttl", "Parameter ttl"),
        uri_row<user_param>("uparam", "Parameter user"),
        uri_row<maddr>("maddr", "Parameter maddr"),
        uri_row<method>("method", "Parameter method"),
        uri_row<lr>("lr", "Value of parameter lr"),
        uri_row<r2>("r2", "Value of parameter r2"),
        uri_row<scheme>("scheme", "Scheme"),
        uri_row<to_socket>("tosocket", "proto:host:port"),
        uri_row<aor>("saor", "scheme:user@host"),
        uri_row<simple>("suri", "scheme:user@host with port and transport if it has them"),
        uri_row<destination>("duri", "scheme:host with port and transport if it has them"),
        address_row<address_uri>("nameaddr", "uri", "URI of a name-addr"),
        address_row<address_name>("nameaddr", "name",
                                  "Its display name, quotes and the blank behind it included"),
        address_row<address_length>("nameaddr", "len", "Length from the name to the closing bracket"),
        address_row<address_uri>("tobody", "uri", "URI of a To or From body"),
        address_row<body_tag>("tobody", "tag", "Its tag"),
        address_row<body_uri_part<&sip::Uri::user>>("tobody", "user", "User of its URI"),
        address_row<body_uri_part<&sip::Uri::host>>("tobody", "host", "Host of its URI"),
        address_row<body_params>("tobody", "params", "Its parameters"),
        address_row<body_display>("tobody", "display", "Its display name with quotes"),
        transformation("urialias", "encode", 0, 0, of_uri<alias_encode>, "A URI as ip~port~proto"),
        transformation("urialias", "decode", 0, 0, alias_decode, "Back from it"),
    };
}

} // namespace sipyard::pv
