// modules/db_unixodbc/target.cpp - connection strings that were found to work with each driver
#include "modules/db_unixodbc/target.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <filesystem>
#include <odbcinst.h>

namespace sipyard::db_unixodbc {
namespace {

// Keeps what odbc.ini says about a DSN; empty when it says nothing.
std::string dsn_setting(const std::string& dsn, const char* key)
{
    char value[1024]{};
    SQLGetPrivateProfileString(dsn.c_str(), key, "", value, sizeof value, "odbc.ini");
    return value;
}

db::Dialect dialect_of_driver(std::string_view driver)
{
    const auto name = lower(driver);
    if (name.find("sqlite") != std::string::npos)
        return db::Dialect::sqlite;
    if (name.find("postgres") != std::string::npos || name.find("psqlodbc") != std::string::npos)
        return db::Dialect::postgres;
    if (name.find("maria") != std::string::npos || name.find("mysql") != std::string::npos ||
        name.find("maodbc") != std::string::npos || name.find("myodbc") != std::string::npos)
        return db::Dialect::mysql;
    return db::Dialect::other;
}

// Two URLs with the same file must share one writer, so links and dots are resolved; the file need not exist
// yet.
Result<std::string> canonical(const std::string& name)
{
    std::error_code failure;
    const auto path = std::filesystem::weakly_canonical(std::filesystem::absolute(name), failure);
    if (failure)
        return Error{ErrorKind::io, format("'{}': {}", name, failure.message())};
    return path.string();
}

// WAL lets readers run beside the writer. Timeout is how long the driver waits for a lock in a call of ours:
// short, since the writer retries until the job's deadline. Without wide characters and with 64-bit integers.
std::string sqlite_settings(const db::Url& url)
{
    return format("JournalMode=WAL;SyncPragma={};Timeout=100;FKSupport=1;NoWCHAR=1;BigInt=1;StepAPI=0",
                  iequals(url.option("sync"), "full") ? "FULL" : "NORMAL");
}

// A peer that vanished is noticed after about ten seconds, sending (tcp_user_timeout) or waiting
// (keepalives).
constexpr std::string_view postgres_settings =
    "Protocol=7.4-0;UseServerSidePrepare=1;ByteaAsLongVarBinary=1;MaxLongVarcharSize=16777216;BoolsAsChar=0;"
    "pqopt={connect_timeout=3 tcp_user_timeout=10000 keepalives_idle=5 keepalives_interval=2 "
    "keepalives_count=3}";

// OPTION=2 counts rows an UPDATE found, as the others do; rows are not buffered by the driver.
constexpr std::string_view mysql_settings =
    "CharSet=utf8mb4;OPTION=2;NO_CACHE=1;FORWARDONLY=1;CONN_TIMEOUT=3;READ_TIMEOUT=30;WRITE_TIMEOUT=10";

std::string server_string(const db::Url& url, std::string_view driver, std::string_view settings)
{
    std::string text =
        format("Driver={{{}}};Server={};", driver, braced(url.host.empty() ? "localhost" : url.host));
    if (url.port != 0)
        text += format("Port={};", url.port);
    text += format("Database={};", braced(url.name));
    if (!url.user.empty())
        text += format("Uid={};", braced(url.user));
    if (!url.password.empty())
        text += format("Pwd={};", braced(url.password));
    return text += settings;
}

} // namespace

std::string braced(std::string_view value)
{
    if (value.find_first_of(";{}[]()=,?*!@ ") == std::string_view::npos)
        return std::string{value};
    return "{" + replace_all(value, "}", "}}") + "}";
}

Result<Target> Target::of(const db::Url& url)
{
    Target target;
    target.url = url;
    if (url.scheme == "sqlite") {
        target.dialect = db::Dialect::sqlite;
        TRY(target.file, canonical(url.name));
        target.connection_string =
            "Driver=SQLite3;Database=" + braced(target.file) + ";" + sqlite_settings(url);
    } else if (url.scheme == "postgres") {
        target.dialect = db::Dialect::postgres;
        target.connection_string = server_string(url, "PostgreSQL Unicode", postgres_settings);
    } else if (url.scheme == "mysql") {
        target.dialect = db::Dialect::mysql;
        target.connection_string = server_string(url, "MariaDB Unicode", mysql_settings);
    } else if (url.scheme == "unixodbc") {
        target.dialect = dialect_of_driver(dsn_setting(url.name, "Driver"));
        target.connection_string = "DSN=" + braced(url.name) + ";";
        if (!url.user.empty())
            target.connection_string += format("Uid={};", braced(url.user));
        if (!url.password.empty())
            target.connection_string += format("Pwd={};", braced(url.password));
        if (target.dialect == db::Dialect::sqlite) {
            const auto file = dsn_setting(url.name, "Database");
            if (file.empty())
                return invalid(format("DSN '{}' names no Database", url.name));
            TRY(target.file, canonical(file));
            target.connection_string += sqlite_settings(url);
        }
    } else {
        return Error{ErrorKind::unsupported, format("no database driver for '{}'", url.safe_text())};
    }
    if (target.connection_string.size() > 4000)
        return invalid("the database URL is too long");
    return target;
}

} // namespace sipyard::db_unixodbc
