// modules/tm/commands.cpp - management: counts, lists, cancelling, answering and sending by command
#include "modules/tm/tm.h"

#include "core/base/text.h"
#include "core/json/value.h"
#include "core/sip/build.h"
#include "core/sip/message.h"
#include "modules/tm/ua_dialogs.h"

namespace sipyard::tm {

namespace {

using JsonValue = json::Value;

const JsonValue& param_of(const JsonValue& params, std::size_t index, std::string_view name)
{
    return params.is_object() ? params[name] : params[index];
}

std::string text_of(const JsonValue& value)
{
    return value.is_integer() ? std::to_string(value.integer()) : std::string{value.text()};
}

Result<std::int64_t> number_of(const JsonValue& params, std::size_t index, std::string_view name)
{
    const JsonValue& value = param_of(params, index, name);
    if (value.is_integer())
        return value.integer();
    if (const auto number = parse_int(value.text()))
        return *number;
    return invalid(format("{} is missing or no number", name));
}

double seconds(Duration d)
{
    return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) / 1000;
}

} // namespace

Result<json::Value> Tm::rpc_stats(const json::Value&)
{
    const Counts c = counts();
    JsonValue out = JsonValue::object();
    out.set("current", c.live)
        .set("waiting", c.waiting)
        .set("total", c.total + c.local)
        .set("total_local", c.local)
        .set("rpl_received", c.rpl_received)
        .set("rpl_generated", c.rpl_generated)
        .set("rpl_sent", c.rpl_sent)
        .set("6xx", c.by_class[4])
        .set("5xx", c.by_class[3])
        .set("4xx", c.by_class[2])
        .set("3xx", c.by_class[1])
        .set("2xx", c.by_class[0])
        .set("created", c.total + c.local)
        .set("freed", c.total + c.local - c.live)
        .set("delayed_free", 0);
    return out;
}

Result<json::Value> Tm::rpc_hash_stats(const json::Value&)
{
    JsonValue out = JsonValue::object();
    out.set("transactions", slabs_.live())
        .set("limit", slabs_.most())
        .set("cell_bytes", sizeof(Cell))
        .set("block_bytes", blocks_.bytes());
    return out;
}

// Every transaction, at most 1,000.
Result<json::Value> Tm::rpc_list(const json::Value&)
{
    JsonValue out = JsonValue::array();
    std::size_t left = 1000;
    slabs_.each([&](Cell& cell) {
        const Locked locked{cell.lock};
        if (!cell.in_use || left == 0)
            return;
        --left;
        JsonValue row = JsonValue::object();
        row.set("tindex", cell.index)
            .set("tlabel", cell.generation)
            .set("method", name_of(cell.method))
            .set("state", to_text(cell.state))
            .set("waiting", cell.waiting)
            .set("local", cell.own)
            .set("refcount", cell.holds);
        if (cell.saved)
            row.set("callid", cell.saved->call_id)
                .set("from", cell.saved->from)
                .set("ruri", cell.saved->ruri_shown);
        row.set("cseq", cell.cseq)
            .set("uas_status", cell.code)
            .set("branches", cell.branches)
            .set("lifetime", seconds(host_.clock().now() - cell.created));
        out.add(std::move(row));
    });
    return out;
}

// Calls being set up: INVITE transactions without a final answer.
Result<json::Value> Tm::rpc_calls(const json::Value&)
{
    JsonValue out = JsonValue::array();
    std::size_t left = 1000;
    slabs_.each([&](Cell& cell) {
        const Locked locked{cell.lock};
        if (!cell.in_use || !cell.invite || cell.has_final() || !cell.saved || left == 0)
            return;
        --left;
        JsonValue branches = JsonValue::array();
        for (const Leg* leg = cell.saved->legs; leg; leg = leg->next)
            branches.add(JsonValue::object()
                             .set("branch", leg->branch)
                             .set("to", format("{}:{}", net::to_text(leg->to.protocol), leg->to.to.text()))
                             .set("uri", leg->uri)
                             .set("state", to_text(leg->state))
                             .set("code", leg->code));
        out.add(JsonValue::object()
                    .set("id", format("{}:{}", cell.index, cell.generation))
                    .set("callid", cell.saved->call_id)
                    .set("from", cell.saved->from)
                    .set("ruri", cell.saved->ruri_shown)
                    .set("src", cell.received.source.text())
                    .set("state", to_text(cell.state))
                    .set("code", cell.code)
                    .set("canceled", cell.cancelled)
                    .set("age", seconds(host_.clock().now() - cell.created))
                    .set("branches", std::move(branches)));
    });
    return out;
}

