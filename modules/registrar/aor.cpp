// modules/registrar/aor.cpp - from a URI to the key of the location store
#include "modules/registrar/aor.h"

#include "core/base/text.h"

namespace sipyard::registrar {

std::string_view aor_of(const sip::Uri& uri, const AorRules& rules, Arena& arena)
{
    if (!uri.is_sip() && uri.scheme != sip::Scheme::tel)
        return {};
    std::string_view host = uri.host;
    if (!rules.realm_prefix.empty() && istarts_with(host, rules.realm_prefix) &&
        host.size() > rules.realm_prefix.size())
        host.remove_prefix(rules.realm_prefix.size());
    char* const to = arena.array<char>(uri.user.size() + 1 + host.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < uri.user.size(); ++i) {
        char c = uri.user[i];
        if (c == '%' && i + 2 < uri.user.size() && hex_digit(uri.user[i + 1]) >= 0 &&
            hex_digit(uri.user[i + 2]) >= 0) {
            c = static_cast<char>(hex_digit(uri.user[i + 1]) * 16 + hex_digit(uri.user[i + 2]));
            i += 2;
        }
        // A byte no log line or row should hold; with it the name is nobody's.
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return {};
        to[size++] = rules.case_sensitive ? c : to_lower(c);
    }
    if (rules.use_domain) {
        if (size > 0)
            to[size++] = '@';
        for (const char c : host)
            to[size++] = to_lower(c);
    }
    return {to, size};
}

Gruu gruu_of(const sip::Uri& uri)
{
    const auto gr = uri.params.find("gr");
    return !gr ? Gruu::none : gr->empty() ? Gruu::temporary : Gruu::permanent;
}

std::string_view instance_of(const sip::Uri& uri, Arena& arena)
{
    return arena.concat("<", sip::unescape(uri.params.find("gr").value_or("")), ">");
}

} // namespace sipyard::registrar
