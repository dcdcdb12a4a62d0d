// core/script/uri_rewrite.cpp - request URI changes of rewritehost(), prefix(), strip() and their kin
#include "core/script/uri_rewrite.h"

#include <algorithm>
#include <string>

namespace sipyard::script {

namespace {

// The parameters without `transport`, which the new host text brings along if it wants one.
std::string without_transport(const sip::ParamsView& params)
{
    std::string kept;
    sip::Param param;
    for (auto rest = params.text(); sip::ParamsView::next(rest, param);) {
        if (param.name == "transport")
            continue;
        kept += ';';
        kept += param.name;
        if (param.has_value) {
            kept += '=';
            kept += param.value;
        }
    }
    return kept;
}

} // namespace

std::string_view rewrite(const sip::Uri& uri, UriPart part, std::string_view text, std::size_t count,
                         Arena& arena)
{
    if (!uri.is_sip())
        return {};
    std::string made{uri.scheme_text};
    made += ':';

    std::string user{uri.user};
    switch (part) {
    case UriPart::user: user = text; break;
    case UriPart::user_password: user = text; break;
    case UriPart::prefix: user.insert(0, text); break;
    case UriPart::strip: user.erase(0, std::min(count, user.size())); break;
    case UriPart::strip_tail: user.resize(user.size() - std::min(count, user.size())); break;
    default: break;
    }
    if (uri.has_password && part != UriPart::user_password) {
        user += ':';
        user += uri.password;
    }
    if (!user.empty())
        made.append(user).append("@");

    const bool new_host =
        part == UriPart::host || part == UriPart::host_port || part == UriPart::host_port_trans;
    made += new_host ? text : uri.host;
    if (part == UriPart::port) {
        if (!text.empty())
            made.append(":").append(text);
    } else if (uri.port != 0 && part != UriPart::host_port && part != UriPart::host_port_trans) {
        made.append(":").append(std::to_string(uri.port));
    }
    made += part == UriPart::host_port_trans ? without_transport(uri.params) : std::string{uri.params.text()};
    if (part == UriPart::user_phone && !uri.params.has("user"))
        made += ";user=phone";
    if (!uri.headers.empty())
        made.append("?").append(uri.headers);
    return arena.copy(made);
}

} // namespace sipyard::script
