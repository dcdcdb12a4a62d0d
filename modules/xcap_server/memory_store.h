// modules/xcap_server/memory_store.h - documents in a map: the store of the engine's tests
#pragma once

#include "core/base/guarded.h"
#include "modules/xcap_server/rls_document.h"
#include "modules/xcap_server/store.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <utility>

namespace sipyard::xcap_server {

class MemoryStore final : public Store {
public:
    // Asked before every operation with its name; an Error is what the operation answers. For tests of
    // trouble.
    std::function<Result<void>(std::string_view operation)> trouble;
    // False: freshness() gives nothing, as a database that cannot tell.
    bool tells_freshness = true;
    std::atomic<std::size_t> loads = 0, heads = 0; // how often they were asked

    Result<DocumentPtr> load(std::string_view doc_uri) override
    {
        TRYV(ask("load"));
        ++loads;
        return state_.with([&](State& s) {
            const auto at = s.rows.find(doc_uri);
            return at == s.rows.end() ? DocumentPtr{} : at->second;
        });
    }
    Result<std::optional<Head>> head(std::string_view doc_uri) override
    {
        TRYV(ask("head"));
        ++heads;
        return state_.with([&](State& s) -> std::optional<Head> {
            const auto at = s.rows.find(doc_uri);
            if (at == s.rows.end())
                return {};
            return Head{at->second->user, at->second->domain, at->second->etag};
        });
    }
    Result<std::vector<Listed>> list(std::string_view user, std::string_view domain) override
    {
        TRYV(ask("list"));
        return state_.with([&](State& s) { return list_of(s, user, domain); });
    }
    Result<Created> create(NewDocument added) override
    {
        TRYV(ask("create"));
        return state_.with([&](State& s) {
            const Document& document = *added.document;
            std::vector<Listed> present = list_of(s, document.user, document.domain);
            if (added.tree == Tree::global) {
                present.clear();
                for (const auto& [uri, row] : s.rows)
                    if (uri.starts_with(added.directory))
                        present.push_back({uri, row->etag, row->type, row->text.size()});
            }
            if (const auto refused = refusal_of(added, present))
                return *refused;
            if (!s.rows.emplace(document.doc_uri, added.document).second)
                return Created::lost;
            ++s.changes;
            return Created::done;
        });
    }
    Result<Written> replace(DocumentPtr next, std::string_view old_etag, Quota quota) override
    {
        TRYV(ask("replace"));
        return state_.with([&](State& s) {
            const auto at = s.rows.find(next->doc_uri);
            if (at == s.rows.end() || at->second->etag != old_etag || at->second->user != next->user ||
                at->second->domain != next->domain)
                return Written::lost;
            std::size_t bytes = next->text.size();
            for (const Listed& one : list_of(s, next->user, next->domain))
                bytes += one.doc_uri == next->doc_uri ? 0 : one.size;
            if (quota.bytes != 0 && bytes > quota.bytes)
                return Written::too_large;
            at->second = next;
            ++s.changes;
            return Written::done;
        });
    }
    Result<Written> remove(std::string_view doc_uri, std::string_view user, std::string_view domain,
                           std::string_view old_etag) override
    {
        TRYV(ask("remove"));
        return state_.with([&](State& s) {
            const auto at = s.rows.find(doc_uri);
            if (at == s.rows.end() || at->second->etag != old_etag || at->second->user != user ||
                at->second->domain != domain)
                return Written::lost;
            s.rows.erase(at);
            ++s.changes;
            return Written::done;
        });
    }
    Result<std::vector<Listed>> list_all(std::string_view after, std::size_t most) override
    {
        TRYV(ask("list_all"));
        return state_.with([&](State& s) {
            std::vector<Listed> found;
            for (const auto& [uri, row] : s.rows)
                if (uri > after && found.size() < most)
                    found.push_back({uri, row->etag, row->type, row->text.size()});
            return found;
        });
    }
    Result<std::vector<std::string>> taken_services(std::vector<std::string> keys,
                                                    std::string_view doc_uri) override
    {
        TRYV(ask("taken_services"));
        return state_.with([&](State& s) {
            std::vector<std::string> taken;
            for (const auto& [uri, row] : s.rows)
                if (uri != doc_uri && may_hold_services(uri))
                    for (const auto& service : services_of(row->text))
                        if (std::find(keys.begin(), keys.end(), service.key) != keys.end())
                            taken.push_back(service.key);
            return taken;
        });
    }
    Result<std::vector<Listed>> rls_documents() override
    {
        TRYV(ask("rls_documents"));
        return state_.with([&](State& s) {
            std::vector<Listed> found;
            for (const auto& [uri, row] : s.rows)
                if (may_hold_services(uri) && !services_of(row->text).empty())
                    found.push_back({uri, row->etag, row->type, row->text.size()});
            return found;
        });
    }
    Result<std::size_t> reindex() override { return std::size_t{0}; } // there is no index to be wrong
    Result<std::optional<std::uint64_t>> freshness() override
    {
        TRYV(ask("freshness"));
        return state_.with([&](State& s) {
            return tells_freshness ? std::optional<std::uint64_t>{s.changes} : std::nullopt;
        });
    }

    // As somebody with an SQL prompt would: no check, any owner.
    void put_row(Document document)
    {
        state_.with([&](State& s) {
            s.rows[document.doc_uri] = std::make_shared<const Document>(document);
            ++s.changes;
        });
    }

private:
    struct State {
        std::map<std::string, DocumentPtr, std::less<>> rows;
        std::uint64_t changes = 1;
    };
    Result<void> ask(std::string_view operation) { return trouble ? trouble(operation) : Result<void>{}; }
    static std::vector<Listed> list_of(const State& s, std::string_view user, std::string_view domain)
    {
        std::vector<Listed> found;
        for (const auto& [uri, row] : s.rows)
            if (row->user == user && row->domain == domain)
                found.push_back({uri, row->etag, row->type, row->text.size()});
        return found;
    }
    Guarded<State> state_;
};

} // namespace sipyard::xcap_server
