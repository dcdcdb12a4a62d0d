// modules/htable/database.h - a table's items in SQL: read at start and on reload, written on store and at
// the stop
#pragma once

#include "core/base/clock.h"
#include "core/db/database.h"
#include "modules/htable/table.h"

#include <string>
#include <vector>

namespace sipyard::htable {

// Column names (modparams), and whether the expiry is kept too.
struct Columns {
    std::string key_name, key_type, value_type, key_value, expires, array_size_suffix;
    bool keep_expires = false;
};

// Waits for the database. Expiry times in SQL are seconds since 1970, in memory the clock's.
Result<std::vector<Item>> load(db::Database& database, const Definition& table, const Columns& columns,
                               const Clock& clock);
// Replaces the rows by what is in memory, in one transaction. Error unsupported for a table with cols=.
Result<void> save(db::Database& database, const Table& table, const Columns& columns, const Clock& clock);

} // namespace sipyard::htable
