// core/script/core_call.cpp - what the core functions do
#include "core/script/core_call.h"

#include "core/base/text.h"
#include "core/script/engine_parts.h"
#include "core/script/forward.h"
#include "core/script/uri_rewrite.h"
#include "core/sip/message.h"
#include "core/task/pool.h"

#include <cstdlib>

namespace sipyard::script {

using F = CoreFunction;

std::string_view CoreCall::text(Run& run, std::size_t n) const
{
    if (n >= args_.size())
        return {};
    if (const Value* constant = args_[n]->constant(); constant && constant->is_text())
        return constant->text();
    return keep_text(run, args_[n]->value(run));
}

std::int64_t CoreCall::number(Run& run, std::size_t n, std::int64_t otherwise) const
{
    return n < args_.size() ? args_[n]->integer(run) : otherwise;
}

int CoreCall::call(Run& run) const
{
    switch (function_) {
    case F::forward:
    case F::forward_udp:
    case F::forward_tcp:
    case F::forward_tls:
    case F::forward_sctp: return send_on(run);
    case F::log: return write_log(run);
    case F::error:
        run.program.log.notice("error(\"{}\", \"{}\") not implemented", text(run, 0), text(run, 1));
        return 1;
    case F::exec: {
        // system() waits for the command, so it does so on a pool thread.
        const auto code = task::blocking(
            run.request.host().runtime().pool(), std::chrono::seconds{30},
            [](std::string command) { return std::system(command.c_str()); }, std::string{text(run, 0)});
        if (!code)
            run.program.log.error("exec(\"{}\"): {}", text(run, 0), code.error().text);
        return 1;
    }
    case F::setflag:
    case F::resetflag:
    case F::isflagset: return flag(run);
    case F::setavpflag:
    case F::resetavpflag:
    case F::isavpflagset: return avp_flag(run);
    case F::rewriteuri: run.request.set_ruri(text(run, 0)); return 1;
    case F::revert_uri: run.request.revert_ruri(); return 1;
    case F::rewritehost:
    case F::rewritehostport:
    case F::rewritehostporttrans:
    case F::rewriteuser:
    case F::rewriteuserpass:
    case F::rewriteport:
    case F::prefix:
    case F::strip:
    case F::strip_tail:
    case F::userphone: return rewrite(run);
    case F::remove_branch: return remove_branch(run);
    case F::clear_branches: run.request.branches().clear(); return 1;
    case F::force_send_socket: return force_socket(run);
    case F::cfg_select:
    case F::cfg_reset: return select(run);
    default: return mark(run);
    }
}

// --- flags ---------------------------------------------------------------------------------------

int CoreCall::flag(Run& run) const
{
    const std::uint32_t bit = std::uint32_t{1} << (number(run, 0) & 31);
    if (function_ == F::isflagset)
        return (run.request.flags & bit) != 0 ? 1 : -1;
    if (function_ == F::setflag)
        run.request.flags |= bit;
    else
        run.request.flags &= ~bit;
    return 1;
}

// The flags of $avp(x) are an AVP of their own under a name no script can write, so they travel with the
// others.
int CoreCall::avp_flag(Run& run) const
{
    const auto avp = AvpList::Name::parse(text(run, 0));
    const AvpList::Name name{format("\x01 flags of {}:{}", avp.numeric ? "i" : "s",
                                    avp.numeric ? std::to_string(avp.number) : avp.text),
                             0, false};
    const std::int64_t bit = std::int64_t{1} << (number(run, 1) & 31);
    return run.request.with_avps([&](AvpStore& store) {
        AvpList& avps = store.avps;
        if (avps.count(avp) == 0)
            return -1;
        const std::int64_t flags = avps.get(name).number();
        if (function_ == F::isavpflagset)
            return (flags & bit) != 0 ? 1 : -1;
        avps.remove_all(name);
        avps.push(name, function_ == F::setavpflag ? flags | bit : flags & ~bit);
        return 1;
    });
}

int CoreCall::mark(Run& run) const
{
    Request& request = run.request;
    switch (function_) {
    case F::force_rport: request.force_rport = true; break;
    case F::add_local_rport: request.add_local_rport = true; break;
    case F::force_tcp_alias: {
        request.tcp_alias = true;
        const auto& from = request.received();
        if (from.connection && net::is_stream(from.protocol)) {
            const auto* via = request.message().top_via(); // without an argument the port the Via names
            request.host().network().add_alias(
                from.connection,
                static_cast<std::uint16_t>(number(run, 0, via ? via->port_or_default() : from.source.port)));
        }
        break;
    }
    case F::set_advertised_address: request.advertised_host = text(run, 0); break;
    case F::set_advertised_port: request.advertised_port = static_cast<std::uint16_t>(number(run, 0)); break;
    case F::set_forward_no_connect: request.forward_no_connect = true; break;
    case F::set_reply_no_connect: request.reply_no_connect = true; break;
    case F::set_forward_close: request.forward_close = true; break;
    case F::set_reply_close: request.reply_close = true; break;
    case F::udp_mtu_try_proto:
        for (const auto protocol : {net::Protocol::udp, net::Protocol::tcp, net::Protocol::tls})
            if (iequals(text(run, 0), net::to_text(protocol)))
                request.udp_mtu_proto = protocol;
        break;
    default: break;
    }
    return 1;
}

// --- the request URI and where it goes -----------------------------------------------------------

int CoreCall::rewrite(Run& run) const
{
    static constexpr struct {
        F function;
        UriPart part;
    } parts[] = {{F::rewritehost, UriPart::host},
                 {F::rewritehostport, UriPart::host_port},
                 {F::rewritehostporttrans, UriPart::host_port_trans},
                 {F::rewriteuser, UriPart::user},
                 {F::rewriteuserpass, UriPart::user_password},
                 {F::rewriteport, UriPart::port},
                 {F::prefix, UriPart::prefix},
                 {F::strip, UriPart::strip},
                 {F::strip_tail, UriPart::strip_tail},
                 {F::userphone, UriPart::user_phone}};
    const sip::Uri* const uri = run.request.parsed_ruri();
    if (!uri) {
        run.program.log.error("{}(): bad uri '{}'", script::to_text(function_), run.request.ruri());
        return -1;
    }
    for (const auto& row : parts) {
        if (row.function != function_)
            continue;
        const bool counts = row.part == UriPart::strip || row.part == UriPart::strip_tail;
        const std::int64_t count = counts ? number(run, 0) : 0;
        const auto made =
            script::rewrite(*uri, row.part, counts ? std::string_view{} : text(run, 0),
                            count > 0 ? static_cast<std::size_t>(count) : 0, run.request.arena());
        if (made.empty())
            return -1;
        run.request.set_ruri(made);
    }
    return 1;
}

int CoreCall::remove_branch(Run& run) const
{
    auto& branches = run.request.branches();
    const std::int64_t count = static_cast<std::int64_t>(branches.size());
    std::int64_t n = number(run, 0);
    n = n < 0 ? count + n : n;
    if (n < 0 || n >= count)
        return -1;
    branches.erase(branches.begin() + n);
    return 1;
}

int CoreCall::send_on(Run& run) const
{
    ForwardTo to;
    switch (function_) {
    case F::forward_udp: to.protocol = net::Protocol::udp; break;
    case F::forward_tcp: to.protocol = net::Protocol::tcp; break;
    case F::forward_tls: to.protocol = net::Protocol::tls; break;
    case F::forward_sctp: run.program.log.error("forward_sctp(): there is no SCTP support"); return -1;
    default: break;
    }
    to.host = text(run, 0);
    if (args_.size() > 1) {
        const Value port = args_[1]->value(run);
        if (port.is_integer())
            to.port = static_cast<std::uint16_t>(port.number());
        else if (const auto* uri = run.request.parsed_ruri()) // "uri:port"
            to.port = uri->port;
    }
    return forward(run.request, to);
}

int CoreCall::force_socket(Run& run) const
{
    std::string_view wanted = text(run, 0);
    std::optional<net::Protocol> protocol;
    for (const auto p : {net::Protocol::udp, net::Protocol::tcp, net::Protocol::tls}) {
        const auto word = net::to_text(p);
        if (istarts_with(wanted, word) && wanted.size() > word.size() && wanted[word.size()] == ':') {
            protocol = p;
            wanted.remove_prefix(word.size() + 1);
            break;
        }
    }
    std::uint16_t port = 0;
    const auto colon = wanted.rfind(':');
    const auto bracket = wanted.rfind(']');
    if (colon != std::string_view::npos &&
        (bracket == std::string_view::npos ? wanted.find(':') == colon : colon > bracket))
        if (const auto n = parse_uint(wanted.substr(colon + 1)); n && *n < 65'536) {
            port = static_cast<std::uint16_t>(*n);
            wanted = wanted.substr(0, colon);
        }
    const auto address = net::Address::parse(wanted);
    for (const auto& listener : run.request.host().network().listeners()) {
        const bool same_host = address ? listener->bound.same_ip(*address)
                                       : iequals(listener->host(), wanted) || iequals(listener->name, wanted);
        if (same_host && (!protocol || *protocol == listener->protocol) &&
            (port == 0 || port == listener->bound.port)) {
            run.request.force_socket(listener.get());
            return 1;
        }
    }
    run.program.log.error("force_send_socket({}): not one of our sockets", text(run, 0));
    return -1;
}

// --- the rest ------------------------------------------------------------------------------------

int CoreCall::write_log(Run& run) const
{
    const bool has_level = args_.size() > 1;
    // A level between the named ones is the nearest milder one that is printed.
    const auto level = static_cast<log::Level>(std::min<std::int64_t>(3, has_level ? number(run, 0) : 3));
    if (run.program.script_log.enabled(level))
        run.program.script_log.line(level, log_prefix_of(run), text(run, has_level ? 1 : 0));
    return 1;
}

int CoreCall::select(Run& run) const
{
    const auto group = text(run, 0);
    if (!run.program.globals || !run.program.globals->has_group(group)) {
        run.program.log.error("{}(\"{}\"): no such group of variables", script::to_text(function_), group);
        return -1;
    }
    auto& selected = run.context.selected;
    std::erase_if(selected, [&](const auto& s) { return s.first == group; });
    if (function_ == F::cfg_select)
        selected.emplace_back(group, number(run, 1));
    return 1;
}

} // namespace sipyard::script
