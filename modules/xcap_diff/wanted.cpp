// modules/xcap_diff/wanted.cpp - reading a subscriber's wishes
#include "modules/xcap_diff/wanted.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/xml/document.h"

#include <algorithm>

namespace sipyard::xcap_diff {
namespace {

constexpr std::string_view lists_namespace = "urn:ietf:params:xml:ns:resource-lists";
constexpr std::uint32_t processing_bits = 3, owner_bit = 4;

} // namespace

Processing processing_of(std::string_view event_params)
{
    while (!event_params.empty()) {
        auto param = trim(cut(event_params, ';'));
        const auto name = trim(cut(param, '='));
        if (!iequals(name, "diff-processing"))
            continue;
        const auto value = trim(param);
        if (iequals(value, "xcap-patching"))
            return Processing::xcap_patching;
        if (iequals(value, "aggregate"))
            return Processing::aggregate;
    }
    return Processing::no_patching;
}

Result<std::vector<std::string>> read_list(std::string_view body)
{
    std::vector<std::string> out;
    if (trim(body).empty())
        return out;
    TRY(const auto document, xml::Document::parse(body));
    const auto root = document.root();
    if (!root.is("resource-lists", lists_namespace))
        return invalid("the body is no resource list");
    for (auto list = root.first(); list; list = list.next()) {
        if (!list.is("list", lists_namespace))
            continue;
        for (auto entry = list.first(); entry; entry = entry.next()) {
            if (entry.is("list", lists_namespace) || entry.is("entry-ref", lists_namespace) ||
                entry.is("external", lists_namespace))
                return invalid(format("<{}> is not allowed: the list is a flat one of URIs (RFC 5875 4.4)",
                                      entry.name()));
            if (!entry.is("entry", lists_namespace))
                continue; // what is not understood is ignored
            const auto uri = entry.attribute("uri");
            if (!uri || trim(*uri).empty() || uri->find_first_of("\r\n\t <>\"") != std::string::npos)
                return invalid("an entry has no URI");
            if (std::find(out.begin(), out.end(), *uri) != out.end())
                continue;
            if (out.size() == most_entries)
                return invalid(format("more than {} entries", most_entries));
            out.push_back(*uri);
        }
    }
    return out;
}

presence::Variant pack(const Wish& wish)
{
    presence::Variant out;
    out.bits = static_cast<std::uint32_t>(wish.processing) | (wish.is_owner ? owner_bit : 0);
    for (const auto& uri : wish.uris) { // no URI has a line end (read_list)
        out.filter += uri;
        out.filter += '\n';
    }
    return out;
}

Wish unpack(const presence::Variant& variant)
{
    Wish out;
    out.processing = static_cast<Processing>(variant.bits & processing_bits);
    out.is_owner = (variant.bits & owner_bit) != 0;
    for (std::string_view rest = variant.filter; !rest.empty();)
        out.uris.emplace_back(cut(rest, '\n'));
    return out;
}

} // namespace sipyard::xcap_diff
