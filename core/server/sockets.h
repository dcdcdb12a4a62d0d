// core/server/sockets.h - listen= and alias= lines become sockets and the list of names that are ours
// (spec/script 6)
#pragma once

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/module/core_settings.h"
#include "core/net/network.h"

#include <optional>
#include <string>
#include <vector>

namespace sipyard::server {

// The sockets the settings ask for: names resolved, interfaces expanded, protocols multiplied. With no line
// every address of every interface is used. Errors name file and line.
Result<std::vector<net::Listener>> listeners_of(const CoreSettings& settings);

// Every host:port that counts as myself: sockets, advertised names, aliases. Ports of the sockets must be
// known.
std::vector<AliasLine> names_of(const CoreSettings& settings, const std::vector<net::Listener>& listeners);

// auto_aliases: the names DNS gives to our addresses. They are asked for by a thread that is left behind when
// the patience is over, with what is known until then: a dead name server does not hold up the start.
// Addresses everybody has (loopback) are asked about too, as Kamailio does.
using ReverseLookup = std::optional<std::string> (*)(const net::Address& address);
std::optional<std::string> reverse_lookup(const net::Address& address); // the system's; may block
std::vector<AliasLine> reverse_names(const std::vector<AliasLine>& ours, Duration patience,
                                     ReverseLookup lookup);

} // namespace sipyard::server
