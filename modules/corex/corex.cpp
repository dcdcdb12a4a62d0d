// modules/corex/corex.cpp - further branches, extended flags, messages sent as they are, sockets by name
#include "core/base/text.h"
#include "core/module/module.h"
#include "core/sip/message.h"
#include "core/sip/uri.h"
#include "modules/corex/target.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::corex {

class Corex {
public:
    struct Settings {
        std::vector<std::string> alias_subdomains;
    };
    static Manifest<Corex> manifest();

    Corex(const Settings& settings, Host& host) : host_{host}, log_{host.logger("corex")}
    {
        for (const std::string& text : settings.alias_subdomains) {
            auto domain = must(parse_domain(text));
            host.add_myself_hook([domain = std::move(domain)](std::string_view name, std::uint16_t port) {
                return covers(domain, name, port);
            });
        }
    }

private:
    // --- branches --------------------------------------------------------------------------------

    // Without a URI: a copy of the current one with all that belongs to it.
    Verdict append_branch(Request& request, std::optional<std::string_view> uri,
                          std::optional<std::string_view> q)
    {
        if (request.branches().size() + 1 >=
            static_cast<std::size_t>(std::max(host_.core().max_branches, 1))) {
            log_.error("max nr of branches exceeded: {}", host_.core().max_branches);
            return Verdict::no();
        }
        Branch branch;
        if (q && !q->empty()) {
            const auto weight = parse_q(*q);
            if (!weight) {
                log_.error("append_branch: '{}' is no q value", *q);
                return Verdict::no();
            }
            branch.q = *weight;
        }
        if (uri && !uri->empty()) {
            branch.uri = request.arena().copy(*uri);
        } else {
            branch.uri = request.arena().copy(request.ruri());
            branch.dst_uri = request.dst_uri();
            branch.path = request.path();
            branch.socket = request.forced_socket();
        }
        branch.flags = request.branch_flags;
        if (branch.uri.empty()) {
            log_.error("append_branch: there is no URI");
            return Verdict::no();
        }
        request.branches().push_back(branch);
        return Verdict::yes();
    }

    // --- extended flags --------------------------------------------------------------------------

    enum class Change : unsigned char { set, reset, ask };
    template <Change what>
    Verdict extended_flag(Request& request, std::int64_t flag)
    {
        if (flag < 0 || flag > 63) {
            log_.error("bad flag value {}: 0 to 63", flag);
            return Verdict::no();
        }
        std::uint64_t& word = request.extended_flags[0];
        const std::uint64_t bit = std::uint64_t{1} << flag;
        if (what == Change::ask)
            return Verdict::of((word & bit) != 0);
        word = what == Change::set ? word | bit : word & ~bit;
        return Verdict::yes();
    }

    // --- sending as it is ------------------------------------------------------------------------

    // To "host[:port]" or a URI; without one to $du or the R-URI.
    template <net::Protocol protocol>
    Verdict send(Request& request, std::optional<std::string_view> to)
    {
        const auto where = to && !to->empty()           ? *to
                           : !request.dst_uri().empty() ? request.dst_uri()
                                                        : request.ruri();
        return send_bytes(request, where, protocol, request.message().buffer());
    }
    Verdict send_data(Request& request, std::string_view uri, std::string_view data)
    {
        return send_bytes(request, uri, std::nullopt, data);
    }

    Verdict send_bytes(Request& request, std::string_view where, std::optional<net::Protocol> protocol,
                       std::string_view bytes)
    {
        const auto target = parse_target(where);
        if (!target) {
            log_.error("cannot send: {}", target.error().text);
            return Verdict::no();
        }
        net::Destination to;
        to.protocol = protocol.value_or(target->protocol);
        const std::uint16_t port = target->port ? target->port : net::default_port(to.protocol);
        const auto addresses = host_.resolver().addresses(target->host, port);
        if (!addresses || addresses->empty()) {
            log_.error("cannot send to '{}': {}", where, addresses ? "no address" : addresses.error().text);
            return Verdict::no();
        }
        to.to = addresses->front();
        if (const auto* socket = request.forced_socket(); socket && socket->protocol == to.protocol)
            to.from = socket;
        const auto sent = host_.network().send(to, bytes);
        if (!sent)
            log_.error("cannot send to '{}': {}", where, sent.error().text);
        return Verdict::of(sent.has_value());
    }

    // --- sockets, questions ----------------------------------------------------------------------

    const net::Listener* socket_named(std::string_view name)
    {
        for (const auto& listener : host_.network().listeners())
            if (!name.empty() && listener->name == name)
                return listener.get();
        return nullptr;
    }
    Verdict set_send_socket_name(Request& request, std::string_view name)
    {
        const auto* socket = socket_named(name);
        if (!socket) {
            log_.error("no socket is named '{}'", name);
            return Verdict::no();
        }
        request.force_socket(socket);
        return Verdict::yes();
    }
    Verdict is_socket_name(Request&, std::string_view name)
    {
        return Verdict::of(socket_named(name) != nullptr);
    }
    Verdict has_ruri_user(Request& request)
    {
        const auto* uri = request.parsed_ruri();
        return Verdict::of(uri && !uri->user.empty());
    }
    Verdict has_user_agent(Request& request)
    {
        return Verdict::of(!request.message().value(sip::HeaderName::user_agent).empty());
    }

    Host& host_;
    const log::Logger log_;
};

Manifest<Corex> Corex::manifest()
{
    using M = Corex;
    constexpr RouteMask branching = Route::request | Route::failure;
    return {
        .name = "corex",
        .about = "Further branches, extended flags, messages sent as they are",
        .params = {param("alias_subdomains", &Settings::alias_subdomains,
                         "A domain whose subdomains are this server too: [proto:]domain[:port]")},
        .functions =
            {function("append_branch", &M::append_branch,
                      "Adds a branch: a URI, or a copy of the current one", branching),
             function("setxflag", &M::extended_flag<Change::set>, "Sets an extended flag, 0 to 63"),
             function("resetxflag", &M::extended_flag<Change::reset>, "Clears an extended flag"),
             function("isxflagset", &M::extended_flag<Change::ask>, "True when an extended flag is set"),
             function("send_udp", &M::send<net::Protocol::udp>, "Sends the message as received by UDP"),
             function("send_tcp", &M::send<net::Protocol::tcp>, "Sends the message as received by TCP"),
             function("send_data", &M::send_data, "Sends bytes to a URI"),
             function("set_send_socket_name", &M::set_send_socket_name, "Sends from the socket of that name"),
             function("is_socket_name", &M::is_socket_name, "True when a socket has that name"),
             function("has_ruri_user", &M::has_ruri_user, "True when the R-URI has a user"),
             function("has_user_agent", &M::has_user_agent,
                      "True when there is a User-Agent that is not empty")},
    };
}

} // namespace sipyard::corex

SIPYARD_MODULE(sipyard::corex::Corex)
