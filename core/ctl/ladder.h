// core/ctl/ladder.h - a call drawn as message arrows between its peers and our server (sipyardctl trace)
#pragma once

#include "core/json/value.h"

#include <string>

namespace sipyard::ctl {

// The answer of core.trace: {"call_id", "start", "messages": [{"us", "way": "in"|"out", "peer", "method",
// "cseq", "status"}]}. One column for each peer, ours second; peers beyond the seventh share the last column,
// their address beside the arrow.
std::string to_ladder(const json::Value& trace);

} // namespace sipyard::ctl
