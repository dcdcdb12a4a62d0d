// modules/auth_db/subscribers.cpp - one SELECT per check, written once per set of columns
#include "modules/auth_db/subscribers.h"

#include "core/base/format.h"
#include "core/crypto/digest.h"

#include <algorithm>

namespace sipyard::auth_db {

Result<std::optional<Subscribers::Found>> Subscribers::find(std::string_view table, std::string_view user,
                                                            std::optional<std::string_view> domain,
                                                            Which which) const
{
    TRY(const std::string from, db::identifier(table));
    std::string sql = "SELECT ";
    sql += which == Which::password     ? columns_.password
           : which == Which::password_2 ? columns_.password_2
                                        : columns_.user;
    for (const std::string& column : columns_.more)
        sql += ", " + column;
    sql += " FROM " + from + " WHERE " + columns_.user + " = ?";
    std::vector<db::Value> values{user};
    if (domain) {
        sql += " AND " + columns_.domain + " = ?";
        values.emplace_back(*domain);
    }
    TRY(const db::Rows rows, database_.read(std::move(sql), std::move(values)));
    if (rows.empty())
        return std::optional<Found>{};
    Found found{rows[0][0].print(), {}};
    found.more.assign(rows[0].begin() + 1, rows[0].end());
    return std::optional<Found>{std::move(found)};
}

Result<void> Subscribers::add(const Id& id, std::string_view password)
{
    using crypto::Algorithm;
    const std::string ha1 = crypto::hex_digest(Algorithm::md5, {id.user, ":", id.domain, ":", password});
    const std::string ha1b =
        crypto::hex_digest(Algorithm::md5, {id.user, "@", id.domain, ":", id.domain, ":", password});
    const auto written =
        database_.write(db::upsert_sql("subscriber", {"username", "domain", "password", "ha1", "ha1b"},
                                       {"username", "domain"}, database_.dialect()),
                        {id.user, id.domain, password, ha1, ha1b});
    if (!written)
        return written.error();
    return {};
}

Result<bool> Subscribers::remove(const Id& id)
{
    TRY(const db::Rows gone,
        database_.write("DELETE FROM subscriber WHERE username = ? AND domain = ?", {id.user, id.domain}));
    return gone.affected != 0;
}

Result<std::vector<Subscribers::Id>> Subscribers::list(std::size_t most) const
{
    TRY(const db::Rows rows,
        database_.read("SELECT username, domain FROM subscriber ORDER BY domain, username LIMIT " +
                       std::to_string(most)));
    std::vector<Id> found;
    for (const auto& row : rows.rows)
        found.push_back({row[0].print(), row[1].print()});
    return found;
}

const db::Table& subscriber_table()
{
    using Type = db::Column::Type;
    static const db::Table table{"subscriber",
                                 7,
                                 {{"id", Type::id},
                                  {"username", Type::varchar, 64, false, "''"},
                                  {"domain", Type::varchar, 64, false, "''"},
                                  {"password", Type::varchar, 64, false, "''"},
                                  {"ha1", Type::varchar, 128, false, "''"},
                                  {"ha1b", Type::varchar, 128, false, "''"}},
                                 {{"username", "domain"}},
                                 {{"username"}}};
    return table;
}

Result<Subscribers::Id> parse_id(std::string_view text)
{
    const auto at = text.rfind('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == text.size() || text.size() > 128)
        return invalid(format("'{}' is not USER@DOMAIN", text));
    const auto bad = [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '"' || c == '\\';
    };
    if (std::ranges::any_of(text, bad) || text.find(':') < at)
        return invalid(format("'{}' has a character that no user name may have", text));
    return Subscribers::Id{std::string{text.substr(0, at)}, std::string{text.substr(at + 1)}};
}

} // namespace sipyard::auth_db
