// modules/xcap_server/computed.cpp - which targets are computed, and by what
#include "modules/xcap_server/computed.h"

#include "modules/xcap_server/directory.h"
#include "modules/xcap_server/etag.h"
#include "modules/xcap_server/identity.h"

#include <utility>

namespace sipyard::xcap_server {
namespace {

DocumentPtr with_tag(std::string doc_uri, std::string text)
{
    Document made;
    made.doc_uri = std::move(doc_uri);
    made.text = std::move(text);
    made.etag = etag_of_content(made.text);
    return std::make_shared<const Document>(std::move(made));
}

} // namespace

Computed::Computed(Store& store, UriRules rules, std::string caps)
    : store_{store}, root_{rules.root}, default_domain_{rules.default_domain}, rules_{root_,
                                                                                      rules.canonical_xui,
                                                                                      default_domain_},
      caps_{with_tag(root_ + std::string{caps_auid} + "/global/index", std::move(caps))}, services_{store,
                                                                                                    root_}
{
}

bool Computed::makes(const XcapUri& uri, const Usage& usage) const
{
    if (usage.auid == caps_auid || usage.auid == rls_services_auid)
        return uri.tree == Tree::global && uri.file == "index";
    return usage.auid == directory_auid && uri.tree == Tree::users && uri.file == usage.name;
}

Result<DocumentPtr> Computed::read(const XcapUri& uri, const Usage& usage, const Ask& ask, Arena& arena)
{
    if (usage.auid == caps_auid)
        return caps_;
    if (usage.auid == rls_services_auid)
        return services_.read();
    return read_directory(uri, ask, arena);
}

Result<DocumentPtr> Computed::read_directory(const XcapUri& uri, const Ask& ask, Arena& arena)
{
    // Whose: as for stored documents, the one the script named, else the user of the target.
    const auto owner =
        owner_of(ask.caller.trust == Caller::Trust::script ? ask.caller.uri : uri.xui, rules_, arena);
    if (!owner)
        return DocumentPtr{};
    TRY(auto documents, store_.list(owner->user, owner->domain));
    return with_tag(std::string{uri.doc_uri},
                    directory_document(std::move(documents), root_, ask.scheme, ask.authority));
}

} // namespace sipyard::xcap_server
