// modules/xcap_server/validation_test.cpp - every rule of every usage, both ways: kind, phrase and field
#include "modules/xcap_server/body.h"
#include "modules/xcap_server/test_documents.h"
#include "test/support/catch.h"

#include <chrono>

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

const std::string alice = "sip:alice@example.com";

const Schemas& schemas()
{
    static const Schemas loaded = must(Schemas::load(default_schema_dir()));
    return loaded;
}
const Usages& usages()
{
    static const Usages known = must(Usages::make({}, {}));
    return known;
}

struct Try {
    std::string auid, text;
    Tree tree = Tree::users;
    Validation validation = {};
    Rules rules = {};
};
std::optional<Problem> examined(const Try& one)
{
    Candidate candidate{one.text, *usages().find(one.auid), one.tree};
    if (one.tree == Tree::users)
        candidate.xui = alice;
    auto problem = examine(candidate, one.validation, {}, &schemas(), one.rules);
    if (problem) {
        // Whatever it is, it can be told in a document that is valid itself.
        const auto told = xml::Document::parse(error_document(*problem));
        REQUIRE(told);
        const auto violation = schemas().violation(*told);
        INFO(violation.value_or(""));
        CHECK_FALSE(violation);
        CHECK(told->root().first().attribute("phrase").value_or("").size() <= 200);
    }
    return problem;
}

std::string lists(const std::string& inside)
{
    return "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'>" + inside + "</resource-lists>";
}
std::string services(const std::string& inside)
{
    return "<rls-services xmlns='urn:ietf:params:xml:ns:rls-services' "
           "xmlns:rl='urn:ietf:params:xml:ns:resource-lists'>" +
           inside + "</rls-services>";
}
std::string service(const std::string& inside, const std::string& uri = "sip:s@example.com")
{
    return services("<service uri='" + uri + "'>" + inside + "</service>");
}
std::string reference(const std::string& uri)
{
    return service("<resource-list>" + uri + "</resource-list>");
}
std::string rules(const std::string& conditions)
{
    return "<ruleset xmlns='urn:ietf:params:xml:ns:common-policy' xmlns:o='urn:oma:xml:xdm:common-policy'>"
           "<rule id='a'><conditions>" +
           conditions + "</conditions></rule></ruleset>";
}
std::string icon(const std::string& inside)
{
    return "<content xmlns='urn:oma:xml:prs:pres-content'>" + inside + "</content>";
}
std::string profile(const std::string& uri)
{
    return "<user-profiles xmlns='urn:oma:xml:xdm:user-profile'><user-profile uri='" + uri +
           "'/></user-profiles>";
}

const std::string own =
    "http://h/xcap-root/resource-lists/users/sip:alice@example.com/index/~~/resource-lists/list";

} // namespace

TEST_CASE("documents of every usage as clients write them", "[xcap_server][validation]")
{
    using namespace test_documents;
    const std::pair<const char*, std::string> rows[] = {
        {"resource-lists", buddies},
        {"resource-lists", oma_lists},
        {"rls-services", test_documents::services},
        {"pres-rules", test_documents::rules},
        {"org.openmobilealliance.pres-rules", oma_rules},
        {"pidf-manipulation", presence},
        {"org.openmobilealliance.user-profile", test_documents::profile},
        {"org.openmobilealliance.pres-content", test_documents::icon},
        {"simservs.ngn.etsi.org", simservs},
    };
    for (const auto& [auid, text] : rows) {
        INFO(auid);
        const auto problem = examined({auid, text});
        INFO((problem ? problem->phrase : ""));
        CHECK_FALSE(problem);
        // ... and as documents of any other usage, or none, they have the wrong root (rows 17 and 18)
        for (const auto& [other, unused] : rows) {
            const Usage &one = *usages().find(auid), &two = *usages().find(other);
            if (one.root_ns == two.root_ns)
                continue;
            INFO(other);
            const auto wrong = examined({other, text});
            REQUIRE(wrong);
            CHECK(wrong->conflict == Conflict::schema_validation_error);
        }
        const auto nameless = examined({auid, "<" + usages().find(auid)->root_name + "/>"});
        REQUIRE(nameless);
        CHECK(nameless->conflict == Conflict::schema_validation_error);
    }
}

