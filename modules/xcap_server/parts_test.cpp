// modules/xcap_server/parts_test.cpp - tags, error documents, usages, capabilities, bodies, owners, script
// variables
#include "core/xml/document.h"
#include "modules/xcap_server/body.h"
#include "modules/xcap_server/caps.h"
#include "modules/xcap_server/error_document.h"
#include "modules/xcap_server/etag.h"
#include "modules/xcap_server/identity.h"
#include "modules/xcap_server/uri_variable.h"
#include "modules/xcap_server/usage.h"
#include "test/support/catch.h"

#include <set>

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

constexpr const char* error_ns = "urn:ietf:params:xml:ns:xcap-error";
constexpr const char* caps_ns = "urn:ietf:params:xml:ns:xcap-caps";

} // namespace

TEST_CASE("entity tags never repeat", "[xcap_server]")
{
    EtagSource one{7, 1'000}, restarted{7, 1'001}, other{8, 1'000};
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        CHECK(seen.insert(one.next()).second);
        CHECK(seen.insert(restarted.next()).second);
        CHECK(seen.insert(other.next()).second);
    }
    for (const std::string& tag : seen) {
        CHECK(tag.size() <= 64);
        CHECK(tag.starts_with("sr-"));
        CHECK(tag.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos);
    }
    CHECK(etag_of_content("a") == etag_of_content("a"));
    CHECK(etag_of_content("a") != etag_of_content("b"));
}

