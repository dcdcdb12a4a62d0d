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
    return opened_.with([&](std::vector<Opened>& opened) -> Result<db::Database*> {
        for (const auto& known : opened)
            if (known.key == key)
                return known.database.get();
        const bool sqlite = target.dialect == db::Dialect::sqlite;
        auto database = sqlite
                            ? std::unique_ptr<db::Database>{std::make_unique<SqliteDatabase>(
                                  std::move(target), runtime_, log_, settings_)}
                            : std::make_unique<ServerDatabase>(std::move(target), runtime_, log_, settings_);
        return opened.emplace_back(Opened{key, std::move(database)}).database.get();
    });
}

std::vector<db::Database*> OdbcDriver::databases() const
{
    return opened_.with([](const std::vector<Opened>& opened) {
        std::vector<db::Database*> list;
        for (const auto& known : opened)
            list.push_back(known.database.get());
        return list;
    });
}

} // namespace sipyard::db_unixodbc
