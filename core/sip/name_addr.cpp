// core/sip/name_addr.cpp - display name, URI, parameters
#include "core/sip/name_addr.h"

#include "core/base/text.h"
#include "core/sip/lists.h"
#include "core/sip/values.h"

namespace sipyard::sip {
namespace {

// Without quotes a display name is *(token LWS) (RFC 3261 25.1). UTF-8 bytes are tolerated: phones send names
// of their owners that way; what stays refused is what may hide structure (RFC 4475 3.1.2.15 asks for it).
bool is_plain_display(std::string_view text)
{
    for (const char c : text)
        if (!is_token_char(c) && !is_space(c) && static_cast<unsigned char>(c) < 0x80)
            return false;
    return true;
}

Complaint read_params(std::string_view text, NameAddr& out)
{
    const auto rest = trim_left(text);
    if (rest.empty())
        return {};
    if (rest.front() != ';')
        return "text behind the URI is no parameter";
    out.params = ParamsView{rest};
    return out.params.is_closed() ? Complaint{} : Complaint{"a quoted parameter value is not closed"};
}

} // namespace

std::string_view NameAddr::display_plain() const { return unquote(display); }

std::optional<std::uint32_t> NameAddr::expires() const
{
    const auto text = params.find("expires");
    std::uint32_t seconds = 0;
    if (!text)
        return {};
    if (!read(*text, seconds).empty() && seconds == 0)
        return {};
    return seconds;
}

int NameAddr::q() const
{
    const auto found = params.find("q");
    if (!found)
        return 1000;
    std::string_view text = *found;
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1' && text[0] != '.'))
        return -1;
    int value = 0;
    if (text[0] != '.') { // ".5" is no qvalue, but phones write it
        value = (text[0] - '0') * 1000;
        text.remove_prefix(1);
    }
    if (text.empty())
        return value;
    if (text[0] != '.' || text.size() > 4)
        return -1;
    int weight = 100;
    for (const char c : text.substr(1)) {
        if (!is_digit(c))
            return -1;
        value += (c - '0') * weight;
        weight /= 10;
    }
    return value > 1000 ? -1 : value;
}

Complaint read(std::string_view text, NameAddr& out)
{
    out = {};
    text = trim(text);
    out.whole = text;
    if (text.empty())
        return "address is empty";
    if (text == "*") {
        out.is_star = true;
        out.uri = text;
        return {};
    }

    std::size_t open = 0;
    if (text.front() == '"') {
        const auto end = skip_quoted(text, 0);
        if (end == std::string_view::npos)
            return "quoted display name is not closed";
        out.display = text.substr(0, end);
        open = end;
        while (open < text.size() && is_space(text[open]))
            ++open;
        if (open == text.size() || text[open] != '<')
            return "display name is not followed by '<'";
    } else {
        open = text.find_first_of("<\";");
        if (open == std::string_view::npos || text[open] == ';') {
            // addr-spec: all parameters are the header's (RFC 3261 20.10), so ',' and '?' cannot be the URI's
            out.uri = trim_right(text.substr(0, open));
            if (out.uri.empty())
                return "address has no URI";
            for (const char c : out.uri) {
                if (c == '?' || c == ',')
                    return "URI with '?' or ',' must stand in <>";
                if (is_space(c))
                    return "address without <> has blanks inside";
            }
            return open == std::string_view::npos ? Complaint{} : read_params(text.substr(open), out);
        }
        if (text[open] == '"')
            return "quotes within the display name";
        out.display = trim_right(text.substr(0, open));
        if (!is_plain_display(out.display))
            return "display name without quotes has characters that no token may have";
    }

    const auto close = text.find('>', open);
    if (close == std::string_view::npos)
        return "'<' is not closed";
    out.in_brackets = true;
    out.uri = text.substr(open + 1, close - open - 1);
    if (out.uri.empty())
        return "address has no URI";
    return read_params(text.substr(close + 1), out);
}

} // namespace sipyard::sip
