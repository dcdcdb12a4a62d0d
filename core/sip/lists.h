// core/sip/lists.h - cutting header values: comma lists, quoted strings, tokens (RFC 3261 7.3.1, 25.1)
#pragma once

#include "core/sip/complaint.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace sipyard::sip {

inline constexpr auto token_chars = [] {
    std::array<bool, 256> table{};
    for (const char c :
         std::string_view{"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"})
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();
constexpr bool is_token_char(char c) // RFC 3261 25.1
{
    return token_chars[static_cast<unsigned char>(c)];
}
bool is_token(std::string_view text);     // at least one byte, all of them token characters
bool is_host_text(std::string_view host); // hostname, IPv4address or IPv6reference, loosely ('_' tolerated)

// Takes the next element of a comma list, trimmed; commas inside "..." and <...> do not count. Elements may
// be empty (", ,"); false when `rest` is used up. A quote or bracket left open swallows the remainder.
bool next_in_list(std::string_view& rest, std::string_view& element);

// Is the word one of a comma list of tokens (Require, Supported, Allow)? Letter case does not matter.
bool list_has(std::string_view list, std::string_view word);

// Position after the closing quote; text[at] is the opening one. npos when it is not closed.
std::size_t skip_quoted(std::string_view text, std::size_t at);

// The text inside "...", escapes kept; text that is not quoted comes back unchanged.
std::string_view unquote(std::string_view text);

} // namespace sipyard::sip
