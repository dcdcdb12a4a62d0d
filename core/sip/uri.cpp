// core/sip/uri.cpp - SIP, SIPS and tel URIs
#include "core/sip/uri.h"

#include "core/base/text.h"
#include "core/sip/lists.h"

#include <array>
#include <cstring>

namespace sipyard::sip {
namespace {

enum class Byte : unsigned char {
    plain,
    mark,      // one of : @ ; ?
    forbidden, // ends a URI or breaks a header wherever it stands: controls, blank, <>, quote, DEL
};
constexpr auto kinds = [] {
    std::array<Byte, 256> table{};
    for (std::size_t c = 0; c <= 0x20; ++c)
        table[c] = Byte::forbidden;
    for (const char c : {'<', '>', '"', '\x7f'})
        table[static_cast<unsigned char>(c)] = Byte::forbidden;
    for (const char c : {':', '@', ';', '?'})
        table[static_cast<unsigned char>(c)] = Byte::mark;
    return table;
}();

// Where a URI can be cut, found in one pass. An '@' can only end the user part: no parameter or header may
// hold one (RFC 3261 25.1), while ';' and '?' are fine inside a user (RFC 4475 3.1.1.9), so those before it
// do not count.
struct Marks {
    static constexpr std::size_t none = std::string_view::npos;
    std::size_t scheme = none;   // the first ':'
    std::size_t password = none; // the ':' within the user part
    std::size_t at = none, semicolon = none, question = none;
    bool forbidden = false;

