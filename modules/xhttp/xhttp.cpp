// modules/xhttp/xhttp.cpp - HTTP/1.1 on the SIP ports, answered by event_route[xhttp:request]
#include "modules/xhttp/api.h"
#include "modules/xhttp/daemon.h"
#include "modules/xhttp/file.h"

#include "core/base/text.h"
#include "core/module/module.h"
#include "core/sip/message.h"
#include "core/task/fiber.h"

#include <optional>
#include <vector>

namespace sipyard::xhttp {

class Xhttp final : public Api, public net::HttpAcceptor {
public:
    struct Settings {
        std::string event_callback;
        std::optional<Regex> url_match, url_skip;
        ByteCount max_body{1_MiB};
        Seconds request_timeout{30};
        int max_connections = 4096;
    };
    static Manifest<Xhttp> manifest();

    Xhttp(const Settings& settings, Host& host)
        : settings_{settings}, host_{host}, log_{host.logger("xhttp")},
          counts_{
              host.counter("xhttp", "requests", "HTTP requests received"),
              host.counter("xhttp", "replies", "HTTP replies sent"),
              host.counter("xhttp", "too_large", "Requests whose body was refused with 413"),
              host.counter("xhttp", "timeouts", "Connections closed because the client was too slow or idle"),
              host.counter("xhttp", "refused", "Connections refused at the limit"),
              host.counter("xhttp", "overloaded", "Requests refused with 503 because too many are waiting")}
    {
        if (host.checking())
            return;
        Limits limits;
        limits.connections = static_cast<std::size_t>(settings.max_connections);
        limits.max_body = settings.max_body.bytes;
        limits.request_timeout = std::chrono::seconds{settings.request_timeout.count};
        limits.idle_timeout = std::chrono::seconds{host.core().tcp_connection_lifetime};
        daemons_.resize(host.runtime().workers());
        host.runtime().on_every_worker([&](task::Worker& worker) {
            daemons_[worker.index()] = std::make_unique<Daemon>(
                worker, limits, counts_, host.network(), [this](Exchange& exchange) { serve(exchange); },
                [this](Exchange& exchange) { return ask(exchange); });
        });
        host.network().set_http(this);
    }
    ~Xhttp() override
    {
        if (host_.checking())
            return;
        host_.network().set_http(nullptr);
        host_.runtime().on_every_worker([this](task::Worker& worker) { daemons_[worker.index()].reset(); });
    }

    void accept(task::Worker& worker, int fd, const net::Received& from) override
    {
        daemons_[worker.index()]->adopt(fd, from);
    }

    Result<std::shared_ptr<Stream>> stream(Request& request, const Reply& head) override
    {
        auto* const exchange = dynamic_cast<Exchange*>(&request.responder());
        if (!exchange)
            return invalid("only an HTTP request can be answered with a stream");
        auto body = std::make_shared<BodyStream>(exchange->daemon, exchange->handle);
        if (!head.body.empty())
            TRYV(body->write(head.body));
        TRYV(exchange->reply_stream(request, head, body));
        return std::shared_ptr<Stream>{body};
    }

private:
    static constexpr std::string_view event = "xhttp:request", expect_event = "xhttp:expect";
    // A browser asks each time whether its copy is still good, takes the type as it is told, runs and fetches
    // only what comes from here, and shows the page in nobody's frame.
    static constexpr std::string_view file_headers =
        "Cache-Control: no-cache\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Referrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'\r\n";

    bool is_served(std::string_view target) const
    {
        return !(settings_.url_match && !settings_.url_match->matches(target)) &&
               !(settings_.url_skip && settings_.url_skip->matches(target));
    }

    bool ask(Exchange& exchange) // on the worker's loop; what is wrong with the target is said when the body
                                 // is there
    {
        return is_served(exchange.target) && host_.has_event_route(expect_event) &&
               exchange.daemon.worker().spawn([this, &exchange] { run(exchange, expect_event); }).has_value();
    }

    void serve(Exchange& exchange) // on the worker's loop
    {
        if (!is_served(exchange.target)) {
            exchange.refuse(404, "nothing here\n");
            exchange.state = Exchange::State::done;
            return;
        }
        const auto started = exchange.daemon.worker().spawn([this, &exchange] { run(exchange, event); });
        if (!started) {
            counts_.overloaded.add();
            exchange.refuse(503, "too many requests are waiting\n");
            exchange.state = Exchange::State::done;
        }
    }

