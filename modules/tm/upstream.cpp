// modules/tm/upstream.cpp - replies to the caller: may it still leave, kept for retransmission, sent, noted
#include "modules/tm/tm.h"

#include "core/module/stateless.h"
#include "core/sip/build.h"
#include "core/sip/message.h"

namespace sipyard::tm {

bool Tm::claim(Cell& cell, int code)
{
    const Locked locked{cell.lock};
    const ServerEvent event = code < 200   ? ServerEvent::give_1xx
                              : code < 300 ? ServerEvent::give_2xx
                                           : ServerEvent::give_negative;
    const ServerStep next = step(cell.state, event, cell.invite, cell.is_reliable());
    if (next.what != ServerDo::send)
        return false;
    const bool was_final = cell.has_final();
    cell.state = next.next;
    cell.code = static_cast<std::uint16_t>(code);
    if (cell.saved && cell.saved->code_count < std::size(cell.saved->codes))
        cell.saved->codes[cell.saved->code_count++] = static_cast<std::uint16_t>(code);
    if (code >= 200 && !was_final) {
        cell.final_code = static_cast<std::uint16_t>(code);
        count_.by_class[static_cast<std::size_t>(std::min(code / 100, 6) - 2)]->add();
        if (cell.invite && code >= 300) { // G repeats the reply until the ACK, H gives up (RFC 3261 17.2.1)
            const Instant at = now();
            if (!cell.is_reliable()) {
                cell.again_ms = t1(cell);
                cell.again_at = at + std::chrono::milliseconds{cell.again_ms};
            }
            cell.out_at = at + std::chrono::milliseconds{fr(cell)};
        }
        settle(cell);
        schedule(cell);
    }
    return true;
}

void Tm::send_up(Cell& cell, int code, std::string_view bytes, bool keep)
{
    net::Destination to;
    {
        const Locked locked{cell.lock};
        to = cell.back;
        if (keep) {
            if (cell.reply.size < bytes.size()) {
                blocks_.put(cell.reply);
                cell.reply = blocks_.get(bytes.size());
            }
            std::memcpy(cell.reply.data, bytes.data(), bytes.size());
            cell.reply_size = static_cast<std::uint32_t>(bytes.size());
        } else {
            cell.reply_size = 0;
        }
    }
    count_.rpl_sent.add();
    if (const auto sent = host_.network().send(to, bytes); !sent)
        log_.info("a {} to {}:{} was not sent: {}", code, net::to_text(to.protocol), to.to.text(),
                  sent.error().text);
    if (Trail* const trail = host_.trail(); trail && cell.saved)
        trail->note(Trail::Way::out, cell.saved->call_id, cell.method, cell.cseq, code, {to.protocol, to.to});
}

// A reply made here.
Result<void> Tm::give(Cell& cell, Request& request, const Reply& reply)
{
    if (reply.code < 100 || reply.code > 699)
        return invalid(format("{} is no SIP status code", reply.code));
    if (!claim(cell, reply.code))
        return invalid("the transaction has had its final reply");
    const CoreSettings& core = host_.core();
    char ip[64];
    sip::ReplyParts parts;
    if (reply.code > 100)
        parts.to_tag = local_tag(request);
    parts.headers = request.reply_headers().empty() ? reply.headers
                    : reply.headers.empty()         ? request.reply_headers()
                                            : request.arena().concat(reply.headers, request.reply_headers());
    if (core.server_signature)
        parts.server = core.server_header;
    parts.content_type = reply.content_type;
    parts.body = reply.body;
    parts.source = {cell.received.source.ip_text(ip), cell.received.source.port, request.force_rport, false};
    const std::string_view reason = reply.reason.empty() ? sip::default_reason(reply.code) : reply.reason;
    const auto bytes = sip::build_reply(request.message(), reply.code, reason, parts, request.arena());
    count_.rpl_generated.add();
    if (wants(cell, Moment::reply_next))
        tell(cell, Moment::reply_next, &request, nullptr, reply.code, reason, -1, parts.to_tag);
    send_up(cell, reply.code, bytes, true);
    if (wants(cell, Moment::reply_out))
        tell(cell, Moment::reply_out, &request, nullptr, reply.code, reason, -1, parts.to_tag);
    if (reply.code >= 200) {
        request.answered = true;
        log_end(cell, reply.code);
        if (request.reply_close && cell.received.connection)
            host_.network().close(cell.received.connection);
        if (host_.has_event_route("tm:local-response")) {
            const Route before = request.route();
            (void)host_.run_event_route("tm:local-response", request);
            request.set_route(before);
        }
    }
    return {};
}

Result<void> Tm::reply(Request& request, const Reply& reply)
{
    State& s = state(request);
    if (!s.cell || !request.message().is_request())
        return invalid("there is no transaction to answer");
    Cell& cell = *s.cell;
    // A reply out of the script beats what branches might still say.
    const auto given = give(cell, request, reply);
    if (given && reply.code >= 200)
        cancel_legs(cell, reason_for(reply.code, request.arena()), -1, false);
    const Locked locked{cell.lock};
    settle(cell);
    schedule(cell);
    return given;
}

Result<void> Tm::reply(TransactionId id, const Reply& reply)
{
    Result<void> given;
    TRYV(with_request(id, [&](Request& request) { given = this->reply(request, reply); }));
    return given;
}

Result<void> Tm::with_request(TransactionId id, Function<void(Request&)> f)
{
    const Hold held{*this, find_held(id)};
    if (!held.cell)
        return Error{ErrorKind::not_found, "the transaction is gone"};
    Cell& cell = *held.cell;
    const Turn turn{*this, cell};
    {
        const Locked locked{cell.lock};
        if (cell.has_final() || !cell.saved)
            return Error{ErrorKind::not_found, "the transaction has had its final reply"};
    }
    task::Fiber* const fiber = task::Fiber::current();
    Arena own;
    Request* const request = rebuild(cell, fiber ? fiber->arena() : own, Route::failure);
    if (!request)
        return Error{ErrorKind::not_found, "the transaction is gone"};
    State& s = state(*request);
    s.holds_turn = true;
    f(*request);
    const Locked locked{cell.lock};
    if (cell.saved) {
        cell.saved->flags = request->flags;
        cell.saved->extended_flags = request->extended_flags;
    }
    return {};
}

void Tm::send_trying(Request& request, Cell& cell)
{
    if (!claim(cell, 100))
        return;
    char ip[64];
    sip::ReplyParts parts;
    if (host_.core().server_signature)
        parts.server = host_.core().server_header;
    parts.source = {cell.received.source.ip_text(ip), cell.received.source.port, request.force_rport, false};
    send_up(cell, 100,
            sip::build_reply(request.message(), 100, settings_.auto_inv_100_reason, parts, request.arena()),
            true);
}

// One line when a transaction has its answer: who, where to, what came of it, how long it took.
void Tm::log_end(Cell& cell, int code)
{
    if (!log_.enabled(log::Level::info))
        return;
    std::string to, codes;
    std::string call_id, from, ruri;
    Duration took{};
    {
        const Locked locked{cell.lock};
        if (!cell.saved || cell.logged)
            return;
        cell.logged = true;
        for (const Leg* leg = cell.saved->legs; leg; leg = leg->next)
            to += (to.empty() ? "" : ",") + leg->to.to.text();
        for (std::uint8_t i = 0; i < cell.saved->code_count; ++i)
            if (cell.saved->codes[i] > 100)
                codes += (codes.empty() ? "" : ",") + std::to_string(cell.saved->codes[i]);
        call_id = cell.saved->call_id;
        from = cell.saved->from;
        ruri = cell.saved->ruri_shown;
        took = now() - cell.created;
    }
    (void)code;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%lld.%03lld", static_cast<long long>(ms / 1000),
                  static_cast<long long>(ms % 1000));
    log_.info("call: {} Call-ID={} from={} src={} ruri={} -> {} codes={} in {} s", name_of(cell.method),
              call_id, from, cell.received.source.text(), ruri, to.empty() ? std::string{"-"} : to, codes,
              seconds);
}

} // namespace sipyard::tm
