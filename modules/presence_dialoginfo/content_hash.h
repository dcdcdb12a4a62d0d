// modules/presence_dialoginfo/content_hash.h - 128 bits over what a document says, in the order it says it
#pragma once

#include "modules/presence/api.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sipyard::presence_dialoginfo {

// Not keyed: two servers with one database must agree on an entity tag (RFC 5839), and who finds a collision
// only keeps news of his own calls from his own watchers.
class Hasher {
public:
    // Pieces count with their lengths: "ab" "c" is not "a" "bc".
    Hasher& add(std::string_view piece);
    Hasher& add(std::uint64_t number);
    Hasher& add(presence::ContentHash other) { return add(other.high).add(other.low); }
    presence::ContentHash finish() const;

private:
    std::uint64_t a_ = 0x243f6a8885a308d3, b_ = 0x13198a2e03707344;
};

std::string hex_of(presence::ContentHash hash); // 32 digits

} // namespace sipyard::presence_dialoginfo
