// core/db/database.cpp - single statements, and tables that appear by themselves
#include "core/db/database.h"

#include "core/base/format.h"
#include "core/db/sql_text.h"

namespace sipyard::db {
namespace {

Work<Rows> one_statement(std::string sql, std::vector<Value> values)
{
    return [sql = std::move(sql), values = std::move(values)](Connection& connection) {
        return connection.run(sql, values);
    };
}

// Asks the catalogue: an error such as "no such table" looks different in every database.
Result<bool> exists(Database& database, const std::string& table)
{
    std::string sql;
    std::vector<Value> values;
    const auto dot = table.find('.');
    switch (database.dialect()) {
    case Dialect::sqlite:
        sql = "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND lower(name) = lower(?)";
        values = {Value{table.substr(dot == std::string::npos ? 0 : dot + 1)}};
        break;
    case Dialect::postgres:
        sql = "SELECT 1 WHERE to_regclass(?) IS NOT NULL";
        values = {Value{table}};
        break;
    case Dialect::mysql:
        if (dot == std::string::npos) {
            sql =
                "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?";
            values = {Value{table}};
        } else {
            sql = "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?";
            values = {Value{table.substr(0, dot)}, Value{table.substr(dot + 1)}};
        }
        break;
    case Dialect::other: {
        const auto answer = database.read(format("SELECT 1 FROM {} WHERE 1 = 0", table));
        if (!answer && answer.error().kind != ErrorKind::syntax)
            return answer.error();
        return answer.has_value();
    }
    }
    TRY(const auto rows, database.read(std::move(sql), std::move(values)));
    return !rows.empty();
}

const Table& version_table_layout()
{
    using Type = Column::Type;
    static const Table table{.name = "version",
                             .columns = {{.name = "table_name", .type = Type::varchar, .length = 32},
                                         {.name = "table_version", .type = Type::integer, .fallback = "0"}},
                             .unique = {{"table_name"}}};
    return table;
}

} // namespace

Result<Rows> Database::read(std::string sql, std::vector<Value> values, Duration deadline)
{
    return answer_of<Rows>(Access::read, one_statement(std::move(sql), std::move(values)), deadline);
}

Result<Rows> Database::write(std::string sql, std::vector<Value> values, Duration deadline)
{
    return answer_of<Rows>(Access::statement, one_statement(std::move(sql), std::move(values)), deadline);
}

Result<bool> create_if_missing(Database& database, const Table& table)
{
    TRY(const bool there, exists(database, table.name));
    if (there)
        return false;
    const auto dialect = database.dialect();
    auto statements = create_statements(table, dialect);
    if (table.version != 0)
        for (auto& statement : create_statements(version_table_layout(), dialect))
            statements.push_back(std::move(statement));
    const auto row = table.version == 0
                         ? std::string{}
                         : upsert_sql("version", {"table_name", "table_version"}, {"table_name"}, dialect);
    return database.transaction<bool>([statements, row, name = table.name,
                                       version = table.version](Connection& connection) -> Result<bool> {
        for (const auto& statement : statements) {
            if (const auto done = connection.run(statement); !done)
                return done.error();
        }
        if (!row.empty()) {
            if (const auto done = connection.run(row, {Value{name}, Value{version}}); !done)
                return done.error();
        }
        return true;
    });
}

Result<std::optional<int>> table_version(Database& database, std::string_view version_table,
                                         std::string_view table)
{
    TRY(const auto name, identifier(version_table));
    TRY(const auto rows,
        database.read(format("SELECT table_version FROM {} WHERE table_name = ?", name), {Value{table}}));
    if (rows.empty())
        return std::optional<int>{};
    return std::optional<int>{static_cast<int>(rows[0][0].integer())};
}

} // namespace sipyard::db
