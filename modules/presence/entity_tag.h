// modules/presence/entity_tag.h - names of published states, never used twice (RFC 3903 3, spec presence 3.6)
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace sipyard::presence {

// "<node>-<count>-<8 random>": unique over restarts (the count begins at the start's second) and over nodes.
// Thread-safe.
class EntityTags {
public:
    EntityTags(int node, std::int64_t unix_seconds)
        : node_{node}, next_{static_cast<std::uint64_t>(unix_seconds) << 20}
    {
    }
    std::string make();

private:
    const int node_;
    std::atomic<std::uint64_t> next_;
};

} // namespace sipyard::presence
