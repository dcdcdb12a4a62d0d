// core/xml/encoding.cpp - marks, declarations and bytes
#include "core/xml/encoding.h"

#include "core/base/text.h"

namespace sipyard::xml {

namespace {

// The value of encoding="..." in the XML declaration (XML 1.0 [80]); empty when there is none.
std::string_view declared(std::string_view text)
{
    Cursor cursor{text};
    if (!cursor.accept("<?xml") || !is_space(cursor.peek()))
        return {};
    cursor = Cursor{cursor.rest().substr(0, cursor.rest().find("?>"))};
    while (!cursor.at_end()) {
        cursor.skip_blanks();
        const auto name = cursor.take_while([](char c) { return !is_space(c) && c != '='; });
        cursor.skip_blanks();
        if (!cursor.accept('='))
            return {}; // the parser will say what is wrong
        cursor.skip_blanks();
        const char quote = cursor.next();
        if (quote != '"' && quote != '\'')
            return {};
        const auto value = cursor.take_until(quote);
        cursor.expect(quote);
        if (name == "encoding")
            return value;
    }
    return {};
}

} // namespace

std::optional<std::string_view> utf8_document(std::string_view text)
{
    constexpr std::string_view mark = "\xef\xbb\xbf";
    if (text.starts_with(mark))
        text.remove_prefix(mark.size());
    // A NUL among the first four bytes is UTF-16 or UTF-32 without its mark (XML 1.0 F); libxml2 would follow
    // it.
    if (text.substr(0, 4).find('\0') != std::string_view::npos || !is_utf8(text))
        return {};
    const auto encoding = declared(text);
    if (!encoding.empty() && !iequals(encoding, "utf-8") && !iequals(encoding, "us-ascii"))
        return {};
    return text;
}

} // namespace sipyard::xml
