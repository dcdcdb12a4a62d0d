// modules/jsonrpcs/jsonrpcs.cpp - the server's commands as JSON-RPC 2.0: over HTTP, a datagram socket, a
// FIFO, in the script
#include "core/base/text.h"
#include "core/json/value.h"
#include "core/module/json_rpc.h"
#include "core/module/module.h"
#include "core/sip/message.h"
#include "modules/jsonrpcs/sockets.h"

#include <memory>
#include <string>
#include <string_view>

namespace sipyard::jsonrpcs {

class JsonRpcs {
public:
    struct Settings {
        int pretty_format = 0, transport = 0;
        std::string fifo_name = "kamailio_rpc.fifo", fifo_user, fifo_group, fifo_reply_dir = "/tmp/";
        std::string dgram_socket = "kamailio_rpc.sock", dgram_user, dgram_group, tcp_socket;
        int fifo_mode = 0660, dgram_mode = 0660, dgram_workers = 1, dgram_timeout = 2000;
    };
    static Manifest<JsonRpcs> manifest();

    JsonRpcs(const Settings& settings, Host& host)
        : settings_{settings}, host_{host}, log_{host.logger("jsonrpcs")}, last_{host.slot<Last>()}
    {
        if (settings.transport < 0 || settings.transport > 7)
            throw StartupError{format("transport {} is not a sum of 1 (HTTP), 2 (FIFO) and 4 (datagram)",
                                      settings.transport)};
        if (host.checking())
            return;
        if (on(fifo) && !settings.fifo_name.empty())
            started(Fifo::open(host,
                               {path_of(settings.fifo_name), settings.fifo_mode, settings.fifo_user,
                                settings.fifo_group},
                               settings.fifo_reply_dir, style()),
                    fifo_);
        if (on(datagram) && !settings.dgram_socket.empty()) {
            if (istarts_with(settings.dgram_socket, "udp:"))
                log_.warn("dgram_socket {}: commands are not taken over a network, nothing listens there",
                          settings.dgram_socket);
            else
                started(DatagramSocket::open(host,
                                             {path_of(settings.dgram_socket), settings.dgram_mode,
                                              settings.dgram_user, settings.dgram_group},
                                             style()),
                        datagram_);
        }
        if (!settings.tcp_socket.empty())
            log_.warn("tcp_socket {}: commands are not taken over a network, nothing listens there",
                      settings.tcp_socket);
    }

private:
    enum Transport : int { http = 1, fifo = 2, datagram = 4 };
    struct Last { // of jsonrpc_exec, for $jsonrpl
        bool ran = false;
        int code = 0;
        std::string text, body;
    };

    bool on(Transport transport) const
    {
        return settings_.transport == 0 || (settings_.transport & transport) != 0;
    }
    JsonStyle style() const { return settings_.pretty_format != 0 ? JsonStyle::pretty : JsonStyle::compact; }
    std::string path_of(const std::string& name) const
    {
        return name.starts_with('/') ? name : format("{}/{}", host_.core().rundir, name);
    }
    // A server without this door still has others: a failure is told and not fatal.
    template <class T>
    void started(Result<std::unique_ptr<T>> made, std::unique_ptr<T>& keep)
    {
        if (made)
            keep = std::move(*made);
        else
            log_.warn("a transport is off: {}", made.error().text);
    }

    // Answers an HTTP request with what its body asks for. 1 answered, -1 this is no HTTP request or it has
    // been answered.
    Verdict dispatch(Request& request)
    {
        if (!request.is_http() || !on(http)) {
            log_.error("jsonrpc_dispatch: {}",
                       request.is_http() ? "transport= leaves HTTP out" : "this is no HTTP request");
            return Verdict::no();
        }
        const std::string answer = answer_json_rpc(host_, request.message().body(), style());
        const Reply reply = answer.empty() ? Reply{204, "No Content", {}, {}, {}} // a notification
                                           : Reply{200, "OK", {}, "application/json", answer};
        const auto sent = request.reply(reply);
        if (!sent)
            log_.error("jsonrpc_dispatch: {}", sent.error().text);
        return Verdict::of(sent.has_value());
    }

    // 1 also when the command failed: $jsonrpl(code) tells. -1 when the text is no JSON-RPC request.
    Verdict exec(Request& request, std::string_view text)
    {
        Last& last = request.at(last_);
        last = {true, 202, "Accepted", answer_json_rpc(host_, text, style())};
        if (last.body.empty())
            return Verdict::yes();
        const auto answer = json::parse(last.body);
        const json::Value nothing;
        const json::Value& error = answer ? (*answer)["error"] : nothing;
        if (error.is_null()) {
            last.code = 200;
            last.text = "OK";
            return Verdict::yes();
        }
        last.code = error["code"].integer() == -32700 || error["code"].integer() == -32600 ? 400 : 500;
        last.text = error["message"].text();
        return Verdict::of(last.code != 400);
    }

    Value result(Request& request, std::string_view key)
    {
        const Last* const last = request.find(last_);
        if (!last || !last->ran)
            return {};
        if (key == "code")
            return last->code;
        if (key == "text")
            return request.arena().copy(last->text);
        if (key == "body")
            return request.arena().copy(last->body);
        log_.error("$jsonrpl({}): expected code, text or body", key);
        return {};
    }

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const Slot<Last> last_;
    std::unique_ptr<Fifo> fifo_;
    std::unique_ptr<DatagramSocket> datagram_;
};

Manifest<JsonRpcs> JsonRpcs::manifest()
{
    using M = JsonRpcs;
    return {
        .name = "jsonrpcs",
        .about =
            "The server's commands as JSON-RPC 2.0 over HTTP, a datagram socket, a FIFO and in the script",
        .params = {param("pretty_format", &Settings::pretty_format, "1: answers with line breaks"),
                   param("transport", &Settings::transport, "0 all, or a sum of 1 HTTP, 2 FIFO, 4 datagram"),
                   param("fifo_name", &Settings::fifo_name,
                         "The FIFO; relative to the run directory; empty: none"),
                   param("fifo_mode", &Settings::fifo_mode, "Its permissions"),
                   param("fifo_user", &Settings::fifo_user, "Its owner, a name or number"),
                   param("fifo_group", &Settings::fifo_group, "Its group"),
                   param("fifo_reply_dir", &Settings::fifo_reply_dir,
                         "Directory of the FIFOs named by reply_name"),
                   param("dgram_socket", &Settings::dgram_socket,
                         "The unix datagram socket; relative to the run directory; empty: none"),
                   param("dgram_mode", &Settings::dgram_mode, "Its permissions"),
                   param("dgram_user", &Settings::dgram_user, "Its owner, a name or number"),
                   param("dgram_group", &Settings::dgram_group, "Its group"),
                   param("dgram_workers", &Settings::dgram_workers, "Accepted without effect"),
                   param("dgram_timeout", &Settings::dgram_timeout,
                         "Accepted without effect: an answer nobody can take is dropped"),
                   param("tcp_socket", &Settings::tcp_socket, "Accepted with a warning")},
        .functions = {function("jsonrpc_dispatch", &M::dispatch,
                               "Answers an HTTP request that carries a JSON-RPC one",
                               Route::request | Route::event),
                      function("jsonrpc_exec", &M::exec, "Runs a JSON-RPC request; $jsonrpl has the answer")},
        .variables = {variable("jsonrpl", &M::result, "code, text or body of the last jsonrpc_exec")},
    };
}

} // namespace sipyard::jsonrpcs

SIPYARD_MODULE(sipyard::jsonrpcs::JsonRpcs)
