// modules/presence/interned.cpp - texts that many subscriptions share, kept once
#include "modules/presence/interned.h"

#include <memory>

namespace sipyard::presence {

Interned Interner::of(std::string_view text)
{
    Interned handle;
    if (text.empty())
        return handle;
    auto& shard = shard_of(text);
    const Locked locked{shard.lock};
    if (const auto found = shard.nodes.find(text); found != shard.nodes.end()) {
        found->second->users.fetch_add(1, std::memory_order_relaxed);
        handle.node_ = found->second;
        return handle;
    }
    auto node = std::make_unique<Interned::Node>(*this, text);
    shard.nodes.emplace(node->text, node.get());
    handle.node_ = node.release();
    return handle;
}

void Interned::drop()
{
    // The last user goes under the lock: of() may revive the text until then.
    std::size_t users = node_->users.load(std::memory_order_relaxed);
    while (users > 1)
        if (node_->users.compare_exchange_weak(users, users - 1, std::memory_order_acq_rel))
            return;
    auto& shard = node_->home.shard_of(node_->text);
    {
        const Locked locked{shard.lock};
        if (node_->users.fetch_sub(1, std::memory_order_acq_rel) != 1)
            return;
        shard.nodes.erase(node_->text);
    }
    delete node_;
}

std::size_t Interner::live()
{
    std::size_t count = 0;
    for (auto& shard : shards_) {
        const Locked locked{shard.lock};
        count += shard.nodes.size();
    }
    return count;
}

} // namespace sipyard::presence
