// modules/xcap_server/store.cpp - what all stores agree on: limits per owner and clashes of names
#include "modules/xcap_server/store.h"

namespace sipyard::xcap_server {

std::string_view to_text(Created created)
{
    switch (created) {
    case Created::done: return "done";
    case Created::lost: return "lost";
    case Created::too_many: return "too many";
    case Created::too_large: return "too large";
    case Created::parent_is_document: return "parent is a document";
    case Created::holds_documents: return "holds documents";
    }
    return "";
}
std::string_view to_text(Written written)
{
    return written == Written::done ? "done" : written == Written::lost ? "lost" : "too large";
}

std::optional<Created> refusal_of(const NewDocument& added, const std::vector<Listed>& present)
{
    const std::string& uri = added.document->doc_uri;
    std::size_t bytes = added.document->text.size();
    for (const Listed& one : present) {
        if (one.doc_uri == uri)
            return Created::lost;
        bytes += one.size;
        if (!one.doc_uri.starts_with(added.directory))
            continue;
        // A name is a document or a directory, never both (RFC 4825 6.2).
        if (uri.size() > one.doc_uri.size() && uri.starts_with(one.doc_uri) && uri[one.doc_uri.size()] == '/')
            return Created::parent_is_document;
        if (one.doc_uri.size() > uri.size() && one.doc_uri.starts_with(uri) && one.doc_uri[uri.size()] == '/')
            return Created::holds_documents;
    }
    if (added.tree == Tree::global)
        return {};
    if (added.quota.documents != 0 && present.size() >= added.quota.documents)
        return Created::too_many;
    if (added.quota.bytes != 0 && bytes > added.quota.bytes)
        return Created::too_large;
    return {};
}

} // namespace sipyard::xcap_server
