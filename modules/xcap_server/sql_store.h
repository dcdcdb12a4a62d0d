// modules/xcap_server/sql_store.h - documents in a table of Kamailio's layout (table `xcap`, version 4)
#pragma once

#include "core/db/database.h"
#include "modules/xcap_server/store.h"

#include <atomic>

namespace sipyard::xcap_server {

class SqlStore final : public Store {
public:
    enum class VersionCheck : unsigned char { no, yes };
    // A service that another document declares: refused, or left out of the index.
    enum class Services : unsigned char { unique, first_wins };
    // `table` and `version_table` have passed db::identifier().
    SqlStore(db::Database& database, std::string table, std::string version_table, VersionCheck check,
             Services services = Services::unique);

    // Makes the table where the database is the embedded one, compares its version. Error `unsupported`: the
    // table is another version's. Done once with success; until then every operation tries it first.
    Result<void> prepare();
    // Makes and fills the index of services when it is missing, in every database, for it is ours alone. Done
    // once with success; until then every change of an rls-services document tries it first.
    Result<void> prepare_services();

    Result<DocumentPtr> load(std::string_view doc_uri) override;
    Result<std::optional<Head>> head(std::string_view doc_uri) override;
    Result<std::vector<Listed>> list(std::string_view user, std::string_view domain) override;
    Result<Created> create(NewDocument added) override;
    Result<Written> replace(DocumentPtr next, std::string_view old_etag, Quota quota) override;
    Result<Written> remove(std::string_view doc_uri, std::string_view user, std::string_view domain,
                           std::string_view old_etag) override;
    Result<std::vector<Listed>> list_all(std::string_view after, std::size_t most) override;
    Result<std::vector<std::string>> taken_services(std::vector<std::string> keys,
                                                    std::string_view doc_uri) override;
    Result<std::vector<Listed>> rls_documents() override;
    Result<std::size_t> reindex() override;
    Result<std::optional<std::uint64_t>> freshness() override;

    static db::Table layout(std::string table);                 // columns and indexes
    static db::Table services_layout(const std::string& table); // of the index: "xcap_service"

private:
    struct Statements { // constant texts: a connection prepares each once
        std::string load, head, list, neighbours, insert, bytes_of_others, update, remove, list_all;
        std::string service_find, service_insert, service_remove, service_clear, service_taken;
        std::string rls_documents, rls_texts;
    };
    static Result<void> index_services(db::Connection& connection, const Statements& sql,
                                       const Document& document, Services services);
    db::Database& database_;
    const std::string table_, version_table_;
    const VersionCheck check_;
    const Services services_;
    const std::shared_ptr<const Statements> sql_; // shared with jobs, which may outlive a caller that gave up
    std::atomic<bool> ready_{false}, services_ready_{false};
};

} // namespace sipyard::xcap_server
