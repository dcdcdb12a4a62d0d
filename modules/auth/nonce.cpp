// modules/auth/nonce.cpp - nonces: layout and proof
#include "modules/auth/nonce.h"

#include "core/base/text.h"
#include "core/crypto/digest.h"
#include "core/crypto/hmac.h"
#include "core/crypto/random.h"

namespace sipyard::auth {
namespace {

constexpr std::size_t time_bytes = 5, serial_bytes = 7, head = time_bytes + serial_bytes, proof = 12;
static_assert((head + proof) / 3 * 4 == Nonces::length);

void put(std::string& out, std::uint64_t number, std::size_t bytes)
{
    for (std::size_t i = bytes; i-- > 0;)
        out += static_cast<char>(number >> (8 * i) & 0xff);
}

// Key in front, most of the digest withheld: one block and one call where HMAC takes four and two. That is
// sound since the key always has 32 bytes, so that it ends where it ends, and since a digest cut to 12 of 32
// bytes cannot be continued by whoever appends to the text, which is what HMAC's outer digest is there to
// prevent.
crypto::Raw proof_of(std::string_view key, std::string_view head_bytes, std::string_view bound)
{
    return crypto::digest(crypto::Algorithm::sha256, {key, head_bytes, bound});
}

std::uint64_t take(std::string_view bytes)
{
    std::uint64_t number = 0;
    for (const char c : bytes)
        number = number << 8 | static_cast<unsigned char>(c);
    return number;
}

} // namespace

Nonces::Nonces(std::string_view secret)
    : key_{secret.empty() ? crypto::random_bytes(32)
                          : std::string{crypto::digest(crypto::Algorithm::sha256, secret).view()}}
{
}

std::string Nonces::make(std::int64_t unix_seconds, std::uint64_t serial, std::string_view bound) const
{
    std::string bytes;
    bytes.reserve(head + proof);
    put(bytes, static_cast<std::uint64_t>(unix_seconds), time_bytes);
    put(bytes, serial, serial_bytes);
    const auto mac = proof_of(key_, bytes, bound);
    bytes.append(mac.view().substr(0, proof));
    return base64url(bytes);
}

std::optional<Nonces::Parts> Nonces::open(std::string_view nonce, std::string_view bound) const
{
    if (nonce.size() != length)
        return {};
    const auto bytes = unbase64url(nonce);
    if (!bytes || bytes->size() != head + proof)
        return {};
    const std::string_view all = *bytes;
    const auto mac = proof_of(key_, all.substr(0, head), bound);
    if (!crypto::equal_secrets(mac.view().substr(0, proof), all.substr(head)))
        return {};
    return Parts{static_cast<std::int64_t>(take(all.substr(0, time_bytes))),
                 take(all.substr(time_bytes, serial_bytes))};
}

} // namespace sipyard::auth
