// core/module/json_rpc.h - JSON-RPC 2.0 over any carrier: text in, text out
#pragma once

#include <string>
#include <string_view>

namespace sipyard {

class Host;

enum class JsonStyle : unsigned char { compact, pretty };

// Answers one request or a batch (at most 100) with the host's commands. Runs on a fiber. Every failure is
// answered in JSON-RPC's own words: -32700 parse, -32600 request, -32601 method, -32602 params, -32000 the
// command said no. Empty for a notification.
std::string answer_json_rpc(Host& host, std::string_view text, JsonStyle style = JsonStyle::compact);

} // namespace sipyard
