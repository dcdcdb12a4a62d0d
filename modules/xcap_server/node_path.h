// modules/xcap_server/node_path.h - a node of a document as a node selector by position (RFC 4825 11.2,
// field)
#pragma once

#include "core/xml/document.h"

#include <string>
#include <string_view>

namespace sipyard::xcap_server {

// "resource-lists/list%5b2%5d/@name": from the root down, what stands behind "~~/". Names of other namespaces
// than the usage's default get a prefix, bound by the "?xmlns(...)" at the end. `attribute` without
// namespace; empty: the element itself.
std::string node_path(xml::ElementView element, std::string_view attribute, std::string_view default_ns);

} // namespace sipyard::xcap_server
