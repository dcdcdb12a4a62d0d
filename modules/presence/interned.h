// modules/presence/interned.h - texts that many subscriptions share, kept once: a handle of eight bytes
#pragma once

#include "core/base/small_lock.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace sipyard::presence {

class Interner;

// A counted handle. Copying and reading are thread-safe. The empty text takes nothing.
class Interned {
public:
    Interned() = default;
    Interned(const Interned& other) : node_{other.node_}
    {
        if (node_)
            node_->users.fetch_add(1, std::memory_order_relaxed);
    }
    Interned(Interned&& other) noexcept : node_{std::exchange(other.node_, nullptr)} {}
    Interned& operator=(Interned other) noexcept
    {
        std::swap(node_, other.node_);
        return *this;
    }
    ~Interned()
    {
        if (node_)
            drop();
    }
    std::string_view view() const { return node_ ? std::string_view{node_->text} : std::string_view{}; }
    bool empty() const { return node_ == nullptr; }
    friend bool operator==(const Interned& a, const Interned& b)
    {
        return a.node_ == b.node_ || a.view() == b.view();
    }

private:
    friend class Interner;
    struct Node {
        Node(Interner& of, std::string_view t) : home{of}, text{t} {}
        Interner& home;
        std::atomic<std::size_t> users{1};
        const std::string text;
    };
    void drop();
    Node* node_ = nullptr;
};

// Equal texts share their bytes while somebody holds them. Thread-safe; outlives its handles.
class Interner {
public:
    Interned of(std::string_view text);
    std::size_t live(); // texts, for statistics

private:
    friend class Interned;
    struct Shard {
        SmallLock lock;
        std::unordered_map<std::string_view, Interned::Node*> nodes; // keyed by the node's own text
    };
    Shard& shard_of(std::string_view text) { return shards_[std::hash<std::string_view>{}(text) >> 7 & 63]; }
    std::array<Shard, 64> shards_;
};

} // namespace sipyard::presence