    void run(Exchange& exchange, std::string_view route) // on the fiber
    {
        struct Finish { // also when the script throws
            Exchange& exchange;
            ~Finish() { exchange.daemon.finished(exchange); }
        } finish{exchange};
        Arena& arena = task::Fiber::current()->arena();
        auto message = sip::Message::parse(exchange.text, arena);
        if (!message) {
            log_.info("bad request from {}: {}", exchange.received.source.text(), message.error().text);
            exchange.refuse(400, "the request could not be read\n");
            return;
        }
        Request request{host_, arena, **message, exchange.received, Route::event};
        request.set_http();
        request.set_responder(exchange);
        (void)host_.run_event_route(route, request);
    }

    // --- script ---
    Verdict reply(Request& request, std::int64_t code, std::string_view reason, std::string_view content_type,
                  std::string_view body)
    {
        if (!request.is_http()) {
            log_.error("xhttp_reply: not an HTTP request");
            return Verdict::no();
        }
        if (code < 200 || code > 699) {
            log_.error("xhttp_reply: {} is no final status", code);
            return Verdict::no();
        }
        const auto sent = request.reply({static_cast<int>(code), reason, {}, content_type, body});
        if (!sent)
            log_.error("xhttp_reply: {}", sent.error().text);
        return Verdict::of(sent.has_value());
    }
    // Sends exactly one reply, whatever the path is.
    Verdict file(Request& request, const Directory& directory, std::string_view path)
    {
        if (!request.is_http()) {
            log_.error("xhttp_file: not an HTTP request");
            return Verdict::no();
        }
        const auto& message = request.message();
        if (const auto method = message.method_text(); method != "GET" && method != "HEAD")
            return refuse(request, 405, "Method Not Allowed", "Allow: GET, HEAD\r\n");
        const auto names = names_of(path);
        const auto found =
            !names ? Result<File>{names.error()}
                   : task::blocking(
                         host_.runtime().pool(), std::chrono::seconds{10},
                         [](std::string below, std::vector<std::string> way, std::string known) {
                             return read_below(below, way, known);
                         },
                         directory.path, *names, std::string{message.value(sip::HeaderName::if_none_match)});
        if (!found) {
            if (found.error().kind == ErrorKind::not_found)
                return refuse(request, 404, "Not Found");
            log_.warn("xhttp_file: {} below {}: {}", path, directory.path, found.error().text);
            if (found.error().kind == ErrorKind::io || found.error().kind == ErrorKind::unsupported)
                return refuse(request, 500, "Internal Server Error");
            return refuse(request, 503, "Service Unavailable",
                          "Retry-After: 1\r\n"); // the pool takes no more
        }
        const auto headers = request.arena().concat("ETag: \"", found->tag, "\"\r\n", file_headers);
        const auto sent =
            found->bytes ? request.reply({200, "OK", headers, content_type_of(names->back()), *found->bytes})
                         : request.reply({304, "Not Modified", headers, {}, {}});
        if (!sent)
            log_.error("xhttp_file: {}", sent.error().text);
        return Verdict::of(sent.has_value());
    }
    Verdict refuse(Request& request, int code, std::string_view reason, std::string_view headers = {})
    {
        const auto text = request.arena().concat(reason, "\n");
        if (const auto sent = request.reply({code, reason, headers, "text/plain", text}); !sent)
            log_.error("xhttp_file: {}", sent.error().text);
        return Verdict::no();
    }
    Value http_uri(Request& request)
    {
        return request.is_http() ? Value{request.message().uri_text()} : Value{};
    }

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    Counts counts_;
    std::vector<std::unique_ptr<Daemon>> daemons_; // one per worker, used there only
};

Manifest<Xhttp> Xhttp::manifest()
{
    using M = Xhttp;
    return {
        .name = "xhttp",
        .about = "HTTP/1.1 requests on the SIP TCP and TLS ports, answered by the script",
        .offers = {offer_of<Api, M>()},
        .params = {param("url_match", &Settings::url_match, "Targets that are served; others get 404"),
                   param("url_skip", &Settings::url_skip, "Targets that are not served"),
                   param("event_callback", &Settings::event_callback,
                         "Accepted; scripts use event_route[xhttp:request]"),
                   param("max_body_size", &Settings::max_body,
                         "Largest request body, in bytes; beyond it 413"),
                   param("request_timeout", &Settings::request_timeout,
                         "Seconds a request may take to arrive"),
                   param("max_connections", &Settings::max_connections, "HTTP connections of one worker")},
        .functions = {function("xhttp_reply", &M::reply, "Answers the HTTP request",
                               Route::request | Route::event),
                      function("xhttp_file", &M::file,
                               "Answers the HTTP request with a file below a directory",
                               Route::request | Route::event)},
        .variables = {variable("hu", &M::http_uri, "Target of the HTTP request: path and query")},
        .event_routes = {"xhttp:request", "xhttp:expect"},
    };
}

} // namespace sipyard::xhttp

SIPYARD_MODULE(sipyard::xhttp::Xhttp)
