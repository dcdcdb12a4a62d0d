// core/sip/via.cpp - one Via value, read in a single walk
#include "core/sip/via.h"

#include "core/base/text.h"
#include "core/sip/lists.h"

namespace sipyard::sip {
namespace {

std::size_t skip_spaces(std::string_view text, std::size_t at)
{
    while (at < text.size() && is_space(text[at]))
        ++at;
    return at;
}

std::size_t skip_token(std::string_view text, std::size_t at)
{
    while (at < text.size() && is_token_char(text[at]))
        ++at;
    return at;
}

// A token, then '/' with blanks around it (RFC 3261 25.1 `sent-protocol` has SLASH = SWS "/" SWS).
bool take_part(std::string_view text, std::size_t& at, std::string_view& out)
{
    const auto begin = at;
    at = skip_token(text, at);
    out = text.substr(begin, at - begin);
    at = skip_spaces(text, at);
    if (out.empty() || at >= text.size() || text[at] != '/')
        return false;
    at = skip_spaces(text, at + 1);
    return true;
}

// 1..65535 or 0
std::uint16_t port_of(std::string_view text)
{
    unsigned port = 0;
    if (text.empty() || text.size() > 5)
        return 0;
    for (const char c : text) {
        if (!is_digit(c))
            return 0;
        port = port * 10 + static_cast<unsigned>(c - '0');
    }
    return port > 65535 ? std::uint16_t{0} : static_cast<std::uint16_t>(port);
}

Complaint read_params(Via& out)
{
    Param param;
    for (auto rest = out.params.text(); ParamsView::next(rest, param);) {
        if (param.name.size() < 3 || param.name.size() > 8)
            continue;
        if (iequals(param.name, "branch")) {
            out.branch = param.value;
        } else if (iequals(param.name, "rport")) {
            out.has_rport = true;
            out.rport_text =
                param.has_value
                    ? std::string_view{param.name.data(),
                                       static_cast<std::size_t>(param.value.data() + param.value.size() -
                                                                param.name.data())}
                    : param.name;
            out.rport = port_of(param.value);
            if (!param.value.empty() && out.rport == 0)
                return "Via has an rport that is no port";
        } else if (iequals(param.name, "received")) {
            out.received = param.value;
        } else if (iequals(param.name, "maddr")) {
            out.maddr = param.value;
        } else if (iequals(param.name, "ttl")) {
            out.ttl = port_of(param.value);
        } else if (iequals(param.name, "alias")) {
            out.has_alias = true;
        }
    }
    return {};
}

} // namespace

bool Via::has_cookie() const { return branch.size() > 7 && istarts_with(branch, "z9hG4bK"); }

Complaint read(std::string_view text, Via& out)
{
    out = {};
    text = trim(text);
    out.whole = text;
    std::size_t at = 0;
    if (!take_part(text, at, out.protocol) || !take_part(text, at, out.version))
        return "Via does not begin with protocol/version/transport";
    const auto transport_begin = at;
    at = skip_token(text, at);
    out.transport_text = text.substr(transport_begin, at - transport_begin);
    if (out.transport_text.empty())
        return "Via names no transport";
    out.transport = transport_of(out.transport_text);

    const auto host_begin = skip_spaces(text, at);
    if (host_begin == at)
        return "Via has no blank before its host";
    at = host_begin;
    if (at < text.size() && text[at] == '[') {
        const auto close = text.find(']', at);
        at = close == std::string_view::npos ? text.size() : close + 1;
    } else {
        while (at < text.size() && text[at] != ':' && text[at] != ';' && !is_space(text[at]))
            ++at;
    }
    out.host = text.substr(host_begin, at - host_begin);
    if (!is_host_text(out.host))
        return "Via has no valid host";
    auto sent_by_end = at;

    at = skip_spaces(text, at);
    if (at < text.size() && text[at] == ':') {
        const auto port_begin = skip_spaces(text, at + 1);
        at = port_begin;
        while (at < text.size() && is_digit(text[at]))
            ++at;
        out.port = port_of(text.substr(port_begin, at - port_begin));
        if (out.port == 0)
            return "Via has a port that is not from 1 to 65535";
        sent_by_end = at;
        at = skip_spaces(text, at);
    }
    out.sent_by = text.substr(host_begin, sent_by_end - host_begin);
    if (at == text.size())
        return {};
    if (text[at] != ';')
        return "Via has text behind its host that is no parameter";
    out.params = ParamsView{text.substr(at)};
    if (!out.params.is_closed())
        return "Via has a quoted value that is not closed";
    return read_params(out);
}

} // namespace sipyard::sip
