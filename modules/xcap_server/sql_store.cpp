// modules/xcap_server/sql_store.cpp - the statements of the xcap table
#include "modules/xcap_server/sql_store.h"

#include "core/base/format.h"

#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr int table_layout_version = 4;

std::vector<Listed> listed(const db::Rows& rows)
{
    std::vector<Listed> found;
    for (const auto& row : rows.rows)
        found.push_back({std::string{row[0].text()}, std::string{row[1].text()},
                         static_cast<int>(row[2].integer()), static_cast<std::size_t>(row[3].integer())});
    return found;
}

// A LIKE pattern for texts that begin with `prefix`; '!' escapes, so a backslash stays a letter in every
// dialect.
std::string like_prefix(std::string_view prefix)
{
    std::string pattern;
    for (const char c : prefix) {
        if (c == '%' || c == '_' || c == '!')
            pattern += '!';
        pattern += c;
    }
    return pattern + '%';
}

} // namespace

db::Table SqlStore::layout(std::string table)
{
    using Type = db::Column::Type;
    return {std::move(table),
            table_layout_version,
            {{"id", Type::id, 0, false, ""},
             {"username", Type::varchar, 64, false, ""},
             {"domain", Type::varchar, 64, false, ""},
             {"doc", Type::blob, 0, false, ""},
             {"doc_type", Type::integer, 0, false, ""},
             {"etag", Type::varchar, 128, false, ""},
             {"source", Type::integer, 0, false, ""},
             {"doc_uri", Type::varchar, 255, false, ""},
             {"port", Type::integer, 0, false, ""}},
            {{"doc_uri"}},
            {{"username", "domain", "doc_type"},
             {"username", "domain", "doc_type", "doc_uri"},
             {"username", "domain", "doc_uri"}}};
}

SqlStore::SqlStore(db::Database& database, std::string table, std::string version_table, VersionCheck check)
    : database_{database}, table_{std::move(table)}, version_table_{std::move(version_table)}, check_{check},
      sql_{std::make_shared<const Statements>(Statements{
          "SELECT doc_uri, username, domain, etag, doc_type, doc FROM " + table_ + " WHERE doc_uri = ?",
          "SELECT doc_uri, username, domain, etag FROM " + table_ + " WHERE doc_uri = ?",
          "SELECT doc_uri, etag, doc_type, LENGTH(doc) FROM " + table_ +
              " WHERE username = ? AND domain = ? ORDER BY doc_uri",
          "SELECT doc_uri, etag, doc_type, LENGTH(doc) FROM " + table_ + " WHERE doc_uri LIKE ? ESCAPE '!'",
          "INSERT INTO " + table_ +
              " (username, domain, doc, doc_type, etag, source, doc_uri, port) VALUES (?, ?, ?, ?, ?, 0, ?, "
              "0)",
          "SELECT SUM(LENGTH(doc)) FROM " + table_ + " WHERE username = ? AND domain = ? AND doc_uri <> ?",
          "UPDATE " + table_ +
              " SET doc = ?, doc_type = ?, etag = ? WHERE doc_uri = ? AND username = ? AND domain = ? AND "
              "etag = ?",
          "DELETE FROM " + table_ + " WHERE doc_uri = ? AND username = ? AND domain = ? AND etag = ?"})}
{
}

Result<void> SqlStore::prepare()
{
    if (ready_.load(std::memory_order_acquire))
        return {};
    // Only the embedded default is made by us; elsewhere a missing table is the administrator's decision.
    if (database_.dialect() == db::Dialect::sqlite)
        TRYV(db::create_if_missing(database_, layout(table_)));
    if (check_ == VersionCheck::yes) {
        TRY(const auto version, db::table_version(database_, version_table_, table_));
        if (!version || *version != table_layout_version)
            return Error{ErrorKind::unsupported,
                         format("table '{}' has version {}, version {} is needed", table_,
                                version ? std::to_string(*version) : std::string{"(none)"},
                                table_layout_version)};
    }
    ready_.store(true, std::memory_order_release);
    return {};
}

