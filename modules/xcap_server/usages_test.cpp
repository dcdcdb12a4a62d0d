// modules/xcap_server/usages_test.cpp - usages through the engine: rows of the test matrix, computed
// documents
#include "modules/xcap_server/computed.h"
#include "modules/xcap_server/examiner.h"
#include "modules/xcap_server/memory_store.h"
#include "modules/xcap_server/settings.h"
#include "modules/xcap_server/test_documents.h"
#include "test/support/catch.h"

#include <deque>

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

const std::string root = "/xcap-root";
const std::string alice = "sip:alice@example.com", bob = "sip:bob@example.com";
const std::string index_uri = root + "/resource-lists/users/" + alice + "/index";
const std::string rls_type = "application/rls-services+xml", lists_type = "application/resource-lists+xml";
const std::string d0 = R"(<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">
 <list name="family">
  <entry uri="sip:ann@example.com"><display-name>Ann</display-name></entry>
  <entry uri="sip:ben@example.com"/>
  <!-- keep -->
  <list name="inner"/>
 </list>
 <list name="office"><entry uri="sip:cc@example.com"/></list>
</resource-lists>)";

class StillClock final : public Clock {
public:
    Instant now() const override { return Instant{1'000'000'000}; }
    std::int64_t unix_ns() const override { return 1'000'000'000; }
};

struct Seen {
    int code = 0;
    std::string etag, type, body, allow;
};
struct Given {
    std::string type = lists_type;
    std::optional<std::string> if_none_match = {};
    Caller::Trust trust = Caller::Trust::identity;
    std::string uri = alice;
};

std::shared_ptr<const Schemas> schemas()
{
    static const auto loaded = std::make_shared<const Schemas>(must(Schemas::load(default_schema_dir())));
    return loaded;
}

// A whole server but for sockets and tables.
struct Server {
    explicit Server(std::vector<AppUsage> more = {}, std::vector<std::string> disabled = {},
                    Examiner::ResourceCheck is_resource = {})
        : usages{must(Usages::make(more, disabled))}, examiner{{},
                                                               schemas(),
                                                               store,
                                                               nullptr,
                                                               std::move(is_resource)},
          computed{store, {root + "/", true, ""}, caps_document(usages, schemas().get())},
          engine{settings(),
                 usages,
                 42,
                 {store,
                  clock,
                  statistics,
                  [](Duration) {},
                  {},
                  [this](const Candidate& candidate) { return examiner.examine(candidate); },
                  {},
                  &computed}}
    {
    }
    static Engine::Settings settings()
    {
        Engine::Settings s;
        s.admin_users = {"sip:admin@example.com"};
        return s;
    }
    Seen ask(Verb verb, const std::string& target, const std::string& body = {}, const Given& given = {})
    {
        Arena arena;
        Ask request{verb, target, {given.trust, given.uri}, {}, {}, body};
        request.authority = "xcap.example.com:8080";
        if (verb == Verb::put)
            request.content_type = given.type;
        if (given.if_none_match)
            request.conditions.if_none_match = *given.if_none_match;
        const Answer answer = engine.handle(request, arena);
        return {answer.code, std::string{answer.etag}, std::string{answer.content_type},
                std::string{answer.body}, std::string{answer.allow}};
    }

    MemoryStore store;
    StillClock clock;
    std::deque<Counter> counters;
    Statistics statistics{[this](std::string_view name, std::string_view about) -> Counter& {
        return counters.emplace_back("xcap_server", std::string{name}, std::string{about});
    }};
    const Usages usages;
    Examiner examiner;
    Computed computed;
    Engine engine;
};

// The error document's child, whole.
xml::Document error_in(const Seen& seen)
{
    INFO(seen.body);
    REQUIRE(seen.type == "application/xcap-error+xml");
    auto document = xml::Document::parse(seen.body);
    REQUIRE(document);
    const auto violation = schemas()->violation(*document);
    INFO(violation.value_or(""));
    CHECK_FALSE(violation);
    return std::move(*document);
}

std::string replaced(std::string text, const std::string& what, const std::string& with)
{
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

std::string services_of_user(const std::string& user, const std::vector<std::string>& uris)
{
    std::string text = "<rls-services xmlns='urn:ietf:params:xml:ns:rls-services'>";
    for (const auto& uri : uris)
        text += "<service uri='" + uri + "'><resource-list>http://h" + root + "/resource-lists/users/" +
                user + "/index/~~/resource-lists/list</resource-list></service>";
    return text + "</rls-services>";
}
std::string services_at(const std::string& user, const std::string& file = "index")
{
    return root + "/rls-services/users/" + user + "/" + file;
}

} // namespace

TEST_CASE("bodies of documents, rows 10 to 28", "[xcap_server][usages]")
{
    std::string laughs = "<!DOCTYPE a [<!ENTITY l0 'ha'>";
    for (int i = 1; i <= 10; ++i)
        laughs += "<!ENTITY l" + std::to_string(i) + " '&l" + std::to_string(i - 1) + ";&l" +
                  std::to_string(i - 1) + ";'>";
    std::string nested = "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'>";
    for (int i = 0; i < 20'000; ++i)
        nested += "<list>";
    const struct {
        const char* story;
        std::string type, body;
        int code;
        const char* conflict; // of 409
    } rows[] = {
        {"10: another type", "text/plain", d0, 415, ""},
        {"12: charset, mixed case", "Application/Resource-Lists+XML; charset=\"UTF-8\"", d0, 200, ""},
        {"13: tags that do not fit", lists_type, "<a><b></a>", 409, "not-well-formed"},
        {"14: nothing", lists_type, "", 409, "not-well-formed"},
        {"15: another encoding declared", lists_type, "<?xml version='1.0' encoding='ISO-8859-1'?>" + d0, 409,
         "not-utf-8"},
        {"15: UTF-16", lists_type, std::string{"\xff\xfe<\0a\0/\0>\0", 10}, 409, "not-utf-8"},
        {"16: an element nobody declared", lists_type, replaced(d0, "<!-- keep -->", "<bogus/>"), 409,
         "schema-validation-error"},
        {"17: a root without namespace", lists_type, "<resource-lists/>", 409, "schema-validation-error"},
        {"17: a root of another namespace", lists_type, "<resource-lists xmlns='urn:x'/>", 409,
         "schema-validation-error"},
        {"18: a document of another usage", lists_type, test_documents::presence, 409,
         "schema-validation-error"},
        {"19: two lists of one name", lists_type, replaced(d0, "office", "family"), 409,
         "uniqueness-failure"},
        {"20: an entry twice", lists_type, replaced(d0, "ben@", "ann@"), 409, "uniqueness-failure"},
        {"21: an entry in two lists", lists_type, replaced(d0, "cc@", "ann@"), 200, ""},
        {"21: unnamed lists", lists_type,
         replaced(replaced(d0, " name=\"family\"", ""), " name=\"office\"", ""), 200, ""},
        {"22: an absolute entry-ref", lists_type,
         replaced(d0, "<!-- keep -->", "<entry-ref ref='http://h/a'/>"), 409, "constraint-failure"},
        {"22: a relative anchor", lists_type, replaced(d0, "<!-- keep -->", "<external anchor='a'/>"), 409,
         "constraint-failure"},
        {"23: a DOCTYPE", lists_type, "<!DOCTYPE a [<!ELEMENT a ANY>]>" + d0, 409, "not-well-formed"},
        {"23: a DOCTYPE elsewhere", lists_type, "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/'>" + d0, 409,
         "not-well-formed"},
        {"24: an entity bomb", lists_type, laughs + "]><a>&l10;</a>", 409, "not-well-formed"},
        {"25: 20000 nested lists", lists_type, nested, 409, "constraint-failure"},
        {"26: too large", lists_type, std::string(1024 * 1024 + 1, ' '), 413, ""},
        {"28: a byte order mark", lists_type, "\xef\xbb\xbf" + d0, 200, ""},
        {"28: declaration, PI and CDATA", lists_type,
         "<?xml version='1.0'?><?pi?>" + replaced(d0, ">Ann<", "><![CDATA[Ann]]><"), 200, ""},
    };
    Server server;
    REQUIRE(server.ask(Verb::put, index_uri, d0).code == 201);
    for (const auto& row : rows) {
        INFO(row.story);
        const auto before = server.ask(Verb::get, index_uri);
        const auto seen = server.ask(Verb::put, index_uri, row.body, {row.type});
        INFO(seen.body);
        CHECK(seen.code == row.code);
        const auto after = server.ask(Verb::get, index_uri);
        CHECK((after.etag == before.etag) == (row.code != 200));
        CHECK(after.body ==
              (row.code == 200 ? (row.body[0] == '\xef' ? row.body.substr(3) : row.body) : before.body));
        if (row.code != 409)
            continue;
        const auto told = error_in(seen);
        const auto why = told.root().first();
        CHECK(why.name() == row.conflict);
        CHECK(why.attribute("phrase").value_or("") != "");
        CHECK(static_cast<bool>(why.first()) == (why.name() == "uniqueness-failure"));
    }
    // 17a
    const auto rules_uri = root + "/pres-rules/users/" + alice + "/index";
    const Given rules_type{"application/auth-policy+xml"};
    const auto mood = "<pr:provide-mood>true</pr:provide-mood>";
    CHECK(server
              .ask(Verb::put, rules_uri, replaced(test_documents::rules, mood, "<pr:provide-food/>"),
                   rules_type)
              .code == 409);
    CHECK(server
              .ask(Verb::put, rules_uri, replaced(test_documents::rules, mood, "<x:y xmlns:x='urn:x'/>"),
                   rules_type)
              .code == 201);
}

TEST_CASE("changes of nodes are validated as a whole, rows 55 to 69", "[xcap_server][usages]")
{
    Server server;
    REQUIRE(server.ask(Verb::put, index_uri, d0).code == 201);
    const std::string family = index_uri + "/~~/resource-lists/list%5b@name=%22family%22%5d";
    const Given el{"application/xcap-el+xml"}, att{"application/xcap-att+xml"};
    const auto refused = [&](const Seen& seen) {
        REQUIRE(seen.code == 409);
        return std::string{error_in(seen).root().first().name()};
    };
    CHECK(refused(server.ask(Verb::put, family + "/entry%5b2%5d", "<entry uri=\"sip:ann@example.com\"/>",
                             el)) == "uniqueness-failure");
    CHECK(refused(server.ask(Verb::put, family + "/entry%5b2%5d", "<entry uri=\"sip:x@y\"><bogus/></entry>",
                             el)) == "schema-validation-error");
    CHECK(refused(server.ask(Verb::put, family + "/@colour", "red", att)) == "schema-validation-error"); // 68
    const auto presence_uri = root + "/pidf-manipulation/users/" + alice + "/index";
    const auto put = server.ask(Verb::put, presence_uri,
                                "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:a@b'><tuple "
                                "id='a'><status><basic>open</basic>"
                                "</status><contact>sip:a@b</contact></tuple></presence>",
                                {"application/pidf+xml"});
    INFO(put.body);
    REQUIRE(put.code == 201);
    CHECK(refused(server.ask(Verb::del, presence_uri + "/~~/presence/tuple/status")) ==
          "schema-validation-error"); // 64
    CHECK(refused(server.ask(Verb::del, presence_uri + "/~~/presence/@entity")) == "schema-validation-error");
    const auto priority = presence_uri + "/~~/presence/tuple/contact/@priority"; // 69
    CHECK(server.ask(Verb::put, priority, "0.5", att).code == 201);
    CHECK(server.ask(Verb::put, priority, "0.75", att).code == 200);
    CHECK(refused(server.ask(Verb::put, priority, "high", att)) == "schema-validation-error");
}

TEST_CASE("what the server can do, row 77", "[xcap_server][usages]")
{
    Server server{{must(FromText<AppUsage>::parse("auid=test-app;ns=urn:test;mime=application/test+xml"))},
                  {"pidf-manipulation"}};
    const auto caps_uri = root + "/xcap-caps/global/index";
    const Given nobody{"", {}, Caller::Trust::nobody, ""};
    const auto caps = server.ask(Verb::get, caps_uri, {}, nobody); // also without a name
    CHECK(caps.code == 200);
    CHECK(caps.type == "application/xcap-caps+xml");
    const auto document = xml::Document::parse(caps.body);
    REQUIRE(document);
    CHECK_FALSE(schemas()->violation(*document));
    const auto has = [&](const std::string& text) {
        return caps.body.find(">" + text + "<") != std::string::npos;
    };
    for (const Usage& usage : server.usages.all()) {
        INFO(usage.auid);
        CHECK(has(usage.auid) == (usage.auid != search_auid));
    }
    CHECK(has("test-app"));
    CHECK_FALSE(has("pidf-manipulation"));
    CHECK(has("urn:ietf:params:xml:ns:xcap-error"));
    CHECK(has("urn:ietf:params:xml:ns:common-policy"));
    CHECK_FALSE(has("urn:test")); // no schema: no promise
    CHECK_FALSE(has("http://uri.etsi.org/ngn/params/xml/simservs/xcap"));

    CHECK(server.ask(Verb::get, caps_uri, {}, {"", "\"" + caps.etag + "\""}).code == 304);
    CHECK(server.ask(Verb::get, caps_uri + "/~~/xcap-caps/auids/auid%5b1%5d").code == 200);
    for (const Verb verb : {Verb::put, Verb::del}) {
        const auto refused =
            server.ask(verb, caps_uri, test_documents::capabilities, {"application/xcap-caps+xml"});
        CHECK(refused.code == 405);
        CHECK(refused.allow == "GET, HEAD");
    }
    CHECK(server.ask(Verb::get, root + "/xcap-caps/users/" + alice + "/index").code == 404);
    CHECK(server.ask(Verb::get, root + "/pidf-manipulation/users/" + alice + "/index").code == 404);
    CHECK(server.ask(Verb::post, root + "/org.openmobilealliance.search/global/?target=x").code == 501);
    CHECK(server.ask(Verb::get, root + "/org.openmobilealliance.search/global/x").code == 404);
}

TEST_CASE("a service's URI is one user's alone, rows 78 and 78a", "[xcap_server][usages]")
{
    Server server{{}, {}, [](std::string_view uri) -> Result<bool> {
                      if (uri == "sip:broken@example.com")
                          return Error{ErrorKind::lost, "no connection"};
                      return uri == "sip:phone@example.com" || uri == "sip:phone-2@example.com";
                  }};
    const Given of_alice{rls_type}, of_bob{rls_type, {}, Caller::Trust::identity, bob};
    const auto put = [&](const std::string& user, std::vector<std::string> uris,
                         const std::string& file = "index") {
        return server.ask(Verb::put, services_at(user, file), services_of_user(user, uris),
                          user == bob ? of_bob : of_alice);
    };
    REQUIRE(put(alice, {"sip:friends@example.com", "sip:work@example.com"}).code == 201);
    CHECK(put(alice, {"sip:friends@example.com"}).code == 200); // its own are no obstacle
    CHECK(put(bob, {"sip:work@example.com"}).code == 201);      // given up by alice

    const auto refused = put(bob, {"sip:work@example.com", "sip:friends@EXAMPLE.com;lr"});
    REQUIRE(refused.code == 409);
    const auto told = error_in(refused);
    const auto failure = told.root().first();
    CHECK(failure.name() == "uniqueness-failure");
    const auto exists = failure.children();
    REQUIRE(exists.size() == 1);
    CHECK(exists[0].attribute("field") == "rls-services/service%5b2%5d/@uri");
    REQUIRE(exists[0].children().size() == 2);
    CHECK(exists[0].children()[0].text() == "sip:friends-2@EXAMPLE.com");
    CHECK(exists[0].children()[1].text() == "sip:friends-3@EXAMPLE.com");

    CHECK(put(alice, {"sip:friends@example.com"}, "draft").code == 409); // two documents of one user, too
    CHECK(put(alice, {"sip:Friends@example.com"}, "draft").code == 201); // another user part
    CHECK(server.ask(Verb::del, services_at(alice)).code == 200);
    CHECK(put(bob, {"sip:friends@example.com"}).code == 200);

    const auto phone = put(alice, {"sip:phone@example.com"}); // rls_uri_check
    REQUIRE(phone.code == 409);
    const auto phone_told = error_in(phone);
    CHECK(phone_told.root().first().first().first().text() == "sip:phone-3@example.com");
    CHECK(put(alice, {"sip:broken@example.com"}).code == 503);

    CHECK(server.ask(Verb::put, services_at(alice), services_of_user(bob, {"sip:a@example.com"}), of_alice)
              .code == 409);
    CHECK(server
              .ask(Verb::put, services_at("alice@Example.com"),
                   services_of_user("alice@example.com", {"sip:a@example.com"}), of_alice)
              .code == 201);
}

TEST_CASE("all services in one document, row 79", "[xcap_server][usages]")
{
    Server server;
    const auto global = root + "/rls-services/global/index";
    const auto empty = server.ask(Verb::get, global);
    REQUIRE(empty.code == 200);
    CHECK(empty.type == rls_type);
    CHECK_FALSE(xml::Document::parse(empty.body)->root().first());

    REQUIRE(server
                .ask(Verb::put, services_at(alice), services_of_user(alice, {"sip:friends@example.com"}),
                     {rls_type})
                .code == 201);
    REQUIRE(server
                .ask(Verb::put, services_at(alice, "draft"),
                     services_of_user(alice, {"sip:draft@example.com"}), {rls_type})
                .code == 201);
    // prefixes of the document's own, and an element of no namespace below one of another
    const std::string odd =
        "<r:rls-services xmlns:r='urn:ietf:params:xml:ns:rls-services' "
        "xmlns:l='urn:ietf:params:xml:ns:resource-lists'>"
        "<r:service uri='sip:odd@example.com'><r:list name='l&amp;r'><l:entry uri='sip:x@y'/></r:list>"
        "<x:y xmlns:x='urn:x'><z/></x:y></r:service></r:rls-services>";
    const auto put =
        server.ask(Verb::put, services_at(bob), odd, {rls_type, {}, Caller::Trust::identity, bob});
    INFO(put.body);
    REQUIRE(put.code == 201);

    const auto seen = server.ask(Verb::get, global);
    INFO(seen.body);
    CHECK(seen.etag != empty.etag);
    const auto document = xml::Document::parse(seen.body);
    REQUIRE(document);
    const auto violation = schemas()->violation(*document);
    INFO(violation.value_or(""));
    CHECK_FALSE(violation);
    const auto services = document->root().children();
    REQUIRE(services.size() == 2);
    CHECK(services[0].attribute("uri") == "sip:friends@example.com");
    CHECK(services[1].attribute("uri") == "sip:odd@example.com");
    CHECK(services[1].first().attribute("name") == "l&r");
    CHECK(services[1].child("y", "urn:x").first().ns().empty());

    const auto one =
        server.ask(Verb::get, global + "/~~/rls-services/service%5b@uri=%22sip:odd@example.com%22%5d");
    CHECK(one.code == 200);
    CHECK(one.etag == seen.etag);
    CHECK(server.ask(Verb::get, global + "/~~/rls-services/service%5b@uri=%22sip:none@example.com%22%5d")
              .code == 404);
    CHECK(server.ask(Verb::get, global, {}, {"", "\"" + seen.etag + "\""}).code == 304);
    const auto loads = server.store.loads.load();
    CHECK(server.ask(Verb::get, global).etag == seen.etag);
    CHECK(server.store.loads == loads); // nothing changed: nothing is read

    CHECK(server.ask(Verb::put, global, odd, {rls_type, {}, Caller::Trust::identity, "sip:admin@example.com"})
              .code == 405);
    REQUIRE(server.ask(Verb::del, services_at(alice)).code == 200);
    CHECK(server.ask(Verb::get, global).body.find("friends") == std::string::npos);
    server.store.put_row(
        {services_at(alice), "alice", "example.com", "x", "<rls-services", 8}); // damaged by hand
    CHECK(server.ask(Verb::get, global).code == 200);
    server.store.trouble = [](std::string_view operation) -> Result<void> {
        if (operation == "rls_documents" || operation == "freshness")
            return Error{ErrorKind::lost, "no connection"};
        return {};
    };
    CHECK(server.ask(Verb::get, global).code == 503);
}

TEST_CASE("the directory of a user, row 80", "[xcap_server][usages]")
{
    Server server;
    const auto uri = root + "/org.openmobilealliance.xcap-directory/users/" + alice + "/directory.xml";
    const auto folders = [&] {
        const auto seen = server.ask(Verb::get, uri);
        INFO(seen.body);
        REQUIRE(seen.code == 200);
        CHECK(seen.type == "application/vnd.oma.xcap-directory+xml");
        auto document = xml::Document::parse(seen.body);
        REQUIRE(document);
        CHECK_FALSE(schemas()->violation(*document));
        return std::move(*document);
    };
    CHECK_FALSE(folders().root().first()); // a user without documents
    const auto etag = server.ask(Verb::put, index_uri, d0).etag;
    REQUIRE(server.ask(Verb::put, root + "/resource-lists/users/" + alice + "/a%20%22b%22", d0).code == 201);
    const Given rules{"application/auth-policy+xml"};
    REQUIRE(
        server.ask(Verb::put, root + "/pres-rules/users/" + alice + "/index", test_documents::rules, rules)
            .code == 201);
    REQUIRE(server
                .ask(Verb::put, root + "/org.openmobilealliance.pres-rules/users/" + alice + "/pres-rules",
                     test_documents::oma_rules, rules)
                .code == 201);
    const auto document = folders();
    const auto list = document.root().children();
    REQUIRE(list.size() == 3); // by usage, not by type
    CHECK(list[0].attribute("auid") == "org.openmobilealliance.pres-rules");
    CHECK(list[1].attribute("auid") == "pres-rules");
    CHECK(list[2].attribute("auid") == "resource-lists");
    const auto entries = list[2].children();
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].attribute("uri") ==
          "http://xcap.example.com:8080" + root + "/resource-lists/users/" + alice + "/a%20%22b%22");
    CHECK(entries[1].attribute("uri") == "http://xcap.example.com:8080" + index_uri);
    CHECK(entries[1].attribute("etag") == etag);
    CHECK(entries[1].attribute("size") == std::to_string(d0.size()));
    CHECK(server.ask(Verb::get, uri + "/~~/xcap-directory/folder%5b@auid=%22resource-lists%22%5d").code ==
          200);
    CHECK(server.ask(Verb::put, uri, test_documents::directory, {"application/vnd.oma.xcap-directory+xml"})
              .code == 405);
    CHECK(server.ask(Verb::get, uri, {}, {"", {}, Caller::Trust::identity, bob}).code == 403);
    CHECK(server.ask(Verb::get, root + "/org.openmobilealliance.xcap-directory/users/" + alice + "/index")
              .code == 404);
    CHECK(server.ask(Verb::get, root + "/org.openmobilealliance.xcap-directory/global/directory.xml").code ==
          404);
}

TEST_CASE("who may do what, rows 81 and 82", "[xcap_server][usages]")
{
    Server server;
    const Given admin{lists_type, {}, Caller::Trust::identity, "sip:admin@example.com"};
    const Given stranger{lists_type, {}, Caller::Trust::identity, bob};
    const Given namesake{lists_type, {}, Caller::Trust::identity, "sip:alice@example.org"};
    const Given nobody{lists_type, {}, Caller::Trust::identity, ""};
    const auto global = root + "/resource-lists/global/x";
    CHECK(server.ask(Verb::put, global, d0).code == 403);
    CHECK(server.ask(Verb::put, global, d0, admin).code == 201);
    CHECK(server.ask(Verb::get, global).code == 200);
    CHECK(server.ask(Verb::get, global, {}, nobody).code == 403);
    REQUIRE(server.ask(Verb::put, index_uri, d0).code == 201);
    for (const Given& other : {stranger, namesake, nobody})
        for (const Verb verb : {Verb::get, Verb::put, Verb::del})
            CHECK(server.ask(verb, index_uri, d0, other).code == 403);
    CHECK(server.ask(Verb::put, index_uri, d0, admin).code == 200);
    // icons are for everybody with a name
    const auto icon_uri =
        root + "/org.openmobilealliance.pres-content/users/" + alice + "/oma_status-icon/me.png";
    const std::string icon_type = "application/vnd.oma.pres-content+xml";
    const auto put = server.ask(Verb::put, icon_uri, test_documents::icon, {icon_type});
    INFO(put.body);
    REQUIRE(put.code == 201);
    CHECK(server.ask(Verb::get, icon_uri, {}, stranger).code == 200);
    CHECK(server.ask(Verb::get, icon_uri, {}, nobody).code == 403);
    CHECK(server.ask(Verb::put, icon_uri, test_documents::icon, {icon_type, {}, Caller::Trust::identity, bob})
              .code == 403);
    // 3GPP: well-formed and the right root
    const auto simservs_uri = root + "/simservs.ngn.etsi.org/users/tel:+1/simservs.xml";
    const Given phone{"application/simservs+xml", {}, Caller::Trust::script, alice};
    CHECK(server.ask(Verb::put, simservs_uri, test_documents::simservs, phone).code == 201);
    CHECK(server.ask(Verb::get, simservs_uri + "/~~/simservs/communication-diversion", {}, phone).code ==
          200);
    CHECK(server.ask(Verb::put, simservs_uri, d0, phone).code == 409);
}

TEST_CASE("usages of the operator's", "[xcap_server][usages]")
{
    const auto app = [](const char* text) { return FromText<AppUsage>::parse(text); };
    const auto with_schema = app("auid=a;ns=urn:a;mime=a/b;schema=a.xsd");
    REQUIRE(with_schema);
    CHECK(with_schema->usage.root_ns == "urn:a");
    const auto simservs = app("auid=simservs.ngn.etsi.org;schema=/x/simservs.xsd");
    REQUIRE(simservs);
    const auto usages = Usages::make({*with_schema, *simservs}, {});
    INFO(why(usages));
    REQUIRE(usages);
    CHECK(usages->find("simservs.ngn.etsi.org")->schema == "/x/simservs.xsd");
    CHECK(usages->find("a")->type == 8192);
    CHECK_FALSE(usages->find("a")->check({"urn:a", "anything"}, {}));
    CHECK(usages->find("a")->check({"urn:b", "anything"}, {}));
    CHECK_FALSE(Usages::make({*simservs, *simservs}, {}));
    CHECK_FALSE(Usages::make({*app("auid=nobody;schema=x.xsd")}, {}));
    CHECK_FALSE(Usages::make({*app("auid=xcap-caps;schema=x.xsd")}, {}));
    CHECK_FALSE(app("auid=a;schema=x.xsd;mime=a/b"));
    CHECK_FALSE(app("auid=a"));
    const std::pair<const char*, int> types[] = {{"pres-rules", 2},
                                                 {"resource-lists", 4},
                                                 {"rls-services", 8},
                                                 {"pidf-manipulation", 16},
                                                 {"xcap-caps", 32},
                                                 {"org.openmobilealliance.user-profile", 64},
                                                 {"org.openmobilealliance.pres-content", 128},
                                                 {"org.openmobilealliance.search", 256},
                                                 {"org.openmobilealliance.xcap-directory", 512},
                                                 {"simservs.ngn.etsi.org", 4096},
                                                 {"org.openmobilealliance.pres-rules", 2}};
    for (const auto& [auid, type] : types)
        CHECK(usages->find(auid)->type == type);
}

TEST_CASE("the server does not start with schemas it cannot read", "[xcap_server][usages]")
{
    const auto usages = must(Usages::make({}, {}));
    Settings settings;
    CHECK(load_schemas(settings, usages)->knows("urn:ietf:params:xml:ns:pidf"));
    settings.schema_dir = "/nowhere/at/all";
    try {
        load_schemas(settings, usages);
        FAIL("it started");
    } catch (const StartupError& error) {
        CHECK(std::string_view{error.what()}.find("/nowhere/at/all") != std::string_view::npos);
    }
    settings.validation = 5; // no schema asked
    CHECK(load_schemas(settings, usages) == nullptr);
    settings = {};
    const auto mine =
        must(Usages::make({must(FromText<AppUsage>::parse("auid=a;ns=urn:a;mime=a/b;schema=none.xsd"))}, {}));
    CHECK_THROWS_AS(load_schemas(settings, mine), StartupError);
}
