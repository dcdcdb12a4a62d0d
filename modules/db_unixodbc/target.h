// modules/db_unixodbc/target.h - a URL as ODBC sees it: the dialect and the connection string
#pragma once

#include "core/base/result.h"
#include "core/db/database.h"
#include "core/db/url.h"

#include <chrono>
#include <string>

namespace sipyard::db_unixodbc {

struct Target {
    db::Url url;
    db::Dialect dialect = db::Dialect::other;
    std::string connection_string; // holds the password: never logged
    std::string file;              // SQLite: canonical path, the same for every way of writing it
    std::chrono::seconds login_timeout{3};

    static Result<Target> of(const db::Url& url);
};

// A value in a connection string: in braces when it has characters that mean something there.
std::string braced(std::string_view value);

} // namespace sipyard::db_unixodbc
