// modules/ctl/ctl.cpp - Kamailio's control module for configurations that load it: its sockets are the core's
// here
#include "core/json/value.h"
#include "core/module/module.h"

#include <string>
#include <vector>

namespace sipyard::ctl {

// binrpc is not spoken. The core's JSON-RPC socket serves sipyardctl whether or not this module is loaded.
class Ctl {
public:
    struct Settings {
        std::vector<std::string> binrpc, fifo;
        int binrpc_buffer_size = 1024, mode = 0600, autoconversion = 0;
        int binrpc_max_body_size = 32, binrpc_struct_max_body_size = 8;
        std::string user, group;
    };
    static Manifest<Ctl> manifest();

    Ctl(const Settings& settings, Host& host) : host_{host}
    {
        const auto log = host.logger("ctl");
        for (const std::string& address : settings.binrpc)
            log.warn("binrpc is not spoken here, nothing listens at {}: use sipyardctl", address);
        for (const std::string& address : settings.fifo)
            log.warn("the FIFO protocol is not spoken here, nothing listens at {}: use sipyardctl", address);
    }

private:
    Result<json::Value> listen(const json::Value&)
    {
        json::Value list = json::Value::array();
        list.add(json::Value::object()
                     .set("proto", "jsonrpc")
                     .set("type", "unix_stream")
                     .set("directory", host_.core().rundir));
        return list;
    }
    // binrpc connections, which there never are.
    Result<json::Value> connections(const json::Value&) { return json::Value{0}; }
    Result<json::Value> who(const json::Value&) { return json::Value::array(); }

    Host& host_;
};

Manifest<Ctl> Ctl::manifest()
{
    using M = Ctl;
    return {
        .name = "ctl",
        .about = "Accepts the parameters of Kamailio's control sockets; sipyardctl has a socket of the core",
        .params = {param("binrpc", &Settings::binrpc, "Accepted with a warning: binrpc is not spoken"),
                   param("fifo", &Settings::fifo, "Accepted with a warning"),
                   param("binrpc_buffer_size", &Settings::binrpc_buffer_size, "Accepted without effect"),
                   param("mode", &Settings::mode, "Accepted without effect"),
                   param("user", &Settings::user, "Accepted without effect"),
                   param("group", &Settings::group, "Accepted without effect"),
                   param("autoconversion", &Settings::autoconversion, "Accepted without effect"),
                   param("binrpc_max_body_size", &Settings::binrpc_max_body_size, "Accepted without effect"),
                   param("binrpc_struct_max_body_size", &Settings::binrpc_struct_max_body_size,
                         "Accepted without effect")},
        .commands = {command("ctl.listen", &M::listen, "Where commands are taken"),
                     command("ctl.connections", &M::connections,
                             "How many binrpc connections there are: none"),
                     command("ctl.who", &M::who, "The binrpc connections: none")},
    };
}

} // namespace sipyard::ctl

SIPYARD_MODULE(sipyard::ctl::Ctl)
