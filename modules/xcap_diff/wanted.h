// modules/xcap_diff/wanted.h - what a subscriber wants to hear about: Event parameter and body of his
// SUBSCRIBE (RFC 5875 4.3, 4.4)
#pragma once

#include "core/base/result.h"
#include "modules/presence/api.h"
#include "modules/xcap_server/api.h"

#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_diff {

// From the least to the most the notifier may do; it never does more than asked.
enum class Processing : unsigned char { no_patching, xcap_patching, aggregate };
// Of the Event header's parameters; absent or unknown: no_patching.
Processing processing_of(std::string_view event_params);

// The URIs of a flat resource list, in order, each once. Empty body: none, which stands for all documents of
// the user. Errors: invalid (no such document, a list within a list, a URI that is none, too many).
constexpr std::size_t most_entries = 256;
Result<std::vector<std::string>> read_list(std::string_view body);

// Packed into a variant, so that subscribers who want the same share a rendering, and unpacked again.
struct Wish {
    Processing processing = Processing::no_patching;
    bool is_owner = true; // the watcher is the user himself; others see the global tree only
    std::vector<std::string> uris;
};
presence::Variant pack(const Wish& wish);
Wish unpack(const presence::Variant& variant);

} // namespace sipyard::xcap_diff
