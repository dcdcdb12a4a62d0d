// core/base/xml_text.h - text written into XML 1.0 with as few references as possible
#pragma once

#include <string>
#include <string_view>

namespace sipyard {

// Both append `text` so that a reader gets it back unchanged. What XML cannot say at all (control characters,
// bytes that are no UTF-8, U+FFFE, U+FFFF) becomes U+FFFD each, so the result is always well-formed.
void append_xml_text(std::string& out, std::string_view text);  // content: & < > and CR
void append_xml_value(std::string& out, std::string_view text); // between double quotes: " TAB LF too

} // namespace sipyard
