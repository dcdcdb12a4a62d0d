// modules/pua_dialoginfo/call.h - a call that is shown: its legs, and who the documents are about
#pragma once

#include "core/base/guarded.h"
#include "modules/pua_dialoginfo/document.h"
#include "modules/pua_dialoginfo/legs.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::pua_dialoginfo {

// Which sides of a call (or of a branch) are shown: "A", "B" or both.
struct Sides {
    bool caller = true, callee = true;
    friend bool operator==(const Sides&, const Sides&) = default;
};

// About 1 kB and its texts.
struct Facts {
    explicit Facts(const Rules& rules) : legs{rules} {}
    Legs legs;
    About about;
    Sides shown;
    std::vector<Identity> callers, callees; // of whom the documents are
    std::map<int, Identity> of_branch;      // dialoginfo_set_branch_callee
    std::map<int, Sides> muted;             // dialoginfo_mute_branch, by branch
    bool begun = false;                     // something was published
};

// Reached from any worker.
struct Call {
    Call(std::uint32_t e, std::uint32_t i, const Rules& rules) : entry{e}, id{i}, facts{rules} {}
    const std::uint32_t entry, id; // of the dialog
    Guarded<Facts> facts;
};
using CallPtr = std::shared_ptr<Call>; // owners: the table, who works on it

// What a request's script said before the call began: dialoginfo_set(). In its request slot.
struct Wish {
    bool given = false;
    Sides sides;
};

} // namespace sipyard::pua_dialoginfo
