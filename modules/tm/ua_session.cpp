// modules/tm/ua_session.cpp - Session-Expires, Min-SE and their arithmetic
#include "modules/tm/ua_session.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/sip/lists.h"
#include "core/sip/message.h"

#include <algorithm>

namespace sipyard::tm {
namespace {

constexpr std::uint32_t least_min_se = 90; // RFC 4028 4

// "1800;refresher=uac": the number and the rest.
std::optional<std::uint32_t> number_of(std::string_view value, sip::ParamsView* params)
{
    const auto at = value.find(';');
    std::uint32_t number = 0;
    if (!sip::read(trim(value.substr(0, at)), number).empty())
        return {};
    if (params && at != std::string_view::npos)
        *params = sip::ParamsView{value.substr(at)};
    return number;
}

} // namespace

Duration SessionTimer::refresh_after() const
{
    return std::chrono::milliseconds{std::uint64_t{interval} * 500};
}

Duration SessionTimer::expires_after() const
{
    return std::chrono::seconds{interval - std::min<std::uint32_t>(32, interval / 3)};
}

SessionFields SessionFields::of(const sip::Message& message)
{
    SessionFields fields;
    if (const auto* header = message.first(sip::HeaderName::session_expires)) {
        sip::ParamsView params;
        fields.expires = number_of(header->value, &params);
        fields.refresher = params.find("refresher").value_or("");
    }
    if (const auto* header = message.first(sip::HeaderName::min_se))
        fields.min_se = number_of(header->value, nullptr).value_or(0);
    for (const auto name : {sip::HeaderName::supported, sip::HeaderName::require})
        for (const auto* header = message.first(name); header; header = message.next(*header))
            fields.supports_timer = fields.supports_timer || sip::list_has(header->value, "timer");
    return fields;
}

std::string session_lines(const SessionSettings& settings, const SessionTimer* running)
{
    if (settings.expires == 0 && !(running && running->interval))
        return {};
    const std::uint32_t min_se = std::max(settings.min_se, least_min_se);
    std::uint32_t expires = running && running->interval ? running->interval : settings.expires;
    expires = std::max(expires, min_se);
    std::string lines = format("Session-Expires: {}", expires);
    if (running && running->interval)
        lines += running->we_refresh ? ";refresher=uac"
                                     : ";refresher=uas"; // the sender of this request is its uac
    lines += "\r\n";
    if (min_se > least_min_se)
        lines += format("Min-SE: {}\r\n", min_se);
    return lines;
}

SessionTimer session_from_reply(const SessionSettings& settings, const SessionFields& reply)
{
    if (reply.expires && *reply.expires > 0)
        return {*reply.expires, !iequals(reply.refresher, "uas"), true};
    // The callee knows no session timer; our refreshes alone still find out that it is gone (7.2).
    if (settings.expires)
        return {std::max({settings.expires, settings.min_se, least_min_se}), true, false};
    return {};
}

std::optional<std::uint32_t> session_after_422(std::uint32_t asked, const SessionFields& reply)
{
    if (reply.min_se <= asked || reply.min_se > 86'400 * 7)
        return {};
    return reply.min_se;
}

SessionAnswer session_answer(const SessionSettings& settings, const SessionFields& request,
                             const SessionTimer* running)
{
    SessionAnswer answer;
    const std::uint32_t min_se = std::max(settings.min_se, least_min_se);
    if (request.expires && *request.expires < min_se) {
        if (request.supports_timer) {
            answer.too_small = true;
            return answer;
        }
        // A proxy asked for it; the caller would not understand 422 (9). We go on with the least we accept.
    }
    if (!request.expires && (settings.expires == 0 || (!request.supports_timer && !running)))
        return answer;
    std::uint32_t interval = request.expires.value_or(settings.expires);
    if (settings.expires && settings.expires < interval)
        interval =
            std::max(settings.expires, request.min_se); // may be lowered, not below the caller's Min-SE
    interval = std::max(interval, min_se);
    // Without a wish of the caller's it refreshes, when it can (9, table 2).
    const bool they_refresh = request.supports_timer && !iequals(request.refresher, "uas");
    answer.timer = {interval, !they_refresh, request.supports_timer};
    answer.lines = format("Session-Expires: {};refresher={}\r\n", interval, they_refresh ? "uac" : "uas");
    if (they_refresh)
        answer.lines += "Require: timer\r\n";
    return answer;
}

Duration glare_delay(bool call_id_is_ours, std::uint64_t random)
{
    const std::uint64_t step = call_id_is_ours ? 210 + random % 191 : random % 201;
    return std::chrono::milliseconds{10 * step};
}

} // namespace sipyard::tm
