// core/crypto/hmac.h - keyed digests (RFC 2104), and comparing secrets
#pragma once

#include "core/crypto/digest.h"

namespace sipyard::crypto {

// Thread-safe, no heap; at most 15 pieces.
Raw hmac(Algorithm algorithm, std::string_view key, std::string_view text);
Raw hmac(Algorithm algorithm, std::string_view key, std::initializer_list<std::string_view> pieces);

// Takes as long for a wrong secret as for the right one; only the length may be learnt from the time.
bool equal_secrets(std::string_view a, std::string_view b);

} // namespace sipyard::crypto
