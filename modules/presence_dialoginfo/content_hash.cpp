// modules/presence_dialoginfo/content_hash.cpp - two lanes of multiply and fold
#include "modules/presence_dialoginfo/content_hash.h"

#include "core/base/format.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace sipyard::presence_dialoginfo {

namespace {

constexpr std::uint64_t odd_a = 0x9e3779b97f4a7c15, odd_b = 0xc2b2ae3d27d4eb4f;

// All 128 bits of a product in 64.
std::uint64_t fold(std::uint64_t x, std::uint64_t y)
{
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(x) * y;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

} // namespace

Hasher& Hasher::add(std::uint64_t number)
{
    const std::uint64_t a = a_;
    a_ = fold(a_ ^ number, odd_a) + std::rotl(b_, 23);
    b_ = fold(b_ + std::rotl(number, 32), odd_b) ^ std::rotl(a, 41);
    return *this;
}

Hasher& Hasher::add(std::string_view piece)
{
    add(static_cast<std::uint64_t>(piece.size()));
    while (!piece.empty()) {
        std::uint64_t word = 0;
        const std::size_t size = piece.size() < sizeof word ? piece.size() : sizeof word;
        std::memcpy(&word, piece.data(), size);
        if constexpr (std::endian::native == std::endian::big)
            word = __builtin_bswap64(word); // servers of both kinds agree
        add(word);
        piece.remove_prefix(size);
    }
    return *this;
}

presence::ContentHash Hasher::finish() const
{
    return {fold(a_ ^ odd_b, odd_a ^ b_), fold(b_ ^ odd_a, std::rotl(a_, 17) ^ odd_b)};
}

std::string hex_of(presence::ContentHash hash) { return format("{:016x}{:016x}", hash.high, hash.low); }

} // namespace sipyard::presence_dialoginfo
