// modules/dialog/store.h - dialogs in SQL, with Kamailio's tables and columns
#pragma once

#include "core/db/database.h"
#include "modules/dialog/call.h"
#include "modules/dialog/profiles.h"
#include "modules/dialog/settings.h"

#include <string>
#include <string_view>
#include <vector>

namespace sipyard::dialog {

// Thread-safe. Calls suspend the fiber. Only answered dialogs are kept (states 3 and 4).
class Store {
public:
    // Throws StartupError for a column or table name that is none.
    Store(const Settings& settings, db::Database& database, const Profiles& profiles);

    db::Table dialogs() const; // the table as it should be, for db.create and embedded databases
    db::Table variables() const;
    Result<void> prepare(); // makes missing tables

    // `end` is when it times out, in seconds since 1970.
    Result<void> save(const Facts& facts, std::int64_t end);
    Result<void> remove(std::uint32_t entry, std::uint32_t id);
    struct Row {
        Facts facts;
        std::int64_t end = 0;
    };
    Result<std::vector<Row>> load();
    Result<std::vector<Row>> load(std::string_view call_id);

private:
    Result<std::vector<Row>> load_where(std::string_view condition, std::vector<db::Value> values);

    db::Database& database_;
    const Profiles& profiles_;
    const std::string table_, vars_table_;
    const std::vector<std::string> columns_; // in the order of row_of()
    const std::string vars_entry_, vars_id_, vars_key_, vars_value_;
    const std::string update_, insert_, delete_, delete_vars_, insert_var_;
};

} // namespace sipyard::dialog
