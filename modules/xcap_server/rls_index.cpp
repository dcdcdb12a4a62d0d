// modules/xcap_server/rls_index.cpp - composing the global index of services
#include "modules/xcap_server/rls_index.h"

#include "core/base/text.h"
#include "core/xml/check.h"
#include "modules/xcap_server/etag.h"
#include "modules/xcap_server/namespaces.h"
#include "modules/xcap_server/text_index.h"
#include "modules/xcap_server/usage.h"

#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view services_ns = "urn:ietf:params:xml:ns:rls-services";
constexpr xml::Limits stored_limits{
    .depth = 250, .elements = 10'000'000, .attributes = 100'000, .name_length = 50'000};

} // namespace

// "/xcap-root/rls-services/users/XUI/index": other documents of a user are drafts (RFC 4826 4.4.7).
bool RlsIndex::is_index(std::string_view doc_uri) const
{
    const auto tree = root_ + std::string{rls_services_auid} + "/users/";
    if (!doc_uri.starts_with(tree))
        return false;
    doc_uri.remove_prefix(tree.size());
    cut(doc_uri, '/');
    return doc_uri == "index";
}

// The bytes of each service, with the bindings it inherits written into its start tag.
std::string RlsIndex::services_in(std::string_view text)
{
    std::string out;
    if (!xml::check(text, stored_limits)) // a damaged row spoils nobody else's services
        return out;
    const auto index = TextIndex::of(text);
    if (!index || index->size() == 0)
        return out;
    const IndexedView document{text, *index};
    if (document.name(0) != "rls-services" || document.uri((*index)[0].ns) != services_ns)
        return out;
    for (auto e = index->first_child(0); e != TextIndex::none; e = (*index)[e].next) {
        if (document.name(e) != "service" || document.uri((*index)[e].ns) != services_ns)
            continue;
        // Own and inherited bindings first, then the attributes, then the rest as it is.
        const auto& at = (*index)[e];
        out += " <";
        out += document.qualified_name(e);
        std::string bindings;
        append_bindings(document, e, Undeclared::kept, bindings);
        out += bindings;
        if (bindings.find(" xmlns=") == std::string::npos) // nor does it get the one of the new root
            out += " xmlns=\"\"";
        for (auto a = at.attributes; a < index->attributes_end(e); ++a) {
            const auto& attribute = index->attribute(a);
            out += ' ';
            out += text.substr(attribute.name, attribute.value_end + 1 - attribute.name);
        }
        if (document.is_empty_tag(e))
            out += "/>";
        else
            out += '>';
        out += text.substr(at.tag_end, at.end - at.tag_end);
        out += '\n';
    }
    return out;
}

Result<DocumentPtr> RlsIndex::read()
{
    // Asked first: what is read afterwards is at least as new as this.
    TRY(const auto freshness, store_.freshness());
    const auto known = state_.with([](const auto& state) { return state; });
    if (known->whole && freshness && known->freshness == freshness)
        return known->whole;
    TRY(const auto documents, store_.rls_documents());
    auto next = std::make_shared<State>();
    next->freshness = freshness;
    bool changed = !known->whole;
    for (const Listed& one : documents) {
        if (!is_index(one.doc_uri))
            continue;
        if (const auto at = known->pieces.find(one.doc_uri);
            at != known->pieces.end() && at->second.etag == one.etag) {
            next->pieces.emplace(one.doc_uri, at->second);
            continue;
        }
        TRY(const auto document, store_.load(one.doc_uri));
        if (!document) // deleted since
            continue;
        next->pieces.emplace(one.doc_uri, Piece{document->etag, services_in(document->text)});
        changed = true;
    }
    changed = changed || next->pieces.size() != known->pieces.size();
    if (!changed) {
        next->whole = known->whole;
    } else {
        Document whole;
        whole.doc_uri = root_ + std::string{rls_services_auid} + "/global/index";
        whole.text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rls-services xmlns=\"" +
                     std::string{services_ns} + "\">\n";
        for (const auto& [uri, piece] : next->pieces)
            whole.text += piece.services;
        whole.text += "</rls-services>\n";
        whole.etag = etag_of_content(whole.text);
        next->whole = std::make_shared<const Document>(std::move(whole));
    }
    auto whole = next->whole;
    state_.with([&](auto& state) { state = std::move(next); });
    return whole;
}

} // namespace sipyard::xcap_server
