// core/xml/document.h - a document as a tree to read
#pragma once

#include "core/base/result.h"
#include "core/xml/check.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xml {

// A place in a document; valid while the document lives. An absent element answers every question with
// nothing, so a path reads `root.child("tuple", ns).child("status", ns).child("basic", ns).text()`.
class NodeView;
struct Attribute {
    std::string_view name, ns, prefix; // local name; "" for no namespace or prefix
    std::string value;
};
class ElementView {
public:
    ElementView() = default;
    explicit operator bool() const { return node_ != nullptr; }

    std::string_view name() const;   // local name
    std::string_view ns() const;     // namespace, "" when it has none
    std::string_view prefix() const; // as written, "" when it has none
    bool is(std::string_view name, std::string_view ns) const;

    std::optional<std::string> attribute(std::string_view name, std::string_view ns = {}) const;
    // The same without a copy, where the value is in the document as it is; else in `storage`.
    std::optional<std::string_view> attribute(std::string_view name, std::string_view ns,
                                              std::string& storage) const;
    bool has_qualified_attributes() const;     // one of them is in a namespace
    std::vector<Attribute> attributes() const; // in their order; namespace declarations are none
    std::string text() const;                  // all character data below, in order
    std::size_t line() const;

    ElementView first() const; // child elements, one after the other
    ElementView next() const;
    ElementView parent() const;
    ElementView child(std::string_view name, std::string_view ns) const; // the first of that name
    std::vector<ElementView> children() const;
    NodeView content() const; // the first child of any kind

    friend bool operator==(const ElementView&, const ElementView&) = default;

private:
    friend class Document;
    friend class NodeView;
    explicit ElementView(const void* node) : node_{node} {}
    const void* node_ = nullptr;
};

// A child with its text in place: an element or a run of character data (text, CDATA). Comments and
// processing instructions are passed over, so runs may follow each other.
class NodeView {
public:
    NodeView() = default;
    explicit operator bool() const { return node_ != nullptr; }
    ElementView element() const;   // absent for a run of text
    std::string_view text() const; // of a run; "" for an element
    NodeView next() const;

private:
    friend class ElementView;
    explicit NodeView(const void* node) : node_{node} {}
    const void* node_ = nullptr;
};

// Owns its tree. Reading is thread-safe.
class Document {
public:
    // Everything check() refuses is refused, with the same words; `fault` tells which, when it is asked for.
    static Result<Document> parse(std::string_view text, const Limits& limits = {}, Fault* fault = nullptr);
    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();

    ElementView root() const;

private:
    friend class Schema;
    struct Tree;
    explicit Document(std::unique_ptr<Tree> tree);
    std::unique_ptr<Tree> tree_;
};

} // namespace sipyard::xml
