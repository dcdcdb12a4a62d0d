// modules/xcap_server/store.h - where documents are kept: read, compare-and-set, delete (spec of the table:
// Kamailio's)
#pragma once

#include "core/base/result.h"
#include "modules/xcap_server/uri.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_server {

// One version of a document. Immutable; shared by the cache, the engine and the replies being sent.
struct Document {
    std::string doc_uri;      // the key
    std::string user, domain; // the owner's columns
    std::string etag;         // without quotes
    std::string text;
    int type = 0;
};
using DocumentPtr = std::shared_ptr<const Document>;

// What a change has to know of the version it replaces.
struct Head {
    std::string user, domain, etag;
};
struct Listed {
    std::string doc_uri, etag;
    int type = 0;
    std::size_t size = 0;
};

struct Quota { // per owner, in the users tree; 0: no limit
    std::size_t documents = 0, bytes = 0;
};
struct NewDocument {
    DocumentPtr document;
    Tree tree = Tree::users;
    std::string
        directory; // doc_uri up to the slash before the document's own path: all its neighbours begin with it
    Quota quota;
};
enum class Created : unsigned char {
    done,
    lost, // somebody else created it
    too_many,
    too_large,
    parent_is_document, // "a/b" while "a" is a document
    holds_documents,    // "a" while "a/b" is a document
};
enum class Written : unsigned char { done, lost, too_large }; // lost: not the version expected
std::string_view to_text(Created created);
std::string_view to_text(Written written);

// Thread-safe; may suspend. A change of an rls-services document keeps the index of services in the same
// transaction. Errors `busy` and `unique` (a service that somebody else declared meanwhile, too) mean try
// again, all others that the store is out of
// order. After a `timeout` of a change it is unknown whether it happened.
class Store {
public:
    virtual ~Store() = default;
    virtual Result<DocumentPtr> load(std::string_view doc_uri) = 0; // null: there is none
    virtual Result<std::optional<Head>> head(std::string_view doc_uri) = 0;
    virtual Result<std::vector<Listed>> list(std::string_view user, std::string_view domain) = 0;
    // Limits and name clashes are settled in the same transaction as the insertion.
    virtual Result<Created> create(NewDocument added) = 0;
    // The row of next.doc_uri and its owner, if its tag is still `old_etag`.
    virtual Result<Written> replace(DocumentPtr next, std::string_view old_etag, Quota quota) = 0;
    virtual Result<Written> remove(std::string_view doc_uri, std::string_view user, std::string_view domain,
                                   std::string_view old_etag) = 0;
    // All documents behind a key, in the order of keys, `most` at most.
    virtual Result<std::vector<Listed>> list_all(std::string_view after, std::size_t most) = 0;

    // Which of these services (rls_document.h: service_key) are declared by other documents than this one?
    virtual Result<std::vector<std::string>> taken_services(std::vector<std::string> keys,
                                                            std::string_view doc_uri) = 0;
    // The documents that declare services, by key: what the global index is made of.
    virtual Result<std::vector<Listed>> rls_documents() = 0;
    // Makes the index of services anew; says how many there are.
    virtual Result<std::size_t> reindex() = 0;
    // As db::Database::freshness().
    virtual Result<std::optional<std::uint64_t>> freshness() = 0;
};

// The rules of create(), given every document that begins with the directory or belongs to the owner.
std::optional<Created> refusal_of(const NewDocument& added, const std::vector<Listed>& present);

} // namespace sipyard::xcap_server
