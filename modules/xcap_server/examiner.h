// modules/xcap_server/examiner.h - all that a new text has to pass before it is stored (RFC 4825 8.2.5)
#pragma once

#include "core/task/runtime.h"
#include "modules/xcap_server/api.h"
#include "modules/xcap_server/body.h"
#include "modules/xcap_server/store.h"

#include <functional>
#include <memory>
#include <optional>

namespace sipyard::xcap_server {

class Examiner {
public:
    struct Settings {
        Validation validation;
        xml::Limits limits;
        Rules rules;
        std::size_t long_text = 16 * 1024; // longer ones leave the worker: half a millisecond
    };
    // Is there a resource of that URI already, an address-of-record say? Nothing registered: nobody knows.
    using ResourceCheck = std::function<Result<bool>(std::string_view uri)>;

    // `schemas` may be null: no usage has one. `runtime` may be null: everything is done on the caller.
    Examiner(Settings settings, std::shared_ptr<const Schemas> schemas, Store& store, task::Runtime* runtime,
             ResourceCheck is_resource = {})
        : settings_{std::move(settings)}, schemas_{std::move(schemas)}, store_{store}, runtime_{runtime},
          is_resource_{std::move(is_resource)}
    {
    }

    // The first problem, nothing when there is none. Suspends: a long text is examined on a thread of its
    // own, and the store is asked for services that others declare. An Error is trouble of the store's.
    Result<std::optional<Problem>> examine(const Candidate& candidate) const;

private:
    Result<std::optional<Problem>> examine_text(const Candidate& candidate) const;
    Result<std::optional<Problem>> taken_services(const Candidate& candidate) const;
    Result<std::vector<std::string>> taken(std::vector<std::string> keys,
                                           const std::vector<std::string>& uris,
                                           std::string_view doc_uri) const;

    const Settings settings_;
    const std::shared_ptr<const Schemas> schemas_; // owners: this, and jobs that outlive an asker
    Store& store_;
    task::Runtime* const runtime_;
    const ResourceCheck is_resource_;
};

} // namespace sipyard::xcap_server
