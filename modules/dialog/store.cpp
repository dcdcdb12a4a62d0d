// modules/dialog/store.cpp - dialogs in SQL, with Kamailio's tables and columns
#include "modules/dialog/store.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/json/value.h"

#include <map>
#include <memory>
#include <utility>

namespace sipyard::dialog {

namespace {

enum Column : std::size_t {
    entry,
    id,
    callid,
    from_uri,
    from_tag,
    to_uri,
    to_tag,
    caller_cseq,
    callee_cseq,
    caller_routes,
    callee_routes,
    caller_contact,
    callee_contact,
    caller_sock,
    callee_sock,
    state,
    start_time,
    timeout,
    sflags,
    iflags,
    toroute,
    req_uri,
    xdata,
    column_count
};

// iflags as Kamailio numbers them.
constexpr std::int64_t timeout_bye_flag = 1, ka_caller_flag = 2, ka_callee_flag = 4, keeps_flag = 16;

std::vector<std::string> checked_columns(const Settings& s)
{
    std::vector<std::string> names{
        s.h_entry_column,      s.h_id_column,       s.call_id_column,  s.from_uri_column,
        s.from_tag_column,     s.to_uri_column,     s.to_tag_column,   s.from_cseq_column,
        s.to_cseq_column,      s.from_route_column, s.to_route_column, s.from_contact_column,
        s.to_contact_column,   s.from_sock_column,  s.to_sock_column,  s.state_column,
        s.start_time_column,   s.timeout_column,    s.sflags_column,   s.iflags_column,
        s.toroute_name_column, s.req_uri_column,    s.xdata_column};
    for (std::string& column : names)
        column = must(db::identifier(column));
    return names;
}

std::string joined(const std::vector<std::string>& names, std::string_view suffix)
{
    std::string text;
    for (const std::string& one : names)
        text += (text.empty() ? "" : ", ") + one + std::string{suffix};
    return text;
}

std::string places(std::size_t count)
{
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += i == 0 ? "?" : ", ?";
    return text;
}

} // namespace

Store::Store(const Settings& s, db::Database& database, const Profiles& profiles)
    : database_{database}, profiles_{profiles}, table_{must(db::identifier(s.table_name))},
      vars_table_{must(db::identifier(s.vars_table_name))}, columns_{checked_columns(s)},
      vars_entry_{must(db::identifier(s.vars_h_entry_column))},
      vars_id_{must(db::identifier(s.vars_h_id_column))}, vars_key_{must(db::identifier(s.vars_key_column))},
      vars_value_{must(db::identifier(s.vars_value_column))}, update_{format(
                                                                  "UPDATE {} SET {} WHERE {} = ? AND {} = ?",
                                                                  table_, joined(columns_, " = ?"),
                                                                  columns_[entry], columns_[id])},
      insert_{format("INSERT INTO {} ({}) VALUES ({})", table_, joined(columns_, ""), places(column_count))},
      delete_{format("DELETE FROM {} WHERE {} = ? AND {} = ?", table_, columns_[entry], columns_[id])},
      delete_vars_{format("DELETE FROM {} WHERE {} = ? AND {} = ?", vars_table_, vars_entry_, vars_id_)},
      insert_var_{format("INSERT INTO {} ({}, {}, {}, {}) VALUES (?, ?, ?, ?)", vars_table_, vars_entry_,
                         vars_id_, vars_key_, vars_value_)}
{
}

db::Table Store::dialogs() const
{
    using Type = db::Column::Type;
    db::Table table{table_, 7};
    table.columns.push_back({"id", Type::id});
    const auto text = [&](Column column, int length) {
        table.columns.push_back({columns_[column], Type::varchar, length});
    };
    const auto number = [&](Column column, std::string fallback = {}) {
        table.columns.push_back({columns_[column], Type::integer, 0, false, std::move(fallback)});
    };
    const auto maybe = [&](Column column, int length) {
        table.columns.push_back({columns_[column], Type::varchar, length, true});
    };
    number(entry), number(id), text(callid, 255), text(from_uri, 255), text(from_tag, 128), text(to_uri, 255),
        text(to_tag, 128);
    text(caller_cseq, 20), text(callee_cseq, 20), maybe(caller_routes, 512), maybe(callee_routes, 512);
    text(caller_contact, 255), text(callee_contact, 255), text(caller_sock, 64), text(callee_sock, 64);
    number(state), number(start_time), number(timeout, "0"), number(sflags, "0"), number(iflags, "0");
    maybe(toroute, 32), text(req_uri, 255), maybe(xdata, 512);
    table.indexes = {{columns_[entry], columns_[id]}};
    return table;
}

db::Table Store::variables() const
{
    using Type = db::Column::Type;
    db::Table table{vars_table_, 1};
    table.columns = {{"id", Type::id},
                     {vars_entry_, Type::integer, 0},
                     {vars_id_, Type::integer, 0},
                     {vars_key_, Type::varchar, 128},
                     {vars_value_, Type::varchar, 512}};
    table.indexes = {{vars_entry_, vars_id_}};
    return table;
}

Result<void> Store::prepare()
{
    TRYV(db::create_if_missing(database_, dialogs()));
    TRYV(db::create_if_missing(database_, variables()));
    return {};
}

Result<void> Store::save(const Facts& facts, std::int64_t end)
{
    const Dialog& d = facts.dialog;
    json::Value profiles = json::Value::array();
    for (const auto& [profile, value] : facts.profiles)
        profiles.add(json::Value::object().set("name", profiles_.name(profile)).set("value", value));
    const std::int64_t flags =
        (facts.timeout_bye ? timeout_bye_flag : 0) | (facts.ka_caller ? ka_caller_flag : 0) |
        (facts.ka_callee ? ka_callee_flag : 0) | (facts.timeout_keeps ? keeps_flag : 0);
    std::vector<db::Value> row{std::int64_t{d.entry},
                               std::int64_t{d.id},
                               d.call_id,
                               d.caller.uri,
                               d.caller.tag,
                               d.callee.uri,
                               d.callee.tag,
                               std::to_string(d.caller.cseq),
                               std::to_string(d.callee.cseq),
                               d.caller.routes,
                               d.callee.routes,
                               d.caller.contact,
                               d.callee.contact,
                               d.caller.socket,
                               d.callee.socket,
                               static_cast<int>(d.state),
                               d.started,
                               end,
                               std::int64_t{facts.flags},
                               flags,
                               facts.timeout_route,
                               d.request_uri,
                               facts.profiles.empty() ? std::string{} : profiles.dump()};
    return database_.transaction<void>([row = std::move(row), variables = facts.variables, update = update_,
                                        insert = insert_, wipe = delete_vars_,
                                        put = insert_var_](db::Connection& connection) -> Result<void> {
        // Kamailio's table has no unique index to upsert by.
        std::vector<db::Value> changed = row;
        changed.push_back(row[entry]);
        changed.push_back(row[id]);
        TRY(const auto updated, connection.run(update, changed));
        if (updated.affected == 0)
            TRYV(connection.run(insert, row));
        TRYV(connection.run(wipe, {row[entry], row[id]}));
        for (const auto& [key, value] : variables)
            TRYV(connection.run(put, {row[entry], row[id], key, value}));
        return {};
    });
}

Result<void> Store::remove(std::uint32_t h_entry, std::uint32_t h_id)
{
    return database_.transaction<void>(
        [h_entry, h_id, row = delete_, vars = delete_vars_](db::Connection& connection) -> Result<void> {
            TRYV(connection.run(row, {std::int64_t{h_entry}, std::int64_t{h_id}}));
            TRYV(connection.run(vars, {std::int64_t{h_entry}, std::int64_t{h_id}}));
            return {};
        });
}

Result<std::vector<Store::Row>> Store::load()
{
    return load_where(format("{} IN (3, 4)", columns_[state]), {});
}

Result<std::vector<Store::Row>> Store::load(std::string_view call_id)
{
    return load_where(format("{} = ?", columns_[callid]), {call_id});
}

Result<std::vector<Store::Row>> Store::load_where(std::string_view condition, std::vector<db::Value> values)
{
    TRY(const auto rows,
        database_.read(format("SELECT {} FROM {} WHERE {}", joined(columns_, ""), table_, condition),
                       std::move(values)));
    TRY(const auto vars, database_.read(format("SELECT {}, {}, {}, {} FROM {}", vars_entry_, vars_id_,
                                               vars_key_, vars_value_, vars_table_)));
    std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::pair<std::string, std::string>>>
        variables_of;
    for (const auto& row : vars.rows)
        variables_of[{row[0].integer(), row[1].integer()}].emplace_back(row[2].print(), row[3].print());

    std::vector<Row> found;
    for (const auto& row : rows.rows) {
        Row one;
        Facts& facts = one.facts;
        Dialog& d = facts.dialog;
        d.entry = static_cast<std::uint32_t>(row[entry].integer());
        d.id = static_cast<std::uint32_t>(row[id].integer());
        d.call_id = row[callid].print();
        d.caller.uri = row[from_uri].print(), d.caller.tag = row[from_tag].print();
        d.callee.uri = row[to_uri].print(), d.callee.tag = row[to_tag].print();
        d.caller.cseq = static_cast<std::uint32_t>(parse_uint(row[caller_cseq].print()).value_or(0));
        d.callee.cseq = static_cast<std::uint32_t>(parse_uint(row[callee_cseq].print()).value_or(0));
        d.caller.routes = row[caller_routes].print(), d.callee.routes = row[callee_routes].print();
        d.caller.contact = row[caller_contact].print(), d.callee.contact = row[callee_contact].print();
        d.caller.socket = row[caller_sock].print(), d.callee.socket = row[callee_sock].print();
        d.state = row[state].integer() == 3 ? State::confirmed_no_ack : State::confirmed;
        d.begun = d.started = row[start_time].integer();
        d.request_uri = row[req_uri].print();
        one.end = row[timeout].integer();
        facts.lifetime = one.end > d.started ? one.end - d.started : 0;
        facts.flags = static_cast<std::uint32_t>(row[sflags].integer());
        const std::int64_t flags = row[iflags].integer();
        facts.timeout_bye = (flags & timeout_bye_flag) != 0;
        facts.ka_caller = (flags & ka_caller_flag) != 0;
        facts.ka_callee = (flags & ka_callee_flag) != 0;
        facts.timeout_keeps = (flags & keeps_flag) != 0;
        facts.timeout_route = row[toroute].print();
        facts.tracked = facts.stored = true;
        facts.changed = false;
        if (const auto own = variables_of.find({row[entry].integer(), row[id].integer()});
            own != variables_of.end())
            facts.variables = own->second;
        if (const auto profiles = json::parse(row[xdata].print()))
            for (const json::Value& item : profiles->items())
                if (const auto profile = profiles_.find(item["name"].text()))
                    facts.profiles.emplace_back(*profile, std::string{item["value"].text()});
        found.push_back(std::move(one));
    }
    return found;
}

} // namespace sipyard::dialog
