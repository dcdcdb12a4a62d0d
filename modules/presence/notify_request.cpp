// modules/presence/notify_request.cpp - a NOTIFY as it leaves
#include "modules/presence/notify_request.h"

#include "core/base/text.h"
#include "core/sip/lists.h"
#include "core/sip/message.h"

namespace sipyard::presence {
namespace {

std::string_view uri_of(std::string_view route)
{
    sip::NameAddr value;
    (void)sip::read(route, value);
    return value.uri;
}

bool is_numeric(std::string_view uri)
{
    sip::Uri parsed;
    return sip::read(uri, parsed).empty() && parsed.maddr().empty() &&
           net::Address::parse(parsed.host).has_value();
}

} // namespace

Addressed address(std::string_view target, std::string_view routes, Arena& arena)
{
    std::string_view rest = routes, first;
    if (!sip::next_in_list(rest, first))
        return {target, target, {}};
    const std::string_view hop = uri_of(first);
    sip::Uri parsed;
    if (sip::read(hop, parsed).empty() && parsed.is_loose())
        return {target, hop, arena.concat("Route: ", routes, "\r\n")};
    const auto bare = hop.substr(0, hop.find('?')); // headers must not be in a Request-URI (19.1.1)
    rest = trim(rest);
    return {bare, bare,
            rest.empty() ? arena.concat("Route: <", target, ">\r\n")
                         : arena.concat("Route: ", rest, ", <", target, ">\r\n")};
}

tm::Outgoing compose(const Notification& n, Arena& arena)
{
    const Subscription& s = *n.to;
    const Addressed way = address(n.way.contact.view(), s.routes.view(), arena);
    tm::Outgoing out;
    out.method = "NOTIFY";
    out.request_uri = way.request_uri;
    out.next_hop = way.next_hop;
    if (!n.way.flow.empty())
        out.next_hop = n.way.flow.view();
    // The contact of a phone on a connection often names no transport: it means that connection.
    sip::Uri hop;
    if (n.way.connection && n.way.socket && net::is_stream(n.way.socket->protocol) &&
        sip::read(out.next_hop, hop).empty() && hop.transport_text().empty() &&
        hop.scheme == sip::Scheme::sip)
        out.next_hop = arena.concat(out.next_hop.substr(0, out.next_hop.find('?')),
                                    ";transport=", net::to_text(n.way.socket->protocol));
    out.from = arena.concat(s.texts[OwnTexts::local], ";tag=", s.to_tag());
    out.to = s.from_tag().empty() ? s.texts[OwnTexts::remote]
                                  : arena.concat(s.texts[OwnTexts::remote], ";tag=", s.from_tag());
    out.call_id = s.call_id();
    out.cseq = n.cseq;
    out.headers = arena.concat(way.route_lines, n.headers);
    if (n.body) {
        char digits[24];
        const std::string_view version{digits, put_int(digits, n.version)};
        out.content_type = n.body->content_type;
        out.body = n.body->has_version ? arena.concat(n.body->before, version, n.body->after)
                                       : std::string_view{n.body->before};
    }
    out.socket = n.way.socket;
    out.connection = n.way.connection;
    out.may_connect = n.way.may_connect;
    return out;
}

bool needs_dns(const Notification& n)
{
    if (!n.way.flow.empty())
        return false;
    std::string_view rest = n.to->routes.view(), first;
    return !is_numeric(sip::next_in_list(rest, first) ? uri_of(first) : n.way.contact.view());
}

Outcome outcome_of(const tm::Incoming& incoming, const Way& way)
{
    Outcome outcome;
    if (!incoming.reply) { // made here
        outcome.lost = !way.may_connect       ? Outcome::Lost::flow
                       : incoming.code == 408 ? Outcome::Lost::timeout
                                              : Outcome::Lost::unreachable;
        return outcome;
    }
    outcome.code = incoming.code;
    const auto after = trim(incoming.reply->message().value(sip::HeaderName::retry_after));
    const auto digits = after.substr(0, after.find_first_not_of("0123456789"));
    if (const auto number = parse_uint(digits))
        outcome.retry_after = static_cast<std::uint32_t>(std::min<std::uint64_t>(*number, 0xffffffff));
    return outcome;
}

} // namespace sipyard::presence
