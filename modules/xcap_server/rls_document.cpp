// modules/xcap_server/rls_document.cpp - reading services and making their URIs comparable
#include "modules/xcap_server/rls_document.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/sip/uri.h"
#include "core/xml/document.h"

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view services_ns = "urn:ietf:params:xml:ns:rls-services";
// What was stored once is read whatever the limits are now.
constexpr xml::Limits stored_limits{
    .depth = 250, .elements = 10'000'000, .attributes = 100'000, .name_length = 50'000};

} // namespace

std::optional<std::string> service_key(std::string_view text)
{
    sip::Uri uri;
    if (!sip::read(text, uri).empty() || !uri.is_sip() || uri.host.empty())
        return {};
    std::string key{sip::to_text(uri.scheme)};
    key += ':';
    if (uri.has_user) {
        // escaped again, so that an escaped '@' or blank stays one
        key += sip::escape_user(sip::unescape(uri.user));
        if (uri.has_password)
            key += ':' + sip::escape_user(sip::unescape(uri.password));
        key += '@';
    }
    key += lower(uri.host);
    if (uri.port != 0)
        key += format(":{}", uri.port);
    for (const std::string_view name : {"maddr", "method", "transport", "ttl", "user"})
        if (const auto value = uri.params.find(name))
            key += format(";{}={}", name, lower(*value));
    if (!uri.headers.empty())
        key += '?' + lower(uri.headers);
    if (key.size() > max_service_key)
        return {};
    return key;
}

std::vector<ServiceEntry> services_of(std::string_view text)
{
    std::vector<ServiceEntry> found;
    const auto document = xml::Document::parse(text, stored_limits);
    if (!document || !document->root().is("rls-services", services_ns))
        return found;
    int position = 0;
    for (auto child = document->root().first(); child; child = child.next()) {
        if (!child.is("service", services_ns))
            continue;
        ++position;
        auto uri = child.attribute("uri").value_or("");
        if (auto key = service_key(uri))
            found.push_back({std::move(*key), std::move(uri), position});
    }
    return found;
}

bool may_hold_services(std::string_view doc_uri)
{
    return doc_uri.find("/rls-services/") != std::string_view::npos;
}

std::string alternative(std::string_view text, int number)
{
    sip::Uri uri;
    if (!sip::read(text, uri).empty() || !uri.is_sip() || !uri.has_user)
        return {};
    return format("{}:{}-{}@{}", sip::to_text(uri.scheme), uri.user, number, uri.host_port());
}

} // namespace sipyard::xcap_server
