// core/script/ast_core.h - the functions the language has without any module: names, arguments, blocks
// (spec/script 14)
#pragma once

#include "core/module/verdict.h"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace sipyard::script {

enum class CoreFunction : unsigned char {
    forward,
    forward_udp,
    forward_tcp,
    forward_tls,
    forward_sctp,
    log,
    error,
    exec,
    setflag,
    resetflag,
    isflagset,
    setavpflag,
    resetavpflag,
    isavpflagset,
    rewriteuri,
    rewritehost,
    rewritehostport,
    rewritehostporttrans,
    rewriteuser,
    rewriteuserpass,
    rewriteport,
    revert_uri,
    prefix,
    strip,
    strip_tail,
    userphone,
    remove_branch,
    clear_branches,
    force_rport,
    add_local_rport,
    force_tcp_alias,
    udp_mtu_try_proto,
    set_advertised_address,
    set_advertised_port,
    force_send_socket,
    set_forward_no_connect,
    set_reply_no_connect,
    set_forward_close,
    set_reply_close,
    cfg_select,
    cfg_reset,
};

// What an argument may be, and what the tree holds for it.
enum class CoreArg : unsigned char {
    text,     // a constant string -> String
    number,   // a constant integer -> Number
    flag,     // 0 to 31 or a declared name -> Number
    avp_flag, // a name declared with avpflags, or its number -> Number
    avp,      // $avp(x) -> Variable
    host,     // host, ip, "text" or uri:host -> String ("uri:host" means the request URI's)
    port,     // number or uri:port -> Number, or String "uri:port"
    socket,   // [proto:]host[:port] -> String
    protocol, // udp, tcp, tls, sctp -> String, lower-case
    word,     // number or string, evaluated: any expression
};

struct CoreSpec {
    std::string_view names; // first the name, then its aliases, separated by '|'
    CoreFunction function;
    std::size_t least;
    std::vector<CoreArg> args; // optional ones last
    bool bare = false;         // may be written without ()
    RouteMask routes = any_route;
};

std::span<const CoreSpec> core_functions();
const CoreSpec* find_core_function(std::string_view name); // by name or alias; null when there is none
std::string_view to_text(CoreFunction function);           // its first name

} // namespace sipyard::script
