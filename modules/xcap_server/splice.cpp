// modules/xcap_server/splice.cpp - where bytes go in and come out
#include "modules/xcap_server/splice.h"

#include "modules/xcap_server/namespaces.h"
#include "modules/xcap_server/select.h"

namespace sipyard::xcap_server {
namespace {

constexpr std::uint32_t none = TextIndex::none;

template <class... Pieces>
std::string join(const Pieces&... pieces)
{
    std::string all;
    all.reserve((std::string_view{pieces}.size() + ... + 0));
    ((all += pieces), ...);
    return all;
}

// text[from, to) replaced by the pieces
template <class... Pieces>
std::string spliced(std::string_view text, std::size_t from, std::size_t to, const Pieces&... pieces)
{
    return join(text.substr(0, from), pieces..., text.substr(to));
}

std::string as_last_child(const IndexedView& document, std::uint32_t parent, std::string_view fragment)
{
    const TextIndex::Element& e = document.index()[parent];
    if (!document.is_empty_tag(parent))
        return spliced(document.text(), e.content_end, e.content_end, fragment);
    // <p a="b"/> becomes <p a="b">...</p>
    return spliced(document.text(), e.tag_end - 2, e.tag_end, ">", fragment, "</",
                   document.qualified_name(parent), ">");
}

// The siblings a new element is placed among: those of one expanded name, or all.
struct Siblings {
    std::uint32_t count = 0, first = none, last = none;
    std::uint32_t before_position = none; // the one whose position is the wanted one less 1
};

Siblings siblings_of(const IndexedView& document, std::uint32_t parent, const StepView& step,
                     const FragmentView& fragment)
{
    // Without a position '*' takes the name of what comes. Of two namespaces that a name may have without a
    // prefix, the fragment tells which it is.
    const bool all = step.any && step.has_position;
    const bool fragments_ns = step.any || (step.unprefixed && fragment.ns == step.also_ns);
    const auto ns = fragments_ns ? fragment.ns : step.ns;
    const auto name = step.any ? fragment.name : step.name;
    Siblings found;
    for (auto e = document.index().first_child(parent); e != none; e = document.index()[e].next) {
        if (!all && !has_name(document, e, ns, name))
            continue;
        if (found.first == none)
            found.first = e;
        found.last = e;
        if (++found.count + 1 == step.position)
            found.before_position = e;
    }
    return found;
}

} // namespace

std::string replace_element(const IndexedView& document, std::uint32_t element, const FragmentView& by)
{
    const TextIndex::Element& e = document.index()[element];
    return spliced(document.text(), e.begin, e.end, by.text);
}

// The table of RFC 4825 8.2.3:
//   name, name[test]    behind the last sibling of that name
//   *[test]             the same, with the fragment's name
//   *                   only into a parent without elements
//   name[1]             in front of the first sibling of that name; *[1]: of any
//   name[n]             behind the (n-1)th sibling of that name; *[n]: of any; if there is none, nowhere
// Where no sibling is to be found and none is needed, it becomes the last child.
std::optional<std::string> insert_element(const IndexedView& document, std::uint32_t parent,
                                          const StepView& step, const FragmentView& fragment)
{
    if (parent == none)
        return {}; // a second root
    const TextIndex& index = document.index();
    if (step.any && !step.has_position && !step.has_test) {
        if (index.first_child(parent) != none)
            return {};
        return as_last_child(document, parent, fragment.text);
    }
    const Siblings siblings = siblings_of(document, parent, step, fragment);
    const auto behind = [&](std::uint32_t e) {
        return spliced(document.text(), index[e].end, index[e].end, fragment.text);
    };
    if (step.has_position && step.position != 1) {
        if (siblings.before_position == none)
            return {};
        return behind(siblings.before_position);
    }
    if (siblings.count == 0)
        return as_last_child(document, parent, fragment.text);
    if (step.has_position)
        return spliced(document.text(), index[siblings.first].begin, index[siblings.first].begin,
                       fragment.text);
    return behind(siblings.last);
}

std::string remove_element(const IndexedView& document, std::uint32_t element)
{
    const TextIndex::Element& e = document.index()[element];
    return spliced(document.text(), e.begin, e.end);
}

std::string replace_value(const IndexedView& document, std::uint32_t attribute, const ValueView& by)
{
    const TextIndex::Attribute& a = document.index().attribute(attribute);
    if (by.fits(document.text()[a.value_end]))
        return spliced(document.text(), a.value, a.value_end, by.text);
    const std::string_view quote{&by.quote, 1};
    return spliced(document.text(), a.value - 1, a.value_end + 1, quote, by.text, quote);
}

std::optional<std::string> insert_attribute(const IndexedView& document, std::uint32_t element,
                                            std::string_view ns, std::string_view name,
                                            const ValueView& value)
{
    std::string_view prefix;
    if (!ns.empty()) {
        prefix = prefix_for(document, element, ns);
        if (prefix.empty())
            return {};
    } else if (name == "xmlns") {
        return {}; // that would be a declaration
    }
    const auto at = document.index()[element].attributes_end;
    const std::string_view quote{&value.quote, 1};
    return spliced(document.text(), at, at, " ", prefix, prefix.empty() ? "" : ":", name, "=", quote,
                   value.text, quote);
}

std::string remove_attribute(const IndexedView& document, std::uint32_t attribute)
{
    const TextIndex::Attribute& a = document.index().attribute(attribute);
    return spliced(document.text(), a.name - 1, a.value_end + 1);
}

} // namespace sipyard::xcap_server
