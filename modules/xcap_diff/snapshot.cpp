// modules/xcap_diff/snapshot.cpp - from one snapshot to the next
#include "modules/xcap_diff/snapshot.h"

#include "core/base/text.h"
#include "core/crypto/digest.h"

#include <cstring>

namespace sipyard::xcap_diff {
namespace {

SnapshotPtr sealed(std::shared_ptr<Snapshot> snapshot)
{
    crypto::Digest digest{crypto::Algorithm::sha256};
    for (const auto& [uri, kept] : snapshot->documents) {
        digest.add(uri);
        digest.add("\n");
        digest.add(kept.document.etag);
        digest.add("\n");
    }
    const auto raw = digest.finish();
    std::memcpy(&snapshot->hash.high, raw.bytes.data(), 8);
    std::memcpy(&snapshot->hash.low, raw.bytes.data() + 8, 8);
    return snapshot;
}

bool is_too_large(const xcap_server::Patch& patch)
{
    std::size_t bytes = 0;
    for (const auto& operation : patch)
        bytes += operation.sel.size() + operation.content.size();
    return bytes > largest_patch;
}

} // namespace

SnapshotPtr snapshot_of(std::vector<xcap_server::StoredText> documents)
{
    auto out = std::make_shared<Snapshot>();
    for (auto& document : documents) {
        auto uri = document.doc_uri;
        out->documents.insert_or_assign(std::move(uri), Kept{std::move(document), {}});
    }
    return sealed(std::move(out));
}

SnapshotPtr changed(const Snapshot& before, const xcap_server::DocumentChanged& change, std::string sel,
                    std::shared_ptr<const xcap_server::Patch> patch)
{
    const auto found = before.documents.find(change.doc_uri);
    const bool was_there = found != before.documents.end();
    if (was_there ? found->second.document.etag != change.old_etag : !change.old_etag.empty())
        return {};
    if (!change.new_etag.empty() && !change.new_text)
        return {};
    auto out = std::make_shared<Snapshot>(before);
    if (change.new_etag.empty()) {
        out->documents.erase(change.doc_uri);
        return sealed(std::move(out));
    }
    Kept& kept = out->documents[change.doc_uri];
    if (was_there) {
        Step step{change.old_etag, change.new_etag, false, nullptr};
        step.same_text = kept.document.text && *kept.document.text == *change.new_text;
        if (!step.same_text && patch && !is_too_large(*patch))
            step.patch = std::move(patch);
        if (kept.history.size() == most_steps)
            kept.history.erase(kept.history.begin());
        kept.history.push_back(std::make_shared<const Step>(std::move(step)));
    } else {
        kept.document.doc_uri = change.doc_uri;
        kept.document.auid = change.auid;
        kept.document.sel = std::move(sel);
    }
    kept.document.etag = change.new_etag;
    kept.document.text = change.new_text;
    return sealed(std::move(out));
}

bool is_global(std::string_view sel)
{
    cut(sel, '/'); // the usage
    return sel.starts_with("global/");
}

std::vector<const Step*> steps_between(const Kept& kept, std::string_view from)
{
    std::vector<const Step*> out;
    bool found = false;
    for (const auto& step : kept.history) {
        found = found || step->previous == from;
        if (found)
            out.push_back(step.get());
    }
    return out;
}

} // namespace sipyard::xcap_diff
