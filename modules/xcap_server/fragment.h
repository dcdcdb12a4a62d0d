// modules/xcap_server/fragment.h - is the body of a PUT one element, or one attribute value? (RFC
// 4825 7.4, 7.7, 8.2.2)
#pragma once

#include "core/xml/check.h"
#include "modules/xcap_server/body.h"
#include "modules/xcap_server/error_document.h"
#include "modules/xcap_server/selector.h"
#include "modules/xcap_server/text_index.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::xcap_server {

// One element as it will stand in the document. Views into the body and the arena.
struct FragmentView {
    std::string_view text;     // without white space around
    std::string_view ns, name; // of the element
};

// xml::check(), or something that does the same elsewhere; none: xml::check().
using XmlCheck = std::function<Result<xml::Checked>(std::string_view text, const xml::Limits& limits)>;

// Reads the body of an element's PUT where the namespace bindings of `parent` hold (`none`: none do).
// Problems: not-utf-8, not-xml-frag, and constraint-failure for the limits. An Error is the check's.
Result<std::optional<Problem>> read_fragment(std::string_view body, const IndexedView* document,
                                             std::uint32_t parent, const xml::Limits& limits,
                                             const XmlCheck& check, Arena& arena, FragmentView& out);

// The body of an attribute's PUT: with its quotes, as the RFC has it, or the bare value, as clients send it.
struct ValueView {
    std::string_view text; // between the quotes
    char quote = '"';      // one that may stand around it
    bool fits(char q) const { return text.find(q) == std::string_view::npos; }
};
// Problems: not-utf-8, not-xml-att-value.
std::optional<Problem> read_attribute_value(std::string_view body, ValueView& out);

inline constexpr std::string_view element_type = "application/xcap-el+xml";
inline constexpr std::string_view attribute_type = "application/xcap-att+xml";
inline constexpr std::string_view namespaces_type = "application/xcap-ns+xml";
std::string_view type_of(Terminal terminal);

// As check_type() for documents. The types that other clients send are excused for documents only.
TypeVerdict check_node_type(std::optional<std::string_view> content_type, Terminal terminal, TypeCheck check);

} // namespace sipyard::xcap_server
