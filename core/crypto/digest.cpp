// core/crypto/digest.cpp - digests on top of OpenSSL 3
#include "core/crypto/digest.h"

#include "core/base/result.h"
#include "core/base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <new>
#include <span>
#include <stdexcept>

namespace sipyard::crypto {

namespace {

struct Row {
    Algorithm algorithm;
    std::string_view name;
    const char* provider_name;
    std::size_t size;
    std::size_t block;
};
constexpr Row rows[algorithms] = {
    {Algorithm::md5, "MD5", "MD5", 16, 64},
    {Algorithm::sha1, "SHA-1", "SHA1", 20, 64},
    {Algorithm::sha224, "SHA-224", "SHA2-224", 28, 64},
    {Algorithm::sha256, "SHA-256", "SHA2-256", 32, 64},
    {Algorithm::sha384, "SHA-384", "SHA2-384", 48, 128},
    {Algorithm::sha512, "SHA-512", "SHA2-512", 64, 128},
    {Algorithm::sha512_256, "SHA-512-256", "SHA2-512/256", 32, 128},
    {Algorithm::sha3_256, "SHA3-256", "SHA3-256", 32, 136},
};

const Row& row_of(Algorithm algorithm) { return rows[static_cast<std::size_t>(algorithm)]; }

// A look-up by name costs more than the digest of a short text, hence once. They live as long as the process:
// a thread that ends late may still use one.
const EVP_MD* method_of(Algorithm algorithm)
{
    static const std::array<EVP_MD*, algorithms> fetched = [] {
        std::array<EVP_MD*, algorithms> list{};
        for (std::size_t i = 0; i < algorithms; ++i)
            list[i] = EVP_MD_fetch(nullptr, rows[i].provider_name, nullptr);
        return list;
    }();
    const EVP_MD* const method = fetched[static_cast<std::size_t>(algorithm)];
    if (method == nullptr)
        throw StartupError{"OpenSSL offers no " + std::string{row_of(algorithm).name}};
    return method;
}

class Context {
public:
    Context() : context_{EVP_MD_CTX_new()}
    {
        if (context_ == nullptr)
            throw std::bad_alloc{};
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    ~Context() { EVP_MD_CTX_free(context_); }

    void start(Algorithm algorithm) { check(EVP_DigestInit_ex2(context_, method_of(algorithm), nullptr)); }
    void add(std::string_view text) { check(EVP_DigestUpdate(context_, text.data(), text.size())); }
    Raw finish()
    {
        Raw raw;
        unsigned size = 0;
        check(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(raw.bytes.data()), &size));
        raw.size = size;
        return raw;
    }

private:
    static void check(int done)
    {
        if (done != 1) // memory, or a provider that broke: nothing a caller could do about it
            throw std::runtime_error{"OpenSSL failed to compute a digest"};
    }
    EVP_MD_CTX* context_;
};

// One per algorithm and thread: starting again with the same algorithm reuses its memory.
Context& context_of(Algorithm algorithm)
{
    thread_local std::array<Context, algorithms> contexts;
    return contexts[static_cast<std::size_t>(algorithm)];
}

} // namespace

std::string_view to_text(Algorithm algorithm) { return row_of(algorithm).name; }

std::optional<Algorithm> algorithm_named(std::string_view name)
{
    for (const auto& row : rows)
        if (iequals(row.name, name))
            return row.algorithm;
    return {};
}

std::size_t digest_size(Algorithm algorithm) { return row_of(algorithm).size; }

std::size_t block_size(Algorithm algorithm) { return row_of(algorithm).block; }

std::string Raw::hex() const { return sipyard::hex(view()); }

void require(Algorithm algorithm) { method_of(algorithm); }

Raw digest(Algorithm algorithm, std::span<const std::string_view> pieces)
{
    Context& context = context_of(algorithm);
    context.start(algorithm);
    // A call of the library costs more than copying the few bytes of a user name or a colon.
    char together[256];
    std::size_t size = 0;
    for (const auto piece : pieces)
        size += piece.size();
    if (pieces.size() < 2 || size > sizeof together) {
        for (const auto piece : pieces)
            context.add(piece);
        return context.finish();
    }
    char* to = together;
    for (const auto piece : pieces)
        to = std::copy(piece.begin(), piece.end(), to);
    context.add({together, size});
    OPENSSL_cleanse(together, size); // pieces may be secrets
    return context.finish();
}

Raw digest(Algorithm algorithm, std::string_view text) { return digest(algorithm, std::span{&text, 1}); }

Raw digest(Algorithm algorithm, std::initializer_list<std::string_view> pieces)
{
    return digest(algorithm, std::span{pieces.begin(), pieces.size()});
}

std::string hex_digest(Algorithm algorithm, std::string_view text) { return digest(algorithm, text).hex(); }

std::string hex_digest(Algorithm algorithm, std::initializer_list<std::string_view> pieces)
{
    return digest(algorithm, pieces).hex();
}

struct Digest::State {
    Algorithm algorithm;
    Context context;
};

Digest::Digest(Algorithm algorithm) : state_{new State{algorithm, {}}} { state_->context.start(algorithm); }
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::add(std::string_view text) { state_->context.add(text); }

Raw Digest::finish()
{
    const Raw raw = state_->context.finish();
    state_->context.start(state_->algorithm);
    return raw;
}

} // namespace sipyard::crypto
