// core/server/dispatcher.h - from bytes to a script: parse, check, run the route, forward what a reply route
// lets pass
#pragma once

#include "core/module/counter.h"
#include "core/module/stateless.h"
#include "core/net/network.h"
#include "core/script/engine.h"

namespace sipyard::server {

class ServerHost;

// One per server. on_message runs on the loop of the worker that read the message and starts its fiber at
// once.
class Dispatcher final : public net::MessageHandler {
public:
    Dispatcher(ServerHost& host, script::Engine& engine);

    void on_message(task::Worker& worker, const net::Received& from, std::string_view bytes) override;
    void on_send_failed(const net::Destination& to, std::string_view bytes, const Error& why) override;

private:
    void handle(const net::Received& from, std::string_view bytes); // on the fiber
    void handle_request(Request& request);
    void handle_reply(Request& request);
    void refuse_overloaded(const net::Received& from, std::string_view bytes);

    ServerHost& host_;
    script::Engine& engine_;
    log::Logger log_;
    Counter &requests_, &replies_, &bad_, &dropped_, &forwarded_replies_, &overloaded_, &send_failures_,
        &filtered_acks_;
};

} // namespace sipyard::server