TEST_CASE("what has to be unique", "[xcap_server][validation]")
{
    const std::string e = "<entry uri='sip:a@b'/>", r = "<rl:entry uri='sip:a@b'/>";
    const struct {
        const char* story;
        std::string auid, text;
        std::vector<std::string> fields; // none: it may be stored
    } rows[] = {
        {"two lists of one name (row 19)",
         "resource-lists",
         lists("<list name='f'/><list name='f'/>"),
         {"resource-lists/list%5b2%5d/@name"}},
        {"three of one name and two of another",
         "resource-lists",
         lists("<list name='f'/><list name='g'/><list name='f'/><list name='f'/><list name='g'/>"),
         {"resource-lists/list%5b3%5d/@name", "resource-lists/list%5b5%5d/@name"}},
        {"the same name at other levels",
         "resource-lists",
         lists("<list name='f'><list name='f'><list name='f'/></list></list><list name='g'/>"),
         {}},
        {"lists without name (row 21)", "resource-lists", lists("<list/><list/>"), {}},
        {"inner lists",
         "resource-lists",
         lists("<list/><list><list/><list name='f'/><list name='f'/></list>"),
         {"resource-lists/list%5b2%5d/list%5b3%5d/@name"}},
        {"names differ by a blank", "resource-lists", lists("<list name='f'/><list name='f '/>"), {}},
        {"an entry twice (row 20)",
         "resource-lists",
         lists("<list>" + e + "<entry uri='sip:c@b'/>" + e + "</list>"),
         {"resource-lists/list%5b1%5d/entry%5b3%5d/@uri"}},
        {"an entry in two lists (row 21)",
         "resource-lists",
         lists("<list>" + e + "</list><list>" + e + "</list>"),
         {}},
        {"compared as texts, not as URIs",
         "resource-lists",
         lists("<list>" + e + "<entry uri='SIP:a@b'/></list>"),
         {}},
        {"an entry-ref twice",
         "resource-lists",
         lists("<list><entry-ref ref='a/b'/>" + e + "<entry-ref ref='a/b'/></list>"),
         {"resource-lists/list%5b1%5d/entry-ref%5b2%5d/@ref"}},
        {"an external twice",
         "resource-lists",
         lists("<list><external anchor='http://h/a'/><external anchor='http://h/a'/></list>"),
         {"resource-lists/list%5b1%5d/external%5b2%5d/@anchor"}},
        {"externals without anchor", "resource-lists", lists("<list><external/><external/></list>"), {}},
        {"a service twice (row 78)",
         "rls-services",
         services("<service uri='sip:s@example.com'><list/></service><service "
                  "uri='sip:s@example.com'><list/></service>"),
         {"rls-services/service%5b2%5d/@uri"}},
        {"services compare as SIP URIs",
         "rls-services",
         services("<service uri='sip:s@example.com'><list/></service><service "
                  "uri='SIP:%73@Example.COM;lr'><list/></service>"),
         {"rls-services/service%5b2%5d/@uri"}},
        {"another user part is another service",
         "rls-services",
         services("<service uri='sip:s@example.com'><list/></service><service "
                  "uri='sip:S@example.com'><list/></service>"
                  "<service uri='sips:s@example.com'><list/></service><service "
                  "uri='sip:s@example.com:5070'><list/></service>"),
         {}},
        {"in a service's list, of another namespace",
         "rls-services",
         service("<list>" + r + r + "</list>"),
         {"rls-services/service%5b1%5d/list%5b1%5d/p1:entry%5b2%5d/"
          "@uri?xmlns(p1=urn:ietf:params:xml:ns:resource-lists)"}},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto problem = examined({row.auid, row.text});
        INFO((problem ? problem->phrase : ""));
        REQUIRE(problem.has_value() == !row.fields.empty());
        if (!problem)
            continue;
        CHECK(problem->conflict == Conflict::uniqueness_failure);
        REQUIRE(problem->exists.size() == row.fields.size());
        for (std::size_t i = 0; i < row.fields.size(); ++i)
            CHECK(problem->exists[i].field == row.fields[i]);
        CHECK_FALSE(examined({row.auid, row.text, Tree::users, {true, false}})); // bit 4 of `validation`
    }
}

