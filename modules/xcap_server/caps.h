// modules/xcap_server/caps.h - the xcap-caps document: what this server can do (RFC 4825 12)
#pragma once

#include "modules/xcap_server/usage.h"

#include <string>

namespace sipyard::xcap_server {

// All enabled usages. A namespace is listed only when its documents are validated, for listing promises that.
std::string caps_document(const Usages& usages);

} // namespace sipyard::xcap_server
