// modules/usrloc/storage.h - bindings as rows of Kamailio's `location` table
#pragma once

#include "core/base/arena.h"
#include "core/db/database.h"
#include "modules/usrloc/api.h"
#include "modules/usrloc/settings.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::usrloc {

// What goes to the database in one transaction.
struct Batch {
    std::vector<std::vector<db::Value>> rows; // inserted, or updated when the ruid is there
    std::vector<std::string> deleted;         // ruids
    bool empty() const { return rows.empty() && deleted.empty(); }
};

// Bindings that own their texts.
class Snapshot {
public:
    void add(const ContactView& view);
    std::span<const ContactView> views() const { return views_; }
    std::vector<ContactView>& all() { return views_; }

private:
    Arena arena_;
    std::vector<ContactView> views_;
};

// Thread-safe: a database and constant texts. Every table name is checked to be an identifier. The fiber is
// suspended.
class Storage {
public:
    // Throws StartupError for column names that are none.
    Storage(db::Database& database, const Settings& settings, int server_id);

    // The embedded default's table is made when it is missing; elsewhere that is the administrator's
    // decision.
    Result<void> prepare(const std::string& table);
    static db::Table layout(const std::string& table, const Settings& settings);

    // A row of a binding; view.ruid and view.aor are set.
    std::vector<db::Value> row(const ContactView& view) const;

    Result<void> write(const std::string& table, Batch batch);
    Result<void> read_aor(const std::string& table, std::string_view aor, Snapshot& to) const;
    Result<void> read_ruid(const std::string& table, std::string_view ruid, Snapshot& to) const;
    // The next rows by ruid; fewer than `most` at the end. `after` becomes the last ruid.
    Result<std::size_t> read_page(const std::string& table, std::string& after, std::size_t most,
                                  Snapshot& to) const;
    // Deletes rows that have been over for `delay` seconds at `now`.
    Result<std::uint64_t> clean(const std::string& table, std::int64_t now, std::int64_t delay) const;
    struct Counts {
        std::int64_t users = 0, contacts = 0, expired = 0;
    };
    Result<Counts> count(const std::string& table, std::int64_t now) const;

    const db::Database& database() const { return database_; }

private:
    db::Value time(std::int64_t unix_seconds) const;
    std::int64_t time_of(const db::Value& value) const;
    ContactView view_of(const std::vector<db::Value>& row, Snapshot& to, std::string& aor) const;
    Result<std::size_t> read(std::string sql, std::vector<db::Value> values, Snapshot& to,
                             std::string* last) const;
    std::string select(const std::string& table, std::string_view where) const;

    db::Database& database_;
    const bool use_domain_, bigint_times_, server_filter_;
    const int server_id_;
    const std::uint32_t nat_flag_;
    const Settings settings_;
    const std::vector<std::string> columns_;
};

} // namespace sipyard::usrloc
