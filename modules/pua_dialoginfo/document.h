// modules/pua_dialoginfo/document.h - a call's two sides as dialog-info documents, and whose they are (spec
// presence 7.5, RFC 4235 4): pure
#pragma once

#include "modules/pua_dialoginfo/legs.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::pua_dialoginfo {

// Who takes part, as the INVITE says. `display`: plain, without quotes and escapes.
struct Identity {
    std::string uri, display;
    friend bool operator==(const Identity&, const Identity&) = default;
};

// What is known of a call beside its legs.
struct About {
    std::string id; // of its dialogs: the base of all
    std::string call_id, caller_tag, caller_contact;
    Identity caller, callee;    // written as identities
    std::string local_identity; // written in place of the callee's in the callee's own documents
    bool hide_remote = false;   // the caller asked for privacy (RFC 3323)
};

struct Includes {
    bool callid = true, tags = true, localremote = true;
    bool display_user = false; // attribute_display: the user part where there is no display name
    bool each_branch = true;
};

// The name of a dialog: the callee's legs have numbers behind the base with branch_mode 1.
std::string dialog_id(const About& about, const News& news, const Includes& includes);
// `entity`: of whom the document is, the PUBLISH's Request-URI. `leg`: the one of the news, for the caller
// the one it sees; null when nobody rang yet.
std::string document(const About& about, const News& news, const Leg* leg, const Identity& entity,
                     const Includes& includes);

// A SIP URI without what is not part of an address of record: "sip:user@host:port"; "" when there is no user
// or it is no SIP URI.
std::string address_of(std::string_view uri);
// A name-addr or URI as scripts write them: "\"Name\" <sip:a@b>". The URI is "" when it is none.
Identity identity_from(std::string_view text);
std::string to_text(const Identity& identity); // what identity_from() reads
// The text of a quoted string or of tokens.
std::string plain_display(std::string_view display);
// Does a Privacy header ask to hide who calls? (RFC 3323 4.2, RFC 3325 9.3)
bool asks_for_privacy(std::string_view privacy);

} // namespace sipyard::pua_dialoginfo
