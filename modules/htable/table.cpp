// modules/htable/table.cpp - the items, in shards with a lock each
#include "modules/htable/table.h"

#include <utility>

namespace sipyard::htable {

namespace {
constexpr Instant forever{INT64_MAX};
}

Table::Table(Definition definition, std::size_t most_items)
    : definition_{std::move(definition)}, most_items_{most_items}
{
    const std::size_t expected = (std::size_t{1} << definition_.size) / shards;
    if (expected > 1)
        for (auto& map : maps_)
            map.with([&](Map& m) { m.reserve(expected); });
}

Instant Table::end_of(Instant now) const
{
    return definition_.autoexpire.count > 0 ? now + std::chrono::seconds{definition_.autoexpire.count}
                                            : forever;
}

Value Table::get(std::string_view key, Instant now, Arena& arena) const
{
    return of(key).with([&](const Map& map) -> Value {
        const auto found = map.find(key);
        if (found == map.end() || found->second.expires <= now)
            return definition_.initval ? Value{*definition_.initval} : Value{};
        if (const auto* number = std::get_if<std::int64_t>(&found->second.value))
            return *number;
        return arena.copy(std::get<std::string>(found->second.value));
    });
}

bool Table::has(std::string_view key, Instant now) const
{
    return of(key).with([&](const Map& map) {
        const auto found = map.find(key);
        return found != map.end() && found->second.expires > now;
    });
}

bool Table::set(std::string_view key, Held value, Instant now)
{
    changed_.store(true, std::memory_order_relaxed);
    return of(key).with([&](Map& map) {
        const auto found = map.find(key);
        if (found != map.end()) {
            const bool over = found->second.expires <= now;
            found->second.value = std::move(value);
            if (over || definition_.updateexpire)
                found->second.expires = end_of(now);
            return true;
        }
        if (size_.load(std::memory_order_relaxed) >= most_items_)
            return false;
        map.emplace(key, Entry{std::move(value), end_of(now)});
        size_.fetch_add(1, std::memory_order_relaxed);
        return true;
    });
}

std::optional<std::int64_t> Table::add(std::string_view key, std::int64_t n, Instant now)
{
    const auto sum = [n](std::int64_t a) { // wraps, as the machine does
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(n));
    };
    return of(key).with([&](Map& map) -> std::optional<std::int64_t> {
        const auto found = map.find(key);
        if (found != map.end() && found->second.expires > now) {
            auto* const number = std::get_if<std::int64_t>(&found->second.value);
            if (!number)
                return std::nullopt;
            *number = sum(*number);
            if (definition_.updateexpire)
                found->second.expires = end_of(now);
            changed_.store(true, std::memory_order_relaxed);
            return *number;
        }
        if (!definition_.initval)
            return std::nullopt;
        const std::int64_t first = sum(*definition_.initval);
        if (found != map.end()) {
            found->second = {first, end_of(now)};
        } else {
            if (size_.load(std::memory_order_relaxed) >= most_items_)
                return std::nullopt;
            map.emplace(key, Entry{first, end_of(now)});
            size_.fetch_add(1, std::memory_order_relaxed);
        }
        changed_.store(true, std::memory_order_relaxed);
        return first;
    });
}

bool Table::remove(std::string_view key)
{
    return of(key).with([&](Map& map) {
        const auto found = map.find(key);
        if (found == map.end())
            return false;
        map.erase(found);
        size_.fetch_sub(1, std::memory_order_relaxed);
        changed_.store(true, std::memory_order_relaxed);
        return true;
    });
}

void Table::clear()
{
    (void)remove_if([](std::string_view, const Held&) { return true; });
}

std::int64_t Table::ttl(std::string_view key, Instant now) const
{
    return of(key).with([&](const Map& map) -> std::int64_t {
        const auto found = map.find(key);
        if (found == map.end() || found->second.expires == forever || found->second.expires <= now)
            return 0;
        // Rounded up, so that an item that is there never reads as 0 seconds.
        return ((found->second.expires - now).count() + 999'999'999) / 1'000'000'000;
    });
}

void Table::set_ttl(std::string_view key, std::int64_t seconds, Instant now)
{
    if (definition_.autoexpire.count == 0)
        return;
    constexpr std::int64_t far = 10LL * 365 * 86400;
    const auto life = std::chrono::seconds{seconds < 0 ? 0 : seconds > far ? far : seconds};
    of(key).with([&](Map& map) {
        const auto found = map.find(key);
        if (found != map.end() && found->second.expires > now)
            found->second.expires = now + life;
    });
    changed_.store(true, std::memory_order_relaxed);
}

std::size_t Table::count(const Predicate& wanted, Instant now) const
{
    std::size_t found = 0;
    for (const auto& shard : maps_)
        shard.with([&](const Map& map) {
            for (const auto& [key, entry] : map)
                found += entry.expires > now && wanted(key, entry.value) ? 1 : 0;
        });
    return found;
}

std::size_t Table::remove_if(const Predicate& wanted)
{
    std::size_t removed = 0;
    for (auto& shard : maps_)
        removed += shard.with([&](Map& map) {
            return std::erase_if(map,
                                 [&](const auto& item) { return wanted(item.first, item.second.value); });
        });
    size_.fetch_sub(removed, std::memory_order_relaxed);
    if (removed > 0)
        changed_.store(true, std::memory_order_relaxed);
    return removed;
}

std::vector<Item> Table::items_of(std::size_t shard, Instant now) const
{
    return maps_[shard].with([&](const Map& map) {
        std::vector<Item> items;
        for (const auto& [key, entry] : map)
            if (entry.expires > now)
                items.push_back({key, entry.value, entry.expires});
        return items;
    });
}

std::vector<Item> Table::take_expired(std::size_t shard, Instant now)
{
    if (definition_.autoexpire.count == 0)
        return {};
    auto taken = maps_[shard].with([&](Map& map) {
        std::vector<Item> items;
        for (auto at = map.begin(); at != map.end();) {
            if (at->second.expires > now) {
                ++at;
                continue;
            }
            auto node = map.extract(at++);
            items.push_back({std::move(node.key()), std::move(node.mapped().value), node.mapped().expires});
        }
        return items;
    });
    size_.fetch_sub(taken.size(), std::memory_order_relaxed);
    return taken;
}

void Table::replace(std::vector<Item> items)
{
    std::array<Map, shards> fresh;
    for (Item& item : items) {
        auto& map = fresh[shard_of(item.key)];
        map.insert_or_assign(std::move(item.key), Entry{std::move(item.value), item.expires});
    }
    for (std::size_t i = 0; i < shards; ++i) {
        const std::size_t now_there = fresh[i].size();
        maps_[i].with([&](Map& map) { map.swap(fresh[i]); });
        size_.fetch_add(now_there - fresh[i].size(), std::memory_order_relaxed);
    }
    changed_.store(false, std::memory_order_relaxed);
}

} // namespace sipyard::htable
