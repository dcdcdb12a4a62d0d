// modules/presence_dialoginfo/state.h - all dialogs of a user, from whoever published them (RFC 4235 3.11)
#pragma once

#include "modules/presence_dialoginfo/dialog.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sipyard::presence_dialoginfo {

// One dialog as its publications know it. Numbers of commits order everything, never the time of a refresh.
struct Known {
    std::string name;    // the id that watchers see: the dialog's own, or "id~2" beside another Call-ID
    std::string id;      // as published
    std::string call_id; // "" while nobody said it
    DialogPtr dialog;    // what is shown; null: who published it last is gone, others only have older news
    std::uint64_t first_seen = 0, place = 0; // commit and place in its document: the order in ours
    std::uint64_t changed = 0;               // commit that changed the state
    std::uint64_t commit = 0;                // of what is or was shown; elements older than this are void
    std::uint64_t origin = 0;                // first commit of the publication it is or was from
    bool ended = false;                      // terminated, and its Call-ID makes that final
};

inline constexpr std::size_t max_same_id = 16, max_known = 1'024;

struct State : presence::Composite {
    std::vector<Known> dialogs; // in the order of the document
    std::vector<ExtensionPtr> extensions;
    Known last; // the latest terminated one; its dialog is null when there was none
};

// The rules:
// - one id is one dialog, unless two Call-IDs are known for it: then the later one is called id~2
// - the newest commit wins; the element of an older publication is void even after the newer one ended
// - terminated is final where the Call-ID is the same; without a Call-ID an id may be used again
// - a dialog is forgotten with the last publication that has its id
// - of one id at most max_same_id dialogs are told apart, and max_known published elements count: the oldest
// `before` may be null. The order of `publications` does not count. At most O(n log n) in the dialogs.
std::shared_ptr<const State> merge(std::span<const presence::Publication> publications, const State* before);

} // namespace sipyard::presence_dialoginfo
