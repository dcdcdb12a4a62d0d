// modules/db_unixodbc/errors.cpp - SQLSTATE and native numbers of SQLite, PostgreSQL and MariaDB by meaning
#include "modules/db_unixodbc/errors.h"

#include "core/base/format.h"
#include "core/base/text.h"

namespace sipyard::db_unixodbc {
namespace {

using db::Dialect;

struct Row {
    Dialect dialect;
    std::string_view state; // the beginning of the SQLSTATE; empty: any
    long native;            // 0: any
    ErrorKind kind;
};

// First match wins; rows of a dialect stand before the general ones. SQLite says HY000 to everything and
// tells by its number; MariaDB mixes both; PostgreSQL has a SQLSTATE for each case.
constexpr Row rows[] = {
    {Dialect::sqlite, "", 5, ErrorKind::busy}, // another connection holds the lock
    {Dialect::sqlite, "", 6, ErrorKind::busy},
    {Dialect::sqlite, "", 9, ErrorKind::timeout},     // interrupted by our watchdog
    {Dialect::sqlite, "", 19, ErrorKind::constraint}, // unique is told apart by the sentence
    {Dialect::sqlite, "", 1, ErrorKind::syntax},
    {Dialect::sqlite, "", 25, ErrorKind::syntax}, // parameter out of range
    {Dialect::sqlite, "", 8, ErrorKind::io},      // read-only
    {Dialect::sqlite, "", 10, ErrorKind::io},
    {Dialect::sqlite, "", 13, ErrorKind::io},   // disk full
    {Dialect::sqlite, "", 14, ErrorKind::lost}, // cannot open

    {Dialect::mysql, "", 1062, ErrorKind::unique},
    {Dialect::mysql, "", 1169, ErrorKind::unique},
    {Dialect::mysql, "", 1586, ErrorKind::unique},
    {Dialect::mysql, "", 1048, ErrorKind::constraint}, // not null
    {Dialect::mysql, "", 1364, ErrorKind::constraint}, // no default
    {Dialect::mysql, "", 1451, ErrorKind::constraint},
    {Dialect::mysql, "", 1452, ErrorKind::constraint},
    {Dialect::mysql, "", 3819, ErrorKind::constraint},
    {Dialect::mysql, "", 4025, ErrorKind::constraint}, // check
    {Dialect::mysql, "", 1205, ErrorKind::busy},       // lock wait
    {Dialect::mysql, "", 1213, ErrorKind::busy},       // deadlock
    {Dialect::mysql, "", 1317, ErrorKind::timeout},    // interrupted by our watchdog
    {Dialect::mysql, "", 1969, ErrorKind::timeout},    // max_statement_time
    {Dialect::mysql, "", 3024, ErrorKind::timeout},
    {Dialect::mysql, "", 1040, ErrorKind::lost}, // too many connections
    {Dialect::mysql, "", 1053, ErrorKind::lost}, // shutting down
    {Dialect::mysql, "", 1927, ErrorKind::lost}, // connection was killed
    {Dialect::mysql, "", 2002, ErrorKind::lost},
    {Dialect::mysql, "", 2003, ErrorKind::lost},
    {Dialect::mysql, "", 2005, ErrorKind::lost},
    {Dialect::mysql, "", 2006, ErrorKind::lost},
    {Dialect::mysql, "", 2013, ErrorKind::lost},
    {Dialect::mysql, "", 2026, ErrorKind::lost},
    {Dialect::mysql, "", 2055, ErrorKind::lost},
    {Dialect::mysql, "", 1064, ErrorKind::syntax},
    {Dialect::mysql, "", 1146, ErrorKind::syntax}, // no such table
    {Dialect::mysql, "", 1054, ErrorKind::syntax}, // no such column

    {Dialect::postgres, "55P03", 0, ErrorKind::busy},    // lock_timeout
    {Dialect::postgres, "57014", 0, ErrorKind::timeout}, // statement_timeout or our cancel
    {Dialect::postgres, "57P", 0, ErrorKind::lost},      // shutdown, crash, still starting
    {Dialect::postgres, "53300", 0, ErrorKind::lost},    // too many connections

    {Dialect::other, "23505", 0, ErrorKind::unique}, // from here on: every dialect
    {Dialect::other, "23", 0, ErrorKind::constraint},
    {Dialect::other, "40", 0, ErrorKind::busy}, // serialization failure, deadlock
    {Dialect::other, "08", 0, ErrorKind::lost},
    {Dialect::other, "28", 0, ErrorKind::lost}, // login refused
    {Dialect::other, "IM", 0, ErrorKind::lost}, // driver or DSN unknown
    {Dialect::other, "HYT", 0, ErrorKind::timeout},
    {Dialect::other, "HY008", 0, ErrorKind::timeout}, // cancelled
    {Dialect::other, "42", 0, ErrorKind::syntax},
    {Dialect::other, "07", 0, ErrorKind::syntax}, // wrong number of parameters
};

} // namespace

ErrorKind kind_of(Dialect dialect, const Diagnosis& diagnosis)
{
    for (const auto& row : rows) {
        if ((row.dialect != dialect && row.dialect != Dialect::other) ||
            (row.native != 0 && row.native != diagnosis.native) || !diagnosis.state.starts_with(row.state))
            continue;
        if (dialect == Dialect::sqlite && row.native == 19 &&
            (diagnosis.text.find("UNIQUE constraint") != std::string::npos ||
             diagnosis.text.find("PRIMARY KEY") != std::string::npos))
            return ErrorKind::unique;
        return row.kind;
    }
    return ErrorKind::other;
}

Error error_of(Dialect dialect, const Diagnosis& diagnosis)
{
    return {kind_of(dialect, diagnosis),
            format("{} ({} {} {})", diagnosis.text, db::to_text(dialect), diagnosis.state, diagnosis.native)};
}

} // namespace sipyard::db_unixodbc
