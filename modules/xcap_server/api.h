// modules/xcap_server/api.h - what other modules may hear about documents
#pragma once

#include "core/base/result.h"

#include <memory>
#include <string>
#include <string_view>

namespace sipyard::xcap_server {

// Announced after the commit, in commit order per document. A listener reads the document itself when it
// needs it.
struct DocumentChanged {
    enum class Method : unsigned char { put, del };
    enum class Kind : unsigned char { document, element, attribute }; // what was put or deleted
    std::string user, domain; // the owner's columns; both empty are possible in the global tree only
    std::string auid;         // "pres-rules"
    int type = 0;             // the doc_type column
    std::string doc_uri;      // the table's key, "/xcap-root/pres-rules/users/sip:alice@example.com/index"
    std::string file;         // the document's path below the user: "index"
    Method method = Method::put;
    std::string old_etag; // empty: it did not exist
    std::string new_etag; // empty: it was deleted
    Kind kind = Kind::document;
    // The node as the client named it, raw: behind "~~/", and behind '?'. Both are "" for documents.
    std::string selector = {}, query = {};
    // The texts before and after, shared with the cache, for who describes the change (xcap-diff patches).
    // Always there for a change of a node; for one of a document when they were at hand, for nobody reads a
    // row only to tell what was in it.
    std::shared_ptr<const std::string> old_text = {}, new_text = {};
};

// Who knows the resources of this server's domains, users' addresses-of-record say.
class ResourceLookup {
public:
    virtual ~ResourceLookup() = default;
    // Is there one of that SIP URI? On a fiber; may suspend. An Error makes the request 503.
    virtual Result<bool> exists(std::string_view uri) = 0;
};

struct Api {
    static constexpr std::string_view name = "xcap_server";
    virtual ~Api() = default;
    // In a module's constructor. With rls_uri_check a service must not have the URI of a resource (RFC 4826
    // 4.4.5). The lookup lives as long as the module.
    virtual void add(ResourceLookup& lookup) = 0;
};

} // namespace sipyard::xcap_server

#include "modules/xcap_server/documents_api.h" // Documents: api.h is the one file of a module that others include
