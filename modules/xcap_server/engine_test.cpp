// modules/xcap_server/engine_test.cpp - whole documents over a store in memory: what every request is
// answered
#include "modules/xcap_server/engine_test_support.h"
#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

const std::string d0 = "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">\n"
                       " <list name=\"family\">\n"
                       "  <entry uri=\"sip:ann@example.com\"><display-name>Ann</display-name></entry>\n"
                       "  <!-- keep -->\n </list>\n</resource-lists>";

} // namespace

TEST_CASE("a document is created, replaced, read and deleted", "[xcap_server]")
{
    Server server;
    const auto created = server.ask(Verb::put, index_uri, d0);
    CHECK(created.code == 201);
    CHECK_FALSE(created.etag.empty());
    CHECK(created.body.empty());

    const auto replaced = server.ask(Verb::put, index_uri, d0);
    CHECK(replaced.code == 200);
    CHECK(replaced.body.empty());
    CHECK(replaced.etag != created.etag); // also when the bytes are the same

    const auto read = server.ask(Verb::get, index_uri);
    CHECK(read.code == 200);
    CHECK(read.body == d0);
    CHECK(read.type == lists_type);
    CHECK(read.etag == replaced.etag);
    const auto head = server.ask(Verb::head, index_uri);
    CHECK(head.code == 200);
    CHECK(head.body.size() == d0.size()); // counted by the carrier, not sent
    CHECK(head.etag == replaced.etag);

    const auto deleted = server.ask(Verb::del, index_uri);
    CHECK(deleted.code == 200);
    CHECK(deleted.etag.empty());
    CHECK(server.ask(Verb::get, index_uri).code == 404);
    CHECK(server.ask(Verb::head, index_uri).code == 404);
    CHECK(server.ask(Verb::del, index_uri).code == 404);

    REQUIRE(server.changes.size() == 3);
    CHECK(server.changes[0].old_etag.empty());
    CHECK(server.changes[0].new_etag == created.etag);
    CHECK(server.changes[0].auid == "resource-lists");
    CHECK(server.changes[0].user == "alice");
    CHECK(server.changes[0].domain == "example.com");
    CHECK(server.changes[0].file == "index");
    CHECK(server.changes[1].old_etag == created.etag);
    CHECK(server.changes[2].method == DocumentChanged::Method::del);
    CHECK(server.changes[2].old_etag == replaced.etag);
    CHECK(server.changes[2].new_etag.empty());
    CHECK(server.ask(Verb::put, index_uri, d0).etag !=
          created.etag); // never again, not after a deletion either
}

