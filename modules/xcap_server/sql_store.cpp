// modules/xcap_server/sql_store.cpp - the statements of the xcap table
#include "modules/xcap_server/sql_store.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "modules/xcap_server/rls_document.h"

#include <algorithm>
#include <set>
#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr int table_layout_version = 4;
constexpr std::size_t keys_at_once = 16; // of one question for services

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

// doc_uri in the order of its bytes, whatever collation the table has: pages continue by it.
std::string bytes_of_key(db::Dialect dialect)
{
    switch (dialect) {
    case db::Dialect::mysql: return "BINARY doc_uri";
    case db::Dialect::postgres: return "doc_uri COLLATE \"C\"";
    default: return "doc_uri";
    }
}

std::string places() // "?, ?, ..."
{
    std::string text = "?";
    for (std::size_t i = 1; i < keys_at_once; ++i)
        text += ", ?";
    return text;
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

// Ours, so without a row in `version`: old tools do not know it. `service_uri` is the service's key.
db::Table SqlStore::services_layout(const std::string& table)
{
    using Type = db::Column::Type;
    return {table + "_service",
            0,
            {{"id", Type::id, 0, false, ""},
             {"service_uri", Type::varchar, 255, false, ""},
             {"username", Type::varchar, 64, false, ""},
             {"domain", Type::varchar, 64, false, ""},
             {"doc_uri", Type::varchar, 255, false, ""},
             {"pos", Type::integer, 0, false, ""}},
            {{"service_uri"}},
            {{"doc_uri"}}};
}

SqlStore::SqlStore(db::Database& database, std::string table, std::string version_table, VersionCheck check,
                   Services services)
    : database_{database}, table_{std::move(table)},
      version_table_{std::move(version_table)}, check_{check}, services_{services},
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
          "DELETE FROM " + table_ + " WHERE doc_uri = ? AND username = ? AND domain = ? AND etag = ?",
          "SELECT doc_uri, etag, doc_type, LENGTH(doc) FROM " + table_ + " WHERE " +
              bytes_of_key(database.dialect()) + " > ? ORDER BY " + bytes_of_key(database.dialect()) +
              " LIMIT ?",
          "SELECT doc_uri FROM " + table_ + "_service WHERE service_uri = ?",
          "INSERT INTO " + table_ +
              "_service (service_uri, username, domain, doc_uri, pos) VALUES (?, ?, ?, ?, ?)",
          "DELETE FROM " + table_ + "_service WHERE doc_uri = ?", "DELETE FROM " + table_ + "_service",
          "SELECT service_uri, doc_uri FROM " + table_ + "_service WHERE service_uri IN (" + places() + ")",
          "SELECT doc_uri, etag, doc_type, 0 FROM " + table_ + " WHERE doc_uri IN (SELECT doc_uri FROM " +
              table_ + "_service) ORDER BY doc_uri",
          "SELECT doc_uri, username, domain, doc FROM " + table_ +
              " WHERE doc_uri LIKE '%/rls-services/%' ORDER BY id"})}
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

Result<void> SqlStore::prepare_services()
{
    TRYV(prepare());
    if (services_ready_.load(std::memory_order_acquire))
        return {};
    TRY(const bool made, db::create_if_missing(database_, services_layout(table_)));
    if (made)
        TRYV(reindex());
    services_ready_.store(true, std::memory_order_release);
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
    const bool indexed = may_hold_services(added.document->doc_uri);
    TRYV(indexed ? prepare_services() : prepare());
    return database_.transaction<Created>(
        [sql = sql_, added = std::move(added), indexed,
         services = services_](db::Connection& connection) -> Result<Created> {
            const Document& document = *added.document;
            TRY(const auto rows, added.tree == Tree::users
                                     ? connection.run(sql->list, {document.user, document.domain})
                                     : connection.run(sql->neighbours, {like_prefix(added.directory)}));
            if (const auto refused = refusal_of(added, listed(rows)))
                return *refused;
            TRYV(connection.run(sql->insert, {document.user, document.domain, db::Blob{document.text},
                                              document.type, document.etag, document.doc_uri}));
            if (indexed)
                TRYV(index_services(connection, *sql, document, services));
            return Created::done;
        });
}

Result<Written> SqlStore::replace(DocumentPtr next, std::string_view old_etag, Quota quota)
{
    const bool indexed = may_hold_services(next->doc_uri);
    TRYV(indexed ? prepare_services() : prepare());
    if (quota.bytes == 0 && !indexed) { // one statement commits by itself and needs no transaction around it
        TRY(const auto rows,
            database_.write(sql_->update, {db::Blob{next->text}, next->type, next->etag, next->doc_uri,
                                           next->user, next->domain, old_etag}));
        return rows.affected == 1 ? Written::done : Written::lost;
    }
    return database_.transaction<Written>(
        [sql = sql_, next = std::move(next), old = std::string{old_etag}, quota, indexed,
         services = services_](db::Connection& connection) -> Result<Written> {
            if (quota.bytes != 0) {
                TRY(const auto rows,
                    connection.run(sql->bytes_of_others, {next->user, next->domain, next->doc_uri}));
                const auto others = rows.empty() ? 0 : rows[0][0].integer();
                if (static_cast<std::size_t>(others) + next->text.size() > quota.bytes)
                    return Written::too_large;
            }
            TRY(const auto rows, connection.run(sql->update, {db::Blob{next->text}, next->type, next->etag,
                                                              next->doc_uri, next->user, next->domain, old}));
            if (rows.affected == 1 && indexed)
                TRYV(index_services(connection, *sql, *next, services));
            return rows.affected == 1 ? Written::done : Written::lost;
        });
}

