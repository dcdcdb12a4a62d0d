// modules/pua/store.h - publications in SQL, so that a restarted server goes on under their tags (table pua)
#pragma once

#include "core/db/database.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::pua {

// Kamailio's number of an event; 0: the table has none for it.
int event_number(std::string_view event);
std::string_view event_named(std::int64_t number); // "" for an unknown one

// Thread-safe. Calls suspend the fiber. Rows of subscriptions (those with a watcher) are not touched.
class Store {
public:
    // Throws StartupError for a table name that is none.
    Store(db::Database& database, std::string_view table);

    static db::Table table(std::string name);
    db::Table table() const { return table(table_); }
    Result<void> prepare(); // makes the table when it is missing

    struct Row {
        std::string presentity, event, id, etag;
        std::int64_t expires = 0; // seconds since 1970
    };
    Result<void> save(const Row& row); // in place of the one with the same presentity, event and id
    Result<void> remove(const Row& row);
    Result<std::vector<Row>> load(std::int64_t now); // those not expired; the others go

private:
    db::Database& database_;
    const std::string table_, delete_, insert_;
};

} // namespace sipyard::pua
