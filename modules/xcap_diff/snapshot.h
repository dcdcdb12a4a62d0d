// modules/xcap_diff/snapshot.h - the documents of one user at one moment, and how each came to be what it is
#pragma once

#include "modules/presence/api.h"
#include "modules/xcap_server/api.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sipyard::xcap_diff {

// From one entity tag to the next. Immutable.
struct Step {
    std::string previous, next;
    bool same_text = false;                          // only the tag is another
    std::shared_ptr<const xcap_server::Patch> patch; // null: not told
};
struct Kept {
    xcap_server::StoredText document;
    std::vector<std::shared_ptr<const Step>> history; // the last ones, oldest first
};

// Immutable: a change makes another one, which shares texts and steps. The documents of the global tree are
// among them.
struct Snapshot : presence::Composite {
    std::map<std::string, Kept, std::less<>> documents; // by doc_uri
};
using SnapshotPtr = std::shared_ptr<const Snapshot>; // owners: the library, presence's resources, watchers

constexpr std::size_t most_steps = 32;           // remembered of each document
constexpr std::size_t largest_patch = 64 * 1024; // bytes of content; what is larger is fetched

SnapshotPtr snapshot_of(std::vector<xcap_server::StoredText> documents);
// After a change. `patch`: as the texts told it, or null. Null is returned when the change does not follow on
// what is known, or its text is not at hand: the documents have to be read again.
SnapshotPtr changed(const Snapshot& before, const xcap_server::DocumentChanged& change, std::string sel,
                    std::shared_ptr<const xcap_server::Patch> patch);

// Is it in the global tree, which everybody may read? (A user may name a folder of his "global".)
bool is_global(std::string_view sel);

// The steps from one tag to another; empty: not remembered, or it is the same.
std::vector<const Step*> steps_between(const Kept& kept, std::string_view from);

} // namespace sipyard::xcap_diff
