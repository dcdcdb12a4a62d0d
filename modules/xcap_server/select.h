// modules/xcap_server/select.h - finding the node a selector means in an indexed text (RFC 4825 6.3)
#pragma once

#include "modules/xcap_server/selector.h"
#include "modules/xcap_server/text_index.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace sipyard::xcap_server {

enum class Matches : unsigned char { none, one, several };

struct Selection {
    Matches matches = Matches::none;
    std::uint32_t element = TextIndex::none; // of `one`; of no steps: the document, which is `none`
    std::size_t matched = 0; // steps, from the first on, that match exactly one element: the deepest ancestor
    std::uint32_t ancestor = TextIndex::none; // that element; `none`: the document
};

// The context is always one node: each step has to leave exactly one of its children, else the search ends
// there, in an inner step as in the last. No memory is used, no recursion; time is O(children) per step.
Selection select(const IndexedView& document, std::span<const StepView> steps);

// Do name and namespace of an element fit the step? (Not its position, nor its test.)
bool has_name(const IndexedView& document, std::uint32_t element, std::string_view ns, std::string_view name);

} // namespace sipyard::xcap_server
