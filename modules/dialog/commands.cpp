// modules/dialog/commands.cpp - dlg.* for operators, with Kamailio's names of fields; parameters by position
// or by name
#include "core/base/text.h"
#include "core/json/value.h"
#include "modules/dialog/dialog.h"

#include <algorithm>
#include <array>

namespace sipyard::dialog {

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

std::optional<std::int64_t> number_of(const JsonValue& value)
{
    return value.is_integer() ? std::optional{value.integer()} : parse_int(value.text());
}

JsonValue text_or_null(const std::string& text) { return text.empty() ? JsonValue{} : JsonValue{text}; }

Error not_found(std::string text = "Dialog not found") { return {ErrorKind::not_found, std::move(text)}; }

JsonValue described(const Party& party, bool known)
{
    JsonValue out = JsonValue::object();
    if (!known) {
        for (const char* const field : {"tag", "contact", "cseq", "route_set", "socket"})
            out.set(field, nullptr);
        return out;
    }
    return out.set("tag", party.tag)
        .set("contact", party.contact)
        .set("cseq", std::to_string(party.cseq))
        .set("route_set", party.routes)
        .set("socket", party.socket);
}

} // namespace

std::string_view to_text(State state)
{
    switch (state) {
    case State::unconfirmed: return "unconfirmed";
    case State::early: return "early";
    case State::confirmed_no_ack: return "confirmed_no_ack";
    case State::confirmed: return "confirmed";
    case State::deleted: return "deleted";
    }
    return "?";
}

JsonValue Dialogs::described(const Facts& facts) const
{
    const Dialog& d = facts.dialog;
    const std::int64_t now = host_.clock().unix_seconds();
    const bool running = d.state == State::confirmed_no_ack || d.state == State::confirmed;
    const std::int64_t end = running && facts.deadline != Instant{INT64_MAX}
                                 ? now + (facts.deadline - host_.clock().now()).count() / 1'000'000'000
                                 : 0;
    JsonValue out = JsonValue::object();
    out.set("h_entry", d.entry)
        .set("h_id", d.id)
        .set("ref", 1)
        .set("call-id", d.call_id)
        .set("from_uri", d.caller.uri)
        .set("to_uri", d.callee.uri)
        .set("state", static_cast<int>(d.state))
        .set("start_ts", d.started)
        .set("init_ts", d.begun)
        .set("end_ts", d.ended)
        .set("duration", d.started == 0 ? 0 : (d.ended != 0 ? d.ended : now) - d.started)
        .set("timeout", end)
        .set("lifetime", facts.lifetime)
        .set("dflags", 0)
        .set("sflags", facts.flags)
        .set("iflags", facts.timeout_bye ? 1 : 0);
    out.set("caller", dialog::described(d.caller, true))
        .set("callee", dialog::described(d.callee, !d.callee.tag.empty()));
    JsonValue in = JsonValue::array();
    for (const auto& [profile, value] : facts.profiles) {
        if (profiles_.has_value(profile))
            in.add(JsonValue::object().set(profiles_.name(profile), value));
        else
            in.add(profiles_.name(profile));
    }
    JsonValue variables = JsonValue::array();
    for (const auto& [key, value] : facts.variables)
        variables.add(JsonValue::object().set(key, value));
    return out.set("profiles", std::move(in)).set("variables", std::move(variables));
}

Result<JsonValue> Dialogs::list_command(const JsonValue&)
{
    JsonValue all = JsonValue::array();
    table_.each([&](const CallPtr& call) {
        all.add(call->facts.with([&](const Facts& facts) { return described(facts); }));
        return true;
    });
    return all;
}

