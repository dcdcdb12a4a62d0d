// modules/xcap_server/cache.cpp - shards of least-recently-used documents
#include "modules/xcap_server/cache.h"

#include <functional>
#include <utility>

namespace sipyard::xcap_server {
namespace {

// List node, index node and the texts beside the document, roughly.
constexpr std::size_t overhead = 512;

} // namespace

Cache::Cache(Limits limits) : limits_{limits} {}

Guarded<Cache::Shard>& Cache::shard_of(std::string_view doc_uri)
{
    return shards_[std::hash<std::string_view>{}(doc_uri) % shards];
}

void Cache::drop(Shard& shard, std::string_view doc_uri)
{
    const auto at = shard.index.find(doc_uri);
    if (at == shard.index.end())
        return;
    const auto entry = at->second;
    shard.bytes -= entry->bytes;
    shard.index.erase(at);
    shard.entries.erase(entry);
}

void Cache::insert(Shard& shard, Entry entry) const
{
    drop(shard, entry.doc_uri);
    const std::size_t text = entry.document ? entry.document->text.size() : 0;
    const std::size_t index = entry.index ? entry.index->bytes() : 0;
    entry.bytes = text + index + 2 * entry.doc_uri.size() + overhead;
    const std::size_t room = limits_.bytes / shards;
    if (text > limits_.largest || entry.bytes > room)
        return;
    while (shard.bytes + entry.bytes > room)
        drop(shard, shard.entries.back().doc_uri);
    shard.bytes += entry.bytes;
    shard.entries.push_front(std::move(entry));
    shard.index.emplace(shard.entries.front().doc_uri, shard.entries.begin());
}

std::optional<Cache::Found> Cache::find(std::string_view doc_uri)
{
    return shard_of(doc_uri).with([&](Shard& shard) -> std::optional<Found> {
        const auto at = shard.index.find(doc_uri);
        if (at == shard.index.end())
            return {};
        shard.entries.splice(shard.entries.begin(), shard.entries, at->second);
        const Entry& entry = *at->second;
        return Found{entry.document, entry.index, entry.verified, entry.seen};
    });
}

Cache::Ticket Cache::ticket(std::string_view doc_uri)
{
    return shard_of(doc_uri).with([](const Shard& shard) { return shard.changes; });
}

void Cache::learn(std::string_view doc_uri, DocumentPtr document, std::optional<std::uint64_t> verified,
                  Instant now, Ticket ticket)
{
    Entry entry{std::string{doc_uri}, std::move(document), {}, verified, now, 0};
    shard_of(doc_uri).with([&](Shard& shard) {
        if (shard.changes == ticket)
            insert(shard, std::move(entry));
    });
}

void Cache::confirm(const DocumentPtr& document, std::optional<std::uint64_t> verified, Instant now)
{
    shard_of(document->doc_uri).with([&](Shard& shard) {
        const auto at = shard.index.find(document->doc_uri);
        if (at == shard.index.end() || at->second->document != document)
            return;
        at->second->verified = verified;
        at->second->seen = now;
    });
}

void Cache::attach(const DocumentPtr& document, TextIndexPtr index)
{
    shard_of(document->doc_uri).with([&](Shard& shard) {
        const auto at = shard.index.find(document->doc_uri);
        if (at == shard.index.end() || at->second->document != document || at->second->index)
            return;
        Entry& entry = *at->second;
        const std::size_t more = index->bytes();
        const std::size_t room = limits_.bytes / shards;
        if (entry.bytes + more > room)
            return; // a document without its index is better than none
        shard.entries.splice(shard.entries.begin(), shard.entries, at->second); // not to push itself out
        while (shard.bytes + more > room)
            drop(shard, shard.entries.back().doc_uri);
        entry.index = std::move(index);
        entry.bytes += more;
        shard.bytes += more;
    });
}

void Cache::wrote(DocumentPtr document, Instant now, TextIndexPtr index)
{
    Entry entry{document->doc_uri, std::move(document), std::move(index), {}, now, 0};
    shard_of(entry.doc_uri).with([&](Shard& shard) {
        ++shard.changes;
        insert(shard, std::move(entry));
    });
}

void Cache::forget(std::string_view doc_uri)
{
    shard_of(doc_uri).with([&](Shard& shard) {
        ++shard.changes;
        drop(shard, doc_uri);
    });
}

void Cache::clear()
{
    for (auto& guarded : shards_) {
        guarded.with([](Shard& shard) {
            ++shard.changes;
            shard.index.clear();
            shard.entries.clear();
            shard.bytes = 0;
        });
    }
}

Cache::Stats Cache::stats() const
{
    Stats sum{};
    for (const auto& guarded : shards_) {
        guarded.with([&](const Shard& shard) {
            sum.documents += shard.entries.size();
            sum.bytes += shard.bytes;
        });
    }
    return sum;
}

} // namespace sipyard::xcap_server
