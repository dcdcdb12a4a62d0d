// modules/xcap_server/splice.h - putting, replacing and removing elements and attributes in a text; every
// other byte stays (RFC 4825 8.2.3, 8.3)
#pragma once

#include "modules/xcap_server/fragment.h"
#include "modules/xcap_server/selector.h"
#include "modules/xcap_server/text_index.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sipyard::xcap_server {

// The text with the element's bytes replaced.
std::string replace_element(const IndexedView& document, std::uint32_t element, const FragmentView& by);

// The text with the fragment as a new child of `parent`, where the last step of its selector says: RFC 4825
// 8.2.3 as worked out in splice.cpp. Nothing when there is no such place (cannot-insert). The step matches no
// child of the parent.
std::optional<std::string> insert_element(const IndexedView& document, std::uint32_t parent,
                                          const StepView& step, const FragmentView& fragment);

// White space around it stays. Not for the root.
std::string remove_element(const IndexedView& document, std::uint32_t element);

std::string replace_value(const IndexedView& document, std::uint32_t attribute, const ValueView& by);
// Behind the last attribute of the tag. Nothing when no prefix is bound to the namespace there.
std::optional<std::string> insert_attribute(const IndexedView& document, std::uint32_t element,
                                            std::string_view ns, std::string_view name,
                                            const ValueView& value);
// With the one white space in front of it.
std::string remove_attribute(const IndexedView& document, std::uint32_t attribute);

} // namespace sipyard::xcap_server
