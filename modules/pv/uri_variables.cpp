// modules/pv/uri_variables.cpp - the R-URI as it is now and as it came, the next hop
#include "modules/pv/lists.h"
#include "modules/pv/uri_text.h"

#include "core/sip/message.h"

namespace sipyard::pv {

namespace {

// --- where a URI comes from; null when there is none or it does not parse ------------------------

const sip::Uri* current(Request& r) { return r.message().is_reply() ? nullptr : r.parsed_ruri(); }
const sip::Uri* original(Request& r) { return r.message().request_uri(); }
const sip::Uri* read_uri(Request& r, std::string_view text)
{
    if (text.empty())
        return nullptr;
    auto& uri = r.arena().make<sip::Uri>();
    return sip::read(text, uri).empty() ? &uri : nullptr;
}
const sip::Uri* destination(Request& r) { return read_uri(r, r.dst_uri()); }
const sip::Uri* next_hop(Request& r) { return r.dst_uri().empty() ? current(r) : destination(r); }

using Source = const sip::Uri* (*)(Request&);

template <Source source>
Value user(Request& r)
{
    const auto* uri = source(r);
    return uri ? text_or_null(uri->user) : Value{};
}
template <Source source>
Value host(Request& r)
{
    const auto* uri = source(r);
    return uri ? text_or_null(uri->host) : Value{};
}
template <Source source>
Value port(Request& r)
{
    const auto* uri = source(r);
    return uri ? number(uri->port ? uri->port : 5060) : Value{};
}
template <Source source>
Value transport(Request& r)
{
    const auto* uri = source(r);
    if (!uri)
        return {};
    const auto text = uri->transport_text();
    return text.empty() ? Value{"UDP"} : Value{text};
}
template <Source source>
Value whole(Request& r)
{
    const auto* uri = source(r);
    return uri ? Value{uri->text} : Value{};
}

Value ruri(Request& r) { return r.is_http() ? Value{r.ruri()} : whole<current>(r); }
Value original_uri(Request& r) { return r.message().is_reply() ? Value{} : Value{r.message().uri_text()}; }
// A SIP URI that says its user is a phone number counts as tel (phone2tel), as Kamailio has it.
Value scheme(Request& r)
{
    const auto* uri = current(r);
    if (!uri)
        return {};
    if (uri->is_sip() && r.host().core().phone2tel && iequals(uri->params.find("user").value_or(""), "phone"))
        return uri->scheme == sip::Scheme::sips ? "tels" : "tel";
    return uri->scheme == sip::Scheme::other ? uri->scheme_text : to_text(uri->scheme);
}

// --- changing the R-URI: visible at once ---------------------------------------------------------

bool refuse(Request& r, std::string_view what)
{
    logger(r).error("str value required to set {}", what);
    return false;
}

bool set_ruri(Request& r, const Value& value)
{
    if (!value.is_text())
        return refuse(r, "R-URI");
    r.set_ruri(value.text());
    return true;
}

template <class Change>
bool change_ruri(Request& r, std::string_view what, Change&& change)
{
    const auto* now = current(r);
    if (!now) {
        logger(r).error("cannot set {}: '{}' is no URI", what, r.ruri());
        return false;
    }
    sip::Uri uri = *now;
    change(uri);
    r.set_ruri(sip::print(uri, r.arena()));
    return true;
}

bool set_user(Request& r, const Value& value)
{
    if (value.is_integer())
        return refuse(r, "R-URI user");
    return change_ruri(r, "R-URI user", [&](sip::Uri& uri) { put_user(uri, value.text()); });
}
bool set_host(Request& r, const Value& value)
{
    if (!value.is_text() || value.text().empty())
        return refuse(r, "R-URI host");
    return change_ruri(r, "R-URI host", [&](sip::Uri& uri) { put_host(uri, value.text(), r.arena()); });
}
bool set_port(Request& r, const Value& value)
{
    std::int64_t port = value.number();
    if (value.is_text() && !value.text().empty())
        port = parse_int(value.text()).value_or(-1);
    if (port < 0 || port > 65'535) {
        logger(r).error("'{}' is no port for the R-URI", text_of(r, value));
        return false;
    }
    return change_ruri(r, "R-URI port", [&](sip::Uri& uri) { uri.port = static_cast<std::uint16_t>(port); });
}

// --- the next hop --------------------------------------------------------------------------------

Value dst_uri(Request& r) { return text_or_null(r.dst_uri()); }
bool set_dst_uri(Request& r, const Value& value)
{
    if (value.is_integer())
        return refuse(r, "the destination URI");
    r.set_dst_uri(value.text()); // null clears it
    return true;
}

struct NextHopPart {
    using Meaning = Get;
    static constexpr std::string_view expected = "u (URI), U (user), d (host), p (port) or P (transport)";
    static constexpr Word<Get> words[] = {
        {"u", whole<next_hop>}, {"U", user<next_hop>},      {"d", host<next_hop>},
        {"p", port<next_hop>},  {"P", transport<next_hop>},
    };
};
Value next_hop_part(Request& r, const OneOf<NextHopPart>& part) { return part.meaning(r); }

} // namespace

void put_user(sip::Uri& uri, std::string_view user)
{
    uri.user = user;
    uri.has_user = !user.empty();
    if (user.empty()) { // a password belongs to a user
        uri.password = {};
        uri.has_password = false;
    }
}

void put_host(sip::Uri& uri, std::string_view host, Arena& arena)
{
    if (!uri.is_sip()) { // a number moves into a SIP URI
        uri.has_user = !uri.user.empty();
        uri.scheme = sip::Scheme::sip;
    }
    uri.host = host;
    // maddr would still lead to the old place.
    if (uri.params.has("maddr"))
        uri.params = sip::ParamsView{without_param(uri.params.text(), "maddr", arena)};
}

std::string_view without_param(std::string_view params, std::string_view name, Arena& arena)
{
    std::string_view kept;
    sip::Param param;
    for (auto rest = params; sip::ParamsView::next(rest, param);)
        if (!iequals(param.name, name))
            kept = param.has_value ? arena.concat(kept, ";", param.name, "=", param.value)
                                   : arena.concat(kept, ";", param.name);
    return kept;
}

Variables uri_variables()
{
    return {
        row("ru|ruri", ruri, set_ruri, "R-URI as it is now; null in replies and when it is no URI"),
        row("rU|ruri.user", user<current>, set_user, "User of the R-URI; null without one"),
        row("rd|ruri.domain", host<current>, set_host, "Host of the R-URI"),
        row("rp|ruri.port", port<current>, set_port, "Port of the R-URI, 5060 when it says none"),
        row("rP", transport<current>, "Transport parameter of the R-URI, UDP when it says none"),
        row("rz", scheme, "Scheme of the R-URI; tel also with user=phone"),
        row("ou|ouri", original_uri, "R-URI as received"),
        row("oU", user<original>, "User of the R-URI as received"),
        row("od", host<original>, "Host of the R-URI as received"),
        row("op", port<original>, "Port of the R-URI as received, 5060 when it says none"),
        row("oP", transport<original>, "Transport parameter of the R-URI as received, UDP when it says none"),
        row("du|duri", dst_uri, set_dst_uri, "Next hop in place of the R-URI; null when there is none"),
        row("dd", host<destination>, "Host of $du"),
        row("dp", port<destination>, "Port of $du, 5060 when it says none"),
        row("dP", transport<destination>, "Transport parameter of $du, UDP when it says none"),
        row("nh", next_hop_part, "A part of the next hop, $du or else $ru: $nh(d)"),
    };
}

} // namespace sipyard::pv
