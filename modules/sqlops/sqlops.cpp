// modules/sqlops/sqlops.cpp - SQL from the script: sql_query and what it gave
#include "modules/sqlops/sqlops.h"

#include "core/db/sql_text.h"
#include "core/json/value.h"

#include <algorithm>

namespace sipyard::sqlops {
namespace {

// As a script sees it: whole numbers are integers, everything else is text. The text lives as long as the
// request.
Value script_value(const db::Value& value, Arena& arena)
{
    if (value.is_null())
        return {};
    if (value.is_integer())
        return value.integer();
    return arena.copy(value.is_real() ? std::string_view{value.print()} : value.text());
}

// "$var(a), $avp(b);$ru": split outside of brackets.
std::vector<std::string_view> split_variables(std::string_view text)
{
    std::vector<std::string_view> found;
    int depth = 0;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const char c = i < text.size() ? text[i] : ';';
        depth += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
        if (i < text.size() && (depth > 0 || (c != ';' && c != ',')))
            continue;
        if (const auto name = trim(text.substr(start, i - start)); !name.empty())
            found.push_back(name);
        start = i + 1;
    }
    return found;
}

} // namespace

SqlOps::SqlOps(const Settings& settings, Host& host)
    : host_{host}, log_{host.logger("sqlops")}, results_{host.slot<Results>()}, connections_{
                                                                                    open(settings, host)}
{
}

std::vector<SqlOps::Connection> SqlOps::open(const Settings& settings, Host& host)
{
    std::vector<Connection> list;
    for (const auto& wanted : settings.connections) {
        for (const auto& known : list)
            if (known.name == wanted.name)
                throw StartupError{"sqlops: connection '" + wanted.name + "' is defined twice"};
        list.push_back({wanted.name, must(host.database(wanted.url))});
    }
    return list;
}

const SqlOps::Connection* SqlOps::connection(std::string_view name) const
{
    for (const auto& known : connections_)
        if (known.name == name)
            return &known;
    log_.error("there is no connection '{}' (modparam sqlcon)", name);
    return nullptr;
}

// Nothing when it failed; the reason has been logged.
std::optional<db::Rows> SqlOps::run(Request& request, std::string_view name, std::string_view query)
{
    const auto* const to = connection(name);
    if (!to)
        return std::nullopt;
    auto rows = db::only_reads(query) ? to->database->read(std::string{query})
                                      : to->database->write(std::string{query});
    if (!rows) {
        log_.error("query [{}] on '{}': {}", query.substr(0, 64), name, rows.error().text);
        return std::nullopt;
    }
    request.at(results_).affected[std::string{name}] = static_cast<std::int64_t>(rows->affected);
    return std::move(*rows);
}

// 1: rows are kept under the name, 2: there are none, 3: there are but nobody wants them, -1: failed.
Verdict SqlOps::query(Request& request, std::string_view name, std::string_view text,
                      std::optional<std::string_view> result)
{
    if (result)
        forget(request, *result); // an old result is never taken for the new one
    auto rows = run(request, name, text);
    if (!rows)
        return Verdict::no();
    if (rows->empty())
        return {2};
    if (!result)
        return {3};
    request.at(results_).by_name.insert_or_assign(std::string{*result}, std::move(*rows));
    return Verdict::yes();
}

// Every row becomes a root of the xavp, the first row the newest: $xavp(result[0]=>column).
Verdict SqlOps::xquery(Request& request, std::string_view name, std::string_view text,
                       std::string_view result)
{
    const auto rows = run(request, name, text);
    if (!rows)
        return Verdict::no();
    if (rows->empty())
        return {2};
    for (auto row = rows->rows.rbegin(); row != rows->rows.rend(); ++row) {
        for (std::size_t column = row->size(); column-- > 0;) {
            const auto value = script_value((*row)[column], request.arena());
            request.with_avps([&](AvpStore& store) {
                if (column + 1 == row->size())
                    store.xavps.push_root(result, rows->columns[column], value);
                else
                    store.xavps.push_field(result, 0, rows->columns[column], value);
            });
        }
    }
    return Verdict::yes();
}

std::shared_ptr<const SqlOps::Variables> SqlOps::variables(std::string_view list)
{
    if (auto known = compiled_.with([&](const auto& map) {
            const auto found = map.find(list);
            return found == map.end() ? nullptr : found->second;
        }))
        return known;
    auto made = std::make_shared<Variables>(); // shared by the table and those who write through it
    for (const auto text : split_variables(list)) {
        auto variable = host_.compile_variable(text);
        if (!variable) {
            log_.error("'{}' is not a variable: {}", text, variable.error().text);
            return nullptr;
        }
        made->push_back(std::move(*variable));
    }
    compiled_.with(
        [&](auto& map) { map.emplace(std::string{list}, made); }); // as many as the script has calls
    return made;
}

