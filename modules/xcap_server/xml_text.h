// modules/xcap_server/xml_text.h - names and attribute values as they stand in the text of a document
// (XML 1.0)
#pragma once

#include "core/base/arena.h"

#include <cstddef>
#include <string_view>

namespace sipyard::xcap_server {

// Length of the NCName at the start of the text, 0: there is none. Bytes beyond ASCII count as letters: the
// parser knows which they are, and a name that cannot be in a document matches nothing.
std::size_t name_length(std::string_view text);

// "p:name" taken apart; false when it is no QName. No colon: empty prefix.
bool read_qname(std::string_view text, std::string_view& prefix, std::string_view& name);

// The character reference or predefined entity at the start of the text, '&' to ';', is taken from it and put
// as UTF-8 to `to` (4 bytes). Its length there, 0: it is none, or names no XML character.
std::size_t take_reference(std::string_view& text, char* to);

// Is the attribute value written `raw` (without quotes) the value `wanted`? References resolved, white space
// normalised (XML 1.0 3.3.3). No memory is used.
bool value_equals(std::string_view raw, std::string_view wanted);

// The value itself; `raw` when nothing in it changes.
std::string_view value_of(std::string_view raw, Arena& arena);

// UTF-8 without the characters XML cannot have.
bool is_xml_text(std::string_view text);

} // namespace sipyard::xcap_server
