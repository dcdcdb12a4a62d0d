// modules/xcap_server/computed.h - the documents the server makes itself: capabilities, directory, services
#pragma once

#include "modules/xcap_server/caps.h"
#include "modules/xcap_server/engine.h"
#include "modules/xcap_server/rls_index.h"

#include <string>

namespace sipyard::xcap_server {

class Computed final : public ComputedDocuments {
public:
    // `caps`: the text of xcap-caps/global/index, which does not change while the server runs.
    Computed(Store& store, UriRules rules, std::string caps);

    bool makes(const XcapUri& uri, const Usage& usage) const override;
    Result<DocumentPtr> read(const XcapUri& uri, const Usage& usage, const Ask& ask, Arena& arena) override;

private:
    Result<DocumentPtr> read_directory(const XcapUri& uri, const Ask& ask, Arena& arena);

    Store& store_;
    const std::string root_, default_domain_;
    const UriRules rules_; // views of the two above
    const DocumentPtr caps_;
    RlsIndex services_;
};

} // namespace sipyard::xcap_server
