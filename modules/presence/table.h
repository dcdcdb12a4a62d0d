// modules/presence/table.h - all resources by name, all subscriptions by dialog, watchers counted
#pragma once

#include "core/base/guarded.h"
#include "modules/presence/resource.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace sipyard::presence {

// All three are thread-safe: shards with a lock each.
class ResourceTable {
public:
    explicit ResourceTable(std::size_t most) : most_{most} {}
    ResourcePtr find(std::string_view identity, std::string_view key);
    // Made when it is not there; null when there are too many.
    ResourcePtr get(std::string_view identity, std::string_view key,
                    const std::function<ResourcePtr()>& make);
    void remove(const Resource& resource);
    void each(const std::function<void(const ResourcePtr&)>& f); // no lock held while f runs
    void clear();
    std::size_t size() const { return size_.load(std::memory_order_relaxed); }

private:
    struct Name {
        std::string_view identity, key;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const Name& name) const
        {
            return std::hash<std::string_view>{}(name.key) * 31 +
                   std::hash<std::string_view>{}(name.identity);
        }
        std::size_t operator()(const ResourcePtr& r) const { return (*this)(Name{r->identity, r->key}); }
    };
    struct Same {
        using is_transparent = void;
        static Name name(const Name& n) { return n; }
        static Name name(const ResourcePtr& r) { return {r->identity, r->key}; }
        template <class A, class B>
        bool operator()(const A& a, const B& b) const
        {
            const Name x = name(a), y = name(b);
            return x.key == y.key && x.identity == y.identity;
        }
    };
    using Shard = std::unordered_set<ResourcePtr, Hash, Same>;
    Guarded<Shard>& shard_of(const Name& name) { return shards_[Hash{}(name) >> 8 & 63]; }

    const std::size_t most_;
    std::atomic<std::size_t> size_{0};
    std::array<Guarded<Shard>, 64> shards_;
};

class DialogIndex {
public:
    SubscriptionPtr find(const DialogKey& key);
    bool add(const SubscriptionPtr& subscription); // false: there is one with these tags
    void remove(const Subscription& subscription);
    void clear();
    std::size_t size() const { return size_.load(std::memory_order_relaxed); }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const DialogKey& key) const
        {
            const std::hash<std::string_view> hash;
            return (hash(key.call_id) * 31 + hash(key.to_tag)) * 31 + hash(key.from_tag);
        }
        std::size_t operator()(const SubscriptionPtr& s) const { return (*this)(of(*s)); }
    };
    struct Same {
        using is_transparent = void;
        static DialogKey name(const DialogKey& key) { return key; }
        static DialogKey name(const SubscriptionPtr& s) { return of(*s); }
        template <class A, class B>
        bool operator()(const A& a, const B& b) const
        {
            const DialogKey x = name(a), y = name(b);
            return x.call_id == y.call_id && x.to_tag == y.to_tag && x.from_tag == y.from_tag;
        }
    };
    static DialogKey of(const Subscription& s) { return {s.call_id(), s.to_tag(), s.from_tag()}; }
    using Shard = std::unordered_set<SubscriptionPtr, Hash, Same>;
    Guarded<Shard>& shard_of(const DialogKey& key) { return shards_[Hash{}(key) >> 8 & 63]; }

    std::atomic<std::size_t> size_{0};
    std::array<Guarded<Shard>, 64> shards_;
};

// How many subscriptions each watcher has.
class WatcherCounts {
public:
    // False when there are `most` already (0: no limit).
    bool add(std::string_view watcher, std::size_t most);
    void remove(std::string_view watcher);

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using Shard = std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>>;
    Guarded<Shard>& shard_of(std::string_view watcher) { return shards_[Hash{}(watcher) >> 8 & 63]; }
    std::array<Guarded<Shard>, 64> shards_;
};

} // namespace sipyard::presence
