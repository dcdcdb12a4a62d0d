// modules/xcap_server/uri_variable.cpp - the parts of $xcapuri
#include "modules/xcap_server/uri_variable.h"

#include <algorithm>

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view part_names[] = {"data", "uri",  "root", "auid",   "type",   "tree",
                                           "xuid", "file", "node", "target", "domain", "uri_adoc"};

// Decoded into the arena; as it is where an escape is broken (the document part is never broken here).
std::string_view decoded(std::string_view raw, Arena& arena)
{
    const auto text = percent_decode(raw);
    return text ? arena.copy(*text) : raw;
}

// The value of name=... in a search query ("target=...&domain=..."), empty when it is not there.
std::string_view query_value(std::string_view query, std::string_view name, Arena& arena)
{
    while (!query.empty()) {
        auto value = cut(query, '&');
        if (cut(value, '=') == name)
            return decoded(value, arena);
    }
    return {};
}

Value text_or_null(std::string_view text) { return text.empty() ? Value{} : Value{text}; }

} // namespace

Value UriVariables::get(const UriKey& key) const
{
    const auto at = std::find_if(instances_.begin(), instances_.end(),
                                 [&](const Instance& i) { return i.name == key.name; });
    if (at == instances_.end() || !at->good)
        return {};
    const XcapUri& uri = at->uri;
    switch (key.part) {
    case UriKey::Part::data:
    case UriKey::Part::uri: return text_or_null(at->data);
    case UriKey::Part::root: return text_or_null(at->root);
    case UriKey::Part::auid: return text_or_null(uri.auid);
    case UriKey::Part::type: return Value{at->type};
    case UriKey::Part::tree: return uri.file.empty() ? Value{} : Value{to_text(uri.tree)};
    case UriKey::Part::xuid: return text_or_null(uri.xui_as_sent);
    case UriKey::Part::file: return text_or_null(uri.file);
    case UriKey::Part::node: return text_or_null(at->node);
    case UriKey::Part::target: return text_or_null(at->target);
    case UriKey::Part::domain: return text_or_null(at->domain);
    case UriKey::Part::uri_adoc: return text_or_null(uri.doc_uri);
    }
    return {};
}

bool UriVariables::set(std::string_view name, std::string_view target, const UriRules& rules,
                       const Usages& usages, Arena& arena)
{
    auto at =
        std::find_if(instances_.begin(), instances_.end(), [&](const Instance& i) { return i.name == name; });
    if (at == instances_.end()) {
        instances_.push_back({});
        at = instances_.end() - 1;
    }
    *at = {};
    at->name = arena.copy(name);
    // All values are views of what this request owns: the target may be a script variable that changes later.
    const auto kept = arena.copy(target);
    const auto question = kept.find('?');
    const auto query = question == std::string_view::npos ? std::string_view{} : kept.substr(question + 1);
    at->root = arena.copy(rules.root);

    // A search names no document: "<root>org.openmobilealliance.search?target=...&domain=..." (OMA XDM core).
    auto path = kept.substr(0, question);
    if (path.starts_with(rules.root) && trim_right(path.substr(rules.root.size())) == search_auid) {
        at->uri.auid = search_auid;
        at->type = 256;
        at->data = path;
        at->target = query_value(query, "target", arena);
        at->domain = query_value(query, "domain", arena);
        at->good = true;
        return true;
    }
    if (read(kept, rules, arena, at->uri))
        return false;
    const Usage* const usage = usages.find(at->uri.auid);
    if (!usage)
        return false;
    at->type = usage->type;
    at->data = decoded(path, arena);
    if (at->uri.has_node && !at->uri.node.empty())
        at->node = arena.concat("/", decoded(at->uri.node, arena));
    at->good = true;
    return true;
}

} // namespace sipyard::xcap_server

namespace sipyard {

Result<xcap_server::UriKey> FromText<xcap_server::UriKey>::parse(std::string_view text)
{
    const auto arrow = text.find("=>");
    const auto name = trim(text.substr(0, arrow));
    const auto part = arrow == std::string_view::npos ? std::string_view{} : trim(text.substr(arrow + 2));
    const auto found =
        std::find(std::begin(xcap_server::part_names), std::end(xcap_server::part_names), part);
    if (name.empty() || found == std::end(xcap_server::part_names))
        return invalid(format("'{}' is not {}", text, expected));
    return xcap_server::UriKey{std::string{name}, static_cast<xcap_server::UriKey::Part>(
                                                      found - std::begin(xcap_server::part_names))};
}

} // namespace sipyard
