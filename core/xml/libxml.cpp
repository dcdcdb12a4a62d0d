// core/xml/libxml.cpp - libxml2 is started once and never loads anything we did not hand it
#include "core/xml/libxml.h"

#include "core/base/text.h"

#include <libxml/parserInternals.h>

#include <climits>

namespace sipyard::xml {

namespace {

thread_local std::span<const SchemaPart> loadable;

xmlParserInput* load(const char* url, const char*, xmlParserCtxt* context)
{
    for (const SchemaPart& part : loadable) {
        if (url == nullptr || part.location != url || part.text.size() > INT_MAX)
            continue;
        xmlParserInputBuffer* const buffer = xmlParserInputBufferCreateMem(
            part.text.data(), static_cast<int>(part.text.size()), XML_CHAR_ENCODING_NONE);
        if (buffer == nullptr)
            return nullptr;
        xmlParserInput* const input = xmlNewIOInputStream(context, buffer, XML_CHAR_ENCODING_NONE);
        if (input == nullptr)
            xmlFreeParserInputBuffer(buffer);
        return input;
    }
    return nullptr;
}

} // namespace

void initialize()
{
    static const bool done = [] {
        xmlInitParser();
        xmlSetExternalEntityLoader(load);
        return true;
    }();
    static_cast<void>(done);
}

LoadableParts::LoadableParts(std::span<const SchemaPart> parts) { loadable = parts; }

LoadableParts::~LoadableParts() { loadable = {}; }

std::string one_line(const char* message)
{
    constexpr std::size_t longest = 200;
    std::string line{trim(message ? message : "")};
    for (char& c : line)
        if (static_cast<unsigned char>(c) < 0x20)
            c = ' ';
    if (line.size() > longest) {
        std::size_t end = longest;
        while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) // not inside a character
            --end;
        line.resize(end);
    }
    return line;
}

} // namespace sipyard::xml
