// modules/xcap_server/uniqueness.h - values that may occur once only (RFC 4825 8.2.5, RFC 4826 3.4.5
// and 4.4.5)
#pragma once

#include "core/xml/document.h"
#include "modules/xcap_server/error_document.h"
#include "modules/xcap_server/usage.h"

#include <optional>
#include <string_view>

namespace sipyard::xcap_server {

// Step 5 of validation, as far as the document alone can tell: one `exists` for each value that is there
// twice, naming the second place. Time is O(elements).
std::optional<Problem> repeated_values(const xml::Document& document, const Usage& usage);

} // namespace sipyard::xcap_server
