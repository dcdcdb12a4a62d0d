// modules/xcap_server/examiner.cpp - the text alone first, then what only the store can tell
#include "modules/xcap_server/examiner.h"

#include "core/base/format.h"
#include "core/task/pool.h"
#include "modules/xcap_server/node_path.h"
#include "modules/xcap_server/rls_document.h"

#include <algorithm>
#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr std::size_t most_reported = 20;
constexpr int first_number = 2, last_number = 9; // of alternatives that are tried
constexpr std::size_t most_alternatives = 2;

bool contains(const std::vector<std::string>& list, const std::string& one)
{
    return std::find(list.begin(), list.end(), one) != list.end();
}

} // namespace

Result<std::optional<Problem>> Examiner::examine(const Candidate& candidate) const
{
    TRY(auto problem, examine_text(candidate));
    if (problem || !settings_.validation.constraints || candidate.usage.rules != Usage::Rules::rls_services)
        return problem;
    return taken_services(candidate);
}

Result<std::optional<Problem>> Examiner::examine_text(const Candidate& candidate) const
{
    if (!runtime_ || candidate.text.size() <= settings_.long_text)
        return xcap_server::examine(candidate, settings_.validation, settings_.limits, schemas_.get(),
                                    settings_.rules);
    // A job owns its data: the asker may give up and leave. The usage lives as long as the engine.
    struct Job {
        std::string text, xui, file, doc_uri, user, domain;
        const Usage& usage;
        Tree tree;
        Settings settings;
        std::shared_ptr<const Schemas> schemas;
    };
    auto job = std::make_shared<const Job>(Job{std::string{candidate.text}, std::string{candidate.xui},
                                               std::string{candidate.file}, std::string{candidate.doc_uri},
                                               std::string{candidate.user}, std::string{candidate.domain},
                                               candidate.usage, candidate.tree, settings_, schemas_});
    return task::blocking(
        runtime_->cpu_lane(), std::chrono::seconds{10},
        [](const std::shared_ptr<const Job>& j) {
            return xcap_server::examine(
                {j->text, j->usage, j->tree, j->xui, j->file, j->doc_uri, j->user, j->domain},
                j->settings.validation, j->settings.limits, j->schemas.get(), j->settings.rules);
        },
        std::move(job));
}

// Those of the keys that cannot be had; `uris` says how they were written.
Result<std::vector<std::string>> Examiner::taken(std::vector<std::string> keys,
                                                 const std::vector<std::string>& uris,
                                                 std::string_view doc_uri) const
{
    TRY(auto found, store_.taken_services(keys, doc_uri));
    for (std::size_t i = 0; is_resource_ && i < keys.size(); ++i) {
        if (contains(found, keys[i]))
            continue;
        TRY(const bool exists, is_resource_(uris[i]));
        if (exists)
            found.push_back(keys[i]);
    }
    return found;
}

// A service's URI is its alone on the whole server (RFC 4826 4.4.5). The index refuses what comes in between.
Result<std::optional<Problem>> Examiner::taken_services(const Candidate& candidate) const
{
    const auto document = xml::Document::parse(candidate.text, settings_.limits);
    if (!document)
        return std::optional<Problem>{}; // examined before, so it is one
    std::vector<xml::ElementView> services;
    std::vector<std::string> keys, uris;
    for (auto child = document->root().first(); child; child = child.next()) {
        auto uri = child.attribute("uri").value_or("");
        auto key = child.name() == "service" ? service_key(uri) : std::nullopt;
        if (!key)
            continue;
        services.push_back(child);
        keys.push_back(std::move(*key));
        uris.push_back(std::move(uri));
    }
    if (keys.empty())
        return std::optional<Problem>{};
    TRY(const auto gone, taken(keys, uris, candidate.doc_uri));
    if (gone.empty())
        return std::optional<Problem>{};

    Problem problem{Conflict::uniqueness_failure, {}, {}, {}};
    for (std::size_t i = 0; i < keys.size() && problem.exists.size() < most_reported; ++i) {
        if (!contains(gone, keys[i]))
            continue;
        if (problem.phrase.empty())
            problem.phrase = format("there is a service or resource {} already", uris[i]);
        Exists exists{node_path(services[i], "uri", candidate.usage.ns), {}};
        std::vector<std::string> others, other_keys;
        for (int number = first_number; number <= last_number; ++number) {
            auto other = alternative(uris[i], number);
            auto key = service_key(other);
            if (!key || contains(keys, *key))
                continue;
            others.push_back(std::move(other));
            other_keys.push_back(std::move(*key));
        }
        if (!others.empty()) {
            TRY(const auto others_gone, taken(other_keys, others, candidate.doc_uri));
            for (std::size_t n = 0; n < others.size() && exists.alt_values.size() < most_alternatives; ++n)
                if (!contains(others_gone, other_keys[n]))
                    exists.alt_values.push_back(others[n]);
        }
        problem.exists.push_back(std::move(exists));
    }
    return std::optional{std::move(problem)};
}

} // namespace sipyard::xcap_server
