// core/crypto/digest_response.h - the arithmetic of digest authentication, for whoever asks and whoever
// answers
#pragma once

#include "core/crypto/digest.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace sipyard::crypto {

// Hex digits of a digest, lower-case, without heap.
class Hex {
public:
    Hex() = default;
    explicit Hex(const Raw& raw);
    std::string_view view() const& { return {digits_.data(), size_}; }
    operator std::string_view() const& { return view(); }
    friend bool operator==(const Hex& a, const Hex& b) { return a.view() == b.view(); } // no secret compared

private:
    std::array<char, 2 * sizeof(Raw::bytes)> digits_{};
    std::size_t size_ = 0;
};

// H(username:realm:password), of the plain scheme (RFC 7616 3.4.2).
Hex ha1(Algorithm hash, std::string_view username, std::string_view realm, std::string_view password);

// What both sides put into a response, each text as it is digested (RFC 7616 3.4.1 to 3.4.3).
struct DigestParts {
    std::string_view nonce, nc, cnonce;  // the latter two count with a qop, cnonce also with a session
    std::optional<std::string_view> qop; // none: the form of RFC 2069; "auth-int" in any letter case
    std::string_view method, uri, body;  // method "" makes the rspauth of a server (3.5)
};
// `ha1` in hex, of the plain scheme: that of a session ("-sess") is derived from it here.
Hex digest_response(Algorithm hash, bool session, std::string_view ha1, const DigestParts& parts);

} // namespace sipyard::crypto
