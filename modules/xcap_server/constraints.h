// modules/xcap_server/constraints.h - what usages demand beyond schema and uniqueness (RFC 4825 5.4, 8.2.5)
#pragma once

#include "core/xml/document.h"
#include "modules/xcap_server/body.h"
#include "modules/xcap_server/uri.h"

#include <optional>
#include <string>
#include <string_view>

namespace sipyard::xcap_server {

// Step 6 of validation: a sentence about the first constraint that does not hold, nothing when all do. Pure
// and thread-safe. What a reference leads to is never looked at (RFC 4826 3.4.5).
std::optional<std::string> broken_constraint(const xml::Document& document, const Candidate& candidate,
                                             const Rules& rules);

// The usages' own, a file each.
std::optional<std::string> broken_in_resource_lists(xml::ElementView root, const Candidate& candidate,
                                                    const Rules& rules); // RFC 4826 3.4.5
std::optional<std::string> broken_in_list(xml::ElementView list, const Candidate& candidate,
                                          const Rules& rules); // `list` of any namespace, its children's is
                                                               // resource-lists
std::optional<std::string> broken_in_rls_services(xml::ElementView root, const Candidate& candidate,
                                                  const Rules& rules);      // RFC 4826 4.4.5
std::optional<std::string> broken_in_oma_pres_rules(xml::ElementView root); // OMA presence XDM
std::optional<std::string> broken_in_user_profile(xml::ElementView root, const Candidate& candidate,
                                                  const Rules& rules); // OMA XDM
std::optional<std::string> broken_in_pres_content(xml::ElementView root,
                                                  const Rules& rules); // OMA presence XDM

// Forms of URIs. All refuse blanks and control characters.
bool has_scheme(std::string_view uri);       // "sip:a@b", "urn:x": scheme ":" something (RFC 3986 3.1)
bool is_relative_path(std::string_view uri); // no scheme, no authority, no leading slash, not empty
bool is_http_uri(std::string_view uri);      // absolute, http or https, with a host
// The same URI with a shortened text for messages.
std::string quoted(std::string_view text);

} // namespace sipyard::xcap_server
