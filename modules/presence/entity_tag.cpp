// modules/presence/entity_tag.cpp - names of published states
#include "modules/presence/entity_tag.h"

#include "core/crypto/random.h"

#include <algorithm>

namespace sipyard::presence {

std::string EntityTags::make()
{
    std::uint64_t count = next_.fetch_add(1, std::memory_order_relaxed);
    std::string digits;
    for (; count > 0; count /= 36)
        digits += "0123456789abcdefghijklmnopqrstuvwxyz"[count % 36];
    std::reverse(digits.begin(), digits.end());
    return std::to_string(node_) + "-" + digits + "-" + crypto::random_token(8);
}

} // namespace sipyard::presence
