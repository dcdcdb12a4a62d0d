// modules/maxfwd/maxfwd.cpp - Max-Forwards: checked, lowered, added (RFC 3261 16.3, 16.6)
#include "core/module/module.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"

#include <algorithm>
#include <string>

namespace sipyard::maxfwd {

class Maxfwd {
public:
    struct Settings {
        int max_limit = 70;
    };
    static Manifest<Maxfwd> manifest();

    Maxfwd(const Settings& settings, Host& host) : settings_{settings}, log_{host.logger("maxfwd")} {}

private:
    // 1 lowered, 2 added, -1 it was 0, -2 it is malformed.
    Verdict process(Request& request, std::int64_t fallback)
    {
        const sip::Message& message = request.message();
        const sip::Header* const header = message.first(sip::HeaderName::max_forwards);
        if (!header) {
            const std::int64_t value = std::clamp<std::int64_t>(fallback, 1, settings_.max_limit);
            request.edits().append_header(
                message, request.arena().concat("Max-Forwards: ", std::to_string(value), "\r\n"));
            return 2;
        }
        const auto hops = message.max_forwards();
        if (!hops) {
            log_.info("bad Max-Forwards '{}'", header->value);
            return -2;
        }
        if (*hops == 0)
            return -1;
        const std::int64_t next = std::min<std::int64_t>(*hops - 1, settings_.max_limit);
        request.edits().replace(message, header->value, std::to_string(next));
        return 1;
    }
    Verdict is_lower(Request& request, std::int64_t limit)
    {
        const auto hops = request.message().max_forwards();
        return Verdict::of(hops && *hops < limit);
    }

    const Settings settings_;
    const log::Logger log_;
};

Manifest<Maxfwd> Maxfwd::manifest()
{
    using M = Maxfwd;
    return {
        .name = "maxfwd",
        .about = "The Max-Forwards header of requests",
        .params = {param("max_limit", &Settings::max_limit, "Largest value that leaves this server")},
        .functions = {function("mf_process_maxfwd_header", &M::process,
                               "Lowers Max-Forwards or adds it; -1 when it was 0",
                               Route::request | Route::event),
                      function("is_maxfwd_lt", &M::is_lower,
                               "True when Max-Forwards is there and lower than the number")},
    };
}

} // namespace sipyard::maxfwd

SIPYARD_MODULE(sipyard::maxfwd::Maxfwd)