TEST_CASE("requests that are refused leave the document untouched", "[xcap_server]")
{
    const std::string latin = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" + d0;
    const std::string pidf = "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:a'/>";
    std::string nested, bomb = "<!DOCTYPE r [<!ENTITY a 'x'>";
    for (int i = 0; i < 20'000; ++i)
        nested += "<list>";
    for (int i = 0; i < 10; ++i)
        bomb += "<!ENTITY e" + std::to_string(i) + " '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>";
    bomb += "]><r>&e9;</r>";
    const auto with_type = [](std::optional<std::string> type) {
        return Given{std::move(type), {}, {}, Caller::Trust::script, "sip:alice@example.com"};
    };
    const std::string other_user = root + "/resource-lists/users/sip:alice@example.com/";
    const struct {
        const char* story;
        Verb verb;
        std::string target, body;
        Given given;
        int code;
        std::string conflict, allow;
    } rows[] = {
        {"POST", Verb::post, index_uri, "", {}, 405, "", "GET, HEAD, PUT, DELETE"},
        {"POST to the root", Verb::post, root + "/", "", {}, 405, "", "GET, HEAD, PUT, DELETE"},
        {"POST to the capabilities",
         Verb::post,
         root + "/xcap-caps/global/index",
         "",
         {},
         405,
         "",
         "GET, HEAD"},
        {"POST elsewhere", Verb::post, "/other", "", {}, 404, "", ""},
        {"a search", Verb::post, root + "/org.openmobilealliance.search?target=x", "", {}, 501, "", ""},
        {"PATCH", Verb::other, index_uri, "", {}, 405, "", "GET, HEAD, PUT, DELETE"},
        {"an unknown usage",
         Verb::get,
         root + "/nosuch/users/sip:alice@example.com/index",
         "",
         {},
         404,
         "",
         ""},
        {"an unknown usage, PUT",
         Verb::put,
         root + "/nosuch/users/sip:alice@example.com/index",
         d0,
         {},
         404,
         "",
         ""},
        {"an unknown tree", Verb::get, root + "/resource-lists/user/x/index", "", {}, 404, "", ""},
        {"no document", Verb::get, root + "/resource-lists/users/x", "", {}, 404, "", ""},
        {"the root", Verb::get, root + "/", "", {}, 404, "", ""},
        {"text/plain", Verb::put, index_uri, d0, with_type("text/plain"), 415, "", ""},
        {"no Content-Type", Verb::put, index_uri, d0, with_type({}), 415, "", ""},
        {"a Latin-1 Content-Type", Verb::put, index_uri, d0, with_type(lists_type + ";charset=latin1"), 409,
         "not-utf-8", ""},
        {"crossed tags", Verb::put, index_uri, "<a><b></a>", {}, 409, "not-well-formed", ""},
        {"an empty body", Verb::put, index_uri, "", {}, 409, "not-well-formed", ""},
        {"Latin-1", Verb::put, index_uri, latin, {}, 409, "not-utf-8", ""},
        {"UTF-16", Verb::put, index_uri, std::string{"\xff\xfe<\0a\0/\0>\0", 10}, {}, 409, "not-utf-8", ""},
        {"no namespace", Verb::put, index_uri, "<resource-lists/>", {}, 409, "schema-validation-error", ""},
        {"a PIDF document", Verb::put, index_uri, pidf, {}, 409, "schema-validation-error", ""},
        {"a DOCTYPE",
         Verb::put,
         index_uri,
         "<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/'>" + d0,
         {},
         409,
         "not-well-formed",
         ""},
        {"an entity bomb", Verb::put, index_uri, bomb, {}, 409, "not-well-formed", ""},
        {"20000 nested lists",
         Verb::put,
         index_uri,
         "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">" + nested,
         {},
         409,
         "constraint-failure",
         ""},
        {"a body beyond the limit", Verb::put, index_uri, std::string(1024 * 1024 + 1, 'x'), {}, 413, "", ""},
        {"a trailing slash, PUT", Verb::put, index_uri + "/", d0, {}, 404, "", ""},
        {"a name beyond the column, PUT", Verb::put, other_user + std::string(250, 'x'), d0, {}, 414, "", ""},
        {"a name beyond the column, GET", Verb::get, other_user + std::string(250, 'x'), "", {}, 404, "", ""},
        {"a target of 9000 bytes", Verb::get, other_user + std::string(9000, 'x'), "", {}, 414, "", ""},
        {"a line end in the name", Verb::get, other_user + "x%0d%0aA:b", "", {}, 400, "", ""},
        {"a node", Verb::get, index_uri + "/~~/nothing", "", {}, 404, "", ""},
        {"a node, PUT", Verb::put, index_uri + "/~~/nothing", d0, {}, 415, "", ""},
        {"a node, DELETE", Verb::del, index_uri + "/~~/nothing", "", {}, 404, "", ""},
        {"an empty node selector", Verb::get, index_uri + "/~~/", "", {}, 400, "", ""},
        {"a document as a directory", Verb::put, index_uri + "/below", d0, {}, 409, "no-parent", ""},
        {"a directory as a document", Verb::put, other_user + "dir", d0, {}, 409, "constraint-failure", ""},
        {"the global tree", Verb::put, root + "/resource-lists/global/x", d0, {}, 403, "", ""},
        {"an owner that is none",
         Verb::get,
         index_uri,
         "",
         {{}, {}, {}, Caller::Trust::script, ""},
         404,
         "",
         ""},
        {"a path that is none", Verb::put, "", d0, {}, 404, "", ""},
        {"another owner's document",
         Verb::get,
         index_uri,
         "",
         {{}, {}, {}, Caller::Trust::script, "sip:bob@example.com"},
         403,
         "",
         ""},
        {"another owner's document, DELETE",
         Verb::del,
         index_uri,
         "",
         {{}, {}, {}, Caller::Trust::script, "sip:bob@example.com"},
         403,
         "",
         ""},
    };
    Server server;
    REQUIRE(server.ask(Verb::put, index_uri, d0).code == 201);
    REQUIRE(server.ask(Verb::put, root + "/resource-lists/users/sip:alice@example.com/dir/a", d0).code ==
            201);
    const auto before = server.ask(Verb::get, index_uri);
    for (const auto& row : rows) {
        INFO(row.story);
        const auto seen = server.ask(row.verb, row.target, row.body, row.given);
        INFO(seen.body);
        CHECK(seen.code == row.code);
        CHECK(conflict_in(seen) == row.conflict);
        CHECK(seen.allow == row.allow);
        if (row.code != 409)
            CHECK(seen.type == "text/plain");
        const auto after = server.ask(Verb::get, index_uri);
        CHECK(after.etag == before.etag);
        CHECK(after.body == before.body);
    }
    CHECK(server.changes.size() == 2);
}

TEST_CASE("bodies that are good in unusual ways are stored byte for byte", "[xcap_server]")
{
    Server server;
    for (const std::string& body :
         {d0, "<?xml version='1.0'?>\r\n<?pi x?><!-- c -->" + d0 + "\n", "\n" + d0 + "<!-- \xc3\xa4 -->"}) {
        INFO(body);
        CHECK(server.ask(Verb::put, index_uri, body).code / 100 == 2);
        CHECK(server.ask(Verb::get, index_uri).body == body);
    }
    CHECK(server.ask(Verb::put, index_uri, "\xef\xbb\xbf" + d0).code == 200);
    CHECK(server.ask(Verb::get, index_uri).body == d0);
    CHECK(server.ask(Verb::put, index_uri, d0, {"Application/Resource-Lists+xml; charset=UTF-8"}).code ==
          200);
    Engine::Settings tolerant;
    tolerant.type_check = TypeCheck::tolerant;
    Server second{tolerant};
    CHECK(second.ask(Verb::put, index_uri, d0, {std::nullopt}).code == 201);
}

TEST_CASE("conditions are compared with the stored version", "[xcap_server]")
{
    Server server;
    const auto tag = server.ask(Verb::put, index_uri, d0).etag;
    const std::string good = '"' + tag + '"';
    const struct {
        const char* story;
        Verb verb;
        std::optional<std::string> if_match, if_none_match;
        int code;
    } readings[] = {
        {"the reader has it", Verb::get, {}, good, 304},
        {"among others", Verb::get, {}, "\"x\", " + good, 304},
        {"weak", Verb::head, {}, "W/" + good, 304},
        {"anything", Verb::get, {}, "*", 304},
        {"another", Verb::get, {}, "\"x\"", 200},
        {"matching", Verb::get, good, {}, 200},
        {"any there is", Verb::get, "*", {}, 200},
        {"a stale one", Verb::get, "\"x\"", {}, 412},
        {"delete a stale one", Verb::del, "\"x\"", {}, 412},
    };
    for (const auto& row : readings) {
        INFO(row.story);
        const auto seen = server.ask(row.verb, index_uri, {}, {lists_type, row.if_match, row.if_none_match});
        CHECK(seen.code == row.code);
        if (row.code == 304) {
            CHECK(seen.etag == tag);
            CHECK(seen.body.empty());
        }
    }
    const std::string absent = root + "/resource-lists/users/sip:alice@example.com/absent";
    CHECK(server.ask(Verb::put, absent, d0, {lists_type, good, {}}).code == 412);
    CHECK(server.ask(Verb::put, absent, d0, {lists_type, "*", {}}).code == 412);
    CHECK(server.ask(Verb::get, absent, {}, {lists_type, good, {}}).code == 404);
    CHECK(server.ask(Verb::del, absent, {}, {lists_type, good, {}}).code == 404);
    CHECK(server.ask(Verb::put, index_uri, d0, {lists_type, "\"stale\"", {}}).code == 412);
    CHECK(server.ask(Verb::put, index_uri, d0, {lists_type, "W/" + good, {}}).code == 412);
    CHECK(server.ask(Verb::put, index_uri, d0, {lists_type, {}, "*"}).code == 412); // the same body
    CHECK(server.ask(Verb::put, index_uri, "<bad", {lists_type, {}, "*"}).code ==
          412); // before the body is looked at
    CHECK(server.ask(Verb::get, index_uri).etag == tag);
    CHECK(server.ask(Verb::put, absent, d0, {lists_type, {}, "*"}).code == 201);
    CHECK(server.ask(Verb::put, index_uri, d0, {lists_type, good, {}}).code == 200);
    CHECK(server.ask(Verb::put, index_uri, d0, {lists_type, good, {}}).code == 412);
}

TEST_CASE("the capabilities are one computed document", "[xcap_server]")
{
    Server server;
    const auto caps = root + "/xcap-caps/global/index";
    const auto seen = server.ask(Verb::get, caps);
    CHECK(seen.code == 200);
    CHECK(seen.type == "application/xcap-caps+xml");
    CHECK(seen.body.find("<auid>resource-lists</auid>") != std::string::npos);
    CHECK(server.ask(Verb::get, caps, {}, {{}, {}, '"' + seen.etag + '"'}).code == 304);
    CHECK(server.ask(Verb::put, caps, seen.body, {"application/xcap-caps+xml"}).allow == "GET, HEAD");
    CHECK(server.ask(Verb::del, caps).code == 405);
    CHECK(server.ask(Verb::get, root + "/xcap-caps/users/sip:alice@example.com/index").code == 404);
    CHECK(server.ask(Verb::get, root + "/xcap-caps/global/other").code == 404);
    CHECK(server.ask(Verb::get, caps, {}, {{}, {}, {}, Caller::Trust::identity, ""}).code ==
          200); // without a name too
}

TEST_CASE("who may do what when the script leaves it to the server", "[xcap_server]")
{
    Engine::Settings settings;
    settings.admin_users = {"sip:root@example.com"};
    const auto content = root + "/org.openmobilealliance.pres-content/users/sip:alice@example.com/icon";
    const auto global = root + "/resource-lists/global/all";
    const auto as = [](std::string uri, Caller::Trust trust = Caller::Trust::identity) {
        return Given{lists_type, {}, {}, trust, std::move(uri)};
    };
    const struct {
        const char* story;
        Verb verb;
        std::string target;
        Given given;
        int code;
    } rows[] = {
        {"her own", Verb::get, index_uri, as("sip:alice@example.com"), 200},
        {"her own, written differently", Verb::put, index_uri, as("alice@EXAMPLE.com"), 200},
        {"the same user part elsewhere", Verb::get, index_uri, as("sip:alice@example.org"), 403},
        {"somebody else", Verb::put, index_uri, as("sip:bob@example.com"), 403},
        {"somebody else, absent document", Verb::del, index_uri + "2", as("sip:bob@example.com"), 403},
        {"nobody", Verb::get, index_uri, as(""), 403},
        {"an administrator", Verb::put, index_uri, as("sip:root@example.com"), 200},
        {"open to all by the script", Verb::put, index_uri, as("", Caller::Trust::nobody), 200},
        {"status icons are for all", Verb::get, content, as("sip:bob@example.com"), 404},
        {"but not to change", Verb::put, content, as("sip:bob@example.com"), 403},
        {"the global tree is written by an administrator", Verb::put, global, as("sip:root@example.com"),
         201},
        {"and by nobody else", Verb::put, global, as("sip:alice@example.com"), 403},
        {"and not without a name", Verb::put, global, as("", Caller::Trust::nobody), 403},
        {"but read by all", Verb::get, global, as("sip:alice@example.com"), 200},
        {"with a name", Verb::get, global, as(""), 403},
    };
    Server server{settings};
    REQUIRE(server.ask(Verb::put, index_uri, d0).code == 201);
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(server.ask(row.verb, row.target, d0, row.given).code == row.code);
    }
    settings.xui_check = true;
    Server strict{settings};
    CHECK(strict.ask(Verb::put, index_uri, d0).code == 201);
    CHECK(strict.ask(Verb::put, index_uri, d0, as("sip:bob@example.com", Caller::Trust::script)).code == 403);
}

