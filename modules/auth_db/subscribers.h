// modules/auth_db/subscribers.h - the table of users and passwords (Kamailio's `subscriber`)
#pragma once

#include "core/db/database.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::auth_db {

struct Columns {
    std::string user = "username", domain = "domain", password = "ha1", password_2 = "ha1b";
    std::vector<std::string> more; // load_credentials, each already checked to be an identifier
};

// Reads and writes it. Thread-safe: database and names are all it has. Every table name comes from the
// script, checked.
class Subscribers {
public:
    Subscribers(db::Database& database, Columns columns) : database_{database}, columns_{std::move(columns)}
    {
    }

    enum class Which : unsigned char {
        password,
        password_2,
        none
    }; // none: only whether there is such a user
    struct Found {
        std::string password;        // "" when the column is NULL
        std::vector<db::Value> more; // as Columns::more
    };
    // `domain` absent: any. Nothing when there is no such row; the first when there are several.
    Result<std::optional<Found>> find(std::string_view table, std::string_view user,
                                      std::optional<std::string_view> domain, Which which) const;

    // --- management: Kamailio's column names, table `subscriber` ---
    struct Id {
        std::string user, domain;
    };
    Result<void> add(const Id& id, std::string_view password); // or sets the password
    Result<bool> remove(const Id& id);                         // false when there was none
    Result<std::vector<Id>> list(std::size_t most) const;

private:
    db::Database& database_;
    const Columns columns_;
};

// The table as Kamailio creates it, version 7.
const db::Table& subscriber_table();

// "alice@example.com"; both parts are needed, and nothing in them may be a separator of the digest ('"' ':'
// controls).
Result<Subscribers::Id> parse_id(std::string_view text);

} // namespace sipyard::auth_db
