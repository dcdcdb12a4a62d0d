// modules/rr/rr.cpp - Record-Route and Route: requests routed inside dialogs (RFC 3261 16.4, 16.6, 16.12)
#include "modules/rr/rr.h"

#include "core/base/text.h"
#include "core/module/hop.h"

#include <algorithm>

namespace sipyard::rr {

namespace {

constexpr int routed = 1, by_flow_token = 2, not_routed = -1, token_tampered = -2, preloaded_only_us = -3;

} // namespace

RecordRoute::RecordRoute(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("rr")}, slot_{host.slot<Seen>()},
      custom_user_{settings.custom_user_avp.empty() ? nullptr
                                                    : must(host.compile_variable(settings.custom_user_avp))},
      listeners_{std::array<Listener*, 8>{}}, flow_tokens_{nullptr}
{
    if (settings.enable_double_rr < 0 || settings.enable_double_rr > 2)
        throw StartupError{
            format("rr: enable_double_rr is {}; 0, 1 or 2 was expected", settings.enable_double_rr)};
}

void RecordRoute::add_listener(Listener& listener)
{
    const bool added = listeners_.with([&](auto& list) {
        const auto free = std::find(list.begin(), list.end(), nullptr);
        if (free == list.end())
            return false;
        *free = &listener;
        return true;
    });
    if (!added)
        throw StartupError{"rr: more listeners than there is room for"};
}

void RecordRoute::set_flow_tokens(FlowTokens& tokens)
{
    if (settings_.add_username)
        throw StartupError{"rr: add_username and flow tokens both want the user part of Record-Route"};
    flow_tokens_.with([&](FlowTokens*& t) { t = &tokens; });
}

RecordRoute::Seen& RecordRoute::seen(Request& request)
{
    Seen& mine = request.at(slot_);
    if (mine.of != &request.message()) {
        const auto pending = mine.pending_params;
        mine = {};
        mine.pending_params = pending;
        mine.of = &request.message();
    }
    return mine;
}

bool RecordRoute::is_mine(Request& request, const sip::Uri& uri) const
{
    if (!uri.is_sip())
        return false;
    if (host_.is_myself(uri.host_plain(), uri.port_or_default(), {}))
        return true;
    // What we show of a socket need not be a name of ours for the script's `myself`: an advertised address.
    const net::Listener* const socket = received_socket(request);
    return socket && iequals(uri.host, socket->host()) && uri.port_or_default() == socket->port();
}

const net::Listener* RecordRoute::socket_of(const sip::Uri& uri) const
{
    const auto& listeners = host_.network().listeners();
    if (settings_.sockname_mode)
        if (const auto wanted = uri.params.find("sn"))
            for (const auto& listener : listeners)
                if (!wanted->empty() && listener->name == *wanted)
                    return listener.get();
    const sip::Transport transport = uri.transport();
    const net::Protocol protocol = transport == sip::Transport::tls   ? net::Protocol::tls
                                   : transport == sip::Transport::tcp ? net::Protocol::tcp
                                   : transport == sip::Transport::none && uri.scheme == sip::Scheme::sips
                                       ? net::Protocol::tls
                                       : net::Protocol::udp;
    const std::uint16_t port = uri.port_or_default();
    for (const auto& listener : listeners) {
        if (listener->protocol != protocol)
            continue;
        if ((iequals(uri.host, listener->host()) && port == listener->port()) ||
            (iequals(uri.host, listener->bound.host()) && port == listener->bound.port))
            return listener.get();
    }
    return nullptr;
}

int RecordRoute::route(Request& request, RuriMeaning meaning)
{
    const sip::Message& message = request.message();
    if (!message.is_request() || request.is_http())
        return not_routed;
    Seen& mine = seen(request);
    if (mine.done) // the edits are noted; a second time they would be wrong
        return mine.code;
    // Without a To tag the route set was preloaded (16.4 does not apply: nobody has our Record-Route yet).
    const bool preloaded = message.to_tag().empty();
    if (preloaded)
        meaning = RuriMeaning::target;
    const Plan plan = plan_route(message.routes(), request.ruri(), meaning, settings_.enable_double_rr != 0,
                                 [this, &request](const sip::Uri& uri) { return is_mine(request, uri); });
    if (!plan.problem.empty())
        log_.info("loose_route: {}", plan.problem);
    mine.done = true;
    mine.code = carry_out(request, plan, preloaded);
    return mine.code;
}

int RecordRoute::carry_out(Request& request, const Plan& plan, bool preloaded)
{
    Seen& mine = seen(request);
    mine.looked = true;
    if (plan.outcome == Outcome::nothing)
        return not_routed;
    int code = plan.outcome == Outcome::last_was_us && preloaded ? preloaded_only_us : routed;
    if (plan.ours) {
        mine.own_params = plan.own.params;
        if (!follow_flow(request, plan, code))
            return code;
    }
    edit_routes(request, plan);
    if (code != by_flow_token) {
        if (!plan.ruri.empty())
            request.set_ruri(plan.ruri);
        if (!plan.next_hop.empty())
            request.set_dst_uri(plan.next_hop);
        mine.next_is_route = plan.next_is_route;
        if (plan.ours)
            choose_socket(request, plan);
    }
    if (plan.ours)
        for (Listener* const listener : listeners_.with([](const auto& list) { return list; }))
            if (listener)
                listener->on_loose_route(request, mine.own_params);
    return code;
}

// RFC 5626 5.3: a request that did not come by the flow of the token goes out over it. False: the token is a
// forgery.
bool RecordRoute::follow_flow(Request& request, const Plan& plan, int& code)
{
    auto* const tokens = flow_tokens_.with([](FlowTokens* t) { return t; });
    if (!tokens || plan.own.user.empty())
        return true;
    net::Received flow;
    switch (tokens->read(request, plan.own.user, flow)) {
    case FlowTokens::Found::none: return true;
    case FlowTokens::Found::tampered: code = token_tampered; return false;
    case FlowTokens::Found::flow: break;
    }
    if (flow.source == request.received().source && flow.protocol == request.received().protocol)
        return true; // outgoing: it came by that flow
    request.set_dst_uri(
        request.arena().concat("sip:", flow.source.text(), ";transport=", net::to_text(flow.protocol)));
    request.force_socket(flow.listener);
    code = by_flow_token;
    return true;
}

// The socket whose address the next hop knows: of two routes the second; of one only when asked.
void RecordRoute::choose_socket(Request& request, const Plan& plan) const
{
    if (plan.has_second) {
        if (const net::Listener* const socket = socket_of(plan.second))
            request.force_socket(socket);
        else if (settings_.enable_socket_mismatch_warning)
            log_.warn("no socket found to match second RR ({})", plan.second.text);
        if (!plan.second_is_ours)
            log_.warn("second RR uri is not myself ({})", plan.second.text);
    } else if (settings_.force_send_socket || (settings_.sockname_mode && plan.own.params.has("sn"))) {
        if (const net::Listener* const socket = socket_of(plan.own))
            request.force_socket(socket);
    }
}

void RecordRoute::edit_routes(Request& request, const Plan& plan) const
{
    const sip::Message& message = request.message();
    const auto routes = message.routes();
    const std::size_t keep_to = routes.size() - (plan.drop_last ? 1 : 0);
    sip::Edits& edits = request.edits();
    std::size_t n = 0;
    for (const sip::Header* header = message.first(sip::HeaderName::route); header;
         header = message.next(*header)) {
        const char* const value_end = header->value.data() + header->value.size();
        const sip::NameAddr *first = nullptr, *last = nullptr;
        bool all = true;
        for (; n < routes.size() && routes[n].whole.data() >= header->value.data() &&
               routes[n].whole.data() < value_end;
             ++n) {
            if (n < plan.drop_first || n >= keep_to) {
                all = false;
                continue;
            }
            first = first ? first : &routes[n];
            last = &routes[n];
        }
        if (!first) {
            edits.remove(message, *header);
        } else if (!all) {
            const char* const kept_end = last->whole.data() + last->whole.size();
            edits.remove_range(message.offset_of(header->value), message.offset_of(first->whole));
            edits.remove_range(static_cast<std::size_t>(kept_end - message.buffer().data()),
                               static_cast<std::size_t>(value_end - message.buffer().data()));
        }
    }
    if (plan.append_ruri)
        if (const sip::Header* const header = message.last(sip::HeaderName::route))
            edits.insert_after(message, *header, request.arena().concat("Route: <", request.ruri(), ">\r\n"));
}

Verdict RecordRoute::loose_route_preloaded(Request& request)
{
    return Verdict::of(route(request, RuriMeaning::may_be_our_route) == preloaded_only_us);
}

Verdict RecordRoute::loose_route_mode(Request& request, std::int64_t mode)
{
    return Verdict{route(request, mode == 1 ? RuriMeaning::target : RuriMeaning::may_be_our_route)};
}

// Before loose_route() has run the topmost Route is asked.
sip::ParamsView RecordRoute::own_params(Request& request)
{
    Seen& mine = seen(request);
    if (!mine.looked) {
        mine.looked = true;
        const auto routes = request.message().routes();
        sip::Uri uri;
        if (!routes.empty() && sip::read(routes[0].uri, uri).empty() && is_mine(request, uri))
            mine.own_params = uri.params;
    }
    return mine.own_params;
}

std::optional<std::string_view> RecordRoute::route_param(Request& request, std::string_view param)
{
    return own_params(request).find(param);
}

Direction RecordRoute::direction(Request& request)
{
    const auto tag = route_param(request, "ftag");
    return !tag || tag->empty() || *tag == request.message().from_tag() ? Direction::downstream
                                                                        : Direction::upstream;
}

Verdict RecordRoute::check_route_param(Request& request, const Regex& pattern)
{
    return Verdict::of(!own_params(request).empty() && pattern.matches(own_params(request).text()));
}

Verdict RecordRoute::is_direction(Request& request, Literal wanted)
{
    if (iequals(wanted.text, "downstream"))
        return Verdict::of(direction(request) == Direction::downstream);
    if (iequals(wanted.text, "upstream"))
        return Verdict::of(direction(request) == Direction::upstream);
    log_.error("is_direction: '{}' is neither \"downstream\" nor \"upstream\"", wanted.text);
    return Verdict::no();
}

Verdict RecordRoute::rr_next_hop_route(Request& request) { return Verdict::of(seen(request).next_is_route); }

Value RecordRoute::route_uri(Request& request)
{
    const auto routes = request.message().routes();
    return routes.empty() ? Value{""} : Value{routes[0].uri};
}

Value RecordRoute::direction_part(Request& request, std::string_view part)
{
    const Direction way = direction(request);
    if (part == "id")
        return static_cast<int>(way);
    return way == Direction::downstream ? "downstream" : "upstream";
}

Value RecordRoute::first_tag(Request& request)
{
    const sip::Message& message = request.message();
    const auto tag = direction(request) == Direction::downstream ? message.from_tag() : message.to_tag();
    return tag.empty() ? Value{} : Value{tag};
}

Value RecordRoute::second_tag(Request& request)
{
    const sip::Message& message = request.message();
    const auto tag = direction(request) == Direction::downstream ? message.to_tag() : message.from_tag();
    return tag.empty() ? Value{} : Value{tag};
}

Manifest<RecordRoute> RecordRoute::manifest()
{
    using M = RecordRoute;
    constexpr RouteMask recording = Route::request | Route::branch | Route::failure;
    return {
        .name = "rr",
        .about = "Record-Route and Route: stays in the path of a dialog",
        .offers = {offer_of<Api, M>()},
        .params =
            {param("enable_full_lr", &Settings::enable_full_lr, "Write ;lr=on in place of ;lr"),
             param("append_fromtag", &Settings::append_fromtag,
                   "Write ;ftag= with the tag of who began the dialog"),
             param(
                 "enable_double_rr", &Settings::enable_double_rr,
                 "Two Record-Routes: 0 never, 1 when the request changes sockets, 2 always, with transports"),
             param("add_username", &Settings::add_username, "Write the R-URI's user into Record-Route"),
             param("enable_socket_mismatch_warning", &Settings::enable_socket_mismatch_warning,
                   "Warn when the second of two Routes names no socket of ours"),
             param("custom_user_avp", &Settings::custom_user_avp,
                   "Variable whose text add_username takes instead"),
             param("force_send_socket", &Settings::force_send_socket,
                   "Send from the socket a single Route names"),
             param("ignore_sips", &Settings::ignore_sips, "Write sip: for SIPS requests, too"),
             param("sockname_mode", &Settings::sockname_mode,
                   "Write ;sn= with the socket's name, and find sockets by it")},
        .functions =
            {
                function("record_route", &M::record_route, "Adds Record-Route, with further URI parameters",
                         recording),
                function("record_route_preset", &M::record_route_preset,
                         "Adds Record-Route with the address given", recording),
                function("record_route_advertised_address", &M::record_route_advertised_address,
                         "Adds Record-Route with the address given and the transports used", recording),
                function("remove_record_route", &M::remove_record_route,
                         "Takes back what record_route() and add_rr_param() did", recording),
                function("add_rr_param", &M::add_rr_param, "Adds a URI parameter to our Record-Route",
                         recording),
                function("loose_route", &M::loose_route, "Routes by the Route headers; -1: there are none",
                         Route::request),
                function("loose_route_preloaded", &M::loose_route_preloaded,
                         "The same; true when our Route was the only one of an initial request",
                         Route::request),
                function("loose_route_mode", &M::loose_route_mode,
                         "With 1 the R-URI is never taken for a Route of ours", Route::request),
                function("check_route_param", &M::check_route_param,
                         "True when the parameters of our Route match",
                         Route::request | Route::branch | Route::failure),
                function("is_direction", &M::is_direction,
                         "True when the request goes \"downstream\" or \"upstream\"",
                         Route::request | Route::branch | Route::failure),
                function("rr_next_hop_route", &M::rr_next_hop_route,
                         "True when loose_route() took the next hop from a Route"),
            },
        .variables = {variable("route_uri", &M::route_uri, "URI of the topmost Route as received"),
                      variable("rdir", &M::direction_part, "Where the request goes: $rdir(name), $rdir(id)"),
                      variable("fti", &M::first_tag, "Tag of who began the dialog"),
                      variable("tti", &M::second_tag, "Tag of the other side")},
    };
}

} // namespace sipyard::rr

SIPYARD_MODULE(sipyard::rr::RecordRoute)
