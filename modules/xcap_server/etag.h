// modules/xcap_server/etag.h - entity tags that are never used twice (RFC 4825 7.11)
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace sipyard::xcap_server {

// Thread-safe. Tags are "sr-" + seed + "-" + counter, all hex: the seed keeps processes, restarts and nodes
// apart, the counter the changes of one process. Never the same tag again for a document, also after it was
// deleted and made anew.
class EtagSource {
public:
    // `random` from a good generator, mixed with the start time in case it was not.
    EtagSource(std::uint64_t random, std::int64_t start_unix_ns);
    std::string next();

private:
    const std::string prefix_;
    std::atomic<std::uint64_t> counter_{0};
};

// The tag of a document that is computed: the same bytes have the same tag in every process.
std::string etag_of_content(std::string_view bytes);

} // namespace sipyard::xcap_server
