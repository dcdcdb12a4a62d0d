// modules/sl/sl.cpp - stateless replies from the script (RFC 3261 8.2.7)
#include "core/module/module.h"
#include "core/module/stateless.h"
#include "core/sip/build.h"
#include "core/sip/message.h"

#include <array>
#include <string>

namespace sipyard::sl {

class Sl {
public:
    struct Settings {
        std::string default_reason = "Internal Server Error";
        int default_code = 500;
        int bind_tm = 1;
        int rich_redirect = 0;
        std::string event_callback_fl_ack, event_callback_lres_sent;
    };
    static Manifest<Sl> manifest();

    Sl(const Settings& settings, Host& host)
        : settings_{settings}, host_{host}, log_{host.logger("sl")},
          by_class_{&host.counter("sl", "1xx_replies", "Provisional replies sent"),
                    &host.counter("sl", "2xx_replies", "2xx replies sent"),
                    &host.counter("sl", "3xx_replies", "3xx replies sent"),
                    &host.counter("sl", "4xx_replies", "4xx replies sent"),
                    &host.counter("sl", "5xx_replies", "5xx replies sent"),
                    &host.counter("sl", "6xx_replies", "6xx replies sent")},
          failures_{host.counter("sl", "failures", "Replies that could not be sent")}
    {
    }

private:
    // Without a transaction of its own, whatever t_newtran did.
    Verdict sl_send_reply(Request& request, std::int64_t code, std::string_view reason)
    {
        StatelessReplies* const stateless = host_.stateless();
        if (request.is_http() || !stateless)
            return send(request, request.responder(), code, reason);
        return send(request, *stateless, code, reason);
    }
    // With the transaction if there is one: its responder has taken the stateless one's place.
    Verdict send_reply(Request& request, std::int64_t code, std::string_view reason)
    {
        return send(request, request.responder(), code, reason);
    }
    Verdict sl_reply_error(Request& request)
    {
        const int code = error_code(request);
        return sl_send_reply(request, code, error_reason(code));
    }
    Verdict send_reply_error(Request& request)
    {
        const int code = error_code(request);
        return send_reply(request, code, error_reason(code));
    }

    int error_code(const Request& request) const
    {
        return request.last_error >= 300 && request.last_error <= 699 ? request.last_error
                                                                      : settings_.default_code;
    }
    std::string_view error_reason(int code) const
    {
        return code == settings_.default_code ? std::string_view{settings_.default_reason}
                                              : sip::default_reason(code);
    }

    Verdict send(Request& request, Responder& responder, std::int64_t code, std::string_view reason)
    {
        if (code < 100 || code > 699) {
            log_.error("{} is no SIP status code", code);
            return Verdict::no();
        }
        const auto sent = responder.reply(request, {static_cast<int>(code), reason, {}, {}, {}});
        if (!sent) {
            failures_.add();
            log_.error("a {} reply to {} could not be sent: {}", code, request.received().source.text(),
                       sent.error().text);
            return Verdict::no();
        }
        by_class_[static_cast<std::size_t>(code / 100 - 1)]->add();
        if (host_.has_event_route("sl:local-response"))
            (void)host_.run_event_route("sl:local-response", request);
        return Verdict::yes();
    }

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    std::array<Counter*, 6> by_class_;
    Counter& failures_;
};

Manifest<Sl> Sl::manifest()
{
    using M = Sl;
    constexpr RouteMask replying = Route::request | Route::failure | Route::core_reply | Route::tm_reply;
    return {
        .name = "sl",
        .about = "Stateless replies",
        .params = {param("default_code", &Settings::default_code,
                         "Code of an error reply that knows no better"),
                   param("default_reason", &Settings::default_reason, "Reason phrase of that reply"),
                   param("bind_tm", &Settings::bind_tm,
                         "Accepted; send_reply always uses the transaction if there is one"),
                   param("rich_redirect", &Settings::rich_redirect, "Accepted without effect"),
                   param("event_callback_fl_ack", &Settings::event_callback_fl_ack,
                         "Accepted; scripts use event_route[sl:filtered-ack]"),
                   param("event_callback_lres_sent", &Settings::event_callback_lres_sent,
                         "Accepted; scripts use event_route[sl:local-response]")},
        .functions = {function("sl_send_reply", &M::sl_send_reply,
                               "Answers the request without a transaction", Route::request | Route::event),
                      function("send_reply", &M::send_reply, "Answers with the transaction if there is one",
                               replying | Route::event),
                      function("sl_reply_error", &M::sl_reply_error,
                               "Answers with the last internal error, without a transaction",
                               Route::request | Route::event),
                      function("send_reply_error", &M::send_reply_error,
                               "Answers with the last internal error", replying | Route::event),
                      function("sl_reply", &M::sl_send_reply, "As sl_send_reply",
                               Route::request | Route::event)},
        .event_routes = {"sl:filtered-ack", "sl:local-response"},
    };
}

} // namespace sipyard::sl

SIPYARD_MODULE(sipyard::sl::Sl)
