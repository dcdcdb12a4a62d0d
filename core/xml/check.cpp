// core/xml/check.cpp - the parser's events, counted before anything is built from them
#include "core/xml/check.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/xml/encoding.h"
#include "core/xml/libxml.h"

#include <libxml/SAX2.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <new>
#include <vector>

namespace sipyard::xml {

namespace {

struct FreeContext {
    void operator()(xmlParserCtxt* context) const { xmlFreeParserCtxt(context); }
};

// What one parse counts; reached through the context's _private.
struct Pass {
    const Limits& limits;
    Checked checked{};
    bool builds_tree = false;
    std::vector<std::size_t> declared{}; // namespace declarations of each open element
    std::size_t in_scope = 0;

    void fail(xmlParserCtxt* context, Fault fault, std::string text)
    {
        if (!checked.fault) {
            checked.fault = fault;
            checked.text = std::move(text);
        }
        xmlStopParser(context);
    }
};

Pass& pass_of(void* context) { return *static_cast<Pass*>(static_cast<xmlParserCtxt*>(context)->_private); }

std::size_t qname_size(const xmlChar* prefix, const xmlChar* name)
{
    return view(prefix).size() + (prefix ? 1 : 0) + view(name).size();
}

void start_element(void* data, const xmlChar* name, const xmlChar* prefix, const xmlChar* ns,
                   int declarations, const xmlChar** namespaces, int attributes, int defaulted,
                   const xmlChar** attribute)
{
    auto* const context = static_cast<xmlParserCtxt*>(data);
    Pass& pass = pass_of(data);
    if (pass.checked.fault)
        return;
    const Limits& limits = pass.limits;
    Facts& facts = pass.checked.facts;
    if (facts.elements == 0) {
        facts.root_name = view(name);
        facts.root_namespace = view(ns);
    }
    if (++facts.elements > limits.elements)
        return pass.fail(context, Fault::too_many_elements, format("more than {} elements", limits.elements));
    if (pass.declared.size() == limits.depth)
        return pass.fail(context, Fault::too_deep, format("elements more than {} deep", limits.depth));
    pass.declared.push_back(static_cast<std::size_t>(declarations));
    pass.in_scope += static_cast<std::size_t>(declarations);
    facts.depth = std::max(facts.depth, pass.declared.size());
    // Every prefix is looked up among all declarations in scope, one after the other.
    if (pass.in_scope > limits.attributes)
        return pass.fail(context, Fault::too_many_attributes,
                         format("more than {} namespaces in scope", limits.attributes));
    if (qname_size(prefix, name) > limits.name_length)
        return pass.fail(context, Fault::name_too_long,
                         format("a name of more than {} bytes", limits.name_length));
    for (int i = 0; i < attributes; ++i) // five pointers each: name, prefix, namespace, value, end of value
        if (qname_size(attribute[5 * i + 1], attribute[5 * i]) > limits.name_length)
            return pass.fail(context, Fault::name_too_long,
                             format("a name of more than {} bytes", limits.name_length));
    if (pass.builds_tree)
        xmlSAX2StartElementNs(data, name, prefix, ns, declarations, namespaces, attributes, defaulted,
                              attribute);
}

void end_element(void* data, const xmlChar* name, const xmlChar* prefix, const xmlChar* ns)
{
    Pass& pass = pass_of(data);
    if (pass.checked.fault)
        return;
    pass.in_scope -= pass.declared.back();
    pass.declared.pop_back();
    if (pass.builds_tree)
        xmlSAX2EndElementNs(data, name, prefix, ns);
}

// Called when the DOCTYPE's head was read and nothing of its inside: entities are never even declared.
void refuse_doctype(void* data, const xmlChar*, const xmlChar*, const xmlChar*)
{
    pass_of(data).fail(static_cast<xmlParserCtxt*>(data), Fault::doctype, "a DOCTYPE is not allowed");
}

void take_error(void* data, xmlError* error)
{
    Pass& pass = pass_of(data);
    // A namespace name that is no URI is odd but well-formed (Namespaces 1.0 2.2); XML_NS_ERR_* are not.
    const bool namespace_error =
        error->domain == XML_FROM_NAMESPACE && error->code >= XML_NS_ERR_XML_NAMESPACE;
    if (pass.checked.fault || (error->level != XML_ERR_FATAL && !namespace_error))
        return;
    pass.checked.fault = Fault::not_well_formed;
    pass.checked.text = one_line(error->message);
}

// More attributes in one tag than allowed? Asked before the parser runs, because it compares each attribute
// with each (four seconds for the megabyte that one tag may be). Every '<' before a name counts as a tag,
// also in a comment: that way no trick with broken text makes us see fewer tags than the parser does.
bool has_crowded_tag(std::string_view text, std::size_t most)
{
    for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
        ++at;
        std::size_t count = 0;
        for (; at < text.size() && text[at] != '>' && text[at] != '<'; ++at) {
            const char c = text[at];
            if (c == '=' && ++count > most)
                return true;
            if (c == '"' || c == '\'') {
                const char ends[] = {c, '<', '\0'};
                const auto end = text.find_first_of(ends, at + 1);
                if (end == std::string_view::npos)
                    return false;
                at = end;
                if (text[end] == '<')
                    break;
            }
        }
    }
    return false;
}

} // namespace

