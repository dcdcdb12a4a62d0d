// core/xml/schema.cpp - XML Schema on top of libxml2
#include "core/xml/schema.h"

#include "core/xml/libxml.h"
#include "core/xml/tree.h"

#include <libxml/xmlschemas.h>

#include <new>

namespace sipyard::xml {

namespace {

// A schema comes from the operator or from us.
constexpr Limits schema_limits{.depth = 200, .elements = 200'000, .attributes = 256, .name_length = 256};

void keep_first(void* data, xmlError* error)
{
    auto& first = *static_cast<std::string*>(data);
    if (first.empty() && error->level >= XML_ERR_ERROR)
        first = one_line(error->message);
}

struct FreeParser {
    void operator()(xmlSchemaParserCtxt* context) const { xmlSchemaFreeParserCtxt(context); }
};
struct FreeValidator {
    void operator()(xmlSchemaValidCtxt* context) const { xmlSchemaFreeValidCtxt(context); }
};
struct FreeSchema {
    void operator()(xmlSchema* schema) const { xmlSchemaFree(schema); }
};

constexpr const char* instance_namespace = "http://www.w3.org/2001/XMLSchema-instance";

// A document may say where schemas are; a validator would add them to the compiled one, which other threads
// use. What is known is decided by compile() alone, so these hints are dropped. No recursion.
void drop_hints(xmlNode* root)
{
    for (xmlNode* node = root; node;) {
        if (node->type == XML_ELEMENT_NODE && node->properties)
            for (const char* const name : {"schemaLocation", "noNamespaceSchemaLocation"})
                if (xmlAttr* const hint = xmlHasNsProp(node, reinterpret_cast<const xmlChar*>(name),
                                                       reinterpret_cast<const xmlChar*>(instance_namespace)))
                    xmlRemoveProp(hint);
        if (node->type == XML_ELEMENT_NODE && node->children) {
            node = node->children;
            continue;
        }
        while (node != root && !node->next)
            node = node->parent;
        node = node == root ? nullptr : node->next;
    }
}

} // namespace

struct Schema::Compiled {
    DocPtr doc; // the schema points into it
    std::unique_ptr<xmlSchema, FreeSchema> schema;
};

Schema::Schema(std::unique_ptr<Compiled> compiled) : compiled_{std::move(compiled)} {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(std::string_view text, std::span<const SchemaPart> parts)
{
    auto compiled = std::make_unique<Compiled>();
    const Checked checked = parse(text, schema_limits, &compiled->doc);
    if (checked.fault)
        return checked.error();
    const std::unique_ptr<xmlSchemaParserCtxt, FreeParser> context{
        xmlSchemaNewDocParserCtxt(compiled->doc.get())};
    if (!context)
        throw std::bad_alloc{};
    std::string first;
    xmlSchemaSetParserStructuredErrors(context.get(), keep_first, &first);
    const LoadableParts loadable{parts};
    compiled->schema.reset(xmlSchemaParse(context.get()));
    if (!compiled->schema)
        return invalid(first.empty() ? std::string{"not an XML Schema"} : std::move(first));
    return Schema{std::move(compiled)};
}

Result<void> Schema::validate(const Document& document) const
{
    const std::unique_ptr<xmlSchemaValidCtxt, FreeValidator> context{
        xmlSchemaNewValidCtxt(compiled_->schema.get())};
    if (!context)
        throw std::bad_alloc{};
    std::string first;
    xmlSchemaSetValidStructuredErrors(context.get(), keep_first, &first);
    drop_hints(xmlDocGetRootElement(document.tree_->doc.get()));
    if (xmlSchemaValidateDoc(context.get(), document.tree_->doc.get()) == 0)
        return {};
    return Error{ErrorKind::constraint, first.empty() ? std::string{"not valid"} : std::move(first)};
}

Result<void> Schema::validate(std::string_view text, const Limits& limits) const
{
    TRY(const Document document, Document::parse(text, limits));
    return validate(document);
}

} // namespace sipyard::xml
