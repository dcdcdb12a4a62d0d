// modules/dialog/variables.cpp - $dlg(...), $dlg_ctx(...), $dlg_var(...), $DLG_status and their kin
#include "core/base/text.h"
#include "core/sip/message.h"
#include "modules/dialog/dialog.h"

#include <algorithm>
#include <array>

namespace sipyard::dialog {

namespace {

using Get = Value (*)(const Facts&, Arena&);
Value text(const std::string& t, Arena& arena) { return t.empty() ? Value{} : Value{arena.copy(t)}; }
Value number(std::int64_t n) { return Value{n}; }

struct Part {
    std::string_view name;
    Get get;
};
constexpr std::array parts{
    Part{"h_id", [](const Facts& f, Arena&) { return number(f.dialog.id); }},
    Part{"h_entry", [](const Facts& f, Arena&) { return number(f.dialog.entry); }},
    Part{"ref", [](const Facts&, Arena&) { return number(1); }},
    Part{"state", [](const Facts& f, Arena&) { return number(static_cast<int>(f.dialog.state)); }},
    Part{"callid", [](const Facts& f, Arena& a) { return text(f.dialog.call_id, a); }},
    Part{"from_uri", [](const Facts& f, Arena& a) { return text(f.dialog.caller.uri, a); }},
    Part{"to_uri", [](const Facts& f, Arena& a) { return text(f.dialog.callee.uri, a); }},
    Part{"from_tag", [](const Facts& f, Arena& a) { return text(f.dialog.caller.tag, a); }},
    Part{"to_tag", [](const Facts& f, Arena& a) { return text(f.dialog.callee.tag, a); }},
    Part{"from_cseq", [](const Facts& f, Arena&) { return number(f.dialog.caller.cseq); }},
    Part{"to_cseq", [](const Facts& f, Arena&) { return number(f.dialog.callee.cseq); }},
    Part{"from_rs", [](const Facts& f, Arena& a) { return text(f.dialog.caller.routes, a); }},
    Part{"to_rs", [](const Facts& f, Arena& a) { return text(f.dialog.callee.routes, a); }},
    Part{"from_contact", [](const Facts& f, Arena& a) { return text(f.dialog.caller.contact, a); }},
    Part{"to_contact", [](const Facts& f, Arena& a) { return text(f.dialog.callee.contact, a); }},
    Part{"from_bindaddr", [](const Facts& f, Arena& a) { return text(f.dialog.caller.socket, a); }},
    Part{"to_bindaddr", [](const Facts& f, Arena& a) { return text(f.dialog.callee.socket, a); }},
    Part{"lifetime", [](const Facts& f, Arena&) { return number(f.lifetime); }},
    Part{"start_ts", [](const Facts& f, Arena&) { return number(f.dialog.started); }},
    Part{"init_ts", [](const Facts& f, Arena&) { return number(f.dialog.begun); }},
    Part{"end_ts", [](const Facts& f, Arena&) { return number(f.dialog.ended); }},
    Part{"dflags", [](const Facts&, Arena&) { return number(0); }},
    Part{"sflags", [](const Facts& f, Arena&) { return number(f.flags); }},
    Part{"toroute", [](const Facts& f,
                       Arena& a) { return f.timeout_route.empty() ? number(0) : text(f.timeout_route, a); }},
};
constexpr std::array<std::string_view, 9> context_parts{
    "on", "dir", "set", "timeout", "timeout_bye", "timeout_route", "cpid", "flags", "did"};

constexpr std::size_t most_variables = 64; // of one dialog

} // namespace

std::optional<VariableSpec::Refusal> Dialogs::check_part(std::string_view part) const
{
    std::vector<std::string_view> known;
    for (const Part& p : parts)
        known.push_back(p.name);
    if (std::find(known.begin(), known.end(), part) != known.end())
        return {};
    return VariableSpec::Refusal{format("unknown part '{}' of $dlg(...)", part),
                                 std::string{nearest(part, known)}};
}

std::optional<VariableSpec::Refusal> Dialogs::check_context(std::string_view part) const
{
    const std::vector<std::string_view> known{context_parts.begin(), context_parts.end()};
    if (std::find(known.begin(), known.end(), part) != known.end())
        return {};
    return VariableSpec::Refusal{format("unknown part '{}' of $dlg_ctx(...)", part),
                                 std::string{nearest(part, known)}};
}

Value Dialogs::count_value(Request&) { return active_.value(); }

Value Dialogs::status_value(Request& request)
{
    const CallPtr call = current(request);
    if (!call)
        return {};
    const State state = call->facts.with([](const Facts& f) { return f.dialog.state; });
    return state < State::confirmed_no_ack ? Value{} : Value{static_cast<int>(state)};
}

Value Dialogs::lifetime_value(Request& request)
{
    const CallPtr call = current(request);
    if (!call)
        return {};
    const auto [started, ended] = call->facts.with([](const Facts& f) {
        return std::pair{f.dialog.started, f.dialog.ended};
    });
    if (started == 0)
        return {};
    return (ended != 0 ? ended : host_.clock().unix_seconds()) - started;
}

Value Dialogs::part_value(Request& request, std::string_view part)
{
    const CallPtr call = current(request);
    if (!call)
        return {};
    const auto found =
        std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return p.name == part; });
    if (found == parts.end())
        return {};
    return call->facts.with([&](const Facts& facts) { return found->get(facts, request.arena()); });
}

