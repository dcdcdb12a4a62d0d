// core/server/commands.cpp - the core.*, stats.* and system.* commands; names are Kamailio's where it has the
// thing
#include "core/server/commands.h"

#include "core/base/text.h"
#include "core/json/value.h"
#include "core/server/server.h"
#include "core/server/version.h"

#include <ctime>
#include <unistd.h>

namespace sipyard::server {

namespace {

using json::Value;

// A parameter by position, or by name when the params are an object.
const Value& param(const Value& params, std::size_t index, std::string_view name)
{
    return params.is_object() ? params[name] : params[index];
}

std::string time_text(std::int64_t unix_seconds)
{
    char text[64];
    const std::time_t t = unix_seconds;
    std::tm parts{};
    ::gmtime_r(&t, &parts);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

Result<Value> uptime(Server& server)
{
    const auto up =
        std::chrono::duration_cast<std::chrono::seconds>(server.clock().now() - server.started_at()).count();
    return Value::object()
        .set("now", time_text(server.clock().unix_seconds()))
        .set("up_since", time_text(server.started_unix()))
        .set("uptime", up);
}

Result<Value> info(Server& server)
{
    const CoreSettings& core = server.settings();
    return Value::object()
        .set("version", version)
        .set("pid", static_cast<std::int64_t>(::getpid()))
        .set("config", core.config_file)
        .set("workers", server.runtime().workers())
        .set("rundir", core.rundir)
        .set("debug", server.journal().threshold())
        .set("log_lines_dropped", static_cast<std::int64_t>(server.journal().dropped()));
}

Result<Value> modules(Server& server)
{
    Value list = Value::array();
    for (const auto& module : server.loader().loaded()) {
        std::string loaded_as;
        for (const auto& name : module->names)
            loaded_as += (loaded_as.empty() ? "" : " ") + name;
        list.add(Value::object()
                     .set("name", module->name)
                     .set("loaded_as", loaded_as)
                     .set("about", module->manifest.about));
    }
    return list;
}

// The parameters of one module as they are in force.
Result<Value> params(Server& server, const Value& given)
{
    const std::string_view name = param(given, 0, "module").text();
    LoadedModule* const module = server.loader().find(name);
    if (!module)
        return Error{ErrorKind::invalid, name.empty() ? std::string{"expected the name of a module"}
                                                      : format("module '{}' is not loaded", name)};
    Value list = Value::array();
    for (const ParamSpec& spec : module->manifest.params) {
        std::string value = spec.fallback;
        bool set = false;
        for (const auto& use : server.config().modules) {
            if (server.loader().owner_of(use.manifest) != module)
                continue;
            for (const auto& written : use.params) {
                if (written.name != spec.name)
                    continue;
                const auto at = written.value.find("://");
                const auto sign = written.value.rfind('@');
                std::string shown = written.value; // a password in a URL stays secret
                if (at != std::string::npos && sign != std::string::npos && sign > at) {
                    const auto colon = shown.find(':', at + 3);
                    if (colon != std::string::npos && colon < sign)
                        shown.replace(colon + 1, sign - colon - 1, "***");
                }
                value = set && spec.repeatable ? value + " | " + shown : shown;
                set = true;
            }
        }
        list.add(Value::object()
                     .set("name", spec.name)
                     .set("value", value)
                     .set("set", set)
                     .set("type", spec.integer ? "int" : "string")
                     .set("about", spec.about));
    }
    return list;
}

Result<Value> connections(Server& server, const Value& given)
{
    const std::int64_t most = param(given, 0, "most").integer(1000);
    Value list = Value::array();
    for (const auto& c :
         server.network().connections(static_cast<std::size_t>(std::max<std::int64_t>(most, 0)))) {
        const auto seconds = [](Duration d) {
            return std::chrono::duration_cast<std::chrono::seconds>(d).count();
        };
        list.add(Value::object()
                     .set("id", static_cast<std::int64_t>(c.id.value))
                     .set("proto", net::to_text(c.protocol))
                     .set("peer", c.peer.text())
                     .set("local", c.local.text())
                     .set("direction", c.inbound ? "in" : "out")
                     .set("speaks", c.http ? "http" : "sip")
                     .set("worker", static_cast<std::int64_t>(c.worker))
                     .set("age", seconds(c.age))
                     .set("idle", seconds(c.idle))
                     .set("queued", static_cast<std::int64_t>(c.queued_bytes)));
    }
    return list;
}

Result<Value> sockets(Server& server)
{
    Value list = Value::array();
    for (const auto& listener : server.network().listeners())
        list.add(Value::object()
                     .set("socket", listener->text())
                     .set("name", listener->name)
                     .set("advertised", listener->advertised_host.empty()
                                            ? std::string{}
                                            : format("{}:{}", listener->host(), listener->port())));
    return list;
}

// Every number the server counts; `what` is "all", a group ("sl:"), or group.name.
Result<Value> statistics(Server& server, const Value& given)
{
    std::string wanted{param(given, 0, "what").text("all")};
    Value list = Value::object();
    const auto put = [&](std::string_view group, std::string_view name, std::int64_t value) {
        const std::string full = format("{}.{}", group, name);
        if (wanted == "all" || wanted == full || wanted == name || wanted == format("{}:", group) ||
            wanted == group)
            list.set(full, value);
    };
    for (const Counter* counter : server.host().counters())
        put(counter->group(), counter->name(), counter->value());
    const net::Counters n = server.network().counters();
    const struct {
        std::string_view name;
        std::uint64_t value;
    } network[] = {{"datagrams_in", n.datagrams_in},
                   {"datagrams_out", n.datagrams_out},
                   {"bytes_in", n.bytes_in},
                   {"bytes_out", n.bytes_out},
                   {"udp_send_dropped", n.udp_send_dropped},
                   {"messages_in", n.messages_in},
                   {"garbage", n.garbage},
                   {"accepted", n.accepted},
                   {"connected", n.connected},
                   {"refused_limit", n.refused_limit},
                   {"closed_timeout", n.closed_timeout},
                   {"closed_error", n.closed_error},
                   {"tls_handshakes", n.tls_handshakes},
                   {"tls_failures", n.tls_failures},
                   {"http_handed", n.http_handed},
                   {"tcp_open", n.tcp_open},
                   {"tls_open", n.tls_open}};
    for (const auto& row : network)
        put("net", row.name, static_cast<std::int64_t>(row.value));
    for (std::size_t i = 0; i < server.runtime().workers(); ++i) {
        const auto s = server.runtime().worker(i).stats();
        const std::string group = format("worker{}", i);
        put(group, "fibers_live", static_cast<std::int64_t>(s.fibers_live));
        put(group, "fibers_started", static_cast<std::int64_t>(s.fibers_started));
        put(group, "fibers_refused", static_cast<std::int64_t>(s.fibers_refused));
        put(group, "suspensions", static_cast<std::int64_t>(s.suspensions));
        put(group, "queued", static_cast<std::int64_t>(s.queued));
    }
    if (list.size() == 0)
        return Error{ErrorKind::invalid, format("no statistic or group '{}'", wanted)};
    return list;
}

Result<Value> clear_statistics(Server& server, const Value& given)
{
    const std::string wanted{param(given, 0, "what").text("all")};
    std::int64_t cleared = 0;
    for (const Counter* counter : server.host().counters()) {
        if (wanted != "all" && wanted != counter->group() &&
            wanted != format("{}.{}", counter->group(), counter->name()))
            continue;
        server.host().counter(counter->group(), counter->name(), counter->about()).reset();
        ++cleared;
    }
    return Value::object().set("cleared", cleared);
}

// The servers that did not answer lately and come last in line (use_dst_blocklist), soonest free first.
Result<Value> blocklist(Server& server)
{
    Value list = Value::array();
    for (const auto& blocked : server.host().locator().all_blocked())
        list.add(Value::object()
                     .set("proto", net::to_text(blocked.target.protocol))
                     .set("address", blocked.target.to.text())
                     .set("seconds", std::chrono::ceil<std::chrono::seconds>(blocked.left).count()));
    return list;
}

Result<Value> forget_blocklist(Server& server)
{
    net::Locator& locator = server.host().locator();
    const auto blocked = static_cast<std::int64_t>(locator.blocked_count());
    locator.forget();
    return Value::object().set("freed", blocked);
}

// Reads or sets debug=; the new level holds for the next line.
Result<Value> log_level(Server& server, const Value& given)
{
    const Value& level = param(given, 0, "level");
    if (!level.is_null()) {
        const auto number =
            level.is_integer() ? std::optional<std::int64_t>{level.integer()} : parse_int(level.text());
        if (!number || *number < -5 || *number > 9)
            return Error{ErrorKind::invalid, "expected a level from -5 (alert) to 3 (debug)"};
        server.journal().set_threshold(static_cast<int>(*number));
    }
    return Value::object().set("debug", server.journal().threshold());
}

// The tables of every loaded module, made where they are missing. What is there stays as it is.
Result<Value> create_tables(Server& server, const Value& given)
{
    TRY(const auto url, db::Url::parse(param(given, 0, "url").text()));
    TRY(db::Database* const database, server.host().database(url));
    Value list = Value::array();
    for (const db::Table& table : server.host().tables()) {
        TRY(const bool made, db::create_if_missing(*database, table));
        list.add(Value::object()
                     .set("table", table.name)
                     .set("version", table.version)
                     .set("result", made ? "created" : "was there"));
    }
    return list;
}

// What is still known of the messages of a call, oldest first. Times are microseconds since the first one.
Result<Value> trace(Server& server, const Value& given)
{
    const Value& named = param(given, 0, "call_id");
    const std::string call_id =
        named.is_integer() ? std::to_string(named.integer()) : std::string{named.text()};
    if (call_id.empty())
        return Error{ErrorKind::invalid, "expected a Call-ID"};
    const auto us = [](Duration d) {
        return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
    };
    const auto records = server.host().trail()->of(call_id);
    Value messages = Value::array();
    for (const Trail::Record& record : records)
        messages.add(
            Value::object()
                .set("us", us(record.when - records.front().when))
                .set("way", record.way == Trail::Way::in ? "in" : "out")
                .set("peer", format("{}:{}", net::to_text(record.protocol), record.peer.text()))
                .set("method", sip::to_text(record.method).empty() ? "other" : sip::to_text(record.method))
                .set("cseq", record.cseq)
                .set("status", record.status));
    const std::int64_t age =
        records.empty() ? 0 : us(server.clock().now() - records.front().when) / 1'000'000;
    return Value::object()
        .set("call_id", call_id)
        .set("start", records.empty() ? std::string{} : time_text(server.clock().unix_seconds() - age))
        .set("messages", std::move(messages));
}

Result<Value> list_methods(Server& server)
{
    Value list = Value::array();
    for (const auto& command : server.host().commands())
        list.add(command.name);
    return list;
}

Result<Value> help(Server& server, const Value& given)
{
    const std::string_view wanted = param(given, 0, "name").text();
    Value list = Value::array();
    for (const auto& command : server.host().commands())
        if (wanted.empty() || wanted == command.name)
            list.add(Value::object()
                         .set("name", command.name)
                         .set("module", command.module)
                         .set("about", command.about));
    return list;
}

Result<Value> echo(const Value& given) { return given; }

} // namespace

void add_server_commands(Server& server)
{
    const auto add = [&](std::string name, std::string about,
                         std::function<Result<Value>(const Value&)> run) {
        server.host().add_command(std::move(name), {"core", std::move(about), std::move(run)});
    };
    add("core.uptime", "Since when the server runs", [&](const Value&) { return uptime(server); });
    add("core.info", "Version, process, configuration", [&](const Value&) { return info(server); });
    add("core.version", "The version", [](const Value&) -> Result<Value> { return Value{version_text()}; });
    add("core.modules", "The loaded modules", [&](const Value&) { return modules(server); });
    add("core.params", "Parameters of a module as they are in force: MODULE",
        [&](const Value& p) { return params(server, p); });
    add("core.connections", "Stream connections: [MOST]",
        [&](const Value& p) { return connections(server, p); });
    add("core.tcp_list", "As core.connections", [&](const Value& p) { return connections(server, p); });
    add("core.sockets_list", "The sockets the server listens on",
        [&](const Value&) { return sockets(server); });
    add("core.log_level", "Shows or sets the log level (debug=): [LEVEL]",
        [&](const Value& p) { return log_level(server, p); });
    add("core.trace", "The messages of a live or recent call: CALLID",
        [&](const Value& p) { return trace(server, p); });
    add("core.reload", "Compiles the configuration again and swaps the script",
        [&](const Value&) -> Result<Value> {
            // Reading files and compiling takes a while: on the general pool, not on a worker.
            auto done = task::blocking(
                server.runtime().pool(), std::chrono::seconds{30}, [](Server* s) { return s->reload(); },
                &server);
            if (!done)
                return done.error();
            return Value{*done};
        });
    // The second names are Kamailio's.
    for (const char* const name : {"dns.blocklist", "dst_blocklist.view"})
        add(name, "Servers that are tried last because they did not answer",
            [&](const Value&) { return blocklist(server); });
    for (const char* const name : {"dns.blocklist_forget", "dst_blocklist.delete_all"})
        add(name, "Tries every server again", [&](const Value&) { return forget_blocklist(server); });
    add("db.create", "Creates the tables of the loaded modules in a database: URL",
        [&](const Value& p) { return create_tables(server, p); });
    add("core.kill", "Stops the server", [&](const Value&) -> Result<Value> {
        server.request_stop();
        return Value{"stopping"};
    });
    add("core.echo", "Answers with its parameters", [](const Value& p) { return echo(p); });
    add("stats.fetch", "Counters: all, a group or group.name",
        [&](const Value& p) { return statistics(server, p); });
    add("stats.get_statistics", "As stats.fetch", [&](const Value& p) { return statistics(server, p); });
    add("stats.clear_statistics", "Sets counters to 0: all, a group or group.name",
        [&](const Value& p) { return clear_statistics(server, p); });
    add("system.listMethods", "Names of all commands", [&](const Value&) { return list_methods(server); });
    add("system.methodHelp", "What the commands do: [NAME]", [&](const Value& p) { return help(server, p); });
}

} // namespace sipyard::server
