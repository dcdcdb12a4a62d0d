// modules/rr/record.cpp - Record-Route written: one, or two where a request changes sockets (RFC 3261 16.6
// item 4, RFC 5658)
#include "core/base/text.h"
#include "core/module/hop.h"
#include "core/sip/lists.h"
#include "modules/rr/rr.h"

#include <algorithm>

namespace sipyard::rr {

namespace {

// Texts of a script become part of a URI in angle brackets: what would end it or the line must not be in
// them.
bool fits_in_uri(std::string_view text)
{
    return std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"';
    });
}

std::string_view escaped(std::string_view user, Arena& arena)
{
    return fits_in_uri(user) ? user : arena.copy(sip::escape_user(user));
}

} // namespace

bool RecordRoute::may_record(Request& request) const
{
    if (!request.message().is_request() || request.is_http())
        return false;
    if (request.has_edits() && request.edits().has(sip::EditKey::record_route)) {
        log_.error("Double attempt to record-route");
        return false;
    }
    return true;
}

std::size_t RecordRoute::place(const Request& request) const
{
    const sip::Message& message = request.message();
    const sip::Header* const first = message.first(sip::HeaderName::record_route);
    return first ? message.offset_of(first->whole) : message.headers_offset();
}

std::string_view RecordRoute::user_part(Request& request) const
{
    if (auto* const tokens = flow_tokens_.with([](FlowTokens* t) { return t; }))
        if (const auto token = tokens->make(request))
            return *token;
    if (!settings_.add_username)
        return {};
    if (custom_user_) {
        const Value custom = custom_user_->get(request);
        if (custom.is_text() && !custom.text().empty())
            return escaped(custom.text(), request.arena());
    }
    const sip::Uri* const uri = request.parsed_ruri();
    return uri ? escaped(uri->user, request.arena()) : std::string_view{};
}

std::string_view RecordRoute::uri_start(Request& request) const
{
    // RFC 3261 16.6 item 4: SIPS where the R-URI or the topmost Route is SIPS.
    const sip::Uri* const uri = request.parsed_ruri();
    const bool sips = !settings_.ignore_sips &&
                      ((uri && uri->scheme == sip::Scheme::sips) || istarts_with(request.dst_uri(), "sips:"));
    const auto user = user_part(request);
    return request.arena().concat("Record-Route: <", sips ? "sips:" : "sip:", user, user.empty() ? "" : "@");
}

// The tag of who began the dialog, whichever way this request goes: a re-INVITE of the callee has it in To.
std::string_view RecordRoute::dialog_tag(Request& request)
{
    const sip::Message& message = request.message();
    const auto tag = direction(request) == Direction::upstream ? message.to_tag() : message.from_tag();
    return sip::is_token(tag) ? tag : std::string_view{request.arena().copy(sip::escape_param(tag))};
}

std::string_view RecordRoute::uri_end(Request& request, std::string_view params, bool lr_first)
{
    const auto tag = settings_.append_fromtag ? dialog_tag(request) : std::string_view{};
    const std::string_view lr = settings_.enable_full_lr ? ";lr=on" : ";lr";
    return request.arena().concat(lr_first ? lr : "", tag.empty() ? "" : ";ftag=", tag, lr_first ? "" : lr,
                                  params, seen(request).pending_params, ">\r\n");
}

Verdict RecordRoute::record_route(Request& request, std::optional<std::string_view> params)
{
    if (!may_record(request))
        return Verdict::no();
    if (params && !fits_in_uri(*params)) {
        log_.error("record_route: parameters '{}' do not fit into a URI", *params);
        return Verdict::no();
    }
    const net::Listener* const socket = received_socket(request);
    if (!socket) {
        log_.error("record_route: no socket of ours for this request");
        return Verdict::no();
    }
    Arena& arena = request.arena();
    const auto start = uri_start(request);
    const auto end = uri_end(request, params.value_or(""), true);
    const auto at = place(request);
    const bool always_two = settings_.enable_double_rr == 2;
    const auto transport = net::to_text(socket->protocol);
    const bool shows_transport = always_two || socket->protocol != net::Protocol::udp;
    const bool shows_name = settings_.sockname_mode && !socket->name.empty();
    const auto inbound =
        arena.concat(start, shown_address(request, *socket), shows_transport ? ";transport=" : "",
                     shows_transport ? transport : "", shows_name ? ";sn=" : "",
                     shows_name ? std::string_view{socket->name} : "");
    // A flow token says all there is about the way back; two of them would not (outbound excludes double
    // routes).
    const bool one =
        settings_.enable_double_rr == 0 || flow_tokens_.with([](FlowTokens* t) { return t != nullptr; });
    sip::Edits& edits = request.edits();
    if (one) {
        edits.insert_when(sip::When::always, at, arena.concat(inbound, end), sip::EditKey::record_route);
        return Verdict::yes();
    }
    const char address[] = {sip::hop_mark::address, 0};
    const char transport_param[] = {sip::hop_mark::transport_param, 0};
    const char explicit_transport[] = {
        ';', 't', 'r', 'a', 'n', 's', 'p', 'o', 'r', 't', '=', sip::hop_mark::transport, 0};
    const char name_param[] = {sip::hop_mark::name_param, 0};
    const auto outbound = arena.concat(start, address, always_two ? explicit_transport : transport_param,
                                       settings_.sockname_mode ? name_param : "");
    const auto pair = [&](std::string_view outer) {
        return arena.concat(outer, ";r2=on", end, inbound, ";r2=on", end);
    };
    // The one nearest to the next hop comes first.
    edits.insert_when(sip::When::same_socket, at, always_two ? pair(inbound) : arena.concat(inbound, end),
                      sip::EditKey::record_route);
    edits.insert_when(sip::When::other_socket, at, pair(outbound), sip::EditKey::record_route);
    return Verdict::yes();
}

