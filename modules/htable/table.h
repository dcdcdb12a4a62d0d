// modules/htable/table.h - one shared table: text keys, integers or texts, each access atomic
#pragma once

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/guarded.h"
#include "core/module/value.h"
#include "modules/htable/definition.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace sipyard::htable {

using Held = std::variant<std::int64_t, std::string>;

struct Item {
    std::string key;
    Held value;
    Instant expires{INT64_MAX}; // never
};

// Thread-safe. An item whose time has passed is as if it were not there; sweep() removes it.
class Table {
public:
    static constexpr std::size_t shards = 32;

    Table(Definition definition, std::size_t most_items);
    const Definition& definition() const { return definition_; }
    const std::string& name() const { return definition_.name; }

    Value get(std::string_view key, Instant now, Arena& arena) const; // initval or null when it is missing
    bool has(std::string_view key, Instant now) const;
    bool set(std::string_view key, Held value, Instant now); // false: a new key and the table is full
    // The new value; nothing when the key is missing without initval, holds a text, or the table is full.
    std::optional<std::int64_t> add(std::string_view key, std::int64_t n, Instant now);
    bool remove(std::string_view key);
    void clear();
    std::int64_t ttl(std::string_view key,
                     Instant now) const; // seconds, 0 when it is missing or never expires
    void set_ttl(std::string_view key, std::int64_t seconds,
                 Instant now); // of an item; without autoexpire nothing happens

    // Key and value, the value of an integer as text.
    using Predicate = std::function<bool(std::string_view key, const Held& value)>;
    std::size_t count(const Predicate& wanted, Instant now) const;
    std::size_t remove_if(const Predicate& wanted);

    std::vector<Item> items_of(std::size_t shard, Instant now) const; // a copy
    std::vector<Item> take_expired(std::size_t shard, Instant now);
    void replace(std::vector<Item> items); // all of it; reload
    std::size_t size() const { return size_.load(std::memory_order_relaxed); }
    bool changed() { return changed_.exchange(false); } // since the last time somebody asked

private:
    struct Entry {
        Held value;
        Instant expires;
    };
    // Not noexcept, which has the map keep each key's hash: else a look-up hashes the keys of its neighbours
    // again.
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
    };
    using Map = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;
    static std::size_t shard_of(std::string_view key) { return (Hash{}(key) >> 8) % shards; }
    Guarded<Map>& of(std::string_view key) { return maps_[shard_of(key)]; }
    const Guarded<Map>& of(std::string_view key) const { return maps_[shard_of(key)]; }
    Instant end_of(Instant now) const;

    const Definition definition_;
    const std::size_t most_items_;
    std::array<Guarded<Map>, shards> maps_;
    std::atomic<std::size_t> size_{0};
    std::atomic<bool> changed_{false};
};

} // namespace sipyard::htable
