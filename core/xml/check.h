// core/xml/check.h - is this text an XML document we are ready to handle? One pass, no tree (XML 1.0,
// Namespaces 1.0)
#pragma once

#include "core/base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::xml {

// What a stranger's document may cost. The caller limits its bytes.
struct Limits {
    std::size_t depth = 64; // elements inside each other, the root is 1; the parser itself stops at 256
    std::size_t elements = 20'000;
    std::size_t attributes = 256; // of one element with its namespace declarations; and declarations in scope
    std::size_t name_length = 256; // bytes of an element's or attribute's name with its prefix
};

enum class Fault : unsigned char {
    not_utf8, // a byte order mark or declaration of another encoding (US-ASCII is one of UTF-8), or wrong
              // bytes
    not_well_formed, // also: an unbound prefix, an empty text
    doctype,         // a DOCTYPE, whatever is in it
    too_deep,
    too_many_elements,
    too_many_attributes,
    name_too_long,
};
std::string_view to_text(Fault fault);

struct Facts {
    std::string root_namespace; // "" when it has none
    std::string root_name;      // local name
    std::size_t elements = 0;
    std::size_t depth = 0;
};

// What check() saw: facts, or the first fault with a sentence of at most 200 bytes.
struct Checked {
    std::optional<Fault> fault;
    std::string text;
    Facts facts;
    explicit operator bool() const { return !fault; }
    Error error() const; // `unsupported` for a limit or DOCTYPE, else `invalid`
};

// Never expands an entity but the five predefined ones, never fetches anything. Thread-safe.
Checked check(std::string_view text, const Limits& limits = {});

} // namespace sipyard::xml
