// core/ctl/xcap_command.h - `sipyardctl xcap ...`: documents shown, stored, and moved in whole trees of files
#pragma once

#include "core/ctl/progress.h"
#include "core/ctl/socket.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::ctl {

// `words` begins with "xcap". Nothing: none of the commands above, an RPC perhaps. Else the exit status;
// results go to `out`, troubles and progress to `err`.
std::optional<int> run_xcap(const std::vector<std::string>& words, bool as_json, const Ask& ask,
                            const Screen& out, const Screen& err);

} // namespace sipyard::ctl
