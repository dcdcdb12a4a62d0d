// modules/auth/nonce.h - nonces that prove themselves: time and serial number under a keyed digest (RFC
// 7616 3.3)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::auth {

// 32 letters of base64url: 5 bytes of Unix time, 7 bytes of serial number, 12 bytes of a keyed SHA-256 over
// both and over what else the nonce is bound to. Nothing is stored for a nonce. Thread-safe.
class Nonces {
public:
    static constexpr std::size_t length = 32;

    // `secret` empty: a random one, so that nonces end with the process.
    explicit Nonces(std::string_view secret);

    // `bound`: text that must be the same when the nonce comes back (the extra checks; may be empty).
    std::string make(std::int64_t unix_seconds, std::uint64_t serial, std::string_view bound) const;

    struct Parts {
        std::int64_t made = 0; // Unix time
        std::uint64_t serial = 0;
    };
    // Nothing when it is not ours, was altered, or is bound to something else.
    std::optional<Parts> open(std::string_view nonce, std::string_view bound) const;

private:
    std::string key_;
};

} // namespace sipyard::auth
