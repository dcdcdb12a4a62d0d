// modules/xcap_server/namespaces.h - the namespace bindings that hold at an element (RFC 4825 7.10)
#pragma once

#include "modules/xcap_server/text_index.h"

#include <string>
#include <string_view>

namespace sipyard::xcap_server {

enum class Undeclared : bool { left_out, kept }; // xmlns="" where an outer default namespace ends

// One ` xmlns...=".."` for each, own and inherited, outermost first; "xml" is none.
void append_bindings(const IndexedView& document, std::uint32_t element, Undeclared undeclared,
                     std::string& to);

// The reply to namespace::*: an empty element of the same name with all the bindings.
std::string namespaces_document(const IndexedView& document, std::uint32_t element);

// The prefix that is bound to the namespace at the element, for an attribute; empty: there is none.
std::string_view prefix_for(const IndexedView& document, std::uint32_t element, std::string_view ns);

} // namespace sipyard::xcap_server