Result<JsonValue> Dialogs::match_command(const JsonValue& params)
{
    const std::string key = text_of(param_of(params, 0, "mkey")), op = text_of(param_of(params, 1, "mop")),
                      wanted = text_of(param_of(params, 2, "mval"));
    const std::int64_t most = number_of(param_of(params, 3, "limit")).value_or(0);
    static constexpr std::array<std::string_view, 5> keys{"ruri", "furi", "turi", "callid", "start_ts"};
    static constexpr std::array<std::string_view, 5> ops{"eq", "re", "sw", "gt", "lt"};
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
        return invalid(format("'{}' is no key: ruri, furi, turi, callid or start_ts was expected", key));
    if (std::find(ops.begin(), ops.end(), op) == ops.end())
        return invalid(format("'{}' is no operator: eq, re, sw, gt or lt was expected", op));
    const bool numeric = op == "gt" || op == "lt";
    const auto bound = parse_int(wanted);
    if (numeric && (key != "start_ts" || !bound))
        return invalid("gt and lt compare start_ts with a number");
    std::optional<Regex> pattern;
    if (op == "re") {
        TRY(auto compiled, FromText<Regex>::parse(wanted));
        pattern = std::move(compiled);
    }
    JsonValue all = JsonValue::array();
    table_.each([&](const CallPtr& call) {
        call->facts.with([&](const Facts& facts) {
            const Dialog& d = facts.dialog;
            if (numeric) {
                if (op == "gt" ? d.started > *bound : d.started < *bound)
                    all.add(described(facts));
                return;
            }
            const std::string held = key == "ruri"     ? d.request_uri
                                     : key == "furi"   ? d.caller.uri
                                     : key == "turi"   ? d.callee.uri
                                     : key == "callid" ? d.call_id
                                                       : std::to_string(d.started);
            if (pattern ? pattern->matches(held) : op == "eq" ? held == wanted : held.starts_with(wanted))
                all.add(described(facts));
        });
        return most <= 0 || all.size() < static_cast<std::size_t>(most);
    });
    if (all.size() == 0)
        return not_found("Not found");
    return all;
}

Result<JsonValue> Dialogs::one_command(const JsonValue& params)
{
    const std::string call_id = text_of(param_of(params, 0, "callid")),
                      tag = text_of(param_of(params, 1, "from_tag"));
    if (call_id.empty())
        return invalid("expected a Call-ID and perhaps the caller's tag");
    const CallPtr call = table_.find_call(call_id, tag);
    if (!call)
        return JsonValue::object();
    return call->facts.with([&](const Facts& facts) { return described(facts); });
}

Result<JsonValue> Dialogs::briefing_command(const JsonValue& params)
{
    const JsonValue& given = param_of(params, 0, "attrs");
    const std::string attributes = given.is_null() ? "ftcFT" : text_of(given);
    JsonValue all = JsonValue::array();
    table_.each([&](const CallPtr& call) {
        const Dialog d = call->facts.with([](const Facts& facts) { return facts.dialog; });
        JsonValue one = JsonValue::object();
        one.set("h_entry", d.entry).set("h_id", d.id);
        for (const char attribute : attributes)
            switch (attribute) {
            case 'f': one.set("from_uri", d.caller.uri); break;
            case 't': one.set("to_uri", d.callee.uri); break;
            case 'c': one.set("call-id", d.call_id); break;
            case 'F': one.set("from_tag", d.caller.tag); break;
            case 'T': one.set("to_tag", text_or_null(d.callee.tag)); break;
            case 'I': one.set("init_ts", d.begun); break;
            case 'S': one.set("start_ts", d.started); break;
            case 'E': one.set("end_ts", d.ended); break;
            case 's': one.set("state", static_cast<int>(d.state)); break;
            default: break;
            }
        all.add(std::move(one));
        return true;
    });
    return all;
}

Result<JsonValue> Dialogs::end_command(const JsonValue& params)
{
    const auto entry = number_of(param_of(params, 0, "h_entry")), id = number_of(param_of(params, 1, "h_id"));
    if (!entry || !id)
        return invalid("expected h_entry, h_id and perhaps headers for the BYE");
    const std::string headers = text_of(param_of(params, 2, "extra_hdrs"));
    if (!headers.empty() && (!headers.ends_with("\r\n") || headers.find("\r\n\r\n") != std::string::npos))
        return invalid("extra_hdrs are whole lines, each ending in CRLF");
    TRYV(terminate(static_cast<std::uint32_t>(*entry), static_cast<std::uint32_t>(*id), Side::both, headers));
    return JsonValue::object();
}

