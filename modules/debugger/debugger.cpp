// modules/debugger/debugger.cpp - tracing the script
#include "modules/debugger/debugger.h"

#include "core/base/text.h"
#include "core/json/value.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"

#include <algorithm>
#include <unistd.h>

namespace sipyard::debugger {

namespace {

constexpr std::int64_t dump_null = 1, dump_avps = 2, dump_xavps = 8;

log::Level level_of(std::int64_t number)
{
    return static_cast<log::Level>(std::clamp<std::int64_t>(number, -5, 3));
}

std::optional<log::Level> level_named(std::string_view text)
{
    static constexpr struct {
        std::string_view name;
        log::Level level;
    } names[] = {
        {"L_ALERT", log::Level::alert},   {"L_BUG", log::Level::bug},   {"L_CRIT2", log::Level::critical},
        {"L_CRIT", log::Level::crit},     {"L_ERR", log::Level::err},   {"L_WARN", log::Level::warn},
        {"L_NOTICE", log::Level::notice}, {"L_INFO", log::Level::info}, {"L_DBG", log::Level::dbg}};
    for (const auto& row : names)
        if (iequals(row.name, text))
            return row.level;
    return std::nullopt;
}

json::Value json_of(const Value& value)
{
    if (value.is_null())
        return {};
    return value.is_integer() ? json::Value{value.number()} : json::Value{value.text()};
}

void append_member(json::Value& object, const std::string& name, json::Value value) // a list under that name
{
    json::Value list = object[name];
    list.add(std::move(value));
    object.set(name, std::move(list));
}

} // namespace

std::string line_changes(std::string_view before, std::string_view after)
{
    auto old_lines = split(before, '\n'), new_lines = split(after, '\n');
    for (auto line = old_lines.begin(); line != old_lines.end();) {
        const auto same = std::find(new_lines.begin(), new_lines.end(), *line);
        if (same == new_lines.end()) {
            ++line;
            continue;
        }
        new_lines.erase(same);
        line = old_lines.erase(line);
    }
    std::string text;
    for (const auto line : old_lines)
        text += format("- {}\n", trim_right(line));
    for (const auto line : new_lines)
        text += format("{}\n", trim_right(line));
    return text;
}

Debugger::Debugger(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("debugger")}, level_{level_of(settings.log_level)},
      level_name_{settings.log_level_name.empty() ? std::string{log::to_text(level_)}
                                                  : settings.log_level_name}
{
    on_ = settings.cfgtrace;
    const Settings usual;
    const auto useless = [this](std::string_view what, bool set, std::string_view why) {
        if (set)
            log_.warn("modparam {} has no effect: {}", what, why);
    };
    const std::string_view no_steps = "a server that stops at a line would stop everybody's calls";
    useless("breakpoint", settings.breakpoint != usual.breakpoint, no_steps);
    useless("step_usleep", settings.step_usleep != usual.step_usleep, no_steps);
    useless("step_loops", settings.step_loops != usual.step_loops, no_steps);
    useless("log_facility",
            !settings.log_facility.empty() && settings.log_facility != host.core().log_facility,
            "the core's counts");
    useless("mod_hash_size", settings.mod_hash_size != usual.mod_hash_size, "there are no levels by module");
    useless("mod_level_mode", settings.mod_level_mode != usual.mod_level_mode,
            "there are no levels by module");
    useless("mod_level", !settings.mod_level.empty(), "there are no levels by module, debug= counts");
    useless("mod_facility_mode", settings.mod_facility_mode != usual.mod_facility_mode,
            "there are no facilities by module");
    useless("mod_facility", !settings.mod_facility.empty(), "there are no facilities by module");
    useless("cfgpkgcheck", settings.cfgpkgcheck != usual.cfgpkgcheck, "there is no such memory");
    useless("reset_msgid", settings.reset_msgid != usual.reset_msgid, "$mi counts on");
    useless("cfgtest", settings.cfgtest != usual.cfgtest, "there is no module cfgt");
    useless("log_assign", settings.log_assign, "assignments are traced with the other actions");
}

// One line an action, as Kamailio's operators filter them.
void Debugger::on_step(Request& request, const ScriptStep& step)
{
    log::Journal& journal = host_.journal();
    if (!journal.enabled(level_))
        return;
    journal.append(level_, format("{:2}({}) {}: {}dbg_cfg_trace(): {}=[{}] c=[{}] l={} a={} n={}",
                                  log::thread_index(), ::getpid(), level_name_, settings_.log_prefix,
                                  to_text(request.route()), step.route, step.file, step.line, step.action,
                                  step.word));
}

Verdict Debugger::dbg_breakpoint(Request&, std::string_view)
{
    if (!breakpoint_told_.exchange(true))
        log_.warn(
            "dbg_breakpoint() has no effect: a server that stops at a line would stop everybody's calls");
    return Verdict::yes();
}

// AVPs and XAVPs as one JSON object; null values only with bit 1 of the mask.
Verdict Debugger::dbg_pv_dump(Request& request, std::optional<std::int64_t> mask,
                              std::optional<std::string_view> level_text)
{
    const std::int64_t wanted = mask.value_or(31);
    const auto level = level_text ? level_named(*level_text) : std::optional{log::Level::dbg};
    if (!level || wanted < 0) {
        log_.error("dbg_pv_dump({}, {}): bad mask or level", wanted, level_text.value_or(""));
        return Verdict::no();
    }
    if (!log_.enabled(*level))
        return Verdict::yes();
    json::Value dump = json::Value::object();
    request.with_avps([&](const AvpStore& store) {
        if ((wanted & dump_avps) != 0)
            store.avps.each([&](const AvpList::Name& avp, const Value& value) {
                if (!value.is_null() || (wanted & dump_null) != 0)
                    append_member(
                        dump, avp.numeric ? format("$avp(i:{})", avp.number) : format("$avp({})", avp.text),
                        json_of(value));
            });
        if ((wanted & dump_xavps) != 0)
            for (const auto& root : store.xavps.all()) {
                json::Value fields = json::Value::object();
                for (const auto& [field, value] : root.fields)
                    append_member(fields, field, json_of(value.view()));
                append_member(dump, format("$xavp({})", root.name), std::move(fields));
            }
    });
    log_.line(*level, {}, dump.dump());
    return Verdict::yes();
}

// The message as it would leave now, and what the script has changed in it.
Verdict Debugger::dbg_sip_msg(Request& request, std::optional<std::string_view> level_text,
                              std::optional<std::string_view>)
{
    const auto level =
        level_text && !level_text->empty() ? level_named(*level_text) : std::optional{log::Level::err};
    if (!level) {
        log_.error("dbg_sip_msg: '{}' is not a level", *level_text);
        return Verdict::no();
    }
    if (!log_.enabled(*level))
        return Verdict::yes();
    const sip::Message& before = request.message();
    std::string_view text = before.buffer();
    if (request.has_edits())
        text = sip::apply(before, request.edits(), request.arena());
    const auto after = sip::Message::parse(text, request.arena());
    const std::string_view headers = after ? (*after)->headers_text() : std::string_view{};
    const std::string_view body = after ? (*after)->body() : std::string_view{};
    log_.line(*level, {},
              format("\n------------------------- START OF SIP message debug --------------------------\n{}"
                     "------------------------------ SIP header diffs -------------------------------\n{}"
                     "------------------------------- SIP body diffs --------------------------------\n{}"
                     "-------------------------- END OF SIP message debug ---------------------------\n",
                     text, line_changes(before.headers_text(), headers), line_changes(before.body(), body)));
    return Verdict::yes();
}

// One entry for each worker; they are threads of one process.
Result<json::Value> Debugger::list(const JsonValue&)
{
    JsonValue entries = JsonValue::array();
    for (std::size_t i = 0; i < host_.runtime().workers(); ++i)
        entries.add(JsonValue::object()
                        .set("entry", static_cast<std::int64_t>(i))
                        .set("pid", static_cast<std::int64_t>(::getpid()))
                        .set("trace", tracing() ? "on" : "off")
                        .set("in_command", "")
                        .set("out_command", ""));
    return entries;
}

Result<json::Value> Debugger::trace(const JsonValue& params)
{
    const std::string_view word = params.is_object() ? params["cmd"].text() : params[std::size_t{0}].text();
    if (word != "on" && word != "off")
        return invalid("expected on or off");
    on_ = word == "on";
    return JsonValue::object().set("trace", word);
}

Manifest<Debugger> Debugger::manifest()
{
    using M = Debugger;
    using S = Settings;
    return {
        .name = "debugger",
        .about = "What the script does, action by action",
        .offers = {offer_of<ScriptTracer, M>()},
        .params = {param("cfgtrace", &S::cfgtrace, "Trace the script from the start"),
                   param("log_level", &S::log_level, "Level of the trace"),
                   param("log_level_name", &S::log_level_name, "Shown in place of the level's name"),
                   param("log_prefix", &S::log_prefix, "In front of each line of the trace"),
                   param("log_facility", &S::log_facility, "Warned about: the core's counts"),
                   param("breakpoint", &S::breakpoint, "Warned about: nothing stops at a line"),
                   param("step_usleep", &S::step_usleep, "Warned about: nothing stops at a line"),
                   param("step_loops", &S::step_loops, "Warned about: nothing stops at a line"),
                   param("mod_hash_size", &S::mod_hash_size, "Warned about: there are no levels by module"),
                   param("mod_level_mode", &S::mod_level_mode, "Warned about: there are no levels by module"),
                   param("mod_level", &S::mod_level, "Warned about: there are no levels by module"),
                   param("mod_facility_mode", &S::mod_facility_mode,
                         "Warned about: there are no facilities by module"),
                   param("mod_facility", &S::mod_facility, "Warned about: there are no facilities by module"),
                   param("log_assign", &S::log_assign, "Warned about: assignments are traced as all actions"),
                   param("cfgpkgcheck", &S::cfgpkgcheck, "Warned about: there is no such memory"),
                   param("reset_msgid", &S::reset_msgid, "Warned about: $mi counts on"),
                   param("cfgtest", &S::cfgtest, "Warned about: there is no module cfgt")},
        .functions = {function("dbg_breakpoint", &M::dbg_breakpoint, "Accepted; nothing stops"),
                      function("dbg_pv_dump", &M::dbg_pv_dump, "Writes AVPs and XAVPs to the log as JSON"),
                      function("dbg_sip_msg", &M::dbg_sip_msg,
                               "Writes the message as it would leave now to the log")},
        .commands = {command("dbg.list", &M::list, "Workers and whether the script is traced"),
                     command("dbg.ls", &M::list, "As dbg.list"),
                     command("dbg.trace", &M::trace, "Traces the script: on, off")},
    };
}

} // namespace sipyard::debugger

SIPYARD_MODULE(sipyard::debugger::Debugger)