std::string_view to_text(Fault fault)
{
    switch (fault) {
    case Fault::not_utf8: return "not UTF-8";
    case Fault::not_well_formed: return "not well-formed";
    case Fault::doctype: return "DOCTYPE";
    case Fault::too_deep: return "too deep";
    case Fault::too_many_elements: return "too many elements";
    case Fault::too_many_attributes: return "too many attributes";
    case Fault::name_too_long: return "name too long";
    }
    return "?";
}

Error Checked::error() const
{
    const bool wrong = fault == Fault::not_utf8 || fault == Fault::not_well_formed;
    return {wrong ? ErrorKind::invalid : ErrorKind::unsupported, text};
}

Checked parse(std::string_view text, const Limits& limits, DocPtr* doc)
{
    initialize();
    Pass pass{.limits = limits, .builds_tree = doc != nullptr};
    const auto refuse = [&pass](Fault fault, std::string why) {
        pass.checked.fault = fault;
        pass.checked.text = std::move(why);
        return std::move(pass.checked);
    };
    const auto document = utf8_document(text);
    if (!document)
        return refuse(Fault::not_utf8, "the document is not in UTF-8");
    if (document->empty() || document->size() > INT_MAX)
        return refuse(Fault::not_well_formed,
                      document->empty() ? "the document is empty" : "the document is too large");
    if (document->find('\0') != std::string_view::npos) // libxml2 takes it for the end
        return refuse(Fault::not_well_formed, "the document has a NUL character");
    if (has_crowded_tag(*document, limits.attributes))
        return refuse(Fault::too_many_attributes, format("more than {} attributes", limits.attributes));

    const std::unique_ptr<xmlParserCtxt, FreeContext> context{xmlNewParserCtxt()};
    if (!context)
        throw std::bad_alloc{};
    xmlSAXHandler& events = *context->sax;
    if (!pass.builds_tree)
        std::memset(&events, 0, sizeof events);
    events.initialized = XML_SAX2_MAGIC;
    events.startElementNs = start_element;
    events.endElementNs = end_element;
    events.internalSubset = refuse_doctype;
    events.externalSubset = nullptr;
    events.serror = take_error;
    context->_private = &pass;
    // The encoding is given, so that nothing in the text chooses another.
    DocPtr tree{xmlCtxtReadMemory(context.get(), document->data(), static_cast<int>(document->size()),
                                  nullptr, "UTF-8",
                                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)};
    if (!pass.checked.fault && context->wellFormed == 0)
        return refuse(Fault::not_well_formed, "the document is not well-formed");
    if (!pass.checked.fault && doc)
        *doc = std::move(tree);
    return std::move(pass.checked);
}

Checked check(std::string_view text, const Limits& limits) { return parse(text, limits, nullptr); }

} // namespace sipyard::xml
