// modules/xcap_server/rls_index.h - rls-services/global/index: all services of all users (RFC 4826 4.4.7)
#pragma once

#include "core/base/guarded.h"
#include "modules/xcap_server/store.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace sipyard::xcap_server {

// Composed of the documents named `index` and kept: what did not change since is not read again. Thread-safe.
class RlsIndex {
public:
    RlsIndex(Store& store, std::string root) : store_{store}, root_{std::move(root)} {}

    // Costs a look at the database's change counter where there is one, else a SELECT of the tags; a SELECT
    // for each document that changed. Never null.
    Result<DocumentPtr> read();

private:
    struct Piece { // the services of one document, each with the namespaces that hold there
        std::string etag, services;
    };
    struct State {
        std::map<std::string, Piece, std::less<>> pieces; // by key
        DocumentPtr whole;
        std::optional<std::uint64_t> freshness;
    };
    bool is_index(std::string_view doc_uri) const;
    static std::string services_in(std::string_view text);

    Store& store_;
    const std::string root_;
    Guarded<std::shared_ptr<const State>> state_{std::make_shared<const State>()};
};

} // namespace sipyard::xcap_server
