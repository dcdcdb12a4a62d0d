// modules/xcap_server/service_index_test.cpp - the index of services in every database: kept, raced, rebuilt
#include "modules/xcap_server/sql_store.h"

#include "modules/db_unixodbc/test_support.h"
#include "test/support/catch.h"
#include "test/support/sql_server.h"
#include "test/support/temp_dir.h"

#include <algorithm>
#include <optional>

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

struct Place {
    explicit Place(const std::string& kind)
    {
        if (kind == "postgres")
            sql.emplace(SqlServer::Kind::postgres);
        else if (kind == "mysql")
            sql.emplace(SqlServer::Kind::mysql);
        url = sql ? sql->url() : "sqlite://" + folder.file("xcap.db");
    }
    test::TempDir folder;
    std::optional<SqlServer> sql;
    std::string url;
};

std::string services(const std::vector<std::string>& uris)
{
    std::string text = "<rls-services xmlns='urn:ietf:params:xml:ns:rls-services'>";
    for (const auto& uri : uris)
        text += "<service uri='" + uri + "'><list/></service>";
    return text + "</rls-services>";
}

const std::string tree = "/xcap-root/rls-services/users/";
std::string key(const std::string& user, const std::string& file = "index")
{
    return tree + "sip:" + user + "@example.com/" + file;
}
DocumentPtr document(const std::string& user, std::string etag, const std::vector<std::string>& uris,
                     const std::string& file = "index")
{
    return std::make_shared<const Document>(
        Document{key(user, file), user, "example.com", std::move(etag), services(uris), 8});
}
Result<Created> create(SqlStore& store, const DocumentPtr& d)
{
    return store.create({d, Tree::users, tree + "sip:" + d->user + "@example.com/", {}});
}

} // namespace

TEST_CASE("services are indexed with their documents", "[xcap_server][db]")
{
    for (const std::string kind : {"sqlite", "postgres", "mysql"}) {
        INFO(kind);
        const Place place{kind};
        db_unixodbc::Server server;
        db::Database& database = server.open(place.url);
        // Kamailio's table is there, the index is not: it is made and filled from what is stored.
        const auto made = db::create_if_missing(database, SqlStore::layout("xcap"));
        INFO(why(made));
        REQUIRE(made);
        const auto old = database.write(
            "INSERT INTO xcap (username, domain, doc, doc_type, etag, source, doc_uri, port) "
            "VALUES (?, ?, ?, 8, ?, 0, ?, 0)",
            {"old", "example.com", db::Blob{services({"sip:old@example.com"})}, "o1", key("old")});
        INFO(why(old));
        REQUIRE(old);
        SqlStore store{database, "xcap", "version", SqlStore::VersionCheck::yes};
        const auto ready = store.prepare_services();
        INFO(why(ready));
        REQUIRE(ready);
        const auto taken = [&](std::vector<std::string> keys, const std::string& by = "nobody") {
            const auto found = store.taken_services(std::move(keys), by);
            INFO(why(found));
            REQUIRE(found);
            return *found;
        };
        const auto rows = [&] {
            std::string text;
            const auto found =
                database.read("SELECT service_uri, username, pos FROM xcap_service ORDER BY service_uri");
            INFO(why(found));
            REQUIRE(found);
            for (const auto& row : found->rows)
                text += std::string{row[0].text()} + " " + std::string{row[1].text()} + " " +
                        std::to_string(row[2].integer()) + "\n";
            return text;
        };
        CHECK(rows() == "sip:old@example.com old 1\n");
        CHECK(taken({"sip:old@example.com"}) == std::vector<std::string>{"sip:old@example.com"});
        CHECK(taken({"sip:old@example.com"}, key("old")).empty());

        auto created = create(store, document("alice", "a1", {"sip:one@example.com", "sip:two@example.com"}));
        INFO(why(created));
        REQUIRE(created);
        CHECK(rows() ==
              "sip:old@example.com old 1\nsip:one@example.com alice 1\nsip:two@example.com alice 2\n");
        // more keys than one question holds
        std::vector<std::string> many(40, "sip:free@example.com");
        many[33] = "sip:two@example.com";
        CHECK(taken(many) == std::vector<std::string>{"sip:two@example.com"});

        // Somebody was faster than the examination: nothing is stored, neither row nor index.
        const auto lost =
            create(store, document("bob", "b1", {"sip:bob@example.com", "sip:two@example.com"}));
        REQUIRE_FALSE(lost);
        CHECK(lost.error().kind == ErrorKind::unique);
        CHECK(*store.load(key("bob")) == nullptr);
        CHECK(taken({"sip:bob@example.com"}).empty());

        // A replacement, a stale one, one that clashes.
        CHECK(*store.replace(document("alice", "a2", {"sip:two@example.com", "sip:six@example.com"}), "a1",
                             {}) == Written::done);
        CHECK(rows() ==
              "sip:old@example.com old 1\nsip:six@example.com alice 2\nsip:two@example.com alice 1\n");
        CHECK(*store.replace(document("alice", "a3", {"sip:ten@example.com"}), "a1", {}) == Written::lost);
        CHECK_FALSE(store.replace(document("alice", "a3", {"sip:old@example.com"}), "a2", {}));
        CHECK((*store.head(key("alice")))->etag == "a2");
        CHECK(rows() ==
              "sip:old@example.com old 1\nsip:six@example.com alice 2\nsip:two@example.com alice 1\n");

        const auto documents = store.rls_documents();
        REQUIRE(documents);
        REQUIRE(documents->size() == 2);
        CHECK((*documents)[0].doc_uri == key("alice"));
        CHECK((*documents)[0].etag == "a2");

        CHECK(*store.remove(key("alice"), "alice", "example.com", "a1") == Written::lost);
        CHECK(*store.remove(key("alice"), "alice", "example.com", "a2") == Written::done);
        CHECK(rows() == "sip:old@example.com old 1\n");

        // With constraints off whoever came first keeps it.
        SqlStore lenient{database, "xcap", "version", SqlStore::VersionCheck::yes,
                         SqlStore::Services::first_wins};
        created =
            create(lenient, document("bob", "b1",
                                     {"sip:old@example.com", "sip:new@example.com", "sip:new@example.com"}));
        INFO(why(created));
        REQUIRE(created);
        CHECK(rows() == "sip:new@example.com bob 2\nsip:old@example.com old 1\n");

        // By hand somebody removed a document and spoiled the index.
        REQUIRE(database.write("DELETE FROM xcap WHERE doc_uri = ?", {key("old")}));
        REQUIRE(database.write("UPDATE xcap_service SET service_uri = 'x' WHERE pos = 2"));
        const auto services_found = store.reindex();
        INFO(why(services_found));
        REQUIRE(services_found);
        CHECK(*services_found == 2);
        CHECK(rows() == "sip:new@example.com bob 2\nsip:old@example.com bob 1\n");

        // Pages go by bytes, whatever the table's collation thinks of letters.
        for (const char* const file : {"B", "a", "c"})
            REQUIRE(create(store, document("zoe", "z", {}, file)));
        std::string after, order;
        for (int page = 0; page < 10; ++page) {
            const auto found = store.list_all(after, 2);
            INFO(why(found));
            REQUIRE(found);
            if (found->empty())
                break;
            for (const auto& one : *found)
                order += one.doc_uri.substr(one.doc_uri.rfind('/') + 1) + " ";
            after = found->back().doc_uri;
        }
        CHECK(order == "index B a c ");
    }
}