TEST_CASE("spellings of a user, and rows of the original server", "[xcap_server]")
{
    Server server;
    REQUIRE(server.ask(Verb::put, index_uri, d0).code == 201);
    for (const char* xui :
         {"alice@example.com", "sip%3Aalice%40example.com", "sip:%61lice@EXAMPLE.com", "alice"}) {
        INFO(xui);
        CHECK(server.ask(Verb::get, root + "/resource-lists/users/" + xui + "/index").code == 200);
    }
    const auto literal = root + "/resource-lists/users/carol@example.com/index";
    server.store.put_row({literal, "carol", "example.com", "old", d0, 4});
    const Given carol{lists_type, {}, {}, Caller::Trust::script, "sip:carol@example.com"};
    CHECK(server.ask(Verb::get, literal, {}, carol).etag == "old");
    const auto written = server.ask(Verb::put, literal, d0, carol);
    CHECK(written.code == 200);
    CHECK(server.ask(Verb::get, literal, {}, carol).etag == written.etag);
    CHECK((*server.store.load(literal))->etag == written.etag); // it stayed under its key
    CHECK(server.ask(Verb::del, literal, {}, carol).code == 200);
    CHECK(server.ask(Verb::get, literal, {}, carol).code == 404);
}

TEST_CASE("limits per user", "[xcap_server]")
{
    Engine::Settings settings;
    settings.quota = {2, 2 * d0.size() + 10};
    Server server{settings};
    const std::string base = root + "/resource-lists/users/sip:alice@example.com/";
    CHECK(server.ask(Verb::put, base + "a", d0).code == 201);
    CHECK(server.ask(Verb::put, base + "b", d0).code == 201);
    CHECK(conflict_in(server.ask(Verb::put, base + "c", d0)) == "constraint-failure");
    CHECK(conflict_in(server.ask(Verb::put, base + "b", d0 + "<!-- more than ten -->")) ==
          "constraint-failure");
    CHECK(server.ask(Verb::put, base + "b", d0 + "<!---->").code == 200);
    CHECK(server
              .ask(Verb::put, root + "/resource-lists/users/sip:bob@example.com/a", d0,
                   {lists_type, {}, {}, Caller::Trust::script, "sip:bob@example.com"})
              .code == 201);
}

