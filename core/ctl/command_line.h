// core/ctl/command_line.h - what a person types after sipyardctl, as an RPC call
#pragma once

#include "core/base/result.h"
#include "core/json/value.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::ctl {

struct Call {
    std::string method;
    json::Value params = json::Value::array();
};

struct Shortcut {
    std::string_view words;  // "xcap get"
    std::string_view method; // "xcap.get"; empty: a command of several calls, see run_xcap()
    std::string_view args;   // for the help: "[USER@DOMAIN]"
    std::string_view about;
};
std::span<const Shortcut> shortcuts();

// Words are matched against the shortcuts, longest first; "rpc METHOD ..." or a word with a dot is a method's
// own name. Arguments are numbers when they look like one ("12", not "012"), texts otherwise; "s:12" is the
// text 12.
Result<Call> parse_call(const std::vector<std::string>& words);

std::string usage();
std::string bash_completion(); // a script for `source`

} // namespace sipyard::ctl
