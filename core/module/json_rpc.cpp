// core/module/json_rpc.cpp - requests, batches and errors of JSON-RPC 2.0
#include "core/module/json_rpc.h"

#include "core/json/value.h"
#include "core/module/host.h"

#include <exception>
#include <optional>

namespace sipyard {

namespace {

constexpr std::size_t most_in_batch = 100;

json::Value failure(const json::Value& id, int code, std::string_view message)
{
    json::Value answer = json::Value::object();
    json::Value error = json::Value::object();
    error.set("code", code).set("message", message);
    answer.set("jsonrpc", "2.0").set("error", std::move(error)).set("id", id);
    return answer;
}

int code_of(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::not_found: return -32601;
    case ErrorKind::invalid: return -32602;
    default: return -32000;
    }
}

// Nothing for a notification.
std::optional<json::Value> answer_one(Host& host, const json::Value& request)
{
    const json::Value* const id = request.find("id");
    const json::Value& method = request["method"];
    const json::Value& params = request["params"];
    const bool bad_id = id && !id->is_string() && !id->is_integer() && !id->is_null();
    if (!request.is_object() || request["jsonrpc"].text() != "2.0" || !method.is_string() || bad_id ||
        !(params.is_null() || params.is_array() || params.is_object()))
        return failure(id && !bad_id ? *id : json::Value{}, -32600, "Invalid Request");
    std::optional<json::Value> answer;
    try {
        auto result = host.run_command(method.text(), params);
        if (result) {
            answer = json::Value::object();
            answer->set("jsonrpc", "2.0")
                .set("result", std::move(*result))
                .set("id", id ? *id : json::Value{});
        } else {
            answer = failure(id ? *id : json::Value{}, code_of(result.error().kind), result.error().text);
        }
    } catch (const std::exception& error) {
        host.logger("rpc").error("{} threw: {}", method.text(), error.what());
        answer = failure(id ? *id : json::Value{}, -32603, "Internal error");
    }
    if (!id)
        return std::nullopt;
    return answer;
}

} // namespace

std::string answer_json_rpc(Host& host, std::string_view text, JsonStyle style)
{
    const auto print = [&](const json::Value& value) {
        return style == JsonStyle::pretty ? value.dump_pretty() : value.dump();
    };
    const auto request = json::parse(text);
    if (!request)
        return print(failure({}, -32700, "Parse error: " + request.error().text));
    if (!request->is_array()) {
        const auto answer = answer_one(host, *request);
        return answer ? print(*answer) : std::string{};
    }
    if (request->size() == 0 || request->size() > most_in_batch)
        return print(
            failure({}, -32600, request->size() == 0 ? "Invalid Request" : "the batch is too large"));
    json::Value answers = json::Value::array();
    for (const json::Value& one : request->items())
        if (auto answer = answer_one(host, one))
            answers.add(std::move(*answer));
    return answers.size() == 0 ? std::string{} : print(answers);
}

} // namespace sipyard
