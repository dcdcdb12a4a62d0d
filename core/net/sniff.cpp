// core/net/sniff.cpp - the decision on the request line's second token
#include "core/net/sniff.h"

#include "core/base/text.h"

#include <algorithm>

namespace sipyard::net {

std::string_view to_text(Spoken spoken)
{
    return spoken == Spoken::sip ? "SIP" : spoken == Spoken::http ? "HTTP" : "unclear";
}

Spoken sniff(std::string_view first_bytes)
{
    constexpr std::size_t longest_method = 32;
    std::size_t at = 0;
    while (at < first_bytes.size() && at <= longest_method &&
           ((first_bytes[at] >= 'A' && first_bytes[at] <= 'Z') || first_bytes[at] == '-'))
        ++at;
    if (at == first_bytes.size() && at <= longest_method)
        return Spoken::unclear;
    if (at == 0 || at > longest_method || first_bytes[at] != ' ')
        return Spoken::sip;
    const auto target = first_bytes.substr(at + 1);
    if (target.empty())
        return Spoken::unclear;
    if (target.front() == '/' || target.front() == '*')
        return Spoken::http;
    constexpr std::string_view scheme = "http"; // the absolute form a proxy's client sends (RFC 9112 3.2.2)
    const auto known = std::min(target.size(), scheme.size());
    if (!iequals(target.substr(0, known), scheme.substr(0, known)))
        return Spoken::sip;
    return known == scheme.size() ? Spoken::http : Spoken::unclear;
}

} // namespace sipyard::net