Result<DocumentPtr> SqlStore::load(std::string_view doc_uri)
{
    TRYV(prepare());
    TRY(const auto rows, database_.read(sql_->load, {doc_uri}));
    for (const auto& row : rows.rows) {
        if (row[0].text() != doc_uri) // a database that ignores letter case found somebody else's
            continue;
        return std::make_shared<const Document>(Document{
            std::string{row[0].text()}, std::string{row[1].text()}, std::string{row[2].text()},
            std::string{row[3].text()}, std::string{row[5].text()}, static_cast<int>(row[4].integer())});
    }
    return DocumentPtr{};
}

Result<std::optional<Head>> SqlStore::head(std::string_view doc_uri)
{
    TRYV(prepare());
    TRY(const auto rows, database_.read(sql_->head, {doc_uri}));
    for (const auto& row : rows.rows)
        if (row[0].text() == doc_uri)
            return std::optional<Head>{
                Head{std::string{row[1].text()}, std::string{row[2].text()}, std::string{row[3].text()}}};
    return std::optional<Head>{};
}

Result<std::vector<Listed>> SqlStore::list(std::string_view user, std::string_view domain)
{
    TRYV(prepare());
    TRY(const auto rows, database_.read(sql_->list, {user, domain}));
    return listed(rows);
}

Result<Created> SqlStore::create(NewDocument added)
{
    TRYV(prepare());
    return database_.transaction<Created>(
        [sql = sql_, added = std::move(added)](db::Connection& connection) -> Result<Created> {
            const Document& document = *added.document;
            TRY(const auto rows, added.tree == Tree::users
                                     ? connection.run(sql->list, {document.user, document.domain})
                                     : connection.run(sql->neighbours, {like_prefix(added.directory)}));
            if (const auto refused = refusal_of(added, listed(rows)))
                return *refused;
            TRYV(connection.run(sql->insert, {document.user, document.domain, db::Blob{document.text},
                                              document.type, document.etag, document.doc_uri}));
            return Created::done;
        });
}

Result<Written> SqlStore::replace(DocumentPtr next, std::string_view old_etag, Quota quota)
{
    TRYV(prepare());
    if (quota.bytes == 0) { // one statement commits by itself and needs no transaction around it
        TRY(const auto rows,
            database_.write(sql_->update, {db::Blob{next->text}, next->type, next->etag, next->doc_uri,
                                           next->user, next->domain, old_etag}));
        return rows.affected == 1 ? Written::done : Written::lost;
    }
    return database_.transaction<Written>([sql = sql_, next = std::move(next), old = std::string{old_etag},
                                           quota](db::Connection& connection) -> Result<Written> {
        if (quota.bytes != 0) {
            TRY(const auto rows,
                connection.run(sql->bytes_of_others, {next->user, next->domain, next->doc_uri}));
            const auto others = rows.empty() ? 0 : rows[0][0].integer();
            if (static_cast<std::size_t>(others) + next->text.size() > quota.bytes)
                return Written::too_large;
        }
        TRY(const auto rows, connection.run(sql->update, {db::Blob{next->text}, next->type, next->etag,
                                                          next->doc_uri, next->user, next->domain, old}));
        return rows.affected == 1 ? Written::done : Written::lost;
    });
}

Result<Written> SqlStore::remove(std::string_view doc_uri, std::string_view user, std::string_view domain,
                                 std::string_view old_etag)
{
    TRYV(prepare());
    TRY(const auto rows, database_.write(sql_->remove, {doc_uri, user, domain, old_etag}));
    return rows.affected == 1 ? Written::done : Written::lost;
}

Result<std::optional<std::uint64_t>> SqlStore::freshness()
{
    TRYV(prepare());
    return database_.freshness();
}

} // namespace sipyard::xcap_server