// Last row first, so that plain variables end with the first row. A null is no new AVP.
Verdict SqlOps::pvquery(Request& request, std::string_view name, std::string_view text, Literal list)
{
    const auto into = variables(list.text);
    if (!into)
        return Verdict::no();
    const auto rows = run(request, name, text);
    if (!rows)
        return Verdict::no();
    if (rows->empty())
        return {2};
    if (rows->columns.size() > into->size()) {
        log_.error("the query gives {} columns, '{}' names {} variables", rows->columns.size(), list.text,
                   into->size());
        return Verdict::no();
    }
    for (auto row = rows->rows.rbegin(); row != rows->rows.rend(); ++row) {
        for (std::size_t column = 0; column < row->size(); ++column) {
            const auto& variable = *(*into)[column];
            const auto value = script_value((*row)[column], request.arena());
            if (value.is_null() && variable.text().starts_with("$avp"))
                continue;
            if (!variable.set(request, value)) {
                log_.error("cannot write column {} to {}", rows->columns[column], variable.text());
                return Verdict::no();
            }
        }
    }
    return Verdict::yes();
}

// The script goes on at once; a failure is logged.
Verdict SqlOps::query_async(Request&, std::string_view name, std::string_view text)
{
    const auto* const to = connection(name);
    if (!to)
        return Verdict::no();
    auto& runtime = host_.runtime();
    auto* const here = task::Worker::current();
    auto job = [log = log_, database = to->database, query = std::string{text}] {
        if (const auto done = database->write(query); !done)
            log.error("query [{}]: {}", query.substr(0, 64), done.error().text);
    };
    const auto started = (here ? *here : runtime.worker(0)).spawn(std::move(job));
    if (!started)
        log_.error("query [{}] on '{}': {}", text.substr(0, 64), name, started.error().text);
    return Verdict::of(started.has_value());
}

void SqlOps::forget(Request& request, std::string_view result)
{
    auto& kept = request.at(results_).by_name;
    if (const auto found = kept.find(result); found != kept.end())
        kept.erase(found);
}

Verdict SqlOps::result_free(Request& request, std::string_view result)
{
    forget(request, result);
    return Verdict::yes();
}

Value SqlOps::result_part(Request& request, std::string_view inner)
{
    const auto key = ResultKey::parse(inner);
    if (!key) {
        log_.error("$dbr: {}", key.error().text);
        return {};
    }
    const db::Rows none;
    const db::Rows* found = &none;
    const Results* const results = request.find(results_);
    if (results)
        if (const auto known = results->by_name.find(key->name); known != results->by_name.end())
            found = &known->second;
    const auto& rows = *found;
    const auto inside = [](std::int64_t at, std::size_t count) {
        return at >= 0 && static_cast<std::uint64_t>(at) < count;
    };
    switch (key->part) {
    case ResultKey::Part::rows: return static_cast<std::int64_t>(rows.size());
    case ResultKey::Part::cols: return static_cast<std::int64_t>(rows.columns.size());
    case ResultKey::Part::colname:
        if (!inside(key->column, rows.columns.size()))
            return {};
        return request.arena().copy(rows.columns[static_cast<std::size_t>(key->column)]);
    case ResultKey::Part::cell:
        if (!inside(key->row, rows.size()) || !inside(key->column, rows.columns.size()))
            return {};
        return script_value(rows[static_cast<std::size_t>(key->row)][static_cast<std::size_t>(key->column)],
                            request.arena());
    }
    return {};
}

Value SqlOps::affected(Request& request, std::string_view name)
{
    const auto* const results = request.find(results_);
    if (!results)
        return 0;
    const auto found = results->affected.find(name);
    return found == results->affected.end() ? std::int64_t{0} : found->second;
}

Manifest<SqlOps> SqlOps::manifest()
{
    using S = Settings;
    using M = SqlOps;
    return {
        .name = "sqlops",
        .about = "SQL statements in the script, results in variables",
        .needs = {need<db::Driver>()},
        .params = {param("sqlcon", &S::connections, "A connection: name=>URL; may be repeated"),
                   param("sqlres", &S::results, "Accepted: results need no declaration"),
                   param("tr_buf_size", &S::tr_buf_size, "Accepted: buffers grow as needed"),
                   param("connect_mode", &S::connect_mode,
                         "Accepted: the first use connects, and again after a loss")},
        .functions = {function("sql_query", &M::query,
                               "Runs a statement: 1 rows, 2 none, 3 rows nobody wants, -1 failed"),
                      function("sql_xquery", &M::xquery, "Runs a query, its rows become an xavp"),
                      function("sql_pvquery", &M::pvquery, "Runs a query, its columns go to variables"),
                      function("sql_query_async", &M::query_async,
                               "Runs a statement while the script goes on"),
                      function("sql_result_free", &M::result_free, "Forgets a result")},
        .variables = {variable("dbr", &M::result_part, "A result: rows, cols, [row,col], colname[n]"),
                      variable("sqlrows", &M::affected,
                               "Rows changed by the connection's last statement in this request")},
    };
}

} // namespace sipyard::sqlops
SIPYARD_MODULE(sipyard::sqlops::SqlOps)
