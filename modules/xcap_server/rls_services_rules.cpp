// modules/xcap_server/rls_services_rules.cpp - services and the lists they stand for (RFC 4826 4.4.5)
#include "core/base/format.h"
#include "core/base/text.h"
#include "modules/xcap_server/constraints.h"
#include "modules/xcap_server/rls_document.h"

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view services_ns = "urn:ietf:params:xml:ns:rls-services";

// An absolute HTTP URI of a resource-lists document, in the user's own tree when the service is a user's. The
// authority is not compared: a server has many names.
std::optional<std::string> broken_reference(std::string_view text, const Candidate& candidate,
                                            const Rules& rules)
{
    if (!is_http_uri(text))
        return format("resource-list {} is no absolute HTTP URI", quoted(text));
    const auto slash = text.find('/', text.find("//") + 2);
    Arena arena;
    XcapUri uri;
    if (slash == std::string_view::npos || read(text.substr(slash), rules.uri, arena, uri))
        return format("resource-list {} is not below the XCAP root", quoted(text));
    if (uri.auid != resource_lists_auid)
        return format("resource-list {} is not of the usage resource-lists", quoted(text));
    if (candidate.tree == Tree::users && (uri.tree != Tree::users || uri.xui != candidate.xui))
        return format("resource-list {} is not in the user's own tree", quoted(text));
    return {};
}

} // namespace

std::optional<std::string> broken_in_rls_services(xml::ElementView root, const Candidate& candidate,
                                                  const Rules& rules)
{
    for (auto service = root.first(); service; service = service.next()) {
        if (!service.is("service", services_ns))
            continue;
        const auto uri = service.attribute("uri").value_or("");
        if (!service_key(uri))
            return format("the uri of a service, {}, is no SIP URI", quoted(uri));
        // The schema has seen to that where it is asked.
        const auto reference = service.child("resource-list", services_ns);
        const auto list = service.child("list", services_ns);
        if (static_cast<bool>(reference) == static_cast<bool>(list))
            return format("service {} needs either a resource-list or a list", quoted(uri));
        if (reference)
            if (auto broken = broken_reference(trim(reference.text()), candidate, rules))
                return broken;
        if (list)
            if (auto broken = broken_in_list(list, candidate, rules))
                return broken;
        const auto packages = service.child("packages", services_ns);
        for (auto package = packages.first(); package; package = package.next()) {
            if (!package.is("package", services_ns))
                continue;
            const auto name = package.text();
            if (trim(name).empty() || trim(name).find_first_of(" \t\r\n") != std::string_view::npos)
                return format("a package of service {} is no token", quoted(uri));
        }
    }
    return {};
}

} // namespace sipyard::xcap_server
