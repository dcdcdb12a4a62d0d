// modules/xcap_server/directory.h - the xcap-directory document: what a user has stored (OMA XDM core)
#pragma once

#include "modules/xcap_server/store.h"

#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_server {

// A folder for each usage, in the order of their names, by the keys and not by type, for two usages share
// one. Documents that are not below the root's users trees are left out. No last-modified: the table has no
// such column. `scheme` and `authority` begin every uri (Ask).
std::string directory_document(std::vector<Listed> documents, std::string_view root, std::string_view scheme,
                               std::string_view authority);

} // namespace sipyard::xcap_server
