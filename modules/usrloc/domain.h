// modules/usrloc/domain.h - one location table in memory: shards by address of record
#pragma once

#include "core/base/guarded.h"
#include "core/module/counter.h"
#include "modules/usrloc/shard.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sipyard::usrloc {

// A hash nobody outside can aim at: the seed is new at every start.
std::uint64_t seeded_hash(std::uint64_t seed, std::string_view text);

// Thread-safe.
class Domain {
public:
    static constexpr std::size_t shards = 64;

    struct Options {
        Order order = Order::by_q;
        std::size_t buckets = 16; // of each shard at first
        std::uint64_t seed = 0;
    };
    struct Counters {
        Counter &users, &contacts, &expires, &all_users; // all_users: of all tables together
    };
    Domain(std::string name, Options options, Counters counters);

    const std::string& name() const { return name_; }
    struct Place {
        std::size_t shard;
        std::uint32_t hash;
    };
    Place place(std::string_view aor) const;
    std::uint32_t ruid_hash(std::string_view ruid) const
    {
        return static_cast<std::uint32_t>(seeded_hash(seed_, ruid));
    }
    Guarded<Shard>& shard(std::size_t index) { return *shards_[index]; }

    // Runs f(Shard&) under the lock and keeps the counters right.
    template <class F>
    auto with(std::size_t index, F&& f)
    {
        return shards_[index]->with([&](Shard& shard) {
            const Tally tally{*this, shard};
            return f(shard);
        });
    }

    std::size_t size() const { return size_.load(std::memory_order_relaxed); } // contacts
    const Counters counters;
    std::atomic<bool> loaded{false};

private:
    struct Tally {
        Domain& domain;
        Shard& shard;
        std::size_t records = shard.records(), contacts = shard.contacts();
        Tally(Domain& d, Shard& s) : domain{d}, shard{s} {}
        Tally(const Tally&) = delete;
        Tally& operator=(const Tally&) = delete;
        ~Tally()
        {
            if (shard.contacts() == contacts)
                return;
            domain.counters.contacts.add(static_cast<std::int64_t>(shard.contacts()) -
                                         static_cast<std::int64_t>(contacts));
            domain.size_.fetch_add(shard.contacts() - contacts, std::memory_order_relaxed);
            if (const auto more =
                    static_cast<std::int64_t>(shard.records()) - static_cast<std::int64_t>(records);
                more != 0) {
                domain.counters.users.add(more);
                domain.counters.all_users.add(more);
            }
        }
    };
    const std::string name_;
    const std::uint64_t seed_;
    std::array<std::unique_ptr<Guarded<Shard>>, shards> shards_;
    std::atomic<std::size_t> size_{0};
};

} // namespace sipyard::usrloc