TEST_CASE("error documents say what was wrong and are well-formed whatever they quote", "[xcap_server]")
{
    const struct {
        const char* story;
        Problem problem;
        const char* child;
    } rows[] = {
        {"broken XML", {Conflict::not_well_formed, "unexpected <", {}, {}}, "not-well-formed"},
        {"quotes and markup",
         {Conflict::constraint_failure, "\"<&>'\r\n\x01\xff\xef\xbf\xbf", {}, {}},
         "constraint-failure"},
        {"a long phrase",
         {Conflict::schema_validation_error, std::string(199, 'x') + "\xc3\xa4\xc3\xa4", {}, {}},
         "schema-validation-error"},
        {"the deepest level there is", {Conflict::no_parent, "", "http://h/a?b=1&c", {}}, "no-parent"},
        {"a duplicate",
         {Conflict::uniqueness_failure, "twice", {}, {{"rl/list%5b2%5d/@name", {"a<b", "c"}}, {"x", {}}}},
         "uniqueness-failure"},
        {"wrong encoding", {Conflict::not_utf8, "", {}, {}}, "not-utf-8"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto text = error_document(row.problem);
        INFO(text);
        const auto document = xml::Document::parse(text);
        REQUIRE(document);
        CHECK(document->root().is("xcap-error", error_ns));
        const auto child = document->root().first();
        CHECK(child.is(row.child, error_ns));
        CHECK_FALSE(child.next());
        CHECK(child.attribute("phrase").value_or("").size() <= 200);
        if (row.problem.conflict == Conflict::no_parent)
            CHECK(child.child("ancestor", error_ns).text() == "http://h/a?b=1&c");
        if (row.problem.conflict == Conflict::uniqueness_failure) {
            CHECK(child.first().attribute("field") == "rl/list%5b2%5d/@name");
            CHECK(child.first().first().text() == "a<b");
            CHECK(child.first().next().attribute("field") == "x");
        }
    }
}

TEST_CASE("usages: those of the field, the operator's, those switched off", "[xcap_server]")
{
    using Line = FromText<AppUsage>;
    const auto mine = Line::parse("auid=test-app;ns=urn:test;mime=application/test-app+xml;global=ro");
    const auto typed = Line::parse("auid=typed;ns=t;mime=a/b;type=77;name=x");
    REQUIRE(mine);
    REQUIRE(typed);
    const auto usages = Usages::make({*mine, *typed}, {"rls-services"});
    REQUIRE(usages);
    CHECK(usages->find("test-app")->type == 8192);
    CHECK(usages->find("test-app")->global == Usage::GlobalTree::read_only);
    CHECK(usages->find("typed")->type == 77);
    CHECK(usages->find("rls-services") == nullptr);
    CHECK(usages->find("resource-lists")->type == 4);
    CHECK(usages->find("pres-rules")->type == usages->find("org.openmobilealliance.pres-rules")->type);

    CHECK_FALSE(Usages::make({*mine, *mine}, {}));
    const auto misspelt = Usages::make({}, {"rls-service"});
    REQUIRE_FALSE(misspelt);
    CHECK(misspelt.error().text.find("rls-services") != std::string::npos);
    for (const char* bad :
         {"", "auid=a", "auid=a;ns=b", "auid=a;ns=b;mime=c", "auid=a/b;ns=b;mime=c/d",
          "auid=a;ns=b;mime=c/d;type=0", "auid=a;ns=b;mime=c/d;what=1", "auid=a;ns=b;schema=x.xsd"}) {
        INFO(bad);
        CHECK_FALSE(Line::parse(bad));
    }
}

TEST_CASE("the capabilities list every usage", "[xcap_server]")
{
    const auto mine = FromText<AppUsage>::parse("auid=test-app;ns=urn:test;mime=application/test-app+xml");
    REQUIRE(mine);
    const auto usages = Usages::make({*mine}, {"simservs.ngn.etsi.org"});
    REQUIRE(usages);
    const auto document = xml::Document::parse(caps_document(*usages));
    REQUIRE(document);
    const auto root = document->root();
    REQUIRE(root.is("xcap-caps", caps_ns));
    CHECK(root.first().name() == "auids");
    CHECK(root.first().next().name() == "extensions");
    CHECK(root.first().next().next().name() == "namespaces");
    std::set<std::string> auids;
    for (const auto& auid : root.first().children())
        auids.insert(auid.text());
    CHECK(auids.count("test-app") == 1);
    CHECK(auids.count("xcap-caps") == 1);
    CHECK(auids.count("resource-lists") == 1);
    CHECK(auids.count("simservs.ngn.etsi.org") == 0);
}

TEST_CASE("bodies are examined in the order of RFC 4825", "[xcap_server]")
{
    const auto usages = Usages::make({}, {});
    REQUIRE(usages);
    const Usage& lists = *usages->find("resource-lists");
    const std::string ns = " xmlns=\"urn:ietf:params:xml:ns:resource-lists\"";
    std::string deep, closed;
    for (int i = 0; i < 20'000; ++i) {
        deep += "<list>";
        closed += "</list>";
    }
    std::string crowd = "<resource-lists" + ns;
    for (int i = 0; i < 300; ++i)
        crowd += " a" + std::to_string(i) + "=''";
    using enum Conflict;
    const struct {
        const char* story;
        std::string text;
        std::optional<Conflict> expected;
    } rows[] = {
        {"good", "<resource-lists" + ns + "/>", {}},
        {"good, with a declaration and more",
         "<?xml version='1.0' encoding='utf-8'?><?pi x?><!--c--><resource-lists" + ns +
             "><![CDATA[ ]]></resource-lists>",
         {}},
        {"empty", "", not_well_formed},
        {"crossed tags", "<a><b></a>", not_well_formed},
        {"unbound prefix", "<x:resource-lists" + ns + "/>", not_well_formed},
        {"Latin-1 declared", "<?xml version='1.0' encoding='ISO-8859-1'?><resource-lists" + ns + "/>",
         not_utf8},
        {"UTF-16", std::string{"\xff\xfe<\0a\0/\0>\0", 10}, not_utf8},
        {"bytes that are no UTF-8", "<resource-lists" + ns + ">\xff</resource-lists>", not_utf8},
        {"another root", "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='a'/>",
         schema_validation_error},
        {"root without namespace", "<resource-lists/>", schema_validation_error},
        {"DOCTYPE", "<!DOCTYPE resource-lists [<!ENTITY a 'b'>]><resource-lists" + ns + "/>",
         not_well_formed},
        {"DOCTYPE from outside", "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><resource-lists" + ns + "/>",
         not_well_formed},
        {"20000 deep", "<resource-lists" + ns + ">" + deep + closed + "</resource-lists>",
         constraint_failure},
        {"300 attributes", crowd + "/>", constraint_failure},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto problem = examine(Candidate{row.text, lists}, {}, {});
        INFO((problem ? problem->phrase : "no problem"));
        CHECK(problem.has_value() == row.expected.has_value());
        if (problem && row.expected)
            CHECK(problem->conflict == *row.expected);
    }
    CHECK_FALSE(examine(Candidate{"<a/>", lists}, {false, true}, {})); // validation without its schema bit
    CHECK(without_mark("\xef\xbb\xbf<a/>") == "<a/>");
}

TEST_CASE("Content-Type decides as strictly as the operator wants", "[xcap_server]")
{
    const auto usages = Usages::make({}, {});
    REQUIRE(usages);
    const Usage& lists = *usages->find("resource-lists");
    using enum TypeVerdict;
    const std::optional<std::string_view> missing;
    const struct {
        const char* story;
        std::optional<std::string_view> given;
        TypeVerdict strict, tolerant;
    } rows[] = {
        {"the usage's", "application/resource-lists+xml", good, good},
        {"mixed case and a charset", "Application/Resource-Lists+XML; charset=\"UTF-8\"", good, good},
        {"another charset", "application/resource-lists+xml;charset=iso-8859-1", not_utf8, not_utf8},
        {"missing", missing, wrong, good},
        {"general XML", "text/xml", wrong, good},
        {"what HTTP libraries add", "application/x-www-form-urlencoded", wrong, good},
        {"text", "text/plain", wrong, wrong},
        {"nonsense", ";;", wrong, wrong},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(check_type(row.given, lists, TypeCheck::strict) == row.strict);
        CHECK(check_type(row.given, lists, TypeCheck::tolerant) == row.tolerant);
        CHECK(check_type(row.given, lists, TypeCheck::none) == good);
    }
}

TEST_CASE("owners are a user and a domain", "[xcap_server]")
{
    const struct {
        const char* uri;
        const char* user; // null: nobody
        const char* domain;
    } rows[] = {
        {"sip:101@127.0.0.1", "101", "127.0.0.1"},
        {"sip:Alice@Example.COM;x=Y", "Alice", "example.com"},
        {"alice@example.com", "alice", "example.com"},
        {"alice", "alice", "home"},
        {"tel:+4930", "+4930", "home"},
        {"sip:a@[::1]:5060", "a", "[::1]"},
        {"", nullptr, ""},
        {"http://x/", nullptr, ""},
        {"sip:", nullptr, ""},
    };
    for (const auto& row : rows) {
        INFO(row.uri);
        Arena arena;
        const auto owner = owner_of(row.uri, {"/xcap-root/", true, "home"}, arena);
        REQUIRE(owner.has_value() == (row.user != nullptr));
        if (owner) {
            CHECK(owner->user == row.user);
            CHECK(owner->domain == row.domain);
        }
    }
    Arena arena;
    CHECK_FALSE(owner_of("sip:" + std::string(65, 'a') + "@b", {}, arena));
}

TEST_CASE("a script reads the parts of a target", "[xcap_server]")
{
    const auto usages = Usages::make({}, {});
    REQUIRE(usages);
    Arena arena;
    UriVariables variables;
    const auto part = [&](const char* text) {
        const auto key = FromText<UriKey>::parse(text);
        REQUIRE(key);
        return variables.get(*key);
    };
    CHECK(part("u=>auid").is_null());
    std::string target = "/xcap-root/resource-lists/users/sip%3Aalice@Example.com/a%20b?x=1";
    REQUIRE(variables.set("u", target, {}, *usages, arena));
    target.assign(target.size(), '!');
    CHECK(part("u=>auid") == Value{"resource-lists"});
    CHECK(part("u=>type") == Value{4});
    CHECK(part("u=>tree") == Value{"users"});
    CHECK(part("u=>xuid") == Value{"sip:alice@Example.com"});
    CHECK(part("u=>file") == Value{"a b"});
    CHECK(part("u=>root") == Value{"/xcap-root/"});
    CHECK(part("u=>uri") == Value{"/xcap-root/resource-lists/users/sip:alice@Example.com/a b"});
    CHECK(part("u=>data") == part("u=>uri"));
    CHECK(part("u=>uri_adoc") == Value{"/xcap-root/resource-lists/users/sip:alice@example.com/a b"});
    CHECK(part("u=>node").is_null());
    CHECK(part("other=>auid").is_null());

    REQUIRE(variables.set("u", "/xcap-root/pres-rules/global/index/~~/a%5B1%5D", {}, *usages, arena));
    CHECK(part("u=>node") == Value{"/a[1]"});
    CHECK(part("u=>xuid").is_null());
    CHECK(part("u=>tree") == Value{"global"});

    REQUIRE(variables.set("s", "/xcap-root/org.openmobilealliance.search?target=a%2Fusers/&domain=home", {},
                          *usages, arena));
    CHECK(part("s=>target") == Value{"a/users/"});
    CHECK(part("s=>domain") == Value{"home"});
    CHECK(part("s=>tree").is_null());

    // After a bad assignment nothing of the last good one may be left: a script would authorise the wrong
    // user.
    for (const char* bad :
         {"", "/", "/xcap-root/nosuch/users/a@b/index", "/xcap-root/pres-rules/users/%zz/index"}) {
        INFO(bad);
        REQUIRE(variables.set("u", "/xcap-root/pres-rules/users/sip:a@b/index", {}, *usages, arena));
        CHECK_FALSE(variables.set("u", bad, {}, *usages, arena));
        for (const char* key : {"u=>data", "u=>uri", "u=>root", "u=>auid", "u=>type", "u=>tree", "u=>xuid",
                                "u=>file", "u=>node", "u=>target", "u=>domain", "u=>uri_adoc"}) {
            INFO(key);
            CHECK(part(key).is_null());
        }
    }
    CHECK(part("s=>domain") == Value{"home"});
    for (const char* bad : {"u", "=>auid", "u=>", "u=>what", ""})
        CHECK_FALSE(FromText<UriKey>::parse(bad));
}
