// core/crypto/digest.h - message digests: MD5 for what the protocols still ask for, SHA-2 and SHA-3 for the
// rest
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sipyard::crypto {

enum class Algorithm : unsigned char { md5, sha1, sha224, sha256, sha384, sha512, sha512_256, sha3_256 };
constexpr std::size_t algorithms = 8;
std::string_view
to_text(Algorithm algorithm); // the name of RFC 8760 and IANA: "MD5", "SHA-256", "SHA-512-256"
std::optional<Algorithm> algorithm_named(std::string_view name); // letters of either case

std::size_t digest_size(Algorithm algorithm); // bytes
std::size_t block_size(Algorithm algorithm);  // bytes; what HMAC pads a key to

// A digest's bytes, without heap.
struct Raw {
    std::array<char, 64> bytes{};
    std::size_t size = 0;
    std::string_view view() const& { return {bytes.data(), size}; }
    std::string hex() const; // lower-case
    friend bool operator==(const Raw& a, const Raw& b)
    {
        return a.view() == b.view();
    } // no secret compared here
};

// All of these are thread-safe and take no heap but for the returned text. An algorithm that this system's
// configuration forbids throws StartupError at its first use: call require() at start-up where that matters.
void require(Algorithm algorithm);
Raw digest(Algorithm algorithm, std::string_view text);
// The pieces as if they were one text: digest(md5, {user, ":", realm, ":", password}).
Raw digest(Algorithm algorithm, std::initializer_list<std::string_view> pieces);
Raw digest(Algorithm algorithm, std::span<const std::string_view> pieces);
std::string hex_digest(Algorithm algorithm, std::string_view text);
std::string hex_digest(Algorithm algorithm, std::initializer_list<std::string_view> pieces);

// For text that comes bit by bit. Not thread-safe; finish() once, then it starts anew.
class Digest {
public:
    explicit Digest(Algorithm algorithm);
    Digest(Digest&&) noexcept;
    Digest& operator=(Digest&&) noexcept;
    ~Digest();
    void add(std::string_view text);
    Raw finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace sipyard::crypto
