// core/crypto/digest_response.cpp - A1, A2 and the response (RFC 7616 3.4.1 to 3.4.3)
#include "core/crypto/digest_response.h"

#include "core/base/text.h"

#include <initializer_list>

namespace sipyard::crypto {
namespace {

Hex hex_of(Algorithm hash, std::initializer_list<std::string_view> pieces)
{
    return Hex{digest(hash, pieces)};
}

} // namespace

Hex::Hex(const Raw& raw) : size_{2 * raw.size}
{
    constexpr std::string_view digits = "0123456789abcdef";
    for (std::size_t i = 0; i < raw.size; ++i) {
        const auto byte = static_cast<unsigned char>(raw.bytes[i]);
        digits_[2 * i] = digits[byte >> 4];
        digits_[2 * i + 1] = digits[byte & 15];
    }
}

Hex ha1(Algorithm hash, std::string_view username, std::string_view realm, std::string_view password)
{
    return hex_of(hash, {username, ":", realm, ":", password});
}

Hex digest_response(Algorithm hash, bool session, std::string_view ha1, const DigestParts& parts)
{
    Hex of_session;
    if (session) { // A1 = H(user:realm:password) ":" nonce ":" cnonce
        of_session = hex_of(hash, {ha1, ":", parts.nonce, ":", parts.cnonce});
        ha1 = of_session;
    }
    const Hex ha2 = parts.qop && iequals(*parts.qop, "auth-int")
                        ? hex_of(hash, {parts.method, ":", parts.uri, ":", Hex{digest(hash, parts.body)}})
                        : hex_of(hash, {parts.method, ":", parts.uri});
    if (!parts.qop)
        return hex_of(hash, {ha1, ":", parts.nonce, ":", ha2});
    return hex_of(hash, {ha1, ":", parts.nonce, ":", parts.nc, ":", parts.cnonce, ":", *parts.qop, ":", ha2});
}

} // namespace sipyard::crypto
