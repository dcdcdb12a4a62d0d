// modules/xcap_server/xml_text.cpp - names, references and attribute values, byte by byte
#include "modules/xcap_server/xml_text.h"

#include "core/base/text.h"

#include <cstdint>
#include <utility>

namespace sipyard::xcap_server {
namespace {

bool starts_name(char c) { return is_alpha(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool continues_name(char c) { return starts_name(c) || is_digit(c) || c == '-' || c == '.'; }

bool is_xml_character(std::uint32_t c)
{
    return c == 0x9 || c == 0xa || c == 0xd || (c >= 0x20 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) ||
           (c >= 0x10000 && c <= 0x10ffff);
}

std::size_t put_utf8(std::uint32_t c, char* to)
{
    const auto tail = [c](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
    if (c < 0x80) {
        to[0] = static_cast<char>(c);
        return 1;
    }
    if (c < 0x800) {
        to[0] = static_cast<char>(0xc0 | (c >> 6));
        to[1] = tail(0);
        return 2;
    }
    if (c < 0x10000) {
        to[0] = static_cast<char>(0xe0 | (c >> 12));
        to[1] = tail(6);
        to[2] = tail(0);
        return 3;
    }
    to[0] = static_cast<char>(0xf0 | (c >> 18));
    to[1] = tail(12);
    to[2] = tail(6);
    to[3] = tail(0);
    return 4;
}

// The next character of a value as XML reports it, 1 to 4 bytes at `to`.
std::size_t take_character(std::string_view& raw, char* to)
{
    const char c = raw.front();
    if (c == '&')
        if (const auto length = take_reference(raw, to))
            return length;
    // A line end is one character however it is written (XML 1.0 2.11).
    raw.remove_prefix(c == '\r' && raw.size() > 1 && raw[1] == '\n' ? 2 : 1);
    to[0] = is_space(c) ? ' ' : c;
    return 1;
}

} // namespace

std::size_t name_length(std::string_view text)
{
    if (text.empty() || !starts_name(text.front()))
        return 0;
    std::size_t length = 1;
    while (length < text.size() && continues_name(text[length]))
        ++length;
    return length;
}

bool read_qname(std::string_view text, std::string_view& prefix, std::string_view& name)
{
    const auto first = name_length(text);
    if (first == 0)
        return false;
    if (first == text.size()) {
        prefix = {};
        name = text;
        return true;
    }
    if (text[first] != ':')
        return false;
    prefix = text.substr(0, first);
    name = text.substr(first + 1);
    return !name.empty() && name_length(name) == name.size();
}

std::size_t take_reference(std::string_view& text, char* to)
{
    const auto end = text.substr(0, 16).find(';');
    if (end == std::string_view::npos || end < 2 || text.front() != '&')
        return 0;
    const auto inside = text.substr(1, end - 1);
    std::uint32_t c = 0;
    if (inside.front() == '#') {
        const bool sixteen = inside.size() > 1 && inside[1] == 'x';
        const auto digits = inside.substr(sixteen ? 2 : 1);
        if (digits.empty())
            return 0;
        for (const char d : digits) {
            if (hex_digit(d) < 0 || (!sixteen && !is_digit(d)) || c > 0x10ffff)
                return 0;
            c = c * (sixteen ? 16 : 10) + static_cast<std::uint32_t>(hex_digit(d));
        }
    } else {
        constexpr std::pair<std::string_view, char> known[] = {
            {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
        for (const auto& [name, character] : known)
            if (inside == name)
                c = static_cast<std::uint32_t>(character);
    }
    if (!is_xml_character(c))
        return 0;
    text.remove_prefix(end + 1);
    return put_utf8(c, to);
}

bool value_equals(std::string_view raw, std::string_view wanted)
{
    while (!raw.empty()) {
        const char c = raw.front();
        if (c != '&' && !is_space(c)) {
            if (wanted.empty() || wanted.front() != c)
                return false;
            raw.remove_prefix(1);
            wanted.remove_prefix(1);
            continue;
        }
        char character[4];
        const auto length = take_character(raw, character);
        if (!wanted.starts_with(std::string_view{character, length}))
            return false;
        wanted.remove_prefix(length);
    }
    return wanted.empty();
}

std::string_view value_of(std::string_view raw, Arena& arena)
{
    if (raw.find_first_of("&\t\r\n") == std::string_view::npos)
        return raw;
    // A reference is never shorter than its character.
    char* const start = arena.array<char>(raw.size() + 4);
    char* at = start;
    while (!raw.empty())
        at += take_character(raw, at);
    return {start, static_cast<std::size_t>(at - start)};
}

bool is_xml_text(std::string_view text)
{
    if (!is_utf8(text))
        return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (static_cast<unsigned char>(c) < 0x20 && !is_space(c))
            return false;
        // U+FFFE and U+FFFF
        if (c == '\xef' && text.substr(i).starts_with("\xef\xbf") &&
            (text[i + 2] == '\xbe' || text[i + 2] == '\xbf'))
            return false;
    }
    return true;
}

} // namespace sipyard::xcap_server
