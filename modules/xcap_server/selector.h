// modules/xcap_server/selector.h - which element or attribute of a document is meant (RFC 4825 6.3, 6.4)
#pragma once

#include "core/base/arena.h"
#include "modules/xcap_server/uri.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sipyard::xcap_server {

// A prefix for node selectors: "rl=urn:ietf:params:xml:ns:resource-lists".
struct Prefix {
    std::string name, uri;
};

// One level of the path: name or '*', then position, then attribute test; all three have to hold.
struct StepView {
    bool any = false;        // '*': any name in any namespace
    bool unprefixed = false; // `ns` is the usage's default; `also_ns` is tried where it has no element
    bool has_position = false;
    bool has_test = false;
    std::uint32_t position = 0; // 1-based; 0 and `never` match nothing
    std::string_view ns, also_ns, name;
    std::string_view test_ns, test_name, test_value; // value as XML reports it, entities resolved
    std::uint32_t raw_end = 0;                       // where the step ends in the raw selector
    static constexpr std::uint32_t never = 0xffffffff;
};

enum class Terminal : unsigned char { element, attribute, namespaces };

// Views into the arena and the texts it was read from.
struct NodeSelectorView {
    std::span<const StepView> steps; // at least one
    Terminal terminal = Terminal::element;
    std::string_view attribute_ns, attribute_name;
    std::string_view raw; // as sent
};

struct SelectorRules {
    std::string_view default_ns;   // of element names without prefix; attributes without one have none
    std::string_view also_ns = {}; // empty: no second one
    std::span<const Prefix> prefixes = {}; // bound besides those of the query, which wins
};

inline constexpr std::size_t max_selector = 4096; // bytes
inline constexpr std::size_t max_steps = 64;

// `raw`: what follows "/~~/" in the target; `query`: what follows '?', its xmlns() parts bind prefixes (RFC
// 4825 6.4, XPointer xmlns scheme). 404: a step the grammar does not know, for it might be somebody's
// extension (RFC 4825 6.3). 400: nothing between slashes, bad escapes, control characters, an unbound prefix;
// the 404 comes first. 414: beyond the limits.
Refusal read_selector(std::string_view raw, std::string_view query, const SelectorRules& rules, Arena& arena,
                      NodeSelectorView& out);

} // namespace sipyard::xcap_server
