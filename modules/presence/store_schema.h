// modules/presence/store_schema.h - Kamailio's tables presentity, active_watchers and watchers as rows
#pragma once

#include "core/db/database.h"
#include "modules/presence/store.h"
#include "modules/presence/store_queue.h"

#include <string>
#include <vector>

namespace sipyard::presence {

db::Table presentity_table(std::string name);      // version 5
db::Table active_watchers_table(std::string name); // version 12
db::Table watchers_table(std::string name);        // version 3

// In the order of the layout's columns without `id`, which is how they are read too, with `id` in front.
std::vector<db::Value> values_of(const StoredPublication& row);
std::vector<db::Value> values_of(const StoredSubscription& row);
StoredPublication publication_of(const std::vector<db::Value>& row);
StoredSubscription subscription_of(const std::vector<db::Value>& row);

// PostgreSQL and MariaDB refuse texts that are too long for their column or are no UTF-8. What is only told
// to people (User-Agent, reason) is made to fit; anything else is an Error `invalid` that names the column.
Result<void> make_fit(StoreChange& change);

// The statements that bring rows into one of the tables; constant texts, which a connection prepares once.
// Shared with jobs, which may outlive who asked for them.
struct StoreStatements {
    std::string upsert, update, remove, remove_ruid, page, clean;

    static StoreStatements for_publications(const std::string& table, db::Dialect dialect);
    static StoreStatements for_subscriptions(const std::string& table, db::Dialect dialect);
};

// Careful::yes: rows that stand in the way (the publication's under another tag) are deleted first. One
// statement or two otherwise.
enum class Careful : unsigned char { no, yes };
Result<void> execute(const StoreStatements& sql, db::Connection& connection, const RowWork& work,
                     Careful careful);

} // namespace sipyard::presence
