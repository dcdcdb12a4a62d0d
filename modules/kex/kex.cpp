// modules/kex/kex.cpp - flags of branches and scripts, the next hop, "is it me?" (spec: flags, sockets)
#include "core/base/text.h"
#include "core/module/module.h"
#include "core/sip/uri.h"

#include <optional>
#include <string_view>

namespace sipyard::kex {

class Kex {
public:
    struct Settings {};
    static Manifest<Kex> manifest();
    Kex(const Settings&, Host& host) : host_{host}, log_{host.logger("kex")} {}

private:
    enum class Change : unsigned char { set, reset, ask };

    // Sets, clears or reads one bit; the flag comes from the script.
    Verdict change(std::uint32_t& flags, std::int64_t flag, Change what) const
    {
        if (flag < 0 || flag > 31) {
            log_.error("bad flag value {}: 0 to 31", flag);
            return Verdict::no();
        }
        const std::uint32_t bit = std::uint32_t{1} << flag;
        if (what == Change::ask)
            return Verdict::of((flags & bit) != 0);
        flags = what == Change::set ? flags | bit : flags & ~bit;
        return Verdict::yes();
    }

    // Branch 0 is the request's own R-URI, the others are those added to it.
    template <Change what>
    Verdict branch_flag(Request& request, std::int64_t flag, std::optional<std::int64_t> branch)
    {
        const std::int64_t at = branch.value_or(0);
        if (at == 0)
            return change(request.branch_flags, flag, what);
        if (at < 0 || at > static_cast<std::int64_t>(request.branches().size())) {
            log_.error("there is no branch {}", at);
            return Verdict::no();
        }
        return change(request.branches()[static_cast<std::size_t>(at - 1)].flags, flag, what);
    }
    template <Change what>
    Verdict script_flag(Request& request, std::int64_t flag)
    {
        return change(request.script_flags, flag, what);
    }

    Verdict set_dst_uri(Request& request, std::string_view uri)
    {
        sip::Uri parsed;
        if (const auto complaint = sip::read(uri, parsed); !complaint.empty()) {
            log_.error("setdsturi: '{}': {}", uri, complaint);
            return Verdict::no();
        }
        request.set_dst_uri(uri);
        return Verdict::yes();
    }
    Verdict reset_dst_uri(Request& request)
    {
        request.set_dst_uri({});
        return Verdict::yes();
    }
    Verdict has_dst_uri(Request& request) { return Verdict::of(!request.dst_uri().empty()); }

    // A URI with its port and transport, or a bare host, with or without a port.
    Verdict is_myself(Request&, std::string_view text)
    {
        sip::Uri uri;
        if (sip::read(text, uri).empty() && uri.is_sip()) {
            std::optional<net::Protocol> protocol;
            switch (uri.transport()) {
            case sip::Transport::udp: protocol = net::Protocol::udp; break;
            case sip::Transport::tcp: protocol = net::Protocol::tcp; break;
            case sip::Transport::tls: protocol = net::Protocol::tls; break;
            default: break;
            }
            return Verdict::of(host_.is_myself(uri.host, uri.port, protocol));
        }
        std::uint16_t port = 0;
        const auto colon = text.rfind(':');
        if (colon != std::string_view::npos && (text.find(':') == colon || text[colon - 1] == ']')) {
            const auto number = parse_uint(text.substr(colon + 1));
            if (!number || *number > 65'535)
                return Verdict::no();
            port = static_cast<std::uint16_t>(*number);
            text = text.substr(0, colon);
        }
        return Verdict::of(!text.empty() && host_.is_myself(text, port, std::nullopt));
    }

    // The text comes with its variables expanded.
    Verdict print(Request& request, const VariableRef& to, std::string_view text)
    {
        return Verdict::of(to.set(request, Value{text}));
    }

    Host& host_;
    const log::Logger log_;
};

Manifest<Kex> Kex::manifest()
{
    using M = Kex;
    return {
        .name = "kex",
        .about = "Flags of branches and scripts, the next hop, names of this server",
        .functions = {function("setbflag", &M::branch_flag<Change::set>,
                               "Sets a flag of a branch, of the first unless told"),
                      function("resetbflag", &M::branch_flag<Change::reset>, "Clears a flag of a branch"),
                      function("isbflagset", &M::branch_flag<Change::ask>,
                               "True when a flag of a branch is set"),
                      function("setsflag", &M::script_flag<Change::set>,
                               "Sets a flag of this run of the script"),
                      function("resetsflag", &M::script_flag<Change::reset>,
                               "Clears a flag of this run of the script"),
                      function("issflagset", &M::script_flag<Change::ask>,
                               "True when a flag of this run of the script is set"),
                      function("setdsturi", &M::set_dst_uri, "Sets the next hop, as $du does"),
                      function("resetdsturi", &M::reset_dst_uri, "Takes the next hop away"),
                      function("isdsturiset", &M::has_dst_uri, "True when a next hop is set"),
                      function("is_myself", &M::is_myself, "True when the URI or host is this server"),
                      function("pv_printf", &M::print, "Writes a text with variables in it into a variable")},
    };
}

} // namespace sipyard::kex

SIPYARD_MODULE(sipyard::kex::Kex)
