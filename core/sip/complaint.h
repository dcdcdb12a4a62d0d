// core/sip/complaint.h - how the parsers of this room say no without touching the heap
#pragma once

#include <string_view>

namespace sipyard::sip {

// Empty: the text was understood. Otherwise a static sentence (valid for ever) that says what is wrong.
// Parsers are `Complaint read(std::string_view text, T& out)`; on a complaint `out` holds what was read so
// far.
using Complaint = std::string_view;

} // namespace sipyard::sip
