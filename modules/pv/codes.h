// modules/pv/codes.h - codings that only scripts use: 7 bit GSM text, base58, CRC-32, Keccak-256, the core's
// hash
#pragma once

#include "core/base/arena.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sipyard::pv {

// Texts are in the arena.
// GSM 03.38 default alphabet, septets packed into octets. Characters it has not become '?'.
std::string_view gsm_pack(std::string_view text, Arena& arena);
std::string_view gsm_unpack(std::string_view octets, Arena& arena);

// The alphabet without 0 O I l. At most 1,024 bytes: the work grows with the square of the length.
inline constexpr std::size_t most_base58 = 1024;
std::optional<std::string_view> base58_encode(std::string_view bytes, Arena& arena);
std::optional<std::string_view> base58_decode(std::string_view text, Arena& arena);

std::uint32_t crc32(std::string_view bytes);                          // the polynomial of Ethernet and zip
std::string_view keccak256_hex(std::string_view bytes, Arena& arena); // before FIPS 202 changed the padding
// The hash scripts share with other servers of a cluster; below `size` (a power of two) unless that is 0.
std::uint32_t core_hash(std::string_view text, std::uint32_t size);

} // namespace sipyard::pv
