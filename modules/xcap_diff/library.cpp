// modules/xcap_diff/library.cpp - reading documents, and keeping up with their changes
#include "modules/xcap_diff/library.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>
#include <iterator>

namespace sipyard::xcap_diff {
namespace {

constexpr int most_readings = 5; // while documents change under the reader; the last one counts

} // namespace

std::pair<std::string_view, std::string_view> owner_of(std::string_view presentity)
{
    const auto colon = presentity.find(':');
    const auto at = presentity.rfind('@');
    if (colon == std::string_view::npos || at == std::string_view::npos || at < colon)
        return {};
    return {presentity.substr(colon + 1, at - colon - 1), presentity.substr(at + 1)};
}

Result<std::vector<xcap_server::StoredText>> Library::read(std::string_view presentity)
{
    const auto [user, domain] = owner_of(presentity);
    TRY(auto own, documents_.all_of(user, domain));
    TRY(auto global, documents_.all_of({}, {}));
    std::move(global.begin(), global.end(), std::back_inserter(own));
    return own;
}

Result<void> Library::load(std::string_view presentity)
{
    const std::string key{presentity};
    for (int reading = 1;; ++reading) {
        const auto before = shelves_.with([&](auto& shelves) { return shelves[key].changes; });
        auto documents = read(presentity);
        if (!documents) {
            shelves_.with([&](auto& shelves) {
                if (const auto found = shelves.find(key); found != shelves.end() && !found->second.snapshot)
                    shelves.erase(found);
            });
            return documents.error();
        }
        auto snapshot = snapshot_of(std::move(*documents));
        const bool settled = shelves_.with([&](auto& shelves) {
            Shelf& shelf = shelves[key];
            if (shelf.changes != before && reading < most_readings)
                return false;
            shelf.snapshot = std::move(snapshot);
            return true;
        });
        if (settled)
            return {};
    }
}

SnapshotPtr Library::find(std::string_view presentity) const
{
    return shelves_.with([&](const auto& shelves) {
        const auto found = shelves.find(presentity);
        return found == shelves.end() ? nullptr : found->second.snapshot;
    });
}

std::vector<std::string> Library::changed(const xcap_server::DocumentChanged& change)
{
    const std::string sel = documents_.reference(change.doc_uri);
    // Who is concerned, and from what he knows; the patch is computed once, outside of the lock.
    std::vector<std::string> concerned;
    shelves_.with([&](auto& shelves) {
        const auto hear = [&](auto& entry) {
            ++entry.second.changes;
            if (entry.second.snapshot)
                concerned.push_back(entry.first);
        };
        if (is_global(sel)) {
            for (auto& entry : shelves)
                hear(entry);
        } else if (const auto found = shelves.find(format("sip:{}@{}", change.user, change.domain));
                   found != shelves.end()) {
            hear(*found);
        }
    });
    if (concerned.empty())
        return {};
    std::shared_ptr<const xcap_server::Patch> patch;
    if (change.old_text && change.new_text)
        if (auto told = documents_.patch(*change.old_text, *change.new_text))
            patch = std::make_shared<const xcap_server::Patch>(std::move(*told));
    std::vector<std::string> lost;
    for (const auto& presentity : concerned) {
        const bool followed = shelves_.with([&](auto& shelves) {
            const auto found = shelves.find(presentity);
            if (found == shelves.end() || !found->second.snapshot)
                return true; // nobody follows any more
            const auto known = found->second.snapshot->documents.find(change.doc_uri);
            if (known != found->second.snapshot->documents.end() &&
                known->second.document.etag == change.new_etag && !change.new_etag.empty())
                return true; // it was read with this change in it
            auto next = xcap_diff::changed(*found->second.snapshot, change, sel, patch);
            if (!next)
                return false;
            found->second.snapshot = std::move(next);
            return true;
        });
        if (!followed)
            lost.push_back(presentity);
    }
    for (const auto& presentity : lost)
        (void)load(presentity); // the old snapshot stays when the store is away: the next change tries again
    return concerned;
}

void Library::sweep(const std::function<bool(const std::string&)>& is_followed)
{
    const auto users = shelves_.with([](const auto& shelves) {
        std::vector<std::string> out;
        for (const auto& [presentity, shelf] : shelves)
            if (shelf.snapshot)
                out.push_back(presentity);
        return out;
    });
    for (const auto& presentity : users)
        if (!is_followed(presentity))
            shelves_.with([&](auto& shelves) { shelves.erase(presentity); });
}

std::size_t Library::size() const
{
    return shelves_.with([](const auto& shelves) { return shelves.size(); });
}

} // namespace sipyard::xcap_diff
