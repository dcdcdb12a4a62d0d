// modules/presence_dialoginfo/fragment.h - a piece of a stranger's document, to stand in ours
//
// Elements of dialog-info's namespace lose their prefix, which ours declares as the default one. All others
// keep theirs and declare it where it is needed first. Comments and processing instructions are gone, CDATA
// and entities are text, attributes stand in one order. What holds only elements is indented by two blanks,
// what holds text is copied. A prefix inside a text or value (xsi:type) is text like any other.
#pragma once

#include "core/xml/document.h"
#include "modules/presence_dialoginfo/content_hash.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::presence_dialoginfo {

// Some text and what it means: prefixes and white space between elements do not count for the hash.
struct Fragment {
    std::string text;
    presence::ContentHash hash{}; // meaningless while empty
    bool empty() const { return text.empty(); }
};

// Are elements in no namespace ours too? In a document whose root has none, read with lax_namespace=1.
enum class Home : unsigned char { dialog_info, none };
bool is_home(xml::ElementView element, Home home);
bool is_home(xml::ElementView element, std::string_view name, Home home);

// The element as whole lines, the first indented by `depth` times two blanks.
Fragment element_fragment(xml::ElementView element, Home home, std::size_t depth);
// The same for several, one after the other.
Fragment element_fragments(const std::vector<xml::ElementView>& elements, Home home, std::size_t depth);
// The attributes but for those in no namespace that `known` names, each with a blank before it.
Fragment attributes_fragment(xml::ElementView element, Home home, const std::vector<std::string_view>& known);

} // namespace sipyard::presence_dialoginfo
