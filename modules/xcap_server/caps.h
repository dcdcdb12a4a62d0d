// modules/xcap_server/caps.h - the xcap-caps document: what this server can do (RFC 4825 12)
#pragma once

#include "modules/xcap_server/schemas.h"
#include "modules/xcap_server/usage.h"

#include <string>

namespace sipyard::xcap_server {

// All enabled usages, and the namespaces whose content is validated, for listing promises that. Without
// `schemas` these are the two of the protocol itself.
std::string caps_document(const Usages& usages, const Schemas* schemas = nullptr);

} // namespace sipyard::xcap_server