Result<Written> SqlStore::remove(std::string_view doc_uri, std::string_view user, std::string_view domain,
                                 std::string_view old_etag)
{
    if (may_hold_services(doc_uri)) {
        TRYV(prepare_services());
        return database_.transaction<Written>(
            [sql = sql_, uri = std::string{doc_uri}, user = std::string{user}, domain = std::string{domain},
             old = std::string{old_etag}](db::Connection& connection) -> Result<Written> {
                TRY(const auto rows, connection.run(sql->remove, {uri, user, domain, old}));
                if (rows.affected != 1)
                    return Written::lost;
                TRYV(connection.run(sql->service_remove, {uri}));
                return Written::done;
            });
    }
    TRYV(prepare());
    TRY(const auto rows, database_.write(sql_->remove, {doc_uri, user, domain, old_etag}));
    return rows.affected == 1 ? Written::done : Written::lost;
}

Result<std::vector<Listed>> SqlStore::list_all(std::string_view after, std::size_t most)
{
    TRYV(prepare());
    TRY(const auto rows, database_.read(sql_->list_all, {after, static_cast<std::int64_t>(most)}));
    return listed(rows);
}

// --- the index of services ------------------------------------------------------------------------

Result<void> SqlStore::index_services(db::Connection& connection, const Statements& sql,
                                      const Document& document, Services services)
{
    TRYV(connection.run(sql.service_remove, {document.doc_uri}));
    std::set<std::string> here; // in lower case: there are databases that do not tell letters apart
    for (const ServiceEntry& service : services_of(document.text)) {
        if (!here.insert(lower(service.key)).second)
            continue;
        TRY(const auto others, connection.run(sql.service_find, {service.key}));
        if (!others.empty() && services == Services::first_wins)
            continue;
        if (!others.empty()) // somebody was faster than the examination that found it free
            return Error{ErrorKind::unique, format("service {} is declared already", service.key)};
        TRYV(connection.run(sql.service_insert, {service.key, document.user, document.domain,
                                                 document.doc_uri, service.position}));
    }
    return {};
}

Result<std::vector<std::string>> SqlStore::taken_services(std::vector<std::string> keys,
                                                          std::string_view doc_uri)
{
    TRYV(prepare_services());
    std::vector<std::string> taken;
    for (std::size_t at = 0; at < keys.size(); at += keys_at_once) {
        std::vector<db::Value> values;
        for (std::size_t i = at; i < at + keys_at_once; ++i)
            values.emplace_back(keys[std::min(i, keys.size() - 1)]);
        TRY(const auto rows, database_.read(sql_->service_taken, std::move(values)));
        for (const auto& row : rows.rows) {
            if (row[1].text() == doc_uri)
                continue;
            // A database that ignores letter case would refuse the other one as well.
            for (std::size_t i = at; i < std::min(at + keys_at_once, keys.size()); ++i)
                if (iequals(keys[i], row[0].text()))
                    taken.push_back(keys[i]);
        }
    }
    return taken;
}

Result<std::vector<Listed>> SqlStore::rls_documents()
{
    TRYV(prepare_services());
    TRY(const auto rows, database_.read(sql_->rls_documents));
    return listed(rows);
}

Result<std::size_t> SqlStore::reindex()
{
    TRYV(prepare());
    // A table that is not there is made on the way; without recursion, for making it asks for this.
    if (!services_ready_.load(std::memory_order_acquire))
        TRYV(db::create_if_missing(database_, services_layout(table_)));
    return database_.transaction<std::size_t>(
        [sql = sql_](db::Connection& connection) -> Result<std::size_t> {
            TRYV(connection.run(sql->service_clear));
            TRY(const auto rows, connection.run(sql->rls_texts));
            std::set<std::string> seen;
            for (const auto& row : rows.rows)
                for (const ServiceEntry& service : services_of(row[3].text()))
                    if (seen.insert(lower(service.key)).second) // what was stored first has it
                        TRYV(connection.run(sql->service_insert, {service.key, row[1].text(), row[2].text(),
                                                                  row[0].text(), service.position}));
            return seen.size();
        });
}

Result<std::optional<std::uint64_t>> SqlStore::freshness()
{
    TRYV(prepare());
    return database_.freshness();
}

} // namespace sipyard::xcap_server
