// modules/dialog/routes.cpp - route sets of a call as a proxy between the two sides sees them
#include "modules/dialog/routes.h"

#include "core/base/text.h"
#include "core/sip/lists.h"

#include <vector>

namespace sipyard::dialog {

namespace {

bool is_route(const sip::NameAddr& value, sip::Uri& uri)
{
    return sip::read(value.uri, uri).empty() && uri.is_sip() && !uri.host.empty();
}

void put(std::string& list, std::string_view uri)
{
    list += list.empty() ? "<" : ", <";
    list += uri;
    list += '>';
}

std::vector<std::string_view> uris_of(std::string_view routes)
{
    std::vector<std::string_view> uris;
    std::string_view element;
    while (sip::next_in_list(routes, element)) {
        sip::NameAddr value;
        sip::Uri uri;
        if (!element.empty() && sip::read(element, value).empty() && is_route(value, uri))
            uris.push_back(value.uri);
    }
    return uris;
}

} // namespace

std::string joined_routes(const sip::ValueList<sip::NameAddr>& record_routes)
{
    std::string list;
    for (const sip::NameAddr& value : record_routes) {
        sip::Uri uri;
        if (is_route(value, uri))
            put(list, value.uri);
    }
    return list;
}

std::string routes_to_callee(const sip::ValueList<sip::NameAddr>& record_routes, std::string_view cookie,
                             std::string_view param, std::string_view caller_routes)
{
    // The last proxy before the callee stands first; those up to our own are on the callee's side.
    std::size_t ours = record_routes.size();
    for (std::size_t n = record_routes.size(); n-- > 0;) {
        sip::Uri uri;
        if (is_route(record_routes[n], uri) && uri.params.find(param) == cookie)
            ours = n; // the topmost of two
    }
    if (ours ==
        record_routes.size()) { // we did not record ourselves: the caller's side is what it was in the INVITE
        const std::size_t before = uris_of(caller_routes).size();
        ours = record_routes.size() > before ? record_routes.size() - before : 0;
    }
    std::string list;
    for (std::size_t n = ours; n-- > 0;) {
        sip::Uri uri;
        if (is_route(record_routes[n], uri))
            put(list, record_routes[n].uri);
    }
    return list;
}

Way way_to(std::string_view contact, std::string_view routes)
{
    auto uris = uris_of(routes);
    Way way{std::string{contact}, {}};
    if (uris.empty())
        return way;
    sip::Uri first;
    if (sip::read(uris.front(), first).empty() && !first.is_loose()) {
        way.request_uri = uris.front();
        uris.erase(uris.begin());
        uris.push_back(contact);
    }
    for (const std::string_view uri : uris)
        way.route_lines += std::string{"Route: <"}.append(uri).append(">\r\n");
    return way;
}

} // namespace sipyard::dialog
