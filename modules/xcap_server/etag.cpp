// modules/xcap_server/etag.cpp - making entity tags
#include "modules/xcap_server/etag.h"

#include "core/base/format.h"
#include "core/crypto/digest.h"

namespace sipyard::xcap_server {
namespace {

// Spreads every input bit over the whole word (splitmix64's finaliser), so near start times give far seeds.
std::uint64_t mix(std::uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

} // namespace

EtagSource::EtagSource(std::uint64_t random, std::int64_t start_unix_ns)
    : prefix_{format("sr-{:016x}-", random ^ mix(static_cast<std::uint64_t>(start_unix_ns)))}
{
}

std::string EtagSource::next()
{
    return prefix_ + format("{:x}", counter_.fetch_add(1, std::memory_order_relaxed) + 1);
}

std::string etag_of_content(std::string_view bytes)
{
    return "c-" + crypto::digest(crypto::Algorithm::sha256, bytes).hex().substr(0, 32);
}

} // namespace sipyard::xcap_server