Result<json::Value> Tm::rpc_cancel(const json::Value& params)
{
    TRY(const auto cseq, number_of(params, 1, "cseq"));
    TRYV(cancel_call(text_of(param_of(params, 0, "callid")), static_cast<std::uint32_t>(cseq), {}));
    return JsonValue{"ok"};
}

// code, reason, tindex:tlabel, to-tag (ours is used), headers, body
Result<json::Value> Tm::rpc_reply(const json::Value& params)
{
    TRY(const auto code, number_of(params, 0, "code"));
    const std::string reason = text_of(param_of(params, 1, "reason")),
                      id = text_of(param_of(params, 2, "trans_id"));
    const auto colon = id.find(':');
    const auto index = parse_int(std::string_view{id}.substr(0, colon));
    const auto label =
        colon == std::string::npos ? std::nullopt : parse_int(std::string_view{id}.substr(colon + 1));
    if (!index || !label)
        return invalid("trans_id is not index:label");
    std::string headers = text_of(param_of(params, 4, "headers"));
    if (headers == ".")
        headers.clear();
    if (!headers.empty() && !headers.ends_with("\r\n"))
        headers += "\r\n";
    const std::string body = text_of(param_of(params, 5, "body"));
    TRYV(reply(TransactionId{static_cast<std::uint32_t>(*index), static_cast<std::uint32_t>(*label)},
               {static_cast<int>(code), reason, headers, {}, body}));
    return JsonValue{"ok"};
}

Result<json::Value> Tm::rpc_reply_callid(const json::Value& params)
{
    TRY(const auto code, number_of(params, 0, "code"));
    TRY(const auto cseq, number_of(params, 3, "cseq"));
    TRYV(reply_call(text_of(param_of(params, 2, "callid")), static_cast<std::uint32_t>(cseq),
                    static_cast<int>(code), text_of(param_of(params, 1, "reason"))));
    return JsonValue{"ok"};
}

// Transactions that are older than all their timers allow: there should be none. How many there were.
Result<json::Value> Tm::rpc_clean(const json::Value&)
{
    std::int64_t old = 0;
    const Duration most =
        std::chrono::milliseconds{std::int64_t{settings_.max_inv_lifetime} + settings_.max_noninv_lifetime +
                                  2 * settings_.fr_timer + settings_.wt_timer};
    slabs_.each([&](Cell& cell) {
        const Locked locked{cell.lock};
        if (!cell.in_use || cell.gone || cell.waiting || host_.clock().now() - cell.created < most)
            return;
        ++old;
        cell.state = cell.own      ? ServerState::terminated
                     : cell.invite ? ServerState::confirmed
                                   : ServerState::completed;
        for (Leg* leg = cell.saved ? cell.saved->legs : nullptr; leg; leg = leg->next) {
            leg->superseded = true;
            leg->again_at = leg->out_at = leg->cancel_again_at = task::never;
        }
        settle(cell);
        schedule(cell);
    });
    return JsonValue::object().set("cleaned", old);
}

// method, R-URI, next hop, socket, headers, body; "." stands for nothing.
Result<json::Value> Tm::send_from_command(const json::Value& params, bool wait)
{
    const auto text = [&](std::size_t index, std::string_view name) {
        std::string value = text_of(param_of(params, index, name));
        return value == "." ? std::string{} : value;
    };
    const std::string method = text(0, "method"), ruri = text(1, "ruri"), hop = text(2, "next_hop"),
                      socket = text(3, "socket"), headers = text(4, "headers"), body = text(5, "body");
    task::Fiber* const fiber = task::Fiber::current();
    if (!fiber)
        return Error{ErrorKind::unsupported, "commands that send run on a fiber"};
    Composed composed;
    TRYV(compose_loose(composed, method, ruri, hop, socket, headers, body, fiber->arena()));
    if (!wait) {
        TRY(const auto id, send(composed.out, {}));
        return JsonValue::object().set("id", format("{}:{}", id.index, id.generation));
    }
    TRY(const auto answer, ask(composed.out, fiber->arena()));
    return JsonValue::object()
        .set("code", answer.code)
        .set("reason", answer.reason)
        .set("message", answer.message);
}

Result<json::Value> Tm::rpc_uac_start(const json::Value& params) { return send_from_command(params, false); }
Result<json::Value> Tm::rpc_uac_wait(const json::Value& params) { return send_from_command(params, true); }

Result<json::Value> Tm::rpc_dialogs(const json::Value&)
{
    return user_agent_ ? user_agent_->as_json() : json::Value::array();
}

Verdict Tm::t_clean(Request&)
{
    (void)rpc_clean({});
    return Verdict::yes();
}

} // namespace sipyard::tm
