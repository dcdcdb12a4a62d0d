// core/xml/encoding.h - only UTF-8 comes in (RFC 4825 §8.2.4 for XCAP, and for the rest because two readings
// are a hole)
#pragma once

#include <optional>
#include <string_view>

namespace sipyard::xml {

// The document without its byte order mark; nothing when its bytes, its mark or its declaration say another
// encoding.
std::optional<std::string_view> utf8_document(std::string_view text);

} // namespace sipyard::xml