    explicit Marks(std::string_view text)
    {
        for (std::size_t i = 0; i < text.size(); ++i) {
            const Byte kind = kinds[static_cast<unsigned char>(text[i])];
            if (kind == Byte::plain) [[likely]]
                continue;
            if (kind == Byte::forbidden) {
                forbidden = true;
                return;
            }
            note(text[i], i);
        }
        if (at == none)
            password = none; // it was a port's
    }

private:
    void note(char mark, std::size_t i)
    {
        if (scheme == none) {
            if (mark == ':')
                scheme = i;
        } else if (mark == '@') {
            if (at == none) {
                at = i;
                semicolon = question = none;
            }
        } else if (mark == ':') {
            if (at == none && password == none)
                password = i;
        } else if (mark == '?') {
            question = std::min(question, i);
        } else if (question == none) {
            semicolon = std::min(semicolon, i);
        }
    }
};

Scheme scheme_of(std::string_view text)
{
    switch (text.size()) {
    case 3:
        return iequals(text, "sip")   ? Scheme::sip
               : iequals(text, "tel") ? Scheme::tel
               : iequals(text, "urn") ? Scheme::urn
                                      : Scheme::other;
    case 4: return iequals(text, "sips") ? Scheme::sips : Scheme::other;
    default: return Scheme::other;
    }
}

bool is_scheme_text(std::string_view text) // RFC 3986 3.1
{
    if (text.empty() || !is_alpha(text.front()))
        return false;
    for (const char c : text)
        if (!is_alnum(c) && c != '+' && c != '-' && c != '.')
            return false;
    return true;
}

// "host" or "host:port", all of `text`
Complaint read_host_port(std::string_view text, Uri& out)
{
    std::size_t host_end;
    if (!text.empty() && text.front() == '[') {
        const auto close = text.find(']');
        if (close == std::string_view::npos)
            return "IPv6 reference is not closed";
        host_end = close + 1;
    } else {
        host_end = std::min(text.find(':'), text.size());
    }
    out.host = text.substr(0, host_end);
    if (!is_host_text(out.host))
        return out.host.empty() ? "URI has no host" : "host has characters that no host may have";
    auto rest = text.substr(host_end);
    if (rest.empty())
        return {};
    if (rest.front() != ':' || rest.size() < 2 || rest.size() > 6)
        return "port is not a number from 1 to 65535";
    unsigned port = 0;
    for (const char c : rest.substr(1)) {
        if (!is_digit(c))
            return "port is not a number from 1 to 65535";
        port = port * 10 + static_cast<unsigned>(c - '0');
    }
    if (port == 0 || port > 65535)
        return "port is not a number from 1 to 65535";
    out.port = static_cast<std::uint16_t>(port);
    return {};
}

Complaint read_sip(std::string_view text, const Marks& marks, Uri& out)
{
    const auto between = [&](std::size_t from, std::size_t to) { return text.substr(from, to - from); };
    std::size_t host = marks.scheme + 1;
    if (marks.at != Marks::none) {
        out.has_user = true;
        out.has_password = marks.password != Marks::none;
        out.user = between(host, out.has_password ? marks.password : marks.at);
        if (out.has_password)
            out.password = between(marks.password + 1, marks.at);
        host = marks.at + 1;
    }
    std::size_t end = text.size();
    if (marks.question != Marks::none) {
        out.headers = text.substr(marks.question + 1);
        end = marks.question;
    }
    if (marks.semicolon != Marks::none) {
        out.params = ParamsView{between(marks.semicolon, end)};
        end = marks.semicolon;
    }
    return read_host_port(between(host, end), out);
}

// One unit of an escaped text: the byte meant. An escaped reserved character is not the character itself
// (RFC 3261 19.1.4), hence 256 more.
int next_unit(std::string_view& rest)
{
    const char c = rest.front();
    if (c == '%' && rest.size() >= 3 && hex_digit(rest[1]) >= 0 && hex_digit(rest[2]) >= 0) {
        const int byte = hex_digit(rest[1]) * 16 + hex_digit(rest[2]);
        rest.remove_prefix(3);
        return byte < 0x80 && byte != 0 && std::strchr(";/?:@&=+$,", byte) != nullptr ? byte + 256 : byte;
    }
    rest.remove_prefix(1);
    return static_cast<unsigned char>(c);
}

enum class Letters : unsigned char { as_is, any_case };

bool same_escaped(std::string_view a, std::string_view b, Letters letters)
{
    while (!a.empty() && !b.empty()) {
        int x = next_unit(a);
        int y = next_unit(b);
        if (letters == Letters::any_case && x < 128 && y < 128) {
            x = to_lower(static_cast<char>(x));
            y = to_lower(static_cast<char>(y));
        }
        if (x != y)
            return false;
    }
    return a.empty() && b.empty();
}

std::optional<Param> find_escaped(ParamsView params, std::string_view name)
{
    Param param;
    for (auto rest = params.text(); ParamsView::next(rest, param);)
        if (same_escaped(param.name, name, Letters::any_case))
            return param;
    return {};
}

// Every parameter of `a` that `b` has too must be equal; some must not be missing on one side.
bool params_agree(const Uri& a, const Uri& b)
{
    Param param;
    for (auto rest = a.params.text(); ParamsView::next(rest, param);) {
        if (find_escaped(a.params, param.name)->name.data() != param.name.data())
            continue; // said twice: the first counts
        if (const auto other = find_escaped(b.params, param.name)) {
            if (!same_escaped(param.value, other->value, Letters::any_case))
                return false;
            continue;
        }
        for (const std::string_view strict : {"user", "ttl", "method", "maddr", "transport"})
            if (same_escaped(param.name, strict, Letters::any_case))
                return false;
    }
    return true;
}

bool has_header(std::string_view headers, std::string_view name, std::string_view value)
{
    while (!headers.empty()) {
        auto other = cut(headers, '&');
        const auto other_name = cut(other, '=');
        if (same_escaped(name, other_name, Letters::any_case) && same_escaped(value, other, Letters::as_is))
            return true;
    }
    return false;
}

bool headers_within(std::string_view headers, std::string_view others)
{
    while (!headers.empty()) {
        auto header = cut(headers, '&');
        const auto name = cut(header, '=');
        if (!has_header(others, name, header))
            return false;
    }
    return true;
}

std::string escape(std::string_view text, std::string_view keep)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_alnum(c) || keep.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[static_cast<unsigned char>(c) & 15];
        }
    }
    return out;
}

} // namespace

std::string_view to_text(Scheme scheme)
{
    switch (scheme) {
    case Scheme::sip: return "sip";
    case Scheme::sips: return "sips";
    case Scheme::tel: return "tel";
    case Scheme::urn: return "urn";
    case Scheme::other: return "";
    }
    return "";
}

Transport Uri::transport() const { return params.empty() ? Transport::none : transport_of(transport_text()); }

std::uint16_t Uri::port_or_default() const
{
    if (port != 0)
        return port;
    return scheme == Scheme::sips ? std::uint16_t{5061} : default_port(transport());
}

std::string_view Uri::host_port() const
{
    if (host.empty() || port == 0)
        return host;
    const auto end = text.data() + text.size();
    const char* at = host.data() + host.size();
    if (at < text.data() || at >= end)
        return host; // a changed Uri: its host is not within the text
    ++at;            // the colon
    while (at != end && is_digit(*at))
        ++at;
    return {host.data(), static_cast<std::size_t>(at - host.data())};
}

