// core/script/selects.h - $sel(path) and @path: parts of a message by a dotted path (spec/script 15.2)
#pragma once

#include "core/base/arena.h"
#include "core/script/node.h"

#include <string>
#include <string_view>

namespace sipyard::script {

// "via[1].host", "from.uri.user", "hf_value.x", "msg.len", "ruri.host" ... (cfg_get is not here). Null when
// the path is not known. Nodes go into the arena.
const Expr* link_select(std::string_view path, Arena& arena);

// The variable of module tls that "tls.peer.subject.cn" and its like stand for: "tls_peer_subject_cn".
std::string tls_variable_of(std::string_view path);

} // namespace sipyard::script
