// core/xml/document.cpp - reading libxml2's tree
#include "core/xml/document.h"

#include "core/xml/libxml.h"
#include "core/xml/tree.h"

namespace sipyard::xml {

namespace {

const xmlNode* node_at(const void* node) { return static_cast<const xmlNode*>(node); }

const xmlNode* element_from(const xmlNode* node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

bool is_text(const xmlNode* node)
{
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

const xmlNode* content_from(const xmlNode* node)
{
    while (node && node->type != XML_ELEMENT_NODE && !is_text(node))
        node = node->next;
    return node;
}

std::string value_of(const xmlAttr* attribute)
{
    std::string value;
    for (const xmlNode* part = attribute->children; part; part = part->next)
        value += view(part->content);
    return value;
}

// Depth is limited by the parse, so recursion is too.
void put_text(std::string& out, const xmlNode* node)
{
    for (const xmlNode* child = node->children; child; child = child->next) {
        if (is_text(child))
            out += view(child->content);
        else if (child->type == XML_ELEMENT_NODE)
            put_text(out, child);
    }
}

} // namespace

std::string_view ElementView::name() const { return node_ ? view(node_at(node_)->name) : std::string_view{}; }

std::string_view ElementView::ns() const
{
    return node_ && node_at(node_)->ns ? view(node_at(node_)->ns->href) : std::string_view{};
}

std::string_view ElementView::prefix() const
{
    return node_ && node_at(node_)->ns ? view(node_at(node_)->ns->prefix) : std::string_view{};
}

bool ElementView::is(std::string_view wanted, std::string_view wanted_ns) const
{
    return node_ && name() == wanted && ns() == wanted_ns;
}

std::optional<std::string> ElementView::attribute(std::string_view wanted, std::string_view wanted_ns) const
{
    std::string storage;
    const auto value = attribute(wanted, wanted_ns, storage);
    if (!value)
        return {};
    if (!storage.empty())
        return storage;
    return std::string{*value};
}

std::optional<std::string_view> ElementView::attribute(std::string_view wanted, std::string_view wanted_ns,
                                                       std::string& storage) const
{
    if (!node_)
        return {};
    for (const xmlAttr* attribute = node_at(node_)->properties; attribute; attribute = attribute->next) {
        const auto attribute_ns = attribute->ns ? view(attribute->ns->href) : std::string_view{};
        if (view(attribute->name) != wanted || attribute_ns != wanted_ns)
            continue;
        const xmlNode* const part = attribute->children;
        if (!part)
            return std::string_view{};
        if (!part->next)
            return view(part->content);
        storage = value_of(attribute);
        return storage;
    }
    return {};
}

bool ElementView::has_qualified_attributes() const
{
    if (node_)
        for (const xmlAttr* attribute = node_at(node_)->properties; attribute; attribute = attribute->next)
            if (attribute->ns)
                return true;
    return false;
}

std::vector<Attribute> ElementView::attributes() const
{
    std::vector<Attribute> list;
    if (node_)
        for (const xmlAttr* attribute = node_at(node_)->properties; attribute; attribute = attribute->next) {
            const xmlNs* const ns = attribute->ns;
            list.push_back({view(attribute->name), ns ? view(ns->href) : std::string_view{},
                            ns ? view(ns->prefix) : std::string_view{}, value_of(attribute)});
        }
    return list;
}

std::string ElementView::text() const
{
    std::string out;
    if (node_)
        put_text(out, node_at(node_));
    return out;
}

std::size_t ElementView::line() const { return node_ ? node_at(node_)->line : 0; }

ElementView ElementView::first() const
{
    return node_ ? ElementView{element_from(node_at(node_)->children)} : ElementView{};
}

ElementView ElementView::next() const
{
    return node_ ? ElementView{element_from(node_at(node_)->next)} : ElementView{};
}

ElementView ElementView::parent() const
{
    const xmlNode* const up = node_ ? node_at(node_)->parent : nullptr;
    return up && up->type == XML_ELEMENT_NODE ? ElementView{up} : ElementView{};
}

ElementView ElementView::child(std::string_view wanted, std::string_view wanted_ns) const
{
    for (ElementView e = first(); e; e = e.next())
        if (e.is(wanted, wanted_ns))
            return e;
    return {};
}

std::vector<ElementView> ElementView::children() const
{
    std::vector<ElementView> list;
    for (ElementView e = first(); e; e = e.next())
        list.push_back(e);
    return list;
}

NodeView ElementView::content() const
{
    return node_ ? NodeView{content_from(node_at(node_)->children)} : NodeView{};
}

ElementView NodeView::element() const
{
    return node_ && node_at(node_)->type == XML_ELEMENT_NODE ? ElementView{node_} : ElementView{};
}

std::string_view NodeView::text() const
{
    return node_ && is_text(node_at(node_)) ? view(node_at(node_)->content) : std::string_view{};
}

NodeView NodeView::next() const { return node_ ? NodeView{content_from(node_at(node_)->next)} : NodeView{}; }

Document::Document(std::unique_ptr<Tree> tree) : tree_{std::move(tree)} {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, const Limits& limits, Fault* fault)
{
    DocPtr doc;
    const Checked checked = xml::parse(text, limits, &doc);
    if (checked.fault) {
        if (fault)
            *fault = *checked.fault;
        return checked.error();
    }
    auto tree = std::make_unique<Tree>();
    tree->doc = std::move(doc);
    return Document{std::move(tree)};
}

ElementView Document::root() const { return ElementView{xmlDocGetRootElement(tree_->doc.get())}; }

} // namespace sipyard::xml
