// modules/htable/database.cpp - rows to items and back, with Kamailio's htable columns
#include "modules/htable/database.h"

#include "core/base/format.h"

#include <map>
#include <memory>

namespace sipyard::htable {
namespace {

Held held(const db::Value& value)
{
    if (value.is_integer())
        return value.integer();
    return value.print();
}

// cols=: one value keeps its type, several are joined into one text.
Held joined(const std::vector<db::Value>& row, const Definition& table)
{
    if (row.size() == 2 && !row[1].is_null())
        return held(row[1]);
    std::string text;
    for (std::size_t i = 1; i < row.size(); ++i) {
        if (i > 1)
            text += table.coldelim;
        if (!row[i].is_null())
            text += row[i].print();
        else if (table.colnull != '\0')
            text += table.colnull;
    }
    return text;
}

Result<std::vector<Item>> load_columns(db::Database& database, const Definition& table, Instant end)
{
    std::string columns;
    for (const auto& column : table.cols) {
        TRY(const auto checked, db::identifier(column));
        columns += (columns.empty() ? "" : ", ") + checked;
    }
    TRY(const auto from, db::identifier(table.dbtable));
    TRY(const auto rows, database.read(format("SELECT {} FROM {}", columns, from)));
    std::vector<Item> items;
    for (const auto& row : rows.rows)
        items.push_back({row[0].print(), joined(row, table), end});
    return items;
}

} // namespace

Result<std::vector<Item>> load(db::Database& database, const Definition& table, const Columns& columns,
                               const Clock& clock)
{
    const Instant now = clock.now();
    const Instant end =
        table.autoexpire.count > 0 ? now + std::chrono::seconds{table.autoexpire.count} : Instant{INT64_MAX};
    if (!table.cols.empty())
        return load_columns(database, table, end);
    TRY(const auto from, db::identifier(table.dbtable));
    TRY(const auto key_name, db::identifier(columns.key_name));
    TRY(const auto key_type, db::identifier(columns.key_type));
    TRY(const auto value_type, db::identifier(columns.value_type));
    TRY(const auto key_value, db::identifier(columns.key_value));
    TRY(const auto expires, db::identifier(columns.expires));
    const bool timed = columns.keep_expires && table.autoexpire.count > 0;
    TRY(const auto rows,
        database.read(format("SELECT {}, {}, {}, {}{} FROM {} ORDER BY {}", key_name, key_type, value_type,
                             key_value, timed ? ", " + expires : std::string{}, from, key_name)));
    std::vector<Item> items;
    std::map<std::string, std::int64_t> sizes; // of arrays, by key
    for (const auto& row : rows.rows) {
        std::string key = row[0].print();
        Item item{{}, Held{}, end};
        if (row[1].integer() == 1)
            item.key = format("{}[{}]", key, sizes[key]++);
        else
            item.key = std::move(key);
        item.value = row[2].integer() == 1 ? Held{row[3].integer()} : Held{row[3].print()};
        if (timed && row[4].integer() > 0) {
            const std::int64_t left = row[4].integer() - clock.unix_seconds();
            if (left <= 0)
                continue; // over since
            item.expires = now + std::chrono::seconds{left};
        }
        items.push_back(std::move(item));
    }
    for (const auto& [key, size] : sizes)
        items.push_back({key + columns.array_size_suffix, size, end});
    return items;
}

Result<void> save(db::Database& database, const Table& table, const Columns& columns, const Clock& clock)
{
    if (!table.definition().cols.empty())
        return Error{ErrorKind::unsupported,
                     format("table {} has cols= and cannot be written back", table.name())};
    if (table.definition().dbtable.empty())
        return Error{ErrorKind::unsupported, format("table {} has no dbtable=", table.name())};
    TRY(const auto to, db::identifier(table.definition().dbtable));
    TRY(const auto key_name, db::identifier(columns.key_name));
    TRY(const auto key_type, db::identifier(columns.key_type));
    TRY(const auto value_type, db::identifier(columns.value_type));
    TRY(const auto key_value, db::identifier(columns.key_value));
    TRY(const auto expires, db::identifier(columns.expires));
    const bool timed = columns.keep_expires;
    // The job owns what it writes: it may run after the asker has given up.
    const auto rows =
        std::make_shared<std::vector<std::vector<db::Value>>>(); // shared with the job, which may run twice
    const Instant now = clock.now();
    for (std::size_t shard = 0; shard < Table::shards; ++shard)
        for (Item& item : table.items_of(shard, now)) {
            const auto* const number = std::get_if<std::int64_t>(&item.value);
            std::vector<db::Value> row{std::move(item.key), 0, number ? 1 : 0,
                                       number ? std::to_string(*number)
                                              : std::move(std::get<std::string>(item.value))};
            if (timed)
                row.emplace_back(item.expires == Instant{INT64_MAX}
                                     ? std::int64_t{0}
                                     : clock.unix_seconds() + (item.expires - now).count() / 1'000'000'000);
            rows->push_back(std::move(row));
        }
    const std::string wipe = format("DELETE FROM {}", to);
    const std::string insert =
        format("INSERT INTO {} ({}, {}, {}, {}{}) VALUES (?, ?, ?, ?{})", to, key_name, key_type, value_type,
               key_value, timed ? ", " + expires : std::string{}, timed ? ", ?" : "");
    return database.transaction<void>([rows, wipe, insert](db::Connection& connection) -> Result<void> {
        TRYV(connection.run(wipe));
        for (const auto& row : *rows)
            TRYV(connection.run(insert, row));
        return {};
    });
}

} // namespace sipyard::htable
