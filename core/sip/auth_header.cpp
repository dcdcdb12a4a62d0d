// core/sip/auth_header.cpp - digest credentials and challenges
#include "core/sip/auth_header.h"

#include "core/base/text.h"
#include "core/sip/lists.h"

namespace sipyard::sip {
namespace {

// Does a parameter list go on here: end of text, or ',' name '=' ?
bool goes_on(std::string_view rest)
{
    rest = trim_left(rest);
    if (rest.empty())
        return true;
    if (rest.front() != ',')
        return false;
    rest = trim_left(rest.substr(1));
    if (rest.empty())
        return true;
    std::size_t at = 0;
    while (at < rest.size() && is_token_char(rest[at]))
        ++at;
    return at != 0 && trim_left(rest.substr(at)).starts_with('=');
}

// Position of the quote that ends the value beginning behind the opening one, npos when there is none.
std::size_t end_of_quoted(std::string_view text, bool may_hold_quotes)
{
    // Escapes and stray quotes are rare: two searches settle the usual value.
    const auto quote = text.find('"');
    if (quote == std::string_view::npos)
        return quote;
    if (!may_hold_quotes && text.substr(0, quote).find('\\') == std::string_view::npos)
        return quote;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '"' && (!may_hold_quotes || goes_on(text.substr(at + 1))))
            return at;
    }
    return std::string_view::npos;
}

std::string_view* place_of(std::string_view name, DigestView& out)
{
    using D = DigestView;
    static constexpr struct {
        std::string_view name;
        std::string_view D::*place;
    } places[] = {{"username", &D::username}, {"realm", &D::realm},
                  {"nonce", &D::nonce},       {"uri", &D::uri},
                  {"response", &D::response}, {"algorithm", &D::algorithm},
                  {"cnonce", &D::cnonce},     {"opaque", &D::opaque},
                  {"qop", &D::qop},           {"nc", &D::nc},
                  {"stale", &D::stale},       {"domain", &D::domain},
                  {"userhash", &D::userhash}, {"username*", &D::username_star},
                  {"auts", &D::auts}};
    // `name` is a token, never empty; the first letter rules out nearly all rows.
    const char first = to_lower(name.front());
    for (const auto& row : places)
        if (row.name.size() == name.size() && row.name.front() == first &&
            (row.name == name || iequals(row.name, name)))
            return &(out.*row.place);
    return nullptr;
}

} // namespace

bool DigestView::is_digest() const { return iequals(scheme, "Digest"); }

std::uint32_t DigestView::nonce_count() const
{
    if (nc.size() != 8)
        return 0;
    std::uint32_t count = 0;
    for (const char c : nc) {
        if (hex_digit(c) < 0)
            return 0;
        count = count * 16 + static_cast<std::uint32_t>(hex_digit(c));
    }
    return count;
}

Complaint read(std::string_view text, DigestView& out)
{
    out = {};
    text = trim(text);
    std::size_t at = 0;
    while (at < text.size() && is_token_char(text[at]))
        ++at;
    out.scheme = text.substr(0, at);
    if (out.scheme.empty())
        return "credentials name no scheme";
    if (at < text.size() && !is_space(text[at]))
        return "credentials have no blank behind the scheme";
    out.params = trim_left(text.substr(at));
    if (!out.is_digest())
        return {}; // RFC 4475 3.3.7: an unknown scheme is no error of syntax

    for (auto rest = out.params; !rest.empty();) {
        if (rest.front() == ',' || is_space(rest.front())) {
            rest.remove_prefix(1);
            continue;
        }
        at = 0;
        while (at < rest.size() && is_token_char(rest[at]))
            ++at;
        const auto name = rest.substr(0, at);
        rest = trim_left(rest.substr(at));
        if (name.empty() || rest.empty() || rest.front() != '=')
            return "credentials have a parameter that is not name=value";
        rest = trim_left(rest.substr(1));
        std::string_view value;
        if (!rest.empty() && rest.front() == '"') {
            rest.remove_prefix(1);
            const auto end = end_of_quoted(rest, iequals(name, "uri"));
            if (end == std::string_view::npos)
                return "credentials have a quoted value that is not closed";
            value = rest.substr(0, end);
            rest.remove_prefix(end + 1);
        } else {
            at = 0;
            while (at < rest.size() && rest[at] != ',' && !is_space(rest[at]))
                ++at;
            value = rest.substr(0, at);
            rest.remove_prefix(at);
        }
        if (auto* place = place_of(name, out)) {
            // two values of one parameter: a checker and a later reader might take different ones
            if (place->data() != nullptr)
                return "credentials have a parameter twice";
            *place = value.data() != nullptr ? value : std::string_view{""};
        }
    }
    out.has_qop = out.qop.data() != nullptr;
    return {};
}

Complaint check_credentials(const DigestView& digest)
{
    if (!digest.is_digest())
        return "credentials are not Digest";
    if (digest.username.empty() && digest.username_star.empty())
        return "credentials without username";
    if (digest.realm.data() == nullptr)
        return "credentials without realm";
    if (digest.nonce.empty())
        return "credentials without nonce";
    if (digest.uri.empty())
        return "credentials without uri";
    if (digest.response.empty())
        return "credentials without response";
    if (digest.has_qop && (digest.cnonce.empty() || digest.nonce_count() == 0))
        return "credentials with qop and without cnonce or nc";
    return {};
}

std::string unescape_quoted(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\' && at + 1 < text.size())
            ++at;
        out += text[at];
    }
    return out;
}

} // namespace sipyard::sip
