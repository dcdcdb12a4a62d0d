// modules/usrloc/domain.cpp - which shard keeps an address of record
#include "modules/usrloc/domain.h"

#include <cstring>

namespace sipyard::usrloc {

std::uint64_t seeded_hash(std::uint64_t seed, std::string_view text)
{
    std::uint64_t hash = seed ^ (text.size() * 0x9e3779b97f4a7c15ull);
    const auto mix = [&hash](std::uint64_t word) {
        hash = (hash ^ word) * 0xbf58476d1ce4e5b9ull;
        hash ^= hash >> 31;
    };
    for (; text.size() >= 8; text.remove_prefix(8)) {
        std::uint64_t word;
        std::memcpy(&word, text.data(), 8);
        mix(word);
    }
    std::uint64_t rest = 0;
    if (!text.empty())
        std::memcpy(&rest, text.data(), text.size());
    mix(rest);
    hash *= 0x94d049bb133111ebull;
    return hash ^ (hash >> 32);
}

Domain::Domain(std::string name, Options options, Counters all)
    : counters{all}, name_{std::move(name)}, seed_{options.seed}
{
    for (auto& shard : shards_)
        shard = std::make_unique<Guarded<Shard>>(options.order, options.buckets);
}

Domain::Place Domain::place(std::string_view aor) const
{
    const std::uint64_t hash = seeded_hash(seed_, aor);
    return {hash >> 58, static_cast<std::uint32_t>(hash)};
}

} // namespace sipyard::usrloc
