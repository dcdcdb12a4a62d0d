// modules/xcap_server/rls_document.h - the services an rls-services document declares (RFC 4826 4)
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_server {

// The text of a service's URI that all equal SIP URIs share (RFC 3261 19.1.4): scheme and host in lower case,
// escapes of the user undone, those parameters that a URI without them differs from. Nothing: not a SIP URI,
// or too long for the index.
std::optional<std::string> service_key(std::string_view uri);
inline constexpr std::size_t max_service_key = 255; // the column's width

struct ServiceEntry {
    std::string key; // service_key()
    std::string uri; // as written
    int position;    // 1 is the first service
};
// In document order, those without a key left out; none when the text is no such document.
std::vector<ServiceEntry> services_of(std::string_view text);

// Documents of other usages are not looked at: their keys hold no "/rls-services/".
bool may_hold_services(std::string_view doc_uri);

// "sip:name-2@domain", "sip:name-3@domain"...: what else the service could be called. Empty: not a SIP URI.
std::string alternative(std::string_view uri, int number);

} // namespace sipyard::xcap_server
