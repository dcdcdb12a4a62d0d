// test/fuzz/xcap_fragment.cpp - any body put at any place of a document: selector, a line end, the body
#include "core/base/text.h"
#include "core/xml/check.h"
#include "modules/xcap_server/select.h"
#include "modules/xcap_server/splice.h"

#include <cstdint>
#include <cstdlib>

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

const std::string texts[] = {
    "<r xmlns='d' xmlns:p='e'>\n <a n='1'/><!-- <a/> --><a n='2'>x</a><b/><p:c p:n=\"'\" > </p:c >\n</r>\n",
    "<?xml version='1.0'?><r xmlns=\"d\"><a><b xmlns=''><c/></b></a></r><?end?>",
    "<r xmlns='d'/>",
};

void promise(bool kept)
{
    if (!kept)
        std::abort();
}

// Well-formed, and made of the old text with bytes put in or taken out in one place.
void check_splice(std::string_view before, std::string_view after)
{
    promise(static_cast<bool>(xml::check(after, {256, 100'000, 10'000, 50'000})));
    promise(TextIndex::of(after).has_value());
    const auto shorter = std::min(before.size(), after.size());
    std::size_t front = 0, back = 0;
    while (front < shorter && before[front] == after[front])
        ++front;
    while (back < shorter && before[before.size() - 1 - back] == after[after.size() - 1 - back])
        ++back;
    promise(front >= 2 && back >= 1); // the root's tags at least, "/>" may have become "</r>"
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view body{reinterpret_cast<const char*>(data), size};
    const auto raw = cut(body, '\n');
    for (const std::string& text : texts) {
        const auto index = TextIndex::of(text);
        promise(index.has_value());
        const IndexedView document{text, *index};
        Arena arena;
        NodeSelectorView selector;
        if (read_selector(raw, "xmlns(p=e)", {"d", {}, {}}, arena, selector))
            return 0;
        const auto steps = selector.steps;
        if (selector.terminal == Terminal::attribute) {
            ValueView value;
            const Selection found = select(document, steps);
            if (read_attribute_value(body, value) || found.matches != Matches::one)
                continue;
            const auto present =
                document.find_attribute(found.element, selector.attribute_ns, selector.attribute_name);
            if (present != TextIndex::none)
                check_splice(text, replace_value(document, present, value));
            else if (const auto put = insert_attribute(document, found.element, selector.attribute_ns,
                                                       selector.attribute_name, value))
                check_splice(text, *put);
            continue;
        }
        const Selection parent = select(document, steps.first(steps.size() - 1));
        FragmentView fragment;
        if (parent.matches != Matches::one ||
            must(read_fragment(body, &document, parent.element, {}, {}, arena, fragment)))
            continue;
        promise(!fragment.text.empty() && fragment.text.front() == '<' && fragment.text.back() == '>');
        const Selection found = select(document, steps);
        if (found.matches == Matches::one) {
            const auto after = replace_element(document, found.element, fragment);
            promise(static_cast<bool>(xml::check(after, {256, 100'000, 10'000, 50'000})));
            if (found.element != 0)
                check_splice(text, after);
        } else if (found.matches == Matches::none) {
            if (const auto put = insert_element(document, parent.element, steps.back(), fragment)) {
                check_splice(text, *put);
                promise(put->find(fragment.text) != std::string::npos);
            }
        }
    }
    return 0;
}
