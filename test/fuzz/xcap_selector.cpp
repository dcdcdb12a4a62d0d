// test/fuzz/xcap_selector.cpp - any selector on any document: "selector?query", a line end, the document
#include "core/base/text.h"
#include "core/xml/check.h"
#include "modules/xcap_server/namespaces.h"
#include "modules/xcap_server/select.h"
#include "modules/xcap_server/splice.h"
#include "modules/xcap_server/xml_text.h"

#include <cstdint>
#include <cstdlib>

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

constexpr std::string_view usual =
    "<r xmlns='d' xmlns:p='e'><!-- c --><a n='1'/><p:a p:n='&lt;'>t<b/></p:a></r>";

void promise(bool kept)
{
    if (!kept)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text{reinterpret_cast<const char*>(data), size};
    auto raw = cut(text, '\n');
    if (text.empty())
        text = usual;

    // What the parser takes the index takes, and they count alike.
    const auto checked = xml::check(text);
    const auto index = TextIndex::of(text);
    if (checked) {
        promise(index && index->size() == checked.facts.elements);
        const IndexedView document{text, *index};
        promise(document.name(0) == checked.facts.root_name);
        promise(value_equals(document.uri((*index)[0].ns), checked.facts.root_namespace));
    }

    auto query = raw;
    raw = cut(query, '?');
    Arena arena;
    NodeSelectorView selector;
    const std::vector<Prefix> prefixes = {{"o", "e"}};
    const auto refusal = read_selector(raw, query, {"d", "e", prefixes}, arena, selector);
    if (refusal) {
        promise(refusal.code == 400 || refusal.code == 404 || refusal.code == 414);
        return 0;
    }
    promise(!selector.steps.empty() && selector.steps.size() <= max_steps);
    if (!index)
        return 0;
    const IndexedView document{text, *index};
    const Selection found = select(document, selector.steps);
    promise(found.matched <= selector.steps.size());
    promise((found.matches == Matches::one) == (found.matched == selector.steps.size()));
    if (found.matches != Matches::one || !checked)
        return 0;
    // Every answer is well-formed by itself, but for prefixes that are declared further out.
    const auto bytes = document.element(found.element);
    promise(bytes.front() == '<' && bytes.back() == '>');
    promise(static_cast<bool>(xml::check(namespaces_document(document, found.element))));
    if (found.element != 0)
        promise(static_cast<bool>(xml::check(remove_element(document, found.element))));
    if (selector.terminal == Terminal::attribute) {
        const auto attribute =
            document.find_attribute(found.element, selector.attribute_ns, selector.attribute_name);
        if (attribute != TextIndex::none) {
            promise(static_cast<bool>(xml::check(remove_attribute(document, attribute))));
            promise(document.value(attribute).find('<') == std::string_view::npos);
        }
    }
    return 0;
}
