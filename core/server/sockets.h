// core/server/sockets.h - listen= and alias= lines become sockets and the list of names that are ours (spec/script 6)
#pragma once

#include "core/base/result.h"
#include "core/module/core_settings.h"
#include "core/net/network.h"

#include <vector>

namespace sipyard::server {

// The sockets the settings ask for: names resolved, interfaces expanded, protocols multiplied. With no line every
// address of every interface is used. Errors name file and line.
Result<std::vector<net::Listener>> listeners_of(const CoreSettings& settings);

// Every host:port that counts as myself: sockets, advertised names, aliases. Ports of the sockets must be known.
std::vector<AliasLine> names_of(const CoreSettings& settings, const std::vector<net::Listener>& listeners);

} // namespace sipyard::server