std::string_view Uri::user_part() const
{
    return has_password ? std::string_view{user.data(), user.size() + 1 + password.size()} : user;
}

std::string_view Uri::host_plain() const
{
    return host.size() >= 2 && host.front() == '[' ? host.substr(1, host.size() - 2) : host;
}

Complaint read(std::string_view text, Uri& out)
{
    out = {};
    out.text = text;
    const Marks marks{text};
    if (marks.forbidden)
        return "URI has blanks, quotes, brackets or control characters";
    if (marks.scheme == Marks::none || !is_scheme_text(text.substr(0, marks.scheme)))
        return "URI has no scheme";
    out.scheme_text = text.substr(0, marks.scheme);
    out.scheme = scheme_of(out.scheme_text);
    const auto rest = text.substr(marks.scheme + 1);
    switch (out.scheme) {
    case Scheme::sip:
    case Scheme::sips: return read_sip(text, marks, out);
    case Scheme::tel: {
        const auto semicolon = rest.find(';');
        out.user = rest.substr(0, semicolon);
        out.has_user = true;
        if (semicolon != std::string_view::npos)
            out.params = ParamsView{rest.substr(semicolon)};
        return out.user.empty() ? "tel URI has no number" : Complaint{};
    }
    case Scheme::urn:
    case Scheme::other: break;
    }
    out.opaque = rest;
    return rest.empty() ? "URI has nothing behind its scheme" : Complaint{};
}

Result<Uri> parse_uri(std::string_view text)
{
    Uri uri;
    if (const auto complaint = read(text, uri); !complaint.empty())
        return invalid(std::string{complaint} + ": '" + std::string{text} + "'");
    return uri;
}

bool same_uri(const Uri& a, const Uri& b)
{
    if (a.scheme != b.scheme)
        return false;
    if (a.scheme == Scheme::other || a.scheme == Scheme::urn)
        return iequals(a.scheme_text, b.scheme_text) && a.opaque == b.opaque;
    if (a.scheme == Scheme::tel) { // RFC 3966 4: visual separators do not count; all parameters must agree
        std::string x, y;
        for (const char c : a.user)
            if (std::string_view{"-.()"}.find(c) == std::string_view::npos)
                x += to_lower(c);
        for (const char c : b.user)
            if (std::string_view{"-.()"}.find(c) == std::string_view::npos)
                y += to_lower(c);
        const auto covers = [](const Uri& one, const Uri& other) {
            Param param;
            for (auto rest = one.params.text(); ParamsView::next(rest, param);) {
                if (one.params.get(param.name)->name.data() != param.name.data())
                    continue; // said twice: the first counts
                const auto found = other.params.get(param.name);
                if (!found || !iequals(found->value, param.value))
                    return false;
            }
            return true;
        };
        return x == y && covers(a, b) && covers(b, a);
    }
    return a.has_user == b.has_user && a.has_password == b.has_password && a.port == b.port &&
           same_escaped(a.user, b.user, Letters::as_is) &&
           same_escaped(a.password, b.password, Letters::as_is) && iequals(a.host, b.host) &&
           params_agree(a, b) && params_agree(b, a) && headers_within(a.headers, b.headers) &&
           headers_within(b.headers, a.headers);
}

std::string_view print(const Uri& uri, Arena& arena)
{
    const auto scheme = uri.scheme == Scheme::other ? uri.scheme_text : to_text(uri.scheme);
    if (uri.scheme == Scheme::tel)
        return arena.concat(scheme, ":", uri.user, uri.params.text());
    if (!uri.is_sip())
        return arena.concat(scheme, ":", uri.opaque);
    char port[24];
    std::size_t port_size = 0;
    if (uri.port != 0) {
        port[0] = ':';
        port_size = 1 + put_int(port + 1, uri.port);
    }
    return arena.concat(scheme, ":", uri.user, uri.has_password ? ":" : "",
                        uri.has_password ? uri.password : "", uri.has_user ? "@" : "", uri.host,
                        std::string_view{port, port_size}, uri.params.text(), uri.headers.empty() ? "" : "?",
                        uri.headers);
}

std::string escape_user(std::string_view text) { return escape(text, "-_.!~*'()&=+$,;?/"); }

std::string escape_param(std::string_view text) { return escape(text, "-_.!~*'()[]/:&+$"); }

std::string unescape(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && at + 2 < text.size() && hex_digit(text[at + 1]) >= 0 &&
            hex_digit(text[at + 2]) >= 0) {
            out += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
            at += 2;
        } else {
            out += text[at];
        }
    }
    return out;
}

} // namespace sipyard::sip
