// modules/db_unixodbc/errors.h - what a database's complaint means: one table for all drivers
#pragma once

#include "core/base/result.h"
#include "core/db/database.h"

#include <string>
#include <string_view>

namespace sipyard::db_unixodbc {

// A diagnostic record of the driver manager: SQLSTATE, the database's own number, its sentence.
struct Diagnosis {
    std::string state;
    long native = 0;
    std::string text;
};

// One of unique constraint busy lost timeout syntax io other.
ErrorKind kind_of(db::Dialect dialect, const Diagnosis& diagnosis);
Error error_of(db::Dialect dialect, const Diagnosis& diagnosis);

} // namespace sipyard::db_unixodbc