TEST_CASE("the cache is believed exactly as far as it was told to", "[xcap_server]")
{
    const auto changed_behind = [](Server& server) {
        server.store.put_row({index_uri, "alice", "example.com", "sql", d0 + "<!---->", 4});
    };
    SECTION("compared with the store: nothing is read while nothing changes")
    {
        Server server;
        server.ask(Verb::put, index_uri, d0);
        CHECK(server.ask(Verb::get, index_uri).code == 200);
        const std::size_t heads = server.store.heads;
        for (int i = 0; i < 5; ++i)
            CHECK(server.ask(Verb::get, index_uri).body == d0);
        CHECK(server.store.heads == heads);
        CHECK(server.store.loads == 0);
        CHECK(server.counted("cache_hits") == 5);
        changed_behind(server);
        CHECK(server.ask(Verb::get, index_uri).etag == "sql");
        CHECK(server.store.loads == 1);
    }
    SECTION("another document's change costs one look at the tag")
    {
        Server server;
        server.ask(Verb::put, index_uri, d0);
        server.ask(Verb::get, index_uri);
        server.ask(Verb::put, index_uri + "2", d0);
        const std::size_t heads = server.store.heads;
        server.ask(Verb::get, index_uri);
        server.ask(Verb::get, index_uri);
        CHECK(server.store.heads == heads + 1);
        CHECK(server.store.loads == 0);
    }
    SECTION("a store that cannot tell is asked for the tag each time")
    {
        Server server;
        server.store.tells_freshness = false;
        server.ask(Verb::put, index_uri, d0);
        const std::size_t heads = server.store.heads;
        server.ask(Verb::get, index_uri);
        server.ask(Verb::get, index_uri);
        CHECK(server.store.heads == heads + 2);
        changed_behind(server);
        CHECK(server.ask(Verb::get, index_uri).etag == "sql");
    }
    SECTION("trusted")
    {
        Engine::Settings settings;
        settings.cache_check = CacheCheck::trust;
        Server server{settings};
        const auto tag = server.ask(Verb::put, index_uri, d0).etag;
        changed_behind(server);
        CHECK(server.ask(Verb::get, index_uri).etag == tag);
        server.engine.cache().clear();
        CHECK(server.ask(Verb::get, index_uri).etag == "sql");
    }
    SECTION("trusted for a while")
    {
        Engine::Settings settings;
        settings.cache_check = CacheCheck::trust_for_a_while;
        Server server{settings};
        const auto tag = server.ask(Verb::put, index_uri, d0).etag;
        changed_behind(server);
        CHECK(server.ask(Verb::get, index_uri).etag == tag);
        server.clock.at = server.clock.at + 1s;
        CHECK(server.ask(Verb::get, index_uri).etag == "sql");
    }
    SECTION("absence is remembered for a second")
    {
        Engine::Settings settings;
        settings.cache_check = CacheCheck::trust;
        Server server{settings};
        CHECK(server.ask(Verb::get, index_uri).code == 404);
        changed_behind(server);
        CHECK(server.ask(Verb::get, index_uri).code == 404);
        CHECK(server.store.loads == 1);
        server.clock.at = server.clock.at + 1s;
        CHECK(server.ask(Verb::get, index_uri).code == 200);
    }
    SECTION("large documents are not kept")
    {
        Engine::Settings settings;
        settings.cache.largest = d0.size() - 1;
        Server server{settings};
        server.ask(Verb::put, index_uri, d0);
        CHECK(server.ask(Verb::get, index_uri).code == 200);
        CHECK(server.engine.cache().stats().documents == 0);
    }
}

