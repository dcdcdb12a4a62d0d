// core/db/statements.cpp - the SQL all dialects share: CREATE TABLE, upsert, identifiers
#include "core/base/format.h"
#include "core/base/text.h"
#include "core/db/database.h"

namespace sipyard::db {
namespace {

// A column's name in a statement. Kamailio's schema has names that MySQL reserves ("partition" of location).
std::string written(const std::string& column, Dialect dialect)
{
    if (dialect == Dialect::mysql)
        for (const std::string_view reserved :
             {"partition", "key", "group", "order", "rank", "condition", "range"})
            if (iequals(column, reserved))
                return "`" + column + "`";
    return column;
}

std::string joined(const std::vector<std::string>& names, Dialect dialect)
{
    std::string text;
    for (const auto& name : names) {
        if (!text.empty())
            text += ", ";
        text += written(name, dialect);
    }
    return text;
}

// The types of Kamailio's own schema for each database, so that its tools see what they expect.
std::string type_of(const Column& column, Dialect dialect)
{
    const bool mysql = dialect == Dialect::mysql, postgres = dialect == Dialect::postgres;
    switch (column.type) {
    case Column::Type::id:
        return postgres ? "SERIAL PRIMARY KEY NOT NULL"
               : mysql  ? "INT(10) UNSIGNED AUTO_INCREMENT PRIMARY KEY NOT NULL"
                        : "INTEGER PRIMARY KEY NOT NULL";
    case Column::Type::integer: return "INTEGER";
    case Column::Type::bigint: return "BIGINT";
    case Column::Type::varchar: return format("VARCHAR({})", column.length);
    case Column::Type::text: return mysql ? "MEDIUMTEXT" : "TEXT";
    case Column::Type::blob: return postgres ? "BYTEA" : mysql ? "MEDIUMBLOB" : "BLOB";
    case Column::Type::datetime: return postgres ? "TIMESTAMP WITHOUT TIME ZONE" : "DATETIME";
    case Column::Type::real: return postgres ? "DOUBLE PRECISION" : "DOUBLE";
    }
    return "TEXT";
}

// Index names share one namespace with tables in SQLite and PostgreSQL, hence the table's name in front.
std::string index_name(std::string_view table, const std::vector<std::string>& columns, std::string_view tail)
{
    std::string name{table};
    for (auto& letter : name)
        if (letter == '.')
            letter = '_';
    for (const auto& column : columns)
        name += "_" + column;
    constexpr std::size_t longest = 63; // PostgreSQL's limit; MariaDB allows 64
    if (name.size() + tail.size() > longest)
        name.resize(longest - tail.size());
    return name += tail;
}

} // namespace

std::string_view to_text(Dialect dialect)
{
    switch (dialect) {
    case Dialect::sqlite: return "sqlite";
    case Dialect::postgres: return "postgres";
    case Dialect::mysql: return "mysql";
    case Dialect::other: break;
    }
    return "other";
}

std::vector<std::string> create_statements(const Table& table, Dialect dialect)
{
    std::string create = format("CREATE TABLE IF NOT EXISTS {} (", table.name);
    bool first = true;
    for (const auto& column : table.columns) {
        create +=
            format("{}{} {}", first ? "" : ", ", written(column.name, dialect), type_of(column, dialect));
        first = false;
        if (column.type == Column::Type::id)
            continue;
        if (!column.fallback.empty())
            create += " DEFAULT " + column.fallback;
        if (!column.null)
            create += " NOT NULL";
    }
    for (const auto& columns : table.unique)
        create += format(", CONSTRAINT {} UNIQUE ({})", index_name(table.name, columns, "_key"),
                         joined(columns, dialect));
    if (dialect == Dialect::mysql) // MySQL has no CREATE INDEX IF NOT EXISTS
        for (const auto& columns : table.indexes)
            create +=
                format(", INDEX {} ({})", index_name(table.name, columns, "_idx"), joined(columns, dialect));
    create += ")";
    if (dialect == Dialect::mysql)
        create +=
            " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"; // compare as the other databases do

    std::vector<std::string> statements{std::move(create)};
    if (dialect == Dialect::mysql)
        return statements;
    for (const auto& columns : table.indexes)
        statements.push_back(
            format("CREATE INDEX {}{} ON {} ({})", dialect == Dialect::other ? "" : "IF NOT EXISTS ",
                   index_name(table.name, columns, "_idx"), table.name, joined(columns, dialect)));
    return statements;
}

std::string upsert_sql(std::string_view table, const std::vector<std::string>& columns,
                       const std::vector<std::string>& keys, Dialect dialect)
{
    const bool mysql = dialect == Dialect::mysql;
    std::string places, changes;
    for (const auto& name : columns) {
        const std::string column = written(name, dialect);
        places += places.empty() ? "?" : ", ?";
        bool is_key = false;
        for (const auto& key : keys)
            is_key = is_key || key == name;
        if (!is_key)
            changes += format("{}{}={}{}{}", changes.empty() ? "" : ", ", column,
                              mysql ? "VALUES(" : "excluded.", column, mysql ? ")" : "");
    }
    std::string sql = format("INSERT INTO {} ({}) VALUES ({})", table, joined(columns, dialect), places);
    if (mysql) // without a column to change a key is set to itself: "do nothing"
        return sql + " ON DUPLICATE KEY UPDATE " +
               (changes.empty() ? written(keys.front(), dialect) + "=" + written(keys.front(), dialect)
                                : changes);
    return sql + format(" ON CONFLICT ({}) DO ", joined(keys, dialect)) +
           (changes.empty() ? "NOTHING" : "UPDATE SET " + changes);
}

Result<std::string> identifier(std::string_view text)
{
    int dots = 0;
    bool good = !text.empty() && text.size() <= 128 && !is_digit(text.front()) && text.front() != '.' &&
                text.back() != '.';
    for (const char c : text) {
        dots += c == '.' ? 1 : 0;
        good = good && (is_alnum(c) || c == '_' || c == '.');
    }
    if (!good || dots > 1)
        return invalid(format("'{}' is not a table or column name (letters, digits, _ and one dot)", text));
    return std::string{text};
}

} // namespace sipyard::db