TEST_CASE("constraints of the usages", "[xcap_server][validation]")
{
    const Rules strict{{}, false, 300 * 1024}, small{{}, true, 8};
    const auto list = [](const std::string& inside) { return lists("<list>" + inside + "</list>"); };
    const std::string lists_usage = "resource-lists", oma = "org.openmobilealliance.pres-rules",
                      icons = "org.openmobilealliance.pres-content";
    const struct {
        const char* story;
        Try given;
        const char* says; // a part of the phrase; "": it may be stored
    } rows[] = {
        // --- resource-lists (row 22)
        {"a relative ref",
         {lists_usage, list("<entry-ref ref='resource-lists/users/sip:b@c/index/~~/a'/>")},
         ""},
        {"an absolute ref", {lists_usage, list("<entry-ref ref='http://h/a'/>")}, "http://h/a"},
        {"a ref from the root", {lists_usage, list("<entry-ref ref='/a'/>")}, "relative"},
        {"a ref to an authority", {lists_usage, list("<entry-ref ref='//h/a'/>")}, "relative"},
        {"a ref that is empty", {lists_usage, list("<entry-ref ref=''/>")}, "relative"},
        {"a ref with a colon in its first segment",
         {lists_usage, list("<entry-ref ref='sip:a/b'/>")},
         "relative"},
        {"a ref with a blank", {lists_usage, list("<entry-ref ref='a b'/>")}, "relative"},
        {"a ref to another user, allowed",
         {lists_usage, list("<entry-ref ref='resource-lists/users/sip:b@c/index'/>")},
         ""},
        {"a ref to another user, not allowed",
         {lists_usage,
          list("<entry-ref ref='resource-lists/users/sip:b@c/index'/>"),
          Tree::users,
          {},
          strict},
         "another user"},
        {"a ref to oneself in another spelling",
         {lists_usage,
          list("<entry-ref ref='resource-lists/users/alice@Example.com/index/~~/a'/>"),
          Tree::users,
          {},
          strict},
         ""},
        {"a ref to the global tree",
         {lists_usage, list("<entry-ref ref='resource-lists/global/index'/>"), Tree::users, {}, strict},
         ""},
        {"an anchor", {lists_usage, list("<external anchor='HTTPS://h'/>")}, ""},
        {"a relative anchor", {lists_usage, list("<external anchor='a/b'/>")}, "anchor"},
        {"an anchor of another scheme", {lists_usage, list("<external anchor='ftp://h/a'/>")}, "anchor"},
        {"an anchor without host", {lists_usage, list("<external anchor='http:///a'/>")}, "anchor"},
        {"entries of many schemes",
         {lists_usage,
          list("<entry uri='sip:a@b'/><entry uri='tel:+1'/><entry uri='pres:a@b'/><entry uri='urn:x'/>")},
         ""},
        {"an entry without scheme", {lists_usage, list("<entry uri='alice'/>")}, "alice"},
        {"an entry that is only a scheme", {lists_usage, list("<entry uri='sip:'/>")}, "sip:"},
        {"a SIP URI that is none", {lists_usage, list("<entry uri='sip:a@b:port'/>")}, "sip:a@b:port"},
        {"deep inside", {lists_usage, list("<list><list><entry uri='x'/></list></list>")}, "'x'"},
        {"a phrase does not grow with the document",
         {lists_usage, list("<entry uri='" + std::string(5000, 'x') + "'/>")},
         "xxx"},
        {"bit 4 of `validation`",
         {lists_usage, list("<entry uri='alice'/>"), Tree::users, {true, false}},
         ""},
        // --- rls-services (row 78a)
        {"a list of one's own", {"rls-services", reference(own)}, ""},
        {"over another name of the server",
         {"rls-services", reference("HTTPS://other:8443" + own.substr(8))},
         ""},
        {"of another user",
         {"rls-services", reference("http://h/xcap-root/resource-lists/users/sip:b@c/index")},
         "own tree"},
        {"of the global tree",
         {"rls-services", reference("http://h/xcap-root/resource-lists/global/index")},
         "own tree"},
        {"of another usage",
         {"rls-services", reference("http://h/xcap-root/pres-rules/users/sip:alice@example.com/index")},
         "not of the usage"},
        {"a relative one",
         {"rls-services", reference("/xcap-root/resource-lists/users/sip:alice@example.com/index")},
         "absolute"},
        {"outside the root",
         {"rls-services", reference("http://h/resource-lists/users/sip:alice@example.com/index")},
         "root"},
        {"without a path", {"rls-services", reference("http://h")}, "root"},
        {"in a global document any user's",
         {"rls-services", reference("http://h/xcap-root/resource-lists/users/sip:b@c/index"), Tree::global},
         ""},
        {"a service that is no SIP URI", {"rls-services", service("<list/>", "http://h/a")}, "no SIP URI"},
        {"a service of 300 bytes",
         {"rls-services", service("<list/>", "sip:" + std::string(300, 'a') + "@b")},
         "no SIP URI"},
        {"rules of lists hold inside", {"rls-services", service("<list><rl:entry uri='x'/></list>")}, "'x'"},
        {"a package",
         {"rls-services", service("<list/><packages><package> presence </package></packages>")},
         ""},
        {"an empty package", {"rls-services", service("<list/><packages><package/></packages>")}, "token"},
        {"two words",
         {"rls-services", service("<list/><packages><package>a b</package></packages>")},
         "token"},
        {"no schema asked, and no list", {"rls-services", service(""), Tree::users, {false, true}}, "either"},
        // --- OMA presence rules
        {"each condition once",
         {oma, rules("<o:anonymous-request/><o:other-identity/><o:external-list/>")},
         ""},
        {"a condition twice",
         {oma, rules("<o:anonymous-request/><o:anonymous-request/>")},
         "anonymous-request"},
        {"external lists twice", {oma, rules("<o:external-list/><o:external-list/>")}, "external-list"},
        {"other identity twice", {oma, rules("<o:other-identity/><o:other-identity/>")}, "other-identity"},
        {"an anchor of a list",
         {oma, rules("<o:external-list><o:entry anc='http://h/a'/></o:external-list>")},
         ""},
        {"one that is relative",
         {oma, rules("<o:external-list><o:entry anc='a'/></o:external-list>")},
         "anc"},
        {"one that is missing", {oma, rules("<o:external-list><o:entry/></o:external-list>")}, "anc"},
        {"of IETF's usage these are foreign elements",
         {"pres-rules", rules("<o:other-identity/><o:other-identity/>")},
         ""},
        // --- user-profile
        {"one's own profile", {"org.openmobilealliance.user-profile", profile("sip:alice@Example.com")}, ""},
        {"another's", {"org.openmobilealliance.user-profile", profile("sip:bob@example.com")}, "owner"},
        {"an administrator's template",
         {"org.openmobilealliance.user-profile", profile("sip:bob@example.com"), Tree::global},
         ""},
        // --- pres-content
        {"a jpeg",
         {icons, icon("<mime-type>image/jpeg</mime-type><encoding>base64</encoding><data>AAAA</data>")},
         ""},
        {"a film",
         {icons, icon("<mime-type>video/mp4</mime-type><encoding>base64</encoding><data>AAAA</data>")},
         "video/mp4"},
        {"no type", {icons, icon("<encoding>base64</encoding><data>AAAA</data>")}, "mime-type"},
        {"two types",
         {icons, icon("<mime-type>image/gif</mime-type><mime-type>image/gif</mime-type><encoding>base64</"
                      "encoding><data/>")},
         "one of each"},
        {"as it is",
         {icons, icon("<mime-type>image/gif</mime-type><encoding>binary</encoding><data>AAAA</data>")},
         "base64"},
        {"no base64",
         {icons, icon("<mime-type>image/gif</mime-type><encoding>base64</encoding><data>A*==</data>")},
         "not base64"},
        {"just fits",
         {icons,
          icon("<mime-type>image/gif</mime-type><encoding>base64</encoding><data>AAAA AAAA\nAAA=</data>"),
          Tree::users,
          {},
          small},
         ""},
        {"too large",
         {icons,
          icon("<mime-type>image/gif</mime-type><encoding>base64</encoding><data>AAAAAAAAAAAA</data>"),
          Tree::users,
          {},
          small},
         "larger than 8"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto problem = examined(row.given);
        INFO((problem ? problem->phrase : ""));
        REQUIRE(problem.has_value() == !std::string_view{row.says}.empty());
        if (problem) {
            CHECK(problem->conflict == Conflict::constraint_failure);
            CHECK(problem->phrase.find(row.says) != std::string::npos);
        }
    }
}

TEST_CASE("the first failure answers", "[xcap_server][validation]")
{
    const auto kind = [](const std::string& text) {
        const auto problem = examined({"resource-lists", text});
        return problem ? std::string{to_text(problem->conflict)} : "";
    };
    CHECK(kind("\xff\xfe<") == "not-utf-8");
    CHECK(kind("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xff</b>") == "not-utf-8");
    CHECK(kind("<a>") == "not-well-formed");
    CHECK(kind("<a/>") == "schema-validation-error");
    CHECK(kind(lists("<list name='a'/><list name='a' bogus='1'/>")) == "schema-validation-error");
    CHECK(kind(lists("<list name='a'><entry uri='x'/></list><list name='a'/>")) == "uniqueness-failure");
    CHECK(kind(lists("<list name='a'><entry uri='x'/></list>")) == "constraint-failure");
}

TEST_CASE("texts that want to be expensive are not", "[xcap_server][validation]")
{
    std::string laughs = "<!DOCTYPE a [<!ENTITY l0 'ha'>";
    for (int i = 1; i <= 10; ++i)
        laughs += "<!ENTITY l" + std::to_string(i) + " '&l" + std::to_string(i - 1) + ";&l" +
                  std::to_string(i - 1) + ";'>";
    std::string deep = "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'>";
    for (int i = 0; i < 20'000; ++i)
        deep += "<list>";
    for (int i = 0; i < 20'000; ++i)
        deep += "</list>";
    std::string same = "<list>";
    for (int i = 0; i < 9'000; ++i)
        same += "<entry uri='sip:a@b'/>";
    std::string many = "<list>";
    for (int i = 0; i < 4'500; ++i)
        many += std::string(2, ' ') + "<entry uri='sip:" + std::to_string(i) +
                "@b'/><entry uri='sip:" + std::to_string(i) + "@b'/>";
    const struct {
        const char* story;
        std::string text;
        Conflict conflict;
    } rows[] = {
        {"a billion laughs (row 24)", laughs + "]>" + "<a>&l10;</a>", Conflict::not_well_formed},
        {"a DTD from elsewhere (row 23)", "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'><a/>",
         Conflict::not_well_formed},
        {"20000 lists inside each other (row 25)", deep + "</resource-lists>", Conflict::constraint_failure},
        {"one entry 9000 times", lists(same + "</list>"), Conflict::uniqueness_failure},
        {"4500 entries twice", lists(many + "</list>"), Conflict::uniqueness_failure},
        {"an element content may not have, 9000 times",
         lists("<list>" +
               [] {
                   std::string s;
                   for (int i = 0; i < 9'000; ++i)
                       s += "<b/>";
                   return s;
               }() +
               "</list>"),
         Conflict::schema_validation_error},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto before = std::chrono::steady_clock::now();
        const auto problem = examined({"resource-lists", row.text});
        REQUIRE(problem);
        CHECK(problem->conflict == row.conflict);
        CHECK(problem->exists.size() <= 20);
        CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds{2}); // a busy machine is slow
    }
}
