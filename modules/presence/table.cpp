// modules/presence/table.cpp - all resources by name, all subscriptions by dialog, watchers counted
#include "modules/presence/table.h"

namespace sipyard::presence {

ResourcePtr ResourceTable::find(std::string_view identity, std::string_view key)
{
    const Name name{identity, key};
    return shard_of(name).with([&](const Shard& shard) {
        const auto found = shard.find(name);
        return found == shard.end() ? ResourcePtr{} : *found;
    });
}

ResourcePtr ResourceTable::get(std::string_view identity, std::string_view key,
                               const std::function<ResourcePtr()>& make)
{
    if (auto there = find(identity, key))
        return there;
    if (size() >= most_)
        return {};
    const Name name{identity, key};
    ResourcePtr made = make();
    return shard_of(name).with([&](Shard& shard) {
        const auto [at, is_new] = shard.insert(made);
        size_.fetch_add(is_new ? 1 : 0, std::memory_order_relaxed);
        return *at;
    });
}

void ResourceTable::remove(const Resource& resource)
{
    const Name name{resource.identity, resource.key};
    const ResourcePtr doomed = shard_of(name).with([&](Shard& shard) { // destroyed outside of the lock
        const auto found = shard.find(name);
        if (found == shard.end() || found->get() != &resource)
            return ResourcePtr{};
        ResourcePtr mine = *found;
        shard.erase(found);
        size_.fetch_sub(1, std::memory_order_relaxed);
        return mine;
    });
}

void ResourceTable::each(const std::function<void(const ResourcePtr&)>& f)
{
    for (auto& one : shards_) {
        const auto all = one.with([](const Shard& shard) {
            return std::vector<ResourcePtr>{shard.begin(), shard.end()};
        });
        for (const ResourcePtr& resource : all)
            f(resource);
    }
}

void ResourceTable::clear()
{
    for (auto& one : shards_) {
        Shard doomed;
        one.with([&](Shard& shard) { doomed.swap(shard); });
        size_.fetch_sub(doomed.size(), std::memory_order_relaxed);
    }
}

SubscriptionPtr DialogIndex::find(const DialogKey& key)
{
    return shard_of(key).with([&](const Shard& shard) {
        const auto found = shard.find(key);
        return found == shard.end() ? SubscriptionPtr{} : *found;
    });
}

bool DialogIndex::add(const SubscriptionPtr& subscription)
{
    return shard_of(of(*subscription)).with([&](Shard& shard) {
        const bool is_new = shard.insert(subscription).second;
        size_.fetch_add(is_new ? 1 : 0, std::memory_order_relaxed);
        return is_new;
    });
}

void DialogIndex::remove(const Subscription& subscription)
{
    const DialogKey key = of(subscription);
    const SubscriptionPtr doomed = shard_of(key).with([&](Shard& shard) {
        const auto found = shard.find(key);
        if (found == shard.end() || found->get() != &subscription)
            return SubscriptionPtr{};
        SubscriptionPtr mine = *found;
        shard.erase(found);
        size_.fetch_sub(1, std::memory_order_relaxed);
        return mine;
    });
}

void DialogIndex::clear()
{
    for (auto& one : shards_) {
        Shard doomed;
        one.with([&](Shard& shard) { doomed.swap(shard); });
        size_.fetch_sub(doomed.size(), std::memory_order_relaxed);
    }
}

bool WatcherCounts::add(std::string_view watcher, std::size_t most)
{
    return shard_of(watcher).with([&](Shard& shard) {
        auto found = shard.find(watcher);
        if (found == shard.end())
            found = shard.emplace(watcher, 0).first;
        if (most > 0 && found->second >= most)
            return false;
        ++found->second;
        return true;
    });
}

void WatcherCounts::remove(std::string_view watcher)
{
    shard_of(watcher).with([&](Shard& shard) {
        const auto found = shard.find(watcher);
        if (found != shard.end() && --found->second == 0)
            shard.erase(found);
    });
}

} // namespace sipyard::presence
