// core/base/text.cpp - cuts, numbers and the encodings of bytes as text
#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace sipyard {

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> pieces;
    pieces.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), separator)) + 1);
    for (;;) {
        const auto at = text.find(separator);
        pieces.push_back(text.substr(0, at));
        if (at == std::string_view::npos)
            return pieces;
        text.remove_prefix(at + 1);
    }
}

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = to_lower(c);
    return out;
}

std::string upper(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = to_upper(c);
    return out;
}

std::string replace_all(std::string_view text, std::string_view what, std::string_view with)
{
    if (what.empty())
        return std::string{text};
    std::string out;
    out.reserve(text.size());
    for (;;) {
        const auto at = text.find(what);
        out += text.substr(0, at);
        if (at == std::string_view::npos)
            return out;
        out += with;
        text.remove_prefix(at + what.size());
    }
}

// --- numbers -------------------------------------------------------------------------------------

std::optional<std::int64_t> parse_int(std::string_view text)
{
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-'))
            return {};
    }
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return {};
    return value;
}

std::optional<std::uint64_t> parse_uint(std::string_view text)
{
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return {};
    return value;
}

std::size_t put_int(char* to, std::int64_t value)
{
    return static_cast<std::size_t>(std::to_chars(to, to + 20, value).ptr - to);
}

std::uint64_t Cursor::number(std::uint64_t limit)
{
    const auto digits = take_while(is_digit);
    const auto value = parse_uint(digits);
    if (!value || *value > limit) {
        failed_ = true;
        return 0;
    }
    return *value;
}

// --- hexadecimal and base64 (RFC 4648) -----------------------------------------------------------

namespace {

constexpr char hex_small[] = "0123456789abcdef";
constexpr char hex_large[] = "0123456789ABCDEF";
constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char alphabet_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr unsigned byte_of(char c) { return static_cast<unsigned char>(c); }

using Values = std::array<signed char, 256>;
constexpr Values values_of(const char* letters)
{
    Values values{};
    for (auto& v : values)
        v = -1;
    for (int i = 0; i < 64; ++i)
        values[byte_of(letters[i])] = static_cast<signed char>(i);
    return values;
}
constexpr Values values = values_of(alphabet);
constexpr Values values_url = values_of(alphabet_url);

enum class Padding : unsigned char { yes, no };

std::string encode64(std::string_view bytes, const char* letters, Padding padding)
{
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const unsigned group = byte_of(bytes[i]) << 16 | byte_of(bytes[i + 1]) << 8 | byte_of(bytes[i + 2]);
        const char four[] = {letters[group >> 18], letters[group >> 12 & 63], letters[group >> 6 & 63],
                             letters[group & 63]};
        out.append(four, 4);
    }
    const std::size_t left = bytes.size() - i;
    if (left > 0) {
        const unsigned group = byte_of(bytes[i]) << 16 | (left == 2 ? byte_of(bytes[i + 1]) << 8 : 0);
        out += letters[group >> 18];
        out += letters[group >> 12 & 63];
        if (left == 2)
            out += letters[group >> 6 & 63];
        if (padding == Padding::yes)
            out.append(3 - left, '=');
    }
    return out;
}

std::optional<std::string> decode64(std::string_view text, const Values& value_of)
{
    // Padding is optional, but what is there must fill up the last four.
    const std::size_t whole = text.size();
    while (text.size() + 2 > whole && text.ends_with('='))
        text.remove_suffix(1);
    if (text.size() != whole && whole % 4 != 0)
        return {};
    if (text.size() % 4 == 1)
        return {};
    std::string out(text.size() * 3 / 4, '\0'); // what the letters hold, less the bits that are left over
    char* to = out.data();
    unsigned group = 0;
    int bits = 0;
    for (const char c : text) {
        const int value = value_of[byte_of(c)];
        if (value < 0)
            return {};
        group = group << 6 | static_cast<unsigned>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *to++ = static_cast<char>(group >> bits & 0xff);
        }
    }
    return out;
}

} // namespace

std::string hex(std::string_view bytes)
{
    std::string out(bytes.size() * 2, '\0');
    char* to = out.data();
    for (const char c : bytes) {
        *to++ = hex_small[byte_of(c) >> 4];
        *to++ = hex_small[byte_of(c) & 15];
    }
    return out;
}

