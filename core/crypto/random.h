// core/crypto/random.h - bytes nobody can guess: tags, branches, nonces, keys
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sipyard::crypto {

// All of these are thread-safe and come from OpenSSL's generator; std::runtime_error when it cannot be
// seeded.

// For keys and secrets: taken from the generator for this call alone.
std::string random_bytes(std::size_t count);

// For tags, branches, nonces and jitter: from 4 KiB of such bytes kept per thread and wiped as they are used.
// As unguessable as the above (RFC 3261 19.3), some 10 ns each.
std::uint64_t random_number();
std::uint64_t random_below(std::uint64_t limit); // 0 .. limit-1, evenly; limit at least 1
std::string random_hex(std::size_t bytes);       // 2*bytes lower-case digits
std::string random_token(std::size_t letters);   // a-z 2-7: five bits a letter, safe in any SIP or URI token
std::size_t put_random_token(char* to, std::size_t letters); // the same without heap; returns `letters`

} // namespace sipyard::crypto
