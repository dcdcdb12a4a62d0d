// modules/xcap_server/node_path.cpp - steps with positions, percent-encoded
#include "modules/xcap_server/node_path.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>
#include <vector>

namespace sipyard::xcap_server {
namespace {

// What a namespace may hold unescaped in the query; '(' , ')' and '^' mean something to xmlns() and are rare
// enough in a namespace to be sent as %28.
constexpr std::string_view plain_in_query = "-._~:/";

} // namespace

std::string node_path(xml::ElementView element, std::string_view attribute, std::string_view default_ns)
{
    std::vector<xml::ElementView> path;
    for (auto at = element; at; at = at.parent())
        path.push_back(at);
    std::reverse(path.begin(), path.end());

    std::string out;
    std::vector<std::string_view> foreign; // namespaces; the n-th has prefix p(n+1)
    for (const auto& step : path) {
        if (!out.empty())
            out += '/';
        const bool nameless = step.ns().empty() && !default_ns.empty(); // no prefix can say "no namespace"
        if (nameless) {
            out += '*';
        } else {
            if (step.ns() != default_ns) {
                const auto known = std::find(foreign.begin(), foreign.end(), step.ns());
                out += format("p{}:", known - foreign.begin() + 1);
                if (known == foreign.end())
                    foreign.push_back(step.ns());
            }
            out += percent_encode(step.name());
        }
        const auto parent = step.parent();
        if (!parent) // the root is alone
            continue;
        std::size_t position = 0;
        for (auto sibling = parent.first(); sibling; sibling = sibling.next()) {
            position += nameless || sibling.is(step.name(), step.ns()) ? 1 : 0;
            if (sibling == step)
                break;
        }
        out += format("%5b{}%5d", position);
    }
    if (!attribute.empty())
        out += "/@" + percent_encode(attribute);
    for (std::size_t i = 0; i < foreign.size(); ++i)
        out +=
            format("{}xmlns(p{}={})", i == 0 ? "?" : "", i + 1, percent_encode(foreign[i], plain_in_query));
    return out;
}

} // namespace sipyard::xcap_server
