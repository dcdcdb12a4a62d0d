// modules/xcap_server/documents_api.h - documents for other modules: whole ones, parts, what changed in them
#pragma once

#include "core/base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_server {

// One version of a document. Plain value; the text is shared with the cache.
struct StoredText {
    std::string doc_uri; // the table's key
    std::string sel;     // the path below the root as a URI reference: "resource-lists/users/sip:a@b/index"
    std::string auid, etag;
    std::shared_ptr<const std::string> text;
};

// Where a URI points: absolute, beginning with the root's path, or relative to the root.
struct Place {
    std::string doc_uri; // of a collection: what its documents' keys begin with, with a slash at the end
    std::string auid;
    std::string user, domain; // owner; both empty in the global tree, and for a collection above the users
    bool is_collection = false;
    std::string node; // selector and query, raw; empty: the document itself
};

struct Part {
    bool is_attribute = false;
    std::string text;       // an element's markup; an attribute's value as character data
    std::string namespaces; // declarations that hold where it stands, as written: ` xmlns:a="urn:b"`; its own
                            // excepted
};

// One step from a text to the next (RFC 5261).
struct PatchOperation {
    enum class Kind : unsigned char { add, replace, remove };
    Kind kind = Kind::replace;
    std::string sel;        // by position alone, so prefixes matter for attributes only: "*/*[2]/@x:name"
    std::string pos;        // add: "" is as last child, else before, after, prepend; remove: its ws
    std::string type;       // add: "@name" for an attribute
    std::string content;    // markup; of attributes the value, escaped as text
    std::string namespaces; // declarations that content and sel may refer to
};
using Patch = std::vector<PatchOperation>; // in the order they are applied

// Thread-safe.
struct Documents {
    static constexpr std::string_view name = "xcap_server.documents";
    virtual ~Documents() = default;

    virtual std::string_view root() const = 0; // path, with a slash at both ends
    // A document's key as a URI reference below the root, escaped where a URI needs it.
    virtual std::string reference(std::string_view doc_uri) const = 0;
    // invalid: not a URI of documents here.
    virtual Result<Place> place(std::string_view uri) const = 0;
    // On a fiber; may suspend. All documents of an owner; with empty names those of the global tree.
    virtual Result<std::vector<StoredText>> all_of(std::string_view user, std::string_view domain) = 0;
    // Nothing: there is no such part, or more than one.
    virtual std::optional<Part> part(std::string_view auid, std::string_view text,
                                     std::string_view node) const = 0;
    // Nothing: the texts differ outside of the root element.
    virtual std::optional<Patch> patch(std::string_view before, std::string_view after) const = 0;
};

} // namespace sipyard::xcap_server
