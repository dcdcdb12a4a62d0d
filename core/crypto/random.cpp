// core/crypto/random.cpp - random bytes from OpenSSL, buffered per thread
#include "core/crypto/random.h"

#include "core/base/text.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <climits>
#include <cstring>
#include <stdexcept>

namespace sipyard::crypto {

namespace {

void fill(char* to, std::size_t count)
{
    while (count > 0) {
        const std::size_t part = std::min<std::size_t>(count, INT_MAX);
        if (RAND_bytes(reinterpret_cast<unsigned char*>(to), static_cast<int>(part)) != 1)
            throw std::runtime_error{"OpenSSL's random generator is not seeded"};
        to += part;
        count -= part;
    }
}

class Pool {
public:
    void take(char* to, std::size_t count)
    {
        if (count > bytes_.size()) {
            fill(to, count);
            return;
        }
        if (bytes_.size() - used_ < count) {
            fill(bytes_.data(), bytes_.size());
            used_ = 0;
        }
        std::memcpy(to, bytes_.data() + used_, count);
        std::memset(bytes_.data() + used_, 0, count); // what was given out is not found here later
        used_ += count;
    }

private:
    std::array<char, 4096> bytes_;
    std::size_t used_ = sizeof(bytes_);
};

Pool& pool()
{
    thread_local Pool mine;
    return mine;
}

} // namespace

std::string random_bytes(std::size_t count)
{
    std::string bytes(count, '\0');
    fill(bytes.data(), count);
    return bytes;
}

std::uint64_t random_number()
{
    std::uint64_t number;
    pool().take(reinterpret_cast<char*>(&number), sizeof number);
    return number;
}

std::uint64_t random_below(std::uint64_t limit)
{
    assert(limit > 0);
    // The part of the range that is no multiple of `limit` would make small numbers likelier.
    const std::uint64_t uneven = (UINT64_MAX % limit + 1) % limit;
    for (;;) {
        const std::uint64_t number = random_number();
        if (number <= UINT64_MAX - uneven)
            return number % limit;
    }
}

std::string random_hex(std::size_t bytes)
{
    std::string raw(bytes, '\0');
    pool().take(raw.data(), bytes);
    return hex(raw);
}

std::size_t put_random_token(char* to, std::size_t letters)
{
    static constexpr char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < letters; ++i, bits >>= 5) {
        if (i % 12 == 0) // 60 of 64 bits
            bits = random_number();
        to[i] = alphabet[bits & 31];
    }
    return letters;
}

std::string random_token(std::size_t letters)
{
    std::string token(letters, '\0');
    put_random_token(token.data(), letters);
    return token;
}

} // namespace sipyard::crypto
