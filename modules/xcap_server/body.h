// modules/xcap_server/body.h - is the body of a PUT a document this usage may have? (RFC 4825 8.2.3 to 8.2.5)
#pragma once

#include "core/xml/check.h"
#include "modules/xcap_server/error_document.h"
#include "modules/xcap_server/schemas.h"
#include "modules/xcap_server/uri.h"
#include "modules/xcap_server/usage.h"

#include <optional>
#include <string_view>

namespace sipyard::xcap_server {

// The text as it is stored: a UTF-8 byte order mark is dropped.
std::string_view without_mark(std::string_view body);

// A text that wants to be a document, after whatever change, and which document. Views.
struct Candidate {
    std::string_view text;
    const Usage& usage;
    Tree tree = Tree::users;
    std::string_view xui = {};               // canonical; empty in the global tree
    std::string_view file = {};              // below the user or `global`
    std::string_view doc_uri = {};           // the key it is or will be stored under
    std::string_view user = {}, domain = {}; // the owner's columns
};

// What the operator decided about constraints.
struct Rules {
    UriRules uri = {};                      // of references to documents of this server
    bool allow_foreign_refs = true;         // entry-ref into other users' trees
    std::size_t icon_max_size = 300 * 1024; // bytes of a status icon
};

// Encoding, form, root element, schema, what has to be unique, further constraints; the first failure
// answers. Without `schemas` there is no schema to ask. A tree is built where the usage has a schema or
// rules; else one pass, no tree. Pure and thread-safe: what only the store knows is the examiner's.
std::optional<Problem> examine(const Candidate& candidate, const Validation& validation,
                               const xml::Limits& limits, const Schemas* schemas = nullptr,
                               const Rules& rules = {});

// How Content-Type decides (modparam content_type_check).
enum class TypeCheck : unsigned char { none, tolerant, strict };
enum class TypeVerdict : unsigned char { good, wrong, not_utf8 }; // go on, 415, 409
TypeVerdict check_type(std::optional<std::string_view> content_type, const Usage& usage, TypeCheck check);
std::string_view to_text(TypeVerdict verdict);

} // namespace sipyard::xcap_server
