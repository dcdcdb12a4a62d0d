// core/base/text.h - small questions and cuts on text; bytes, ASCII only, no locale
#pragma once

#include "core/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; } // LWS without line ends
constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
constexpr int hex_digit(char c) // 0..15, or -1
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

constexpr bool iequals(std::string_view a, std::string_view b)
{
    if (a.size() != b.size())
        return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (to_lower(a[i]) != to_lower(b[i]))
            return false;
    return true;
}
constexpr bool istarts_with(std::string_view text, std::string_view prefix)
{
    return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

constexpr std::string_view trim_left(std::string_view t)
{
    while (!t.empty() && is_space(t.front()))
        t.remove_prefix(1);
    return t;
}
constexpr std::string_view trim_right(std::string_view t)
{
    while (!t.empty() && is_space(t.back()))
        t.remove_suffix(1);
    return t;
}
constexpr std::string_view trim(std::string_view t) { return trim_left(trim_right(t)); }

// The text before the first `separator` is returned, `rest` keeps what follows it (empty when there is none).
constexpr std::string_view cut(std::string_view& rest, char separator)
{
    const auto at = rest.find(separator);
    const auto head = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
    return head;
}

std::vector<std::string_view> split(std::string_view text, char separator); // "" gives one empty piece
std::string lower(std::string_view text);
std::string upper(std::string_view text);
std::string replace_all(std::string_view text, std::string_view what, std::string_view with);

// The whole text as a decimal number with optional sign; nothing when it is empty, has other bytes or
// overflows.
std::optional<std::int64_t> parse_int(std::string_view text);
// Digits only.
std::optional<std::uint64_t> parse_uint(std::string_view text);
// Decimal digits of a number, written at `to` (20 bytes are enough); returns how many.
std::size_t put_int(char* to, std::int64_t value);

std::string hex(std::string_view bytes); // lower-case
std::optional<std::string> unhex(std::string_view text);
std::string base64(std::string_view bytes);
std::optional<std::string> unbase64(std::string_view text); // padding optional, no blanks
std::string base64url(std::string_view bytes);              // without padding
std::optional<std::string> unbase64url(std::string_view text);

bool is_utf8(std::string_view text); // RFC 3629: no surrogates, no overlong forms, at most U+10FFFF

// Percent-encoding (RFC 3986 2.1). Decoding refuses '%' without two hex digits.
std::optional<std::string> percent_decode(std::string_view text);
std::string percent_encode(std::string_view text,
                           std::string_view keep = "-._~"); // keeps letters, digits and `keep`

// Text for XML content and attribute values: & < > " ' become entities.
std::string xml_escape(std::string_view text);

// The known name nearest to a misspelt one, for "did you mean"; empty when none is near.
std::string_view nearest(std::string_view wrong, const std::vector<std::string_view>& known);

// Walks over text and remembers the first failure, so that parsers read like their grammar.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_{text} {}

    bool failed() const { return failed_; }
    void fail() { failed_ = true; }
    bool at_end() const { return at_ >= text_.size(); }
    std::size_t position() const { return at_; }
    std::string_view rest() const { return text_.substr(at_); }
    char peek() const { return at_end() ? '\0' : text_[at_]; }
    char next()
    {
        if (at_end()) {
            failed_ = true;
            return '\0';
        }
        return text_[at_++];
    }
    bool accept(char c)
    {
        if (at_end() || text_[at_] != c)
            return false;
        ++at_;
        return true;
    }
    bool accept(std::string_view word) // exact
    {
        if (!rest().starts_with(word))
            return false;
        at_ += word.size();
        return true;
    }
    void expect(char c)
    {
        if (!accept(c))
            failed_ = true;
    }
    void skip_blanks()
    {
        while (!at_end() && is_space(text_[at_]))
            ++at_;
    }
    template <class Predicate>
    std::string_view take_while(Predicate&& wanted)
    {
        const auto start = at_;
        while (!at_end() && wanted(text_[at_]))
            ++at_;
        return text_.substr(start, at_ - start);
    }
    std::string_view take_until(char c)
    {
        return take_while([c](char x) { return x != c; });
    }
    // Decimal digits, at most `limit`; fails when there is none or it is larger.
    std::uint64_t number(std::uint64_t limit = UINT64_MAX);

private:
    std::string_view text_;
    std::size_t at_ = 0;
    bool failed_ = false;
};

} // namespace sipyard
