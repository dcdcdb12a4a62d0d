// modules/xcap_server/documents.cpp - places, texts and parts for other modules
#include "modules/xcap_server/documents.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "modules/xcap_server/identity.h"
#include "modules/xcap_server/namespaces.h"
#include "modules/xcap_server/patch.h"
#include "modules/xcap_server/select.h"

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view node_mark = "/~~/";
constexpr std::size_t page_size = 100;

void set_owner(std::string_view xui, const UriRules& rules, Arena& arena, Place& place)
{
    if (const auto owner = owner_of(xui, rules, arena)) {
        place.user = owner->user;
        place.domain = owner->domain;
    }
}

} // namespace

std::string StoredDocuments::reference(std::string_view doc_uri) const
{
    if (doc_uri.starts_with(rules_.root))
        doc_uri.remove_prefix(rules_.root.size());
    return percent_encode(doc_uri, "-._~!$&'()*+,;=:@/");
}

Result<Place> StoredDocuments::place(std::string_view uri) const
{
    Arena arena;
    std::string_view path = path_of(uri);
    if (!path.starts_with('/'))
        path = arena.concat(rules_.root, path);
    // A collection ends in a slash and is no target of XCAP itself: it is read as a document below it.
    const bool is_collection = path.ends_with('/') && path.find(node_mark) == std::string_view::npos;
    Place place;
    if (is_collection) {
        std::string_view rest = path;
        if (!rest.starts_with(rules_.root))
            return invalid(format("'{}' is not below {}", uri, rules_.root));
        rest.remove_prefix(rules_.root.size());
        const auto auid = cut(rest, '/');
        place.is_collection = true;
        place.auid = auid;
        if (auid.empty() || !usages_.find(auid))
            return invalid(format("'{}' names no usage", uri));
        const auto tree = cut(rest, '/');
        if (rest.empty() || tree == "global") { // all of the usage, all of its users, or its global tree
            if (!tree.empty() && tree != "users" && tree != "global")
                return invalid(format("'{}' names no tree", uri));
            place.doc_uri = path;
            return place;
        }
        XcapUri read_as;
        if (const auto refusal = read(arena.concat(path, "x"), rules_, arena, read_as))
            return invalid(format("'{}': {}", uri, refusal.reason));
        place.doc_uri = read_as.doc_uri.substr(0, read_as.doc_uri.size() - 1);
        set_owner(read_as.xui, rules_, arena, place);
        return place;
    }
    XcapUri read_as;
    if (const auto refusal = read(path, rules_, arena, read_as))
        return invalid(format("'{}': {}", uri, refusal.reason));
    if (!usages_.find(read_as.auid))
        return invalid(format("'{}' names no usage", uri));
    place.auid = read_as.auid;
    place.doc_uri = read_as.doc_uri;
    if (read_as.tree == Tree::users)
        set_owner(read_as.xui, rules_, arena, place);
    if (read_as.has_node) {
        place.node = read_as.node;
        if (!read_as.query.empty())
            place.node += format("?{}", read_as.query);
        if (read_as.node.empty())
            return invalid(format("'{}': the node selector is empty", uri));
    }
    return place;
}

Result<std::vector<StoredText>> StoredDocuments::all_of(std::string_view user, std::string_view domain)
{
    std::vector<Listed> listed;
    if (user.empty() && domain.empty()) {
        TRYV(list_global(listed));
    } else {
        TRY(listed, store_.list(user, domain));
    }
    std::vector<StoredText> out;
    for (const auto& one : listed) {
        TRY(const auto document, store_.load(one.doc_uri));
        if (!document)
            continue; // it went meanwhile
        StoredText stored;
        stored.doc_uri = document->doc_uri;
        stored.sel = reference(document->doc_uri);
        std::string_view rest = stored.doc_uri;
        if (rest.starts_with(rules_.root))
            rest.remove_prefix(rules_.root.size());
        stored.auid = cut(rest, '/');
        stored.etag = document->etag;
        stored.text = std::shared_ptr<const std::string>{document, &document->text};
        out.push_back(std::move(stored));
    }
    return out;
}

Result<void> StoredDocuments::list_global(std::vector<Listed>& out)
{
    for (const auto& usage : usages_.all()) {
        const std::string tree = format("{}{}/global/", rules_.root, usage.auid);
        for (std::string after = tree;;) {
            TRY(auto page, store_.list_all(after, page_size));
            const std::size_t before = out.size();
            for (auto& one : page)
                if (one.doc_uri.starts_with(tree))
                    out.push_back(std::move(one));
            if (out.size() - before < page_size) // the page went beyond the tree, or there is no more
                break;
            after = out.back().doc_uri;
        }
    }
    return {};
}

std::optional<Part> StoredDocuments::part(std::string_view auid, std::string_view text,
                                          std::string_view node) const
{
    const Usage* const usage = usages_.find(auid);
    if (!usage)
        return {};
    std::string_view query = node;
    const auto raw = cut(query, '?');
    Arena arena;
    NodeSelectorView selector;
    if (read_selector(raw, query, {usage->ns, usage->also_ns()}, arena, selector) ||
        selector.terminal == Terminal::namespaces)
        return {};
    const auto index = TextIndex::of(text);
    if (!index)
        return {};
    const IndexedView view{text, *index};
    const auto found = select(view, selector.steps);
    if (found.matches != Matches::one || found.element == TextIndex::none)
        return {};
    Part part;
    if (selector.terminal == Terminal::attribute) {
        const auto attribute =
            view.find_attribute(found.element, selector.attribute_ns, selector.attribute_name);
        if (attribute == TextIndex::none)
            return {};
        part.is_attribute = true;
        part.text = as_character_data(view.value(attribute));
        return part;
    }
    part.text = view.element(found.element);
    if (const auto parent = (*index)[found.element].parent; parent != TextIndex::none)
        append_bindings(view, parent, Undeclared::left_out, part.namespaces);
    return part;
}

std::optional<Patch> StoredDocuments::patch(std::string_view before, std::string_view after) const
{
    const auto a = TextIndex::of(before), b = TextIndex::of(after);
    if (!a || !b)
        return {};
    return xcap_server::patch({before, *a}, {after, *b});
}

} // namespace sipyard::xcap_server
