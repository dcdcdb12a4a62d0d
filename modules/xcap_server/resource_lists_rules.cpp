// modules/xcap_server/resource_lists_rules.cpp - entries and references of lists (RFC 4826 3.4.5)
#include "core/base/format.h"
#include "core/base/text.h"
#include "core/sip/uri.h"
#include "modules/xcap_server/constraints.h"

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view lists_ns = "urn:ietf:params:xml:ns:resource-lists";

// A URI with a scheme; of those schemes we can read, one that can be read.
bool is_entry_uri(std::string_view text)
{
    if (!has_scheme(text))
        return false;
    for (const std::string_view scheme : {"sip:", "sips:", "tel:"}) {
        sip::Uri uri;
        if (istarts_with(text, scheme))
            return sip::read(text, uri).empty();
    }
    return true;
}

// Does a reference relative to the root lead into another user's tree?
bool is_foreign(std::string_view ref, const Candidate& candidate, const Rules& rules)
{
    if (candidate.tree == Tree::global)
        return false;
    Arena arena;
    XcapUri uri;
    if (read(arena.concat(rules.uri.root, ref), rules.uri, arena, uri))
        return true; // nobody can say whose it is
    return uri.tree == Tree::users && uri.xui != candidate.xui;
}

} // namespace

std::optional<std::string> broken_in_list(xml::ElementView list, const Candidate& candidate,
                                          const Rules& rules)
{
    for (auto child = list.first(); child; child = child.next()) {
        if (child.ns() != lists_ns)
            continue;
        if (child.name() == "list") {
            if (auto found = broken_in_list(child, candidate, rules)) // depth is limited by the parse
                return found;
        } else if (child.name() == "entry") {
            std::string storage;
            if (const auto uri = child.attribute("uri", {}, storage); uri && !is_entry_uri(*uri))
                return format("the uri of an entry, {}, is no URI", quoted(*uri));
        } else if (child.name() == "entry-ref") {
            const auto ref = child.attribute("ref");
            if (ref && !is_relative_path(*ref))
                return format("the ref of an entry-ref, {}, is not a path relative to the XCAP root",
                              quoted(*ref));
            if (ref && !rules.allow_foreign_refs && is_foreign(*ref, candidate, rules))
                return format("the ref of an entry-ref, {}, leads to another user", quoted(*ref));
        } else if (child.name() == "external") {
            if (const auto anchor = child.attribute("anchor"); anchor && !is_http_uri(*anchor))
                return format("the anchor of an external, {}, is no absolute HTTP URI", quoted(*anchor));
        }
    }
    return {};
}

std::optional<std::string> broken_in_resource_lists(xml::ElementView root, const Candidate& candidate,
                                                    const Rules& rules)
{
    return broken_in_list(root, candidate, rules);
}

} // namespace sipyard::xcap_server
