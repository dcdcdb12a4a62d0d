// modules/presence_dialoginfo/dialog.h - what is kept of a published dialog, for decisions and for writing
#pragma once

#include "core/sip/dialog_info.h"
#include "modules/presence_dialoginfo/fragment.h"

#include <memory>
#include <string>
#include <vector>

namespace sipyard::presence_dialoginfo {

// <local> or <remote> in the pieces that privacy and filters take away one by one.
struct Party {
    bool present = false;
    Fragment attributes;
    Fragment identity; // all of them: a sip: and a tel: URI may stand side by side (4.1.6.1)
    Fragment target, session;
    Fragment rest; // cseq, then what the schema does not name
};

struct Dialog {
    std::string id, call_id, local_tag, remote_tag; // plain
    std::string remote_target;                      // plain URI, for suppress_own_dialogs
    sip::DialogState state = sip::DialogState::trying;
    sip::DialogDirection direction = sip::DialogDirection::none;
    bool remote_private = false;           // its publisher asked to hide the remote party
    Fragment attributes, state_attributes; // what stands in <dialog> after direction; in <state>
    Fragment details;                      // duration, replaces
    Fragment referred_by, route_set;
    Party local, remote;
    Fragment extensions;
    presence::ContentHash hash; // of all that, the id left out
};
using DialogPtr = std::shared_ptr<const Dialog>; // owners: documents and composites

// Beside the dialogs of a document.
struct Extension {
    std::string ns, name;
    Fragment element;
};
using ExtensionPtr = std::shared_ptr<const Extension>; // owners: documents and composites

// A publication's dialogs in the order of the document; no two of one id, unless their Call-IDs differ.
struct Published : presence::Document {
    std::vector<DialogPtr> dialogs;
    std::vector<ExtensionPtr> extensions; // one of each name
};
using PublishedPtr = std::shared_ptr<const Published>; // owners: the publication and who merges

// One dialog in two documents: the same id, and no two different Call-IDs.
inline bool is_same_dialog(const Dialog& a, const Dialog& b)
{
    return a.id == b.id && (a.call_id.empty() || b.call_id.empty() || a.call_id == b.call_id);
}

} // namespace sipyard::presence_dialoginfo
