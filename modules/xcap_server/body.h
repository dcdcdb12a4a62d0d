// modules/xcap_server/body.h - is the body of a PUT a document this usage may have? (RFC 4825 8.2.3 to 8.2.5)
#pragma once

#include "core/xml/check.h"
#include "modules/xcap_server/error_document.h"
#include "modules/xcap_server/usage.h"

#include <optional>
#include <string_view>

namespace sipyard::xcap_server {

// The text as it is stored: a UTF-8 byte order mark is dropped.
std::string_view without_mark(std::string_view body);

// Encoding, form, root element and what the usage asks, in this order; the first failure. One pass, no tree.
std::optional<Problem> examine(std::string_view text, const Usage& usage, const Validation& validation,
                               const xml::Limits& limits);

// How Content-Type decides (modparam content_type_check).
enum class TypeCheck : unsigned char { none, tolerant, strict };
enum class TypeVerdict : unsigned char { good, wrong, not_utf8 }; // go on, 415, 409
TypeVerdict check_type(std::optional<std::string_view> content_type, const Usage& usage, TypeCheck check);
std::string_view to_text(TypeVerdict verdict);

} // namespace sipyard::xcap_server
