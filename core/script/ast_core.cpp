// core/script/ast_core.cpp - the table of core functions (spec/script 14)
#include "core/script/ast_core.h"

#include "core/base/text.h"

namespace sipyard::script {

namespace {

// Functions that decide where a request goes mean nothing once its bytes are on their way.
constexpr RouteMask not_onsend{
    static_cast<std::uint16_t>(any_route.bits & ~static_cast<std::uint16_t>(Route::onsend))};

const std::vector<CoreSpec>& table()
{
    using F = CoreFunction;
    using A = CoreArg;
    static const std::vector<CoreSpec> rows = {
        {"forward", F::forward, 0, {A::host, A::port}, false, not_onsend},
        {"forward_udp", F::forward_udp, 0, {A::host, A::port}, false, not_onsend},
        {"forward_tcp", F::forward_tcp, 0, {A::host, A::port}, false, not_onsend},
        {"forward_tls", F::forward_tls, 0, {A::host, A::port}, false, not_onsend},
        {"forward_sctp", F::forward_sctp, 0, {A::host, A::port}, false, not_onsend},
        {"log", F::log, 1, {A::number, A::text}}, // the level comes first when there are two
        {"error", F::error, 2, {A::text, A::text}},
        {"exec", F::exec, 1, {A::text}},
        {"setflag", F::setflag, 1, {A::flag}},
        {"resetflag", F::resetflag, 1, {A::flag}},
        {"isflagset", F::isflagset, 1, {A::flag}},
        {"setavpflag", F::setavpflag, 2, {A::avp, A::avp_flag}},
        {"resetavpflag", F::resetavpflag, 2, {A::avp, A::avp_flag}},
        {"isavpflagset", F::isavpflagset, 2, {A::avp, A::avp_flag}},
        {"rewriteuri|seturi", F::rewriteuri, 1, {A::text}, false, not_onsend},
        {"rewritehost|sethost|seth", F::rewritehost, 1, {A::text}, false, not_onsend},
        {"rewritehostport|sethostport|sethp", F::rewritehostport, 1, {A::text}, false, not_onsend},
        {"rewritehostporttrans|sethostporttrans|sethpt",
         F::rewritehostporttrans,
         1,
         {A::text},
         false,
         not_onsend},
        {"rewriteuser|setuser|setu", F::rewriteuser, 1, {A::text}, false, not_onsend},
        {"rewriteuserpass|setuserpass|setup", F::rewriteuserpass, 1, {A::text}, false, not_onsend},
        {"rewriteport|setport|setp", F::rewriteport, 1, {A::text}, false, not_onsend},
        {"revert_uri", F::revert_uri, 0, {}, true, not_onsend},
        {"prefix", F::prefix, 1, {A::text}, false, not_onsend},
        {"strip", F::strip, 1, {A::number}, false, not_onsend},
        {"strip_tail", F::strip_tail, 1, {A::number}, false, not_onsend},
        {"userphone", F::userphone, 0, {}, false, not_onsend},
        {"remove_branch", F::remove_branch, 0, {A::word}, false, not_onsend},
        {"clear_branches", F::clear_branches, 0, {}, false, not_onsend},
        {"force_rport|add_rport", F::force_rport, 0, {}, true, not_onsend},
        {"add_local_rport", F::add_local_rport, 0, {}, true, not_onsend},
        {"force_tcp_alias|add_tcp_alias", F::force_tcp_alias, 0, {A::number}, true, not_onsend},
        {"udp_mtu_try_proto", F::udp_mtu_try_proto, 1, {A::protocol}, false, not_onsend},
        {"set_advertised_address", F::set_advertised_address, 1, {A::host}, false, not_onsend},
        {"set_advertised_port", F::set_advertised_port, 1, {A::number}, false, not_onsend},
        {"force_send_socket", F::force_send_socket, 1, {A::socket}, false, not_onsend},
        {"set_forward_no_connect", F::set_forward_no_connect, 0, {}, true, not_onsend},
        {"set_reply_no_connect", F::set_reply_no_connect, 0, {}, true, not_onsend},
        {"set_forward_close", F::set_forward_close, 0, {}, true, not_onsend},
        {"set_reply_close", F::set_reply_close, 0, {}, true, not_onsend},
        {"cfg_select", F::cfg_select, 2, {A::text, A::word}},
        {"cfg_reset", F::cfg_reset, 1, {A::text}},
    };
    return rows;
}

} // namespace

std::span<const CoreSpec> core_functions() { return table(); }

const CoreSpec* find_core_function(std::string_view name)
{
    for (const CoreSpec& spec : table())
        for (std::string_view rest = spec.names; !rest.empty();)
            if (cut(rest, '|') == name)
                return &spec;
    return nullptr;
}

std::string_view to_text(CoreFunction function)
{
    std::string_view names =
        table()[static_cast<std::size_t>(function)].names; // rows are in the enum's order
    return cut(names, '|');
}

} // namespace sipyard::script
