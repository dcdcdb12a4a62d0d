// modules/xcap_server/namespaces.cpp - walking the bindings in scope
#include "modules/xcap_server/namespaces.h"

#include <vector>

namespace sipyard::xcap_server {
namespace {

constexpr std::uint32_t none = TextIndex::none;

} // namespace

void append_bindings(const IndexedView& document, std::uint32_t element, Undeclared undeclared,
                     std::string& to)
{
    const TextIndex& index = document.index();
    const auto scope = index[element].scope;
    std::vector<std::uint32_t> holding; // inmost first
    for (auto at = scope; at != none; at = index.binding(at).before)
        if (!document.is_hidden(at, scope) && (undeclared == Undeclared::kept || !document.uri(at).empty()))
            holding.push_back(at);
    for (auto at = holding.rbegin(); at != holding.rend(); ++at) {
        const auto prefix = document.prefix(*at);
        if (prefix == "xml")
            continue; // may be declared, and says nothing new
        to += prefix.empty() ? " xmlns=" : " xmlns:";
        if (!prefix.empty()) {
            to += prefix;
            to += '=';
        }
        const auto& binding = index.binding(*at); // with the quotes it has
        to += document.text().substr(binding.uri - 1, binding.uri_end - binding.uri + 2);
    }
}

std::string namespaces_document(const IndexedView& document, std::uint32_t element)
{
    std::string reply{"<"};
    reply += document.qualified_name(element);
    append_bindings(document, element, Undeclared::left_out, reply);
    reply += "/>";
    return reply;
}

std::string_view prefix_for(const IndexedView& document, std::uint32_t element, std::string_view ns)
{
    if (document.is_bound_to(TextIndex::xml_binding, ns))
        return "xml";
    const auto scope = document.index()[element].scope;
    for (auto at = scope; at != none; at = document.index().binding(at).before)
        if (!document.prefix(at).empty() && document.is_bound_to(at, ns) && !document.is_hidden(at, scope))
            return document.prefix(at);
    return {};
}

} // namespace sipyard::xcap_server
