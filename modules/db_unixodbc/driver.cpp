// modules/db_unixodbc/driver.cpp - finds the database of a URL, or makes it
#include "modules/db_unixodbc/driver.h"

#include "modules/db_unixodbc/databases.h"

namespace sipyard::db_unixodbc {

OdbcDriver::OdbcDriver(task::Runtime& runtime, log::Journal& journal, DriverSettings settings)
    : runtime_{runtime}, log_{journal, "db_unixodbc"}, settings_{settings}
{
}

OdbcDriver::~OdbcDriver() = default;

bool OdbcDriver::serves(const db::Url& url) const
{
    return url.scheme == "sqlite" || url.scheme == "postgres" || url.scheme == "mysql" ||
           url.scheme == "unixodbc";
}

Result<db::Database*> OdbcDriver::open(const db::Url& url)
{
    TRY(auto target, Target::of(url));
    // SQLite needs one writer per file, however its name is written.
    const auto key = target.file.empty() ? target.connection_string : target.file;
    const std::lock_guard lock{mutex_};
    for (const auto& known : opened_)
        if (known.key == key)
            return known.database.get();
    const bool sqlite = target.dialect == db::Dialect::sqlite;
    auto database = sqlite ? std::unique_ptr<db::Database>{std::make_unique<SqliteDatabase>(
                                 std::move(target), runtime_, log_, settings_)}
                           : std::make_unique<ServerDatabase>(std::move(target), runtime_, log_, settings_);
    opened_.push_back({key, std::move(database)});
    return opened_.back().database.get();
}

std::vector<db::Database*> OdbcDriver::databases() const
{
    const std::lock_guard lock{mutex_};
    std::vector<db::Database*> list;
    for (const auto& known : opened_)
        list.push_back(known.database.get());
    return list;
}

} // namespace sipyard::db_unixodbc
