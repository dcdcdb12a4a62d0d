// modules/xcap_server/text_index.h - where the elements and attributes of a document's text are
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace sipyard::xcap_server {

// Changes are splices of the stored bytes and answers are pieces of them, so what is remembered of a document
// is offsets, no tree: 44 bytes an element, 24 an attribute. Immutable; says nothing without the text it was
// built from.
class TextIndex {
public:
    static constexpr std::uint32_t none = 0xffffffff;
    static constexpr std::uint32_t xml_binding = 0xfffffffe; // the prefix "xml", which nobody declares

    // Offsets into the text; numbers of other elements and bindings, or `none`. In document order, so the
    // first child of an element is the next element if that has it as its parent.
    struct Element {
        std::uint32_t begin;          // of '<'
        std::uint32_t attributes_end; // behind the last attribute or declaration, or behind the name
        std::uint32_t tag_end;        // behind '>' of the start tag
        std::uint32_t content_end;    // of '<' of the end tag; tag_end for an empty tag
        std::uint32_t end;            // behind the element
        std::uint32_t parent, next;   // sibling
        std::uint32_t attributes;     // number of the first; they end where those of the next element begin
        std::uint32_t scope;          // the last namespace binding that holds here
        std::uint32_t ns;             // the binding of its name, `none`: no namespace
        std::uint16_t name_length;    // with prefix, from begin + 1
        std::uint16_t prefix_length;  // without colon, 0: no prefix
    };
    struct Attribute {                        // namespace declarations are none
        std::uint32_t name, value, value_end; // value inside the quotes
        std::uint32_t ns;
        std::uint16_t name_length, prefix_length;
        bool plain; // the value is as it is written: no reference, no white space but blanks
    };
    struct Binding {
        std::uint32_t prefix, uri, uri_end; // uri inside the quotes; empty: undeclared
        std::uint32_t before;               // the binding declared before it that holds as well
        std::uint16_t prefix_length;        // 0: the default namespace
        bool plain;                         // as of attributes
    };

    // Of a well-formed text in UTF-8 without DOCTYPE; nothing when it is seen to be none, or is beyond 4 GiB.
    // (Not a check: core/xml makes that.) Time and memory grow with the text alone, whatever its depth.
    static std::optional<TextIndex> of(std::string_view text);

    std::uint32_t size() const { return static_cast<std::uint32_t>(elements_.size()); }
    const Element& operator[](std::uint32_t element) const { return elements_[element]; }
    const Attribute& attribute(std::uint32_t number) const { return attributes_[number]; }
    const Binding& binding(std::uint32_t number) const { return bindings_[number]; }
    std::uint32_t attributes_end(std::uint32_t element) const // number behind its last attribute
    {
        return element + 1 < size() ? elements_[element + 1].attributes
                                    : static_cast<std::uint32_t>(attributes_.size());
    }
    std::uint32_t first_child(std::uint32_t element) const // of `none`, the document: the root
    {
        const std::uint32_t next = element + 1; // none + 1 is 0
        return next < size() && elements_[next].parent == element ? next : none;
    }
    std::size_t bytes() const; // of memory

private:
    friend class Indexer;
    std::vector<Element> elements_;
    std::vector<Attribute> attributes_;
    std::vector<Binding> bindings_;
};
using TextIndexPtr = std::shared_ptr<const TextIndex>; // owners: the cache, and requests that use it

// A text with its index, for the questions that need both. Both outlive it.
class IndexedView {
public:
    IndexedView(std::string_view text, const TextIndex& index) : text_{text}, index_{index} {}
    std::string_view text() const { return text_; }
    const TextIndex& index() const { return index_; }

    std::string_view element(std::uint32_t e) const // from '<' to '>'
    {
        return text_.substr(index_[e].begin, index_[e].end - index_[e].begin);
    }
    std::string_view qualified_name(std::uint32_t e) const
    {
        return text_.substr(index_[e].begin + 1, index_[e].name_length);
    }
    std::string_view name(std::uint32_t e) const // local
    {
        const auto& at = index_[e];
        const auto skip = at.prefix_length == 0 ? 0u : at.prefix_length + 1u;
        return text_.substr(at.begin + 1 + skip, at.name_length - skip);
    }
    bool is_empty_tag(std::uint32_t e) const { return text_[index_[e].tag_end - 2] == '/'; }
    std::string_view value(std::uint32_t attribute) const // as written, without quotes
    {
        const auto& at = index_.attribute(attribute);
        return text_.substr(at.value, at.value_end - at.value);
    }
    std::string_view uri(std::uint32_t binding) const; // as written; `none` and xml_binding are known
    std::string_view prefix(std::uint32_t binding) const
    {
        const auto& at = index_.binding(binding);
        return text_.substr(at.prefix, at.prefix_length);
    }
    bool is_bound_to(std::uint32_t binding, std::string_view ns) const;     // `none`: to ""
    bool has_value(std::uint32_t attribute, std::string_view wanted) const; // as XML reports it
    // The attribute of that expanded name, or TextIndex::none.
    std::uint32_t find_attribute(std::uint32_t e, std::string_view ns, std::string_view name) const;
    // Does a binding of that prefix further in hide this one at the element?
    bool is_hidden(std::uint32_t binding, std::uint32_t scope) const;

private:
    std::string_view text_;
    const TextIndex& index_;
};

} // namespace sipyard::xcap_server
