// core/base/xml_text.cpp - which bytes may stand as they are, which need a reference (XML 1.0 2.2, 2.4, 2.11)
#include "core/base/xml_text.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace sipyard {

namespace {

enum class Byte : unsigned char { plain, reference, quoted_reference, never, beyond_ascii };

constexpr std::array<Byte, 256> kinds = [] {
    std::array<Byte, 256> table{};
    for (std::size_t c = 0; c < 0x20; ++c)
        table[c] = Byte::never;
    for (std::size_t c = 0x80; c < 256; ++c)
        table[c] = Byte::beyond_ascii;
    for (const char c : {'&', '<', '>', '\r'}) // a bare CR would be read as LF (2.11)
        table[static_cast<unsigned char>(c)] = Byte::reference;
    for (const char c : {'"', '\t', '\n'}) // white space in values would be read as a blank (3.3.3)
        table[static_cast<unsigned char>(c)] = Byte::quoted_reference;
    return table;
}();

std::string_view reference_for(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\t': return "&#9;";
    case '\n': return "&#10;";
    default: return "&#13;";
    }
}

// Bytes of the character that begins here; 0 when it is none that XML knows (RFC 3629, XML 1.0 2.2).
std::size_t character_size(std::string_view rest)
{
    const auto byte = [rest](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
    const unsigned char first = byte(0);
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || rest.size() < size)
        return 0;
    std::uint32_t code = first & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (byte(i) & 0x3fU);
    }
    const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return overlong || surrogate || code > 0x10ffff || code == 0xfffe || code == 0xffff ? 0 : size;
}

template <bool value>
void append(std::string& out, std::string_view text)
{
    std::size_t done = 0;
    for (std::size_t i = 0; i < text.size();) {
        std::string_view instead = "\xef\xbf\xbd"; // U+FFFD
        switch (kinds[static_cast<unsigned char>(text[i])]) {
        case Byte::plain: ++i; continue;
        case Byte::quoted_reference:
            if constexpr (!value) {
                ++i;
                continue;
            }
            [[fallthrough]];
        case Byte::reference: instead = reference_for(text[i]); break;
        case Byte::beyond_ascii:
            if (const auto known = character_size(text.substr(i)); known != 0) {
                i += known;
                continue;
            }
            break;
        case Byte::never: break;
        }
        out.append(text, done, i - done);
        out += instead;
        done = ++i;
    }
    out.append(text, done);
}

} // namespace

void append_xml_text(std::string& out, std::string_view text) { append<false>(out, text); }
void append_xml_value(std::string& out, std::string_view text) { append<true>(out, text); }

} // namespace sipyard