Value Dialogs::context_value(Request& request, std::string_view part)
{
    const CallPtr call = current(request);
    const Context& mine = context(request);
    if (part == "on")
        return mine.on;
    if (part == "dir")
        return mine.direction == Direction::upstream ? 2 : mine.direction == Direction::downstream ? 1 : 0;
    if (part == "set")
        return call ? 1 : 0;
    if (part == "cpid")
        return mine.cpid;
    if (part == "timeout")
        return call ? call->facts.with([](const Facts& f) { return f.lifetime; }) : mine.timeout;
    if (part == "timeout_bye")
        return (call ? call->facts.with([](const Facts& f) { return f.timeout_bye; }) : mine.timeout_bye) ? 1
                                                                                                          : 0;
    if (part == "timeout_route") {
        const std::string route =
            call ? call->facts.with([](const Facts& f) { return f.timeout_route; }) : mine.timeout_route;
        return text(route, request.arena());
    }
    if (part == "flags")
        return static_cast<std::int64_t>(call ? call->facts.with([](const Facts& f) { return f.flags; })
                                              : mine.flags);
    if (part == "did" && call)
        return Value{request.arena().copy(cookie(call->entry, call->id))};
    return {};
}

bool Dialogs::set_context_value(Request& request, std::string_view part, const Value& value)
{
    const CallPtr call = current(request);
    Context& mine = context(request);
    const std::int64_t given = value.is_text() ? parse_int(value.text()).value_or(0) : value.number();
    if (part == "on") {
        mine.on = given;
    } else if (part == "cpid") {
        mine.cpid = given;
    } else if (part == "timeout") {
        mine.timeout = given;
        if (call && given > 0)
            new_timeout(call, given);
    } else if (part == "timeout_bye") {
        mine.timeout_bye = given != 0;
        if (call)
            call->facts.with([&](Facts& f) { f.timeout_bye = given != 0, f.changed = true; });
    } else if (part == "timeout_route") {
        mine.timeout_route = value.text();
        if (call)
            call->facts.with(
                [&](Facts& f) { f.timeout_route = std::string{value.text()}, f.changed = true; });
    } else if (part == "flags") {
        mine.flags = static_cast<std::uint32_t>(given);
        if (call)
            call->facts.with(
                [&](Facts& f) { f.flags = static_cast<std::uint32_t>(given), f.changed = true; });
    } else {
        log_.error("$dlg_ctx({}) cannot be written", part);
        return false;
    }
    return true;
}

Value Dialogs::variable_value(Request& request, std::string_view variable)
{
    const auto find = [&](const auto& list) -> Value {
        const auto found =
            std::find_if(list.begin(), list.end(), [&](const auto& v) { return v.first == variable; });
        return found == list.end() ? Value{} : Value{request.arena().copy(found->second)};
    };
    if (const CallPtr call = current(request))
        return call->facts.with([&](const Facts& facts) { return find(facts.variables); });
    return find(context(request).variables);
}

bool Dialogs::put_variable(Variables& list, std::string_view key, std::optional<std::string_view> value)
{
    const auto found = std::find_if(list.begin(), list.end(), [&](const auto& v) { return v.first == key; });
    if (!value) {
        if (found != list.end())
            list.erase(found);
    } else if (found != list.end()) {
        found->second = *value;
    } else if (list.size() < most_variables) {
        list.emplace_back(key, *value);
    } else {
        log_.error("$dlg_var({}): a dialog has {} variables at most", key, most_variables);
        return false;
    }
    return true;
}

bool Dialogs::set_variable_value(Request& request, std::string_view variable, const Value& value)
{
    char digits[20];
    const std::string_view held =
        value.is_integer() ? std::string_view{digits, put_int(digits, value.number())} : value.text();
    const auto given = value.is_null() ? std::nullopt : std::optional{held};
    const CallPtr call = current(request);
    if (!call)
        return put_variable(context(request).variables, variable, given);
    return put_variable(call, variable, given);
}

bool Dialogs::put_variable(const CallPtr& call, std::string_view key, std::optional<std::string_view> value)
{
    const bool done = call->facts.with(
        [&](Facts& facts) { return facts.changed = true, put_variable(facts.variables, key, value); });
    if (store_ && settings_.db_mode == 1)
        stored_later(call);
    return done;
}

// --- for other modules ---------------------------------------------------------------------------

std::optional<Dialog> Dialogs::at(std::uint32_t entry, std::uint32_t id)
{
    const CallPtr call = table_.find(entry, id);
    return call ? std::optional{call->facts.with([](const Facts& f) { return f.dialog; })} : std::nullopt;
}

std::int64_t Dialogs::remaining(std::uint32_t entry, std::uint32_t id)
{
    const CallPtr call = table_.find(entry, id);
    const Instant deadline =
        call ? call->facts.with([](const Facts& f) { return f.deadline; }) : Instant{INT64_MAX};
    if (deadline == Instant{INT64_MAX})
        return 0;
    return std::max<std::int64_t>((deadline - host_.clock().now()).count() / 1'000'000'000, 0);
}

std::int64_t Dialogs::lifetime(std::uint32_t entry, std::uint32_t id)
{
    const CallPtr call = table_.find(entry, id);
    return call ? call->facts.with([](const Facts& f) { return f.lifetime; }) : 0;
}

std::optional<std::string> Dialogs::variable_of(std::uint32_t entry, std::uint32_t id, std::string_view key)
{
    const CallPtr call = table_.find(entry, id);
    if (!call)
        return {};
    return call->facts.with([&](const Facts& facts) -> std::optional<std::string> {
        for (const auto& [known, value] : facts.variables)
            if (known == key)
                return value;
        return {};
    });
}

bool Dialogs::set_variable(std::uint32_t entry, std::uint32_t id, std::string_view key,
                           std::string_view value)
{
    const CallPtr call = table_.find(entry, id);
    return call && put_variable(call, key, value);
}

} // namespace sipyard::dialog
