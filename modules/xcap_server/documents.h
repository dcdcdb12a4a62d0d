// modules/xcap_server/documents.h - documents for other modules, out of the store and of texts
#pragma once

#include "modules/xcap_server/documents_api.h"
#include "modules/xcap_server/store.h"
#include "modules/xcap_server/uri.h"
#include "modules/xcap_server/usage.h"

namespace sipyard::xcap_server {

class StoredDocuments final : public Documents {
public:
    StoredDocuments(Store& store, const Usages& usages, UriRules rules)
        : store_{store}, usages_{usages}, rules_{rules}
    {
    }
    std::string_view root() const override { return rules_.root; }
    std::string reference(std::string_view doc_uri) const override;
    Result<Place> place(std::string_view uri) const override;
    Result<std::vector<StoredText>> all_of(std::string_view user, std::string_view domain) override;
    std::optional<Part> part(std::string_view auid, std::string_view text,
                             std::string_view node) const override;
    std::optional<Patch> patch(std::string_view before, std::string_view after) const override;

private:
    Result<void> list_global(std::vector<Listed>& out);

    Store& store_;
    const Usages& usages_;
    const UriRules rules_; // its views live as long as the engine
};

} // namespace sipyard::xcap_server
