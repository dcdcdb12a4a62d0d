// core/crypto/hmac.cpp - keyed digests (RFC 2104), and comparing secrets
#include "core/crypto/hmac.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <span>

namespace sipyard::crypto {

namespace {

constexpr std::size_t widest_block = 136;
constexpr std::size_t most_pieces = 15;

} // namespace

Raw hmac(Algorithm algorithm, std::string_view key, std::initializer_list<std::string_view> pieces)
{
    const std::size_t block = block_size(algorithm);
    char inner[widest_block] = {};
    char outer[widest_block];
    Raw short_key;
    if (key.size() > block) {
        short_key = digest(algorithm, key);
        key = short_key.view();
    }
    if (!key.empty())
        std::memcpy(inner, key.data(), key.size());
    for (std::size_t i = 0; i < block; ++i) {
        outer[i] = static_cast<char>(inner[i] ^ 0x5c);
        inner[i] = static_cast<char>(inner[i] ^ 0x36);
    }
    assert(pieces.size() <= most_pieces);
    std::string_view all[most_pieces + 1] = {{inner, block}};
    std::copy(pieces.begin(), pieces.end(), all + 1);
    const Raw text_digest = digest(algorithm, std::span<const std::string_view>{all, pieces.size() + 1});
    const Raw result = digest(algorithm, {std::string_view{outer, block}, text_digest.view()});
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(outer, sizeof outer);
    OPENSSL_cleanse(short_key.bytes.data(), short_key.bytes.size());
    return result;
}

Raw hmac(Algorithm algorithm, std::string_view key, std::string_view text)
{
    return hmac(algorithm, key, {text});
}

bool equal_secrets(std::string_view a, std::string_view b)
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace sipyard::crypto
