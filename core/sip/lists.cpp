// core/sip/lists.cpp - comma lists, quoted strings, tokens
#include "core/sip/lists.h"

#include "core/base/text.h"

namespace sipyard::sip {
bool is_token(std::string_view text)
{
    for (const char c : text)
        if (!is_token_char(c))
            return false;
    return !text.empty();
}

bool is_host_text(std::string_view host)
{
    if (host.empty())
        return false;
    if (host.front() ==
        '[') { // RFC 3986 says which texts are addresses; here: only the bytes such a text may have
        if (host.size() < 4 || host.back() != ']')
            return false;
        int colons = 0;
        for (const char c : host.substr(1, host.size() - 2)) {
            if (hex_digit(c) < 0 && c != ':' && c != '.')
                return false;
            colons += c == ':';
        }
        return colons >= 2;
    }
    for (const char c : host)
        if (!is_alnum(c) && c != '.' && c != '-' && c != '_')
            return false;
    return true;
}

std::size_t skip_quoted(std::string_view text, std::size_t at)
{
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '"')
            return at + 1;
    }
    return std::string_view::npos;
}

bool next_in_list(std::string_view& rest, std::string_view& element)
{
    if (rest.empty())
        return false;
    if (rest.find(',') == std::string_view::npos) { // the common list has one element
        element = trim(rest);
        rest = {};
        return true;
    }
    bool in_brackets = false;
    for (std::size_t at = 0; at < rest.size(); ++at) {
        const char c = rest[at];
        if (c == '"' && !in_brackets) {
            const auto end = skip_quoted(rest, at);
            if (end == std::string_view::npos)
                break;
            at = end - 1;
        } else if (c == '<') {
            in_brackets = true;
        } else if (c == '>') {
            in_brackets = false;
        } else if (c == ',' && !in_brackets) {
            element = trim(rest.substr(0, at));
            rest.remove_prefix(at + 1);
            // `a,` has an empty second element, which nobody wants to see
            if (trim(rest).empty())
                rest = {};
            return true;
        }
    }
    element = trim(rest);
    rest = {};
    return true;
}

bool list_has(std::string_view list, std::string_view word)
{
    for (std::string_view rest = list, element; next_in_list(rest, element);)
        if (iequals(element, word))
            return true;
    return false;
}

std::string_view unquote(std::string_view text)
{
    return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2)
                                                                         : text;
}

} // namespace sipyard::sip
