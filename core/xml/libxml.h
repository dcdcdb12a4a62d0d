// core/xml/libxml.h - libxml2 as the files of this room use it; nobody else includes this
#pragma once

#include "core/xml/check.h"
#include "core/xml/schema.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include <memory>
#include <span>

namespace sipyard::xml {

struct FreeDoc {
    void operator()(xmlDoc* doc) const { xmlFreeDoc(doc); }
};
using DocPtr = std::unique_ptr<xmlDoc, FreeDoc>;

void initialize(); // libxml2, once; installs the loader that refuses every external entity

// Texts that this thread's schema compilation may include or import; nothing else is ever loaded.
class LoadableParts {
public:
    explicit LoadableParts(std::span<const SchemaPart> parts);
    ~LoadableParts();
    LoadableParts(const LoadableParts&) = delete;
    LoadableParts& operator=(const LoadableParts&) = delete;
};

// Parses and checks; builds the tree as well when `doc` is given (it stays empty when there was a fault).
Checked parse(std::string_view text, const Limits& limits, DocPtr* doc);

// A message of libxml2: one line, at most 200 bytes, whole characters.
std::string one_line(const char* message);

inline std::string_view view(const xmlChar* text)
{
    return text ? std::string_view{reinterpret_cast<const char*>(text)} : std::string_view{};
}

} // namespace sipyard::xml
