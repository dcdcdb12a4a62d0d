// modules/sanity/sanity.cpp - is this message fit to be routed? Bad ones are answered and, with autodrop, end
// the script
#include "core/base/text.h"
#include "core/module/module.h"
#include "core/sip/message.h"
#include "modules/sanity/checks.h"

#include <optional>
#include <string>

namespace sipyard::sanity {

class Sanity {
public:
    struct Settings {
        int default_checks = 0xfe7, uri_checks = 7, autodrop = 1, noreply = 0;
        std::string proxy_require;
    };
    static Manifest<Sanity> manifest();

    Sanity(const Settings& settings, Host& host)
        : settings_{settings}, log_{host.logger("sanity")}, failed_{host.counter(
                                                                "sanity", "failed",
                                                                "Messages that failed a sanity check")}
    {
        for (const auto name : split(settings.proxy_require, ','))
            if (!trim(name).empty())
                supported_.emplace_back(trim(name));
    }

private:
    Verdict check_default(Request& request)
    {
        return check(request, settings_.default_checks, settings_.uri_checks);
    }
    Verdict check_messages(Request& request, std::int64_t mask)
    {
        return check(request, mask, settings_.uri_checks);
    }

    // 1 when all is well. Otherwise a request is answered, and the script ends (autodrop) or sees -1.
    Verdict check(Request& request, std::int64_t mask, std::int64_t uri_mask)
    {
        const auto flaw = find_flaw(request.message(), static_cast<unsigned>(mask),
                                    static_cast<unsigned>(uri_mask), supported_);
        if (!flaw)
            return Verdict::yes();
        failed_.add();
        if (log_.enabled(log::Level::info))
            log_.info("message from {}: {}", request.received().source.text(), flaw->reason);
        const sip::Message& message = request.message();
        if (settings_.noreply == 0 && message.is_request() && message.method() != sip::Method::ack &&
            message.can_be_answered()) {
            const auto sent = request.reply({flaw->code, flaw->reason, flaw->headers, {}, {}});
            if (!sent)
                log_.warn("the {} reply could not be sent: {}", flaw->code, sent.error().text);
        } else {
            request.last_error = flaw->code;
        }
        return settings_.autodrop != 0 ? Verdict::stop() : Verdict::no();
    }
    // The reply of the last failed check that was kept back (noreply=1).
    Verdict sanity_reply(Request& request)
    {
        if (request.last_error < 400 || request.message().is_reply())
            return Verdict::no();
        return Verdict::of(request.reply({request.last_error, {}, {}, {}, {}}).has_value());
    }

    const Settings settings_;
    const log::Logger log_;
    Counter& failed_;
    std::vector<std::string> supported_; // option tags of Proxy-Require that are fine
};

Manifest<Sanity> Sanity::manifest()
{
    using M = Sanity;
    constexpr RouteMask where = Route::request | Route::core_reply | Route::event;
    return {
        .name = "sanity",
        .about = "Checks whether a message is fit to be routed",
        .params = {param("default_checks", &Settings::default_checks,
                         "Checks without an argument, a bit mask"),
                   param("uri_checks", &Settings::uri_checks,
                         "URIs checked without an argument: 1 request, 2 From, 4 To, 8 Contact"),
                   param("proxy_require", &Settings::proxy_require,
                         "Option tags of Proxy-Require that are supported, comma separated"),
                   param("autodrop", &Settings::autodrop, "1: a failed check ends the script"),
                   param("noreply", &Settings::noreply,
                         "1: a failed check is not answered; sanity_reply() does it")},
        .functions = {function("sanity_check", &M::check_default, "Checks the message", where),
                      function("sanity_check", &M::check_messages, "Checks the message with this bit mask",
                               where),
                      function("sanity_check", &M::check, "Checks the message and URIs with these bit masks",
                               where),
                      function("sanity_reply", &M::sanity_reply,
                               "Answers a failed check that was not answered", where)},
    };
}

} // namespace sipyard::sanity

SIPYARD_MODULE(sipyard::sanity::Sanity)