Result<JsonValue> Dialogs::terminate_command(const JsonValue& params)
{
    const auto found =
        table_.find(text_of(param_of(params, 0, "callid")), text_of(param_of(params, 1, "from_tag")),
                    text_of(param_of(params, 2, "to_tag")));
    if (!found.call)
        return not_found("Couldnt find callid in dialog");
    TRYV(terminate(found.call->entry, found.call->id, Side::both, {}));
    return JsonValue::object();
}

// Silently: no BYE, no event route. For operators who clean up.
Result<JsonValue> Dialogs::set_state_command(const JsonValue& params)
{
    const auto found =
        table_.find(text_of(param_of(params, 0, "callid")), text_of(param_of(params, 1, "from_tag")),
                    text_of(param_of(params, 2, "to_tag")));
    const auto state = number_of(param_of(params, 3, "state"));
    if (!found.call)
        return not_found();
    if (!state || (*state != 4 && *state != 5))
        return invalid("a dialog can be set to state 4 (confirmed) or 5 (ended)");
    if (const auto change = advance(found.call, *state == 5 ? Event::timeout : Event::ack))
        changed(found.call, change->now, *state == 5 ? End::expired : End::none);
    else
        return invalid("that state does not follow the dialog's own");
    return JsonValue::object();
}

Result<JsonValue> Dialogs::profile_size_command(const JsonValue& params)
{
    const std::string profile = text_of(param_of(params, 0, "profile"));
    const auto number = profiles_.find(profile);
    if (!number)
        return not_found(format("Profile not found: {}", profile));
    const JsonValue& value = param_of(params, 1, "value");
    const std::string wanted = text_of(value);
    return JsonValue{profiles_.size(*number, value.is_null() ? std::optional<std::string_view>{} : wanted,
                                    host_.clock().unix_seconds())};
}

Result<JsonValue> Dialogs::profile_list_command(const JsonValue& params)
{
    const std::string profile = text_of(param_of(params, 0, "profile"));
    const auto number = profiles_.find(profile);
    if (!number)
        return not_found(format("Profile not found: {}", profile));
    const JsonValue& value = param_of(params, 1, "value");
    const std::string wanted = text_of(value);
    const bool any = value.is_null() || !profiles_.has_value(*number);
    JsonValue all = JsonValue::array();
    table_.each([&](const CallPtr& call) {
        call->facts.with([&](const Facts& facts) {
            if (std::any_of(facts.profiles.begin(), facts.profiles.end(), [&](const auto& held) {
                    return held.first == *number && (any || held.second == wanted);
                }))
                all.add(described(facts));
        });
        return true;
    });
    return all;
}

Result<JsonValue> Dialogs::stats_command(const JsonValue&)
{
    std::array<std::int64_t, 6> counts{};
    table_.each([&](const CallPtr& call) {
        ++counts[call->facts.with(
            [](const Facts& facts) { return static_cast<std::size_t>(facts.dialog.state); })];
        return true;
    });
    return JsonValue::object()
        .set("starting", counts[1])
        .set("connecting", counts[2])
        .set("answering", counts[3])
        .set("ongoing", counts[4])
        .set("all", counts[1] + counts[2] + counts[3] + counts[4]);
}

Result<JsonValue> Dialogs::alive_command(const JsonValue& params)
{
    const auto dialog = find(text_of(param_of(params, 0, "callid")), text_of(param_of(params, 1, "from_tag")),
                             text_of(param_of(params, 2, "to_tag")));
    if (!dialog)
        return not_found();
    if (dialog->state != State::confirmed)
        return Error{ErrorKind::other, "Dialog not confirmed"};
    return JsonValue{"Alive"};
}

Result<JsonValue> Dialogs::set_var_command(const JsonValue& params)
{
    const auto found =
        table_.find(text_of(param_of(params, 0, "callid")), text_of(param_of(params, 1, "from_tag")),
                    text_of(param_of(params, 2, "to_tag")));
    const std::string key = text_of(param_of(params, 3, "key")),
                      value = text_of(param_of(params, 4, "value"));
    if (!found.call)
        return not_found();
    if (key.empty())
        return invalid("expected Call-ID, From tag, To tag, the name of a variable and its value");
    with_made_up(found.call, [&](Request& request) {
        (void)set_variable_value(request, key, sipyard::Value{std::string_view{value}});
    });
    return JsonValue::object();
}

} // namespace sipyard::dialog