TEST_CASE("writers of other processes", "[xcap_server]")
{
    Server server;
    server.ask(Verb::put, index_uri, d0);
    int left = 3; // somebody is faster that often, right before our statement
    server.store.trouble = [&](std::string_view operation) -> Result<void> {
        if ((operation == "replace" || operation == "remove") && left > 0) {
            --left;
            server.store.put_row({index_uri, "alice", "example.com", "theirs" + std::to_string(left), d0, 4});
        }
        return {};
    };
    SECTION("an unconditional PUT goes on until it wins")
    {
        CHECK(server.ask(Verb::put, index_uri, d0).code == 200);
        CHECK(server.pauses == 2); // the first loss was a guess from the cache: the store is asked at once
        CHECK(server.changes.back().old_etag == "theirs0");
        CHECK(server.counted("write_conflicts") == 3);
    }
    SECTION("so does a DELETE")
    {
        CHECK(server.ask(Verb::del, index_uri).code == 200);
        CHECK(server.ask(Verb::get, index_uri).code == 404);
    }
    SECTION("a PUT that meant the version before has lost")
    {
        const auto tag = server.ask(Verb::get, index_uri).etag;
        CHECK(server.ask(Verb::put, index_uri, d0, {lists_type, '"' + tag + '"', {}}).code == 412);
    }
    SECTION("sixteen rounds are enough")
    {
        left = 1000;
        const auto seen = server.ask(Verb::put, index_uri, d0);
        CHECK(seen.code == 503);
        CHECK(seen.retry_after);
        CHECK(left == 1000 - 17); // and the guess before them
    }
}

