// core/server/commands.h - what the server itself answers over RPC: uptime, modules, connections, counters,
// log level, reload
#pragma once

namespace sipyard::server {

class Server;

void add_server_commands(Server& server);

} // namespace sipyard::server
