// modules/xcap_server/administration.h - documents in the administrator's hands: the commands xcap.*
#pragma once

#include "core/json/value.h"
#include "modules/xcap_server/engine.h"
#include "modules/xcap_server/examiner.h"

#include <string>
#include <string_view>

namespace sipyard::xcap_server {

// Arguments come by name or as an array in the order given. Thread-safe; all of them may suspend.
class Administration {
public:
    Administration(Store& store, Engine& engine, const Examiner& examiner)
        : store_{store}, engine_{engine}, examiner_{examiner}
    {
    }

    // [user, after, limit]: rows {doc_uri, etag, doc_type, size} in the order of keys, of one user
    // (user@domain) or of all; those behind `after`, `limit` at most (1000).
    Result<json::Value> list(const json::Value& params);
    Result<json::Value> get(const json::Value& params); // [doc_uri]: the row with its text as `doc`
    // [doc_uri, doc, if_match]: stored as a PUT of that document; {code, etag}. Error `invalid` with kind,
    // phrase and field when it is refused, `constraint` for another entity tag.
    Result<json::Value> put(const json::Value& params);
    // [doc, auid, user]: {valid} and, when it is not, {kind, phrase, exists: [{field, alt_values}]}. Without
    // auid the root element tells the usage; with user it is examined as that user's document.
    Result<json::Value> validate(const json::Value& params);
    Result<json::Value> remove(const json::Value& params); // [doc_uri]
    Result<json::Value> reindex();                         // {services}
    Result<json::Value> flush_cache();                     // what was forgotten: {documents, bytes}

private:
    Store& store_;
    Engine& engine_;
    const Examiner& examiner_;
};

} // namespace sipyard::xcap_server