std::optional<std::string> unhex(std::string_view text)
{
    if (text.size() % 2 != 0)
        return {};
    std::string out(text.size() / 2, '\0');
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return {};
        out[i] = static_cast<char>(high << 4 | low);
    }
    return out;
}

std::string base64(std::string_view bytes) { return encode64(bytes, alphabet, Padding::yes); }

std::optional<std::string> unbase64(std::string_view text) { return decode64(text, values); }

std::string base64url(std::string_view bytes) { return encode64(bytes, alphabet_url, Padding::no); }

std::optional<std::string> unbase64url(std::string_view text) { return decode64(text, values_url); }

// --- UTF-8, percent, XML -------------------------------------------------------------------------

bool is_utf8(std::string_view text)
{
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        // Most text is ASCII: eight bytes a step.
        while (end - at >= 8) {
            std::uint64_t eight;
            std::memcpy(&eight, at, 8);
            if (eight & 0x8080808080808080ULL)
                break;
            at += 8;
        }
        if (at == end)
            break;
        const unsigned first = byte_of(*at++);
        if (first < 0x80)
            continue;
        // The second byte's range is what excludes overlong forms, surrogates and the far end (RFC 3629 4).
        unsigned low = 0x80, high = 0xbf;
        int more;
        if (first >= 0xc2 && first <= 0xdf) {
            more = 1;
        } else if (first >= 0xe0 && first <= 0xef) {
            more = 2;
            low = first == 0xe0 ? 0xa0 : 0x80;
            high = first == 0xed ? 0x9f : 0xbf;
        } else if (first >= 0xf0 && first <= 0xf4) {
            more = 3;
            low = first == 0xf0 ? 0x90 : 0x80;
            high = first == 0xf4 ? 0x8f : 0xbf;
        } else {
            return false;
        }
        for (; more > 0; --more, low = 0x80, high = 0xbf) {
            if (at == end || byte_of(*at) < low || byte_of(*at) > high)
                return false;
            ++at;
        }
    }
    return true;
}

std::optional<std::string> percent_decode(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (text.size() - i < 3)
            return {};
        const int high = hex_digit(text[i + 1]);
        const int low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0)
            return {};
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return out;
}

std::string percent_encode(std::string_view text, std::string_view keep)
{
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    for (const char c : text) {
        if (is_alnum(c) || keep.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += hex_large[byte_of(c) >> 4];
            out += hex_large[byte_of(c) & 15];
        }
    }
    return out;
}

std::string xml_escape(std::string_view text)
{
    std::string out;
    out.reserve(text.size() + 16);
    for (const char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&apos;"; break;
        case '\t':
        case '\n': out += c; break;
        case '\r': out += "&#13;"; break; // a bare CR would be read back as LF (XML 1.0 2.11)
        default:
            // No way exists to write the other controls in XML 1.0 (2.2); U+FFFD keeps the document
            // well-formed.
            if (byte_of(c) < 0x20)
                out += "\xef\xbf\xbd";
            else
                out += c;
        }
    }
    return out;
}

// --- did you mean --------------------------------------------------------------------------------

namespace {

// Edits between two words: insert, delete, change, or swap of neighbours; letters of either case are equal.
std::size_t distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = to_lower(a[i - 1]) == to_lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && to_lower(a[i - 1]) == to_lower(b[j - 2]) &&
                to_lower(a[i - 2]) == to_lower(b[j - 1]))
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

} // namespace

std::string_view nearest(std::string_view wrong, const std::vector<std::string_view>& known)
{
    constexpr std::size_t longest = 64; // a longer word is no typing slip, and the work is quadratic
    if (wrong.empty() || wrong.size() > longest)
        return {};
    std::string_view best;
    std::size_t least = wrong.size() / 3 + 1; // one slip in a short word, more in a long one
    if (wrong.size() < 3)
        least = 1;
    ++least;
    for (const auto name : known) {
        if (name.empty() || name.size() > longest || name.size() + least <= wrong.size() ||
            wrong.size() + least <= name.size())
            continue;
        const auto edits = distance(wrong, name);
        if (edits < least && edits < name.size()) {
            least = edits;
            best = name;
        }
    }
    return best;
}

} // namespace sipyard
