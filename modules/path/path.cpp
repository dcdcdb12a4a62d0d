// modules/path/path.cpp - Path headers: a registration comes back through us (RFC 3327)
#include "core/base/text.h"
#include "core/module/hop.h"
#include "core/module/module.h"
#include "core/sip/lists.h"
#include "core/sip/message.h"
#include "core/sip/uri.h"
#include "modules/path/api.h"
#include "modules/rr/api.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>

namespace sipyard::path {

namespace {

// Texts of a script become part of a URI in angle brackets: what would end it or the line must not be in
// them.
bool fits_in_uri(std::string_view text)
{
    return std::ranges::none_of(text, [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"' ||
               c == '?';
    });
}

} // namespace

class Path final : public Api, public rr::Listener {
public:
    struct Settings {
        bool use_received = false;
        int received_format = 0;
        std::string received_name = "received";
        bool enable_r2 = false;
        bool sockname_mode = false;
    };
    static Manifest<Path> manifest();

    Path(const Settings& settings, Host& host) : settings_{settings}, log_{host.logger("path")}
    {
        if (settings.received_format != 0 && settings.received_format != 1)
            throw StartupError{format("path: received_format {} is not 0 or 1", settings.received_format)};
        if (!sip::is_token(settings.received_name))
            throw StartupError{
                format("path: received_name '{}' is no parameter name", settings.received_name)};
        if (!settings.use_received)
            return;
        rr::Api* const routes = host.try_service<rr::Api>();
        if (!routes)
            throw StartupError{"path: use_received needs the module rr"};
        routes->add_listener(*this);
    }

    void set_flow_tokens(FlowTokens& tokens) override
    {
        flow_tokens_.store(&tokens, std::memory_order_release);
    }

    // A Route of ours that says where its client is seen (RFC 3327 5.3): the request goes there.
    void on_loose_route(Request& request, sip::ParamsView params) override
    {
        const auto received = params.find(settings_.received_name);
        if (!received || received->empty())
            return;
        const std::string text =
            settings_.received_format == 1 ? from_tildes(*received) : sip::unescape(*received);
        sip::Uri uri;
        if (text.empty() || !sip::read(text, uri).empty() || !uri.is_sip()) {
            log_.info("the Route's {} is no URI: {}", settings_.received_name, *received);
            return;
        }
        request.set_dst_uri(text);
    }

private:
    Verdict add_path(Request& request, std::optional<std::string_view> user,
                     std::optional<std::string_view> params)
    {
        return add(request, user, params, {});
    }
    Verdict add_path_received(Request& request, std::optional<std::string_view> user,
                              std::optional<std::string_view> params)
    {
        const net::Received& from = request.received();
        const std::string host = from.source.host();
        const std::string port = std::to_string(from.source.port);
        Arena& arena = request.arena();
        if (settings_.received_format == 1)
            return add(request, user, params,
                       arena.concat(";", settings_.received_name, "=", host, "~", port, "~",
                                    std::to_string(static_cast<int>(from.protocol))));
        // A ';' within the value would end it: ";transport=tcp" is escaped.
        const bool datagram = from.protocol == net::Protocol::udp;
        return add(request, user, params,
                   arena.concat(";", settings_.received_name, "=sip:", host, ":", port,
                                datagram ? "" : "%3Btransport%3D",
                                datagram ? "" : net::to_text(from.protocol)));
    }

    Verdict add(Request& request, std::optional<std::string_view> user,
                std::optional<std::string_view> params, std::string_view received)
    {
        const sip::Message& message = request.message();
        if (!message.is_request() || request.is_http())
            return Verdict::no();
        if ((user && !fits_in_uri(*user)) || (params && !fits_in_uri(*params))) {
            log_.error("add_path: user or parameters do not fit into a URI");
            return Verdict::no();
        }
        Arena& arena = request.arena();
        std::string_view shown_user = user.value_or("");
        std::string_view flow;
        if (FlowTokens* const tokens = flow_tokens_.load(std::memory_order_acquire))
            if (const auto token = tokens->make(request)) {
                shown_user = *token;
                flow = ";ob";
            }
        const char address[] = {sip::hop_mark::address, sip::hop_mark::transport_param, 0};
        const char socket_name[] = {sip::hop_mark::name_param, 0};
        const auto more = arena.concat(received, flow, params && !params->empty() ? ";" : "",
                                       params ? params->starts_with(';') ? params->substr(1) : *params
                                              : std::string_view{});
        const auto start = arena.concat("Path: <sip:", shown_user, shown_user.empty() ? "" : "@");
        // The one nearest to the registrar comes first: a request from there meets its socket first (RFC
        // 3327 5.2).
        std::string_view text = arena.concat(start, address, settings_.sockname_mode ? socket_name : "",
                                             ";lr", settings_.enable_r2 ? std::string_view{";r2=on"} : more,
                                             settings_.enable_r2 ? more : std::string_view{}, ">\r\n");
        if (settings_.enable_r2) {
            const net::Listener* const inbound = received_socket(request);
            if (!inbound) {
                log_.error("add_path: no socket of ours for this request");
                return Verdict::no();
            }
            const bool datagram = inbound->protocol == net::Protocol::udp;
            const bool named = settings_.sockname_mode && !inbound->name.empty();
            text = arena.concat(text, start, shown_address(request, *inbound), datagram ? "" : ";transport=",
                                datagram ? "" : net::to_text(inbound->protocol), named ? ";sn=" : "",
                                named ? std::string_view{inbound->name} : "", ";lr;r2=on", more, ">\r\n");
        }
        const sip::Header* const first = message.first(sip::HeaderName::path);
        request.edits().insert_when(sip::When::always,
                                    first ? message.offset_of(first->whole) : message.end_of_headers(), text,
                                    sip::EditKey::none);
        return Verdict::yes();
    }

    // "192.0.2.1~5060~2", as set_contact_alias() writes it; "" when it is none.
    static std::string from_tildes(std::string_view text)
    {
        const std::string_view host = cut(text, '~'), port = cut(text, '~');
        const auto number = parse_uint(port);
        if (host.empty() || !number || *number > 65'535 || text.size() != 1 || text[0] < '1' || text[0] > '3')
            return {};
        const auto protocol = static_cast<net::Protocol>(text[0] - '0');
        return protocol == net::Protocol::udp
                   ? format("sip:{}:{}", host, port)
                   : format("sip:{}:{};transport={}", host, port, net::to_text(protocol));
    }

    const Settings settings_;
    const log::Logger log_;
    std::atomic<FlowTokens*> flow_tokens_{nullptr}; // of another module
};

Manifest<Path> Path::manifest()
{
    using M = Path;
    using S = Settings;
    return {
        .name = "path",
        .about = "Path headers, so that requests to a registered user come back through us",
        .offers = {offer_of<Api, M>()},
        .needs = {may_need<rr::Api>()},
        .params =
            {
                param("use_received", &S::use_received,
                      "The received parameter of a Route of ours becomes the next hop"),
                param("received_format", &S::received_format, "0: a URI, escaped; 1: ip~port~protocol"),
                param("received_name", &S::received_name, "Name of that parameter"),
                param("enable_r2", &S::enable_r2, "Two Path headers, one for each socket"),
                param("sockname_mode", &S::sockname_mode, "The socket's name goes into the parameter sn"),
            },
        .functions =
            {
                function("add_path", &M::add_path, "Adds a Path header", Route::request),
                function("add_path_received", &M::add_path_received,
                         "The same, with where the request came from", Route::request),
            },
    };
}

} // namespace sipyard::path

SIPYARD_MODULE(sipyard::path::Path)