TEST_CASE("a store in trouble is 503, and nothing else", "[xcap_server]")
{
    const std::string other = index_uri + "2";
    for (const auto kind :
         {ErrorKind::lost, ErrorKind::timeout, ErrorKind::overloaded, ErrorKind::syntax, ErrorKind::busy}) {
        for (const std::string_view place : {"load", "head", "create", "replace", "remove", "freshness"}) {
            INFO(place << ": " << to_text(kind));
            Server server;
            REQUIRE(server.ask(Verb::put, index_uri, d0).code == 201);
            bool hurt = false;
            server.store.trouble = [&](std::string_view operation) -> Result<void> {
                if (operation != place)
                    return {};
                hurt = true;
                return Error{kind, "trouble"};
            };
            int refused = 0;
            for (const auto& [verb, target] : {std::pair{Verb::get, other},
                                               {Verb::put, other},
                                               {Verb::put, index_uri},
                                               {Verb::del, index_uri}}) {
                const auto seen = server.ask(verb, target, d0);
                if (seen.code == 503) {
                    ++refused;
                    CHECK(seen.retry_after);
                }
                CHECK((seen.code == 503 || seen.code / 100 == 2 || seen.code == 404));
            }
            CHECK(hurt);
            CHECK(refused > 0);
            server.store.trouble = {};
            CHECK(server.ask(Verb::put, index_uri, d0).code / 100 == 2);
        }
    }
}

TEST_CASE("the administrator deletes by key", "[xcap_server]")
{
    Server server;
    server.ask(Verb::put, index_uri, d0);
    const auto removed = server.engine.remove(index_uri);
    REQUIRE(removed);
    CHECK(*removed);
    CHECK(server.changes.back().auid == "resource-lists");
    CHECK(server.changes.back().file == "index");
    CHECK(server.ask(Verb::get, index_uri).code == 404);
    const auto again = server.engine.remove(index_uri);
    REQUIRE(again);
    CHECK_FALSE(*again);
}
