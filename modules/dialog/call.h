// modules/dialog/call.h - a dialog in the table: the call behind its lock
#pragma once

#include "core/base/clock.h"
#include "core/base/guarded.h"
#include "modules/dialog/api.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sipyard::dialog {

// Everything about one dialog. About 900 bytes and its texts.
struct Facts {
    Dialog dialog;
    std::uint32_t flags = 0;    // dlg_setflag
    bool timeout_bye = false;   // BYE both ways when it times out
    bool timeout_keeps = false; // in-dialog requests do not begin the lifetime anew
    bool ka_caller = false, ka_callee = false;
    bool ka_armed = false;
    int ka_failed_caller = 0, ka_failed_callee = 0;
    bool told = false;            // dialog:start or dialog:failed has run
    bool tracked = false;         // a transaction carries it: it will not be left behind
    bool write_queued = false;    // a write to the database is on its way
    bool stored = false;          // there is a row
    bool changed = true;          // since it was written
    std::int64_t lifetime = 0;    // seconds from the answer
    Instant deadline{INT64_MAX};  // when something is to be done with it
    Instant appointed{INT64_MAX}; // the earliest appointment in the agenda
    std::string timeout_route;
    std::vector<std::pair<std::string, std::string>> variables; // $dlg_var, newest last
    std::vector<std::pair<std::size_t, std::string>> profiles;  // number of the profile, value
};

// Reached from any worker; kept alive by the table and by the requests that work on it.
struct Call {
    Call(std::uint32_t e, std::uint32_t i, std::string call) : entry{e}, id{i}, call_id{std::move(call)} {}
    const std::uint32_t entry, id;
    const std::string call_id;
    Guarded<Facts> facts;
};
using CallPtr = std::shared_ptr<Call>; // owners: the table, requests in hand, jobs about it

} // namespace sipyard::dialog
