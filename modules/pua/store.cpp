// modules/pua/store.cpp - publications in SQL, with Kamailio's table and columns
#include "modules/pua/store.h"

#include "core/base/format.h"

namespace sipyard::pua {

namespace {

struct Numbered {
    std::string_view event;
    int number;
};
constexpr Numbered events[] = {
    {"presence", 1},    {"presence.winfo", 2}, {"dialog;sla", 4}, {"message-summary", 8},
    {"conference", 16}, {"dialog", 32},        {"reg", 64},       {"xcap-diff", 128}};

constexpr int dialog_flag = 1024, reginfo_flag = 4096, other_flag = 1; // who published; for Kamailio's eyes

} // namespace

int event_number(std::string_view event)
{
    for (const Numbered& one : events)
        if (one.event == event)
            return one.number;
    return 0;
}

std::string_view event_named(std::int64_t number)
{
    for (const Numbered& one : events)
        if (one.number == number)
            return one.event;
    return {};
}

Store::Store(db::Database& database, std::string_view name)
    : database_{database}, table_{must(db::identifier(name))},
      delete_{format("DELETE FROM {} WHERE pres_uri = ? AND pres_id = ? AND event = ? AND watcher_uri = ''",
                     table_)},
      insert_{format("INSERT INTO {} (pres_uri, pres_id, event, expires, desired_expires, flag, etag, "
                     "watcher_uri, call_id, to_tag, from_tag, cseq, contact, remote_contact, version, "
                     "extra_headers) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '', '', 0, '', '', 0, '')",
                     table_)}
{
}

db::Table Store::table(std::string name)
{
    using Type = db::Column::Type;
    db::Table table{std::move(name), 7};
    table.columns = {{"id", Type::id},
                     {"pres_uri", Type::varchar, 255},
                     {"pres_id", Type::varchar, 255},
                     {"event", Type::integer, 0},
                     {"expires", Type::integer, 0},
                     {"desired_expires", Type::integer, 0},
                     {"flag", Type::integer, 0},
                     {"etag", Type::varchar, 128},
                     {"tuple_id", Type::varchar, 64, true},
                     {"watcher_uri", Type::varchar, 255},
                     {"call_id", Type::varchar, 255},
                     {"to_tag", Type::varchar, 128},
                     {"from_tag", Type::varchar, 128},
                     {"cseq", Type::integer, 0},
                     {"record_route", Type::text, 0, true},
                     {"contact", Type::varchar, 255},
                     {"remote_contact", Type::varchar, 255},
                     {"version", Type::integer, 0},
                     {"extra_headers", Type::text, 0}};
    table.unique = {{"etag", "tuple_id", "call_id", "from_tag"}};
    table.indexes = {{"pres_uri", "pres_id"}};
    return table;
}

Result<void> Store::prepare()
{
    TRYV(db::create_if_missing(database_, table()));
    return {};
}

Result<void> Store::save(const Row& row)
{
    const int number = event_number(row.event);
    const int flag = row.event == "dialog" ? dialog_flag : row.event == "reg" ? reginfo_flag : other_flag;
    std::vector<db::Value> key{row.presentity, row.id, number};
    std::vector<db::Value> all{row.presentity, row.id, number, row.expires, row.expires, flag, row.etag};
    return database_.transaction<void>([drop = delete_, insert = insert_, key = std::move(key),
                                        all = std::move(all)](db::Connection& connection) -> Result<void> {
        TRYV(connection.run(drop, key));
        TRYV(connection.run(insert, all));
        return {};
    });
}

Result<void> Store::remove(const Row& row)
{
    TRYV(database_.write(delete_, {row.presentity, row.id, event_number(row.event)}));
    return {};
}

Result<std::vector<Store::Row>> Store::load(std::int64_t now)
{
    TRYV(database_.write("DELETE FROM " + table_ + " WHERE watcher_uri = '' AND expires <= ?", {now}));
    TRY(const db::Rows rows, database_.read("SELECT pres_uri, pres_id, event, etag, expires FROM " + table_ +
                                            " WHERE watcher_uri = ''"));
    std::vector<Row> all;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Row row{std::string{rows[i][0].text()}, std::string{event_named(rows[i][2].integer())},
                std::string{rows[i][1].text()}, std::string{rows[i][3].text()}, rows[i][4].integer()};
        if (!row.event.empty() && !row.etag.empty())
            all.push_back(std::move(row));
    }
    return all;
}

} // namespace sipyard::pua