Verdict RecordRoute::record_route_preset(Request& request, std::string_view first,
                                         std::optional<std::string_view> second)
{
    if (!may_record(request))
        return Verdict::no();
    if (second && settings_.enable_double_rr == 0) {
        log_.error("Attempt to double record-route while 'enable_double_rr' param is disabled");
        return Verdict::no();
    }
    if (first.empty() || !fits_in_uri(first) || (second && (second->empty() || !fits_in_uri(*second)))) {
        log_.error("record_route_preset: '{}' is no address", first);
        return Verdict::no();
    }
    Arena& arena = request.arena();
    const auto start = uri_start(request);
    const auto end = uri_end(request, "", false);
    const auto text =
        second ? arena.concat(start, first, end, start, *second, end) : arena.concat(start, first, end);
    request.edits().insert_when(sip::When::always, place(request), text, sip::EditKey::record_route);
    return Verdict::yes();
}

Verdict RecordRoute::record_route_advertised_address(Request& request, std::string_view address)
{
    if (!may_record(request))
        return Verdict::no();
    if (address.empty() || !fits_in_uri(address)) {
        log_.error("record_route_advertised_address: '{}' is no address", address);
        return Verdict::no();
    }
    Arena& arena = request.arena();
    const net::Protocol came_by = request.received().protocol;
    const auto start = uri_start(request);
    const auto end = uri_end(request, "", false);
    const auto at = place(request);
    const auto transport = net::to_text(came_by);
    const bool stream = net::is_stream(came_by);
    sip::Edits& edits = request.edits();
    edits.insert_when(settings_.enable_double_rr == 0 ? sip::When::always : sip::When::same_protocol, at,
                      arena.concat(start, address, stream ? ";transport=" : "", stream ? transport : "", end),
                      sip::EditKey::record_route);
    if (settings_.enable_double_rr != 0) {
        const char mark[] = {sip::hop_mark::transport, 0};
        edits.insert_when(sip::When::other_protocol, at,
                          arena.concat(start, address, ";transport=", mark, ";r2=on", end, start, address,
                                       ";transport=", transport, ";r2=on", end),
                          sip::EditKey::record_route);
    }
    return Verdict::yes();
}

Verdict RecordRoute::remove_record_route(Request& request)
{
    if (request.has_edits())
        request.edits().undo(sip::EditKey::record_route);
    seen(request).pending_params = {};
    return Verdict::yes();
}

Verdict RecordRoute::add_rr_param(Request& request, std::string_view text)
{
    const auto added = add_param(request, text);
    if (!added)
        log_.error("add_rr_param: {}", added.error().text);
    return Verdict::of(added.has_value());
}

Result<void> RecordRoute::add_param(Request& request, std::string_view text)
{
    if (text.empty() || text.front() != ';' || !fits_in_uri(text))
        return Error{ErrorKind::invalid,
                     format("'{}' is no URI parameter: ';name=value' was expected", text)};
    Arena& arena = request.arena();
    if (!request.has_edits() || !request.edits().has(sip::EditKey::record_route)) {
        Seen& mine = seen(request);
        mine.pending_params = arena.concat(mine.pending_params, text);
        return {};
    }
    // Record-Route is noted already: the same again, with the parameter in front of each '>'.
    sip::Edits& edits = request.edits();
    struct Noted {
        sip::When when = sip::When::always;
        std::uint32_t at = 0;
        std::string_view text;
    };
    std::array<Noted, 4> noted;
    std::size_t count = 0;
    for (const sip::Edit* edit = edits.first(); edit && count < noted.size(); edit = edit->next)
        if (edit->key == sip::EditKey::record_route)
            noted[count++] = {edit->when, edit->from, edit->text};
    edits.undo(sip::EditKey::record_route);
    for (std::size_t n = 0; n < count; ++n) {
        std::string_view rest = noted[n].text, out;
        for (auto end = rest.find(">\r\n"); end != std::string_view::npos; end = rest.find(">\r\n")) {
            out = arena.concat(out, rest.substr(0, end), text, ">\r\n");
            rest.remove_prefix(end + 3);
        }
        edits.insert_when(noted[n].when, noted[n].at, out, sip::EditKey::record_route);
    }
    return {};
}

} // namespace sipyard::rr
