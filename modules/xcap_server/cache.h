// modules/xcap_server/cache.h - documents lately read or written, so that a GET needs neither row nor parser
#pragma once

#include "core/base/clock.h"
#include "core/base/guarded.h"
#include "modules/xcap_server/store.h"
#include "modules/xcap_server/text_index.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sipyard::xcap_server {

// Thread-safe. LRU by bytes, in shards so that workers rarely meet. It also remembers that a document does
// not exist. The cache knows nothing of databases: who asks decides what is still good (cache_check), from
// what is said here.
class Cache {
public:
    struct Limits {
        std::size_t bytes = 0;   // of all; 0: nothing is kept
        std::size_t largest = 0; // a longer text is not kept
    };
    explicit Cache(Limits limits);

    struct Found {
        DocumentPtr document; // null: known not to exist
        TextIndexPtr index;   // of its text; null: nobody has needed it yet
        std::optional<std::uint64_t>
            verified; // the freshness of the store at which this was last seen to be true
        Instant seen; // when that was
    };
    std::optional<Found> find(std::string_view doc_uri); // makes it the youngest

    // Reading is slower than writing: an answer that left the store before somebody wrote must not cover the
    // newer one. So a reader takes a ticket before it asks the store, and what it brings is dropped when the
    // shard changed.
    using Ticket = std::uint64_t;
    Ticket ticket(std::string_view doc_uri);
    void learn(std::string_view doc_uri, DocumentPtr document, std::optional<std::uint64_t> verified,
               Instant now, Ticket ticket);
    // The entry with that document was compared with the store.
    void confirm(const DocumentPtr& document, std::optional<std::uint64_t> verified, Instant now);

    // The index of that document's text, made once per version; it counts as the text does.
    void attach(const DocumentPtr& document, TextIndexPtr index);

    // After a commit of this process; from its document's strand, so in order.
    void wrote(DocumentPtr document, Instant now, TextIndexPtr index = {});
    void forget(std::string_view doc_uri); // deleted, or nobody knows
    void clear();

    struct Stats {
        std::size_t documents, bytes;
    };
    Stats stats() const;

private:
    struct Entry {
        std::string doc_uri;
        DocumentPtr document;
        TextIndexPtr index;
        std::optional<std::uint64_t> verified;
        Instant seen;
        std::size_t bytes = 0;
    };
    struct Shard {
        std::list<Entry> entries; // youngest first
        std::unordered_map<std::string_view, std::list<Entry>::iterator>
            index; // keys are the entries' doc_uri
        std::size_t bytes = 0;
        std::uint64_t changes = 0;
    };
    static constexpr std::size_t shards = 16;
    Guarded<Shard>& shard_of(std::string_view doc_uri);
    static void drop(Shard& shard, std::string_view doc_uri);
    void insert(Shard& shard, Entry entry) const;

    const Limits limits_;
    std::array<Guarded<Shard>, shards> shards_;
};

} // namespace sipyard::xcap_server
