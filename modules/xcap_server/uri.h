// modules/xcap_server/uri.h - the target of an XCAP request taken apart: usage, tree, user, document, node
// (RFC 4825 6)
#pragma once

#include "core/base/arena.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace sipyard::xcap_server {

enum class Tree : unsigned char { users, global };
std::string_view to_text(Tree tree); // "users", "global": as in the target

// Why a request is refused before any document was looked at. The text is static; code 0 means it is not
// refused.
struct Refusal {
    int code = 0;
    std::string_view reason;
    explicit operator bool() const { return code != 0; }
};

struct UriRules {
    std::string_view root = "/xcap-root/"; // with a slash at both ends (root_of)
    bool canonical_xui = true;             // one user, one key: see canonical_xui()
    std::string_view default_domain; // for an XUI without scheme and '@'; empty: such an XUI stays as it is
};

// All views point into the target or the arena it was read with.
struct XcapUri {
    std::string_view auid; // decoded
    Tree tree = Tree::users;
    std::string_view xui;         // canonical; empty in the global tree
    std::string_view xui_as_sent; // decoded only
    std::string_view file;    // the document's path below the user or `global`, decoded: "index", "a/b/index"
    std::string_view doc_uri; // the table's key: root + auid + tree + canonical XUI + file
    std::string_view literal_uri; // the same with the XUI as sent; equals doc_uri for most clients
    bool trailing_slash = false;  // "/index/": ignored for reading only
    bool has_node = false;        // there was a "~~" segment
    std::string_view node;        // the raw node selector behind "~~/", not decoded
    std::string_view query;       // raw, without '?'
};

inline constexpr std::size_t max_target = 8192; // bytes; longer ones are 414
inline constexpr std::size_t max_doc_uri =
    255; // bytes, the column's width; the engine decides between 404 and 414

// "xcap-root", "/xcap-root" and "/xcap-root/" are the same root.
std::string root_of(std::string_view configured);

// Some clients send the absolute form (RFC 7230 5.3.2); the path begins behind the authority.
std::string_view path_of(std::string_view target);

// Splits the raw target first and decodes each segment once afterwards, so that nothing encoded is ever a
// separator. Refuses 404 (outside the root, no document, bad tree, empty segment), 400 (bad escapes, control
// characters, UTF-8,
// "." and "..", an encoded '/', '#') and 414. On a refusal `out` holds nothing to rely on.
Refusal read(std::string_view target, const UriRules& rules, Arena& arena, XcapUri& out);

// The one form of an XUI: "alice@Example.com" and "sip:alice@example.com" are the same user. Scheme added
// when missing, sip host in lower case, sips: and tel: untouched, the user part is compared with its letter
// case.
std::string_view canonical_xui(std::string_view decoded, const UriRules& rules, Arena& arena);

} // namespace sipyard::xcap_server
