// modules/xcap_server/schemas_test.cpp - what the schemas accept and refuse, one realistic document each
#include "modules/xcap_server/schemas.h"

#include "modules/xcap_server/test_documents.h"
#include "test/support/catch.h"

#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <thread>

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

// The first violation; "" when it is valid.
std::string violation(const std::string& text)
{
    static const Schemas schemas = must(Schemas::load(default_schema_dir()));
    const auto document = xml::Document::parse(text);
    INFO(text);
    REQUIRE(document);
    const auto found = schemas.violation(*document);
    if (found) {
        CHECK(found->size() <= 200);
        CHECK(found->find(".xsd") == std::string::npos);
    }
    return found.value_or("");
}

std::string replaced(std::string text, const std::string& what, const std::string& with)
{
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

struct Folder {
    Folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "sipyard-xsd-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~Folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string write(const std::string& name, const std::string& text) const
    {
        std::ofstream{path + "/" + name} << text;
        return path + "/" + name;
    }
    std::string path;
};

std::string schema(const std::string& ns, const std::string& inside)
{
    return "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='" + ns + "' xmlns='" +
           ns + "' elementFormDefault='qualified'>" + inside + "</xs:schema>";
}

} // namespace

TEST_CASE("every shipped schema compiles, and is listed", "[xcap_server][schemas]")
{
    REQUIRE_FALSE(default_schema_dir().empty());
    const auto schemas = Schemas::load(default_schema_dir());
    INFO(why(schemas));
    REQUIRE(schemas);
    for (const char* const ns :
         {"urn:ietf:params:xml:ns:resource-lists", "urn:ietf:params:xml:ns:rls-services",
          "urn:ietf:params:xml:ns:common-policy", "urn:ietf:params:xml:ns:pres-rules",
          "urn:ietf:params:xml:ns:pidf", "urn:ietf:params:xml:ns:pidf:data-model",
          "urn:ietf:params:xml:ns:pidf:rpid", "urn:ietf:params:xml:ns:pidf:cipid",
          "urn:ietf:params:xml:ns:pidf:caps", "urn:ietf:params:xml:ns:xcap-caps",
          "urn:ietf:params:xml:ns:xcap-error", "urn:ietf:params:xml:ns:xcap-diff",
          "urn:oma:xml:xdm:xcap-directory", "urn:oma:xml:xdm:user-profile", "urn:oma:xml:prs:pres-content"}) {
        INFO(ns);
        CHECK(schemas->knows(ns));
    }
    CHECK(schemas->namespaces().size() == 15);
    CHECK_FALSE(schemas->knows("http://www.w3.org/XML/1998/namespace"));
    CHECK_FALSE(schemas->knows("http://uri.etsi.org/ngn/params/xml/simservs/xcap"));
}

TEST_CASE("realistic documents are valid", "[xcap_server][schemas]")
{
    for (const auto& [name, text] : test_documents::all()) {
        INFO(name);
        CHECK(violation(text) == "");
    }
}

TEST_CASE("what the tables of elements do not have is refused", "[xcap_server][schemas]")
{
    using namespace test_documents;
    const struct {
        const char* story;
        std::string text;
        const char* says; // a part of the violation; "": valid
    } rows[] = {
        {"an undeclared element in a list", replaced(buddies, "<entry ", "<bogus/><entry "), "bogus"},
        {"an attribute nobody declared", replaced(buddies, "<list ", "<list colour='red' "), "colour"},
        {"an entry without uri", replaced(buddies, "uri=\"sip:bill@example.com\"", ""), "uri"},
        {"an entry right below the root", replaced(buddies, "<list ", "<entry uri='sip:a@b'/><list "),
         "entry"},
        {"a display-name behind the entries",
         replaced(buddies, "</list>\n <list", "<display-name/></list>\n <list"), "display-name"},
        {"a foreign element behind the entries",
         replaced(buddies, "</list>\n <list", "<x:y xmlns:x='urn:x'/></list>\n <list"), ""},
        {"a foreign element between the entries",
         replaced(buddies, "<entry ", "<x:y xmlns:x='urn:x'/><entry "), "entry"},
        {"an element of no namespace", replaced(buddies, "</list>\n <list", "<y xmlns=''/></list>\n <list"),
         "y"},
        {"a foreign attribute", replaced(buddies, "<list ", "<list x:a='1' xmlns:x='urn:x' "), ""},
        {"a service with both kinds of list", replaced(services, "<packages>", "<list/><packages>"), "list"},
        {"a service without uri", replaced(services, "uri=\"sip:mybuddies@example.com\"", ""), "uri"},
        {"two rules of one id", replaced(rules, "id=\"b\"", "id=\"a\""), "a"},
        {"a rule without id", replaced(rules, " id=\"a\"", ""), "id"},
        {"conditions with nothing in them", replaced(rules, "<cr:sphere value=\"work\"/>", ""), ""},
        {"a sphere without value", replaced(rules, " value=\"work\"", ""), "value"},
        {"a validity that ends before it is whole",
         replaced(rules, "<cr:until>2030-01-01T00:00:00Z</cr:until>", ""), "validity"},
        {"an unknown sub-handling", replaced(rules, ">allow<", ">maybe<"), "sub-handling"},
        {"polite-block", replaced(rules, ">allow<", ">polite-block<"), ""},
        {"a provide-* that does not exist",
         replaced(rules, "<pr:provide-mood>true</pr:provide-mood>",
                  "<pr:provide-food>true</pr:provide-food>"),
         "provide-food"},
        {"of another namespace it may",
         replaced(rules, "<pr:provide-mood>true</pr:provide-mood>", "<x:provide-food xmlns:x='urn:x'/>"), ""},
        {"below an unknown element it may not",
         replaced(rules, "<pr:provide-mood>true</pr:provide-mood>",
                  "<x:y xmlns:x='urn:x'><pr:provide-food/></x:y>"),
         "provide-food"},
        {"known ones are validated there",
         replaced(rules, "<pr:provide-mood>true</pr:provide-mood>",
                  "<x:y xmlns:x='urn:x'><pr:provide-mood>often</pr:provide-mood></x:y>"),
         "provide-mood"},
        {"a listed attribute that is not declared",
         replaced(rules, "<pr:provide-mood>", "<x:y xmlns:x='urn:x' pr:a='1'/><pr:provide-mood>"), "pr"},
        {"all services and one service",
         replaced(rules, "<pr:all-services/>", "<pr:all-services/><pr:service-uri>sip:a@b</pr:service-uri>"),
         "service-uri"},
        {"user input in between", replaced(rules, ">thresholds<", ">sometimes<"), "provide-user-input"},
        {"an unknown attribute without name", replaced(rules, " name=\"foo\"", ""), "name"},
        {"presence without entity", replaced(presence, " entity=\"pres:someone@example.com\"", ""), "entity"},
        {"a tuple without status", replaced(presence, "<status><basic>open</basic></status>", ""), "status"},
        {"a basic status that is neither", replaced(presence, ">open<", ">ajar<"), "basic"},
        {"a priority above 1", replaced(presence, "priority=\"0.8\"", "priority=\"1.1\""), "priority"},
        {"a priority of four decimals", replaced(presence, "priority=\"0.8\"", "priority=\"0.8888\""),
         "priority"},
        {"a priority that is a word", replaced(presence, "priority=\"0.8\"", "priority=\"high\""),
         "priority"},
        {"an activity nobody knows", replaced(presence, "<r:on-the-phone/>", "<r:daydreaming/>"),
         "daydreaming"},
        {"an rpid element that does not exist", replaced(presence, "<r:sphere>", "<r:weather/><r:sphere>"),
         "weather"},
        {"a device without its ID",
         replaced(presence, "  <dm:deviceID>urn:device:1</dm:deviceID>\n </dm:device>", " </dm:device>"),
         "device"},
        {"a card that is none",
         replaced(presence, "<c:card>http://example.com/~a/card</c:card>", "<c:cord/>"), "cord"},
        {"caps in a wrong order",
         replaced(presence, "<sc:audio>true</sc:audio><sc:control>false</sc:control>",
                  "<sc:control>false</sc:control><sc:audio>true</sc:audio>"),
         "audio"},
        {"caps: namespaces before auids", replaced(capabilities, "<auids>", "<namespaces/><auids>"),
         "namespaces"},
        {"two errors at once", replaced(conflict, "</xcap-error>", "<cannot-insert/></xcap-error>"),
         "cannot-insert"},
        {"a uniqueness failure without field", replaced(conflict, " field=\"a\"", ""), "field"},
        {"a directory entry without etag", replaced(directory, " etag=\"e1\"", ""), "etag"},
        {"a patch of no kind", replaced(diff, "<remove ", "<move "), "move"},
        {"a hint where a schema is",
         replaced(buddies, "<resource-lists ",
                  "<resource-lists xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
                  "xsi:schemaLocation='urn:ietf:params:xml:ns:resource-lists file:///etc/passwd "
                  "urn:x http://127.0.0.1:9/x.xsd' xsi:noNamespaceSchemaLocation='y.xsd' "),
         ""},
        {"a root that no schema has", "<a xmlns='urn:nobody'/>", "a"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto seen = violation(row.text);
        CHECK(seen.empty() == std::string_view{row.says}.empty());
        INFO(seen);
        CHECK(seen.find(row.says) != std::string::npos);
    }
}

TEST_CASE("a schema of the operator's", "[xcap_server][schemas]")
{
    const Folder folder;
    const auto good = folder.write("app.xsd", schema("urn:app", "<xs:include schemaLocation='part.xsd'/>"
                                                                "<xs:element name='app' type='t'/>"));
    folder.write("part.xsd", "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:simpleType name='t'>"
                             "<xs:restriction base='xs:int'/></xs:simpleType></xs:schema>");
    const auto broken =
        folder.write("broken.xsd", schema("urn:broken", "<xs:element name='a' type='nowhere'/>"));
    const auto torn = folder.write("torn.xsd", "<xs:schema");
    const auto fetching =
        folder.write("fetching.xsd",
                     schema("urn:fetching",
                            "<xs:include schemaLocation='http://127.0.0.1:9/x.xsd'/><xs:element name='a'/>"));
    const auto entity = folder.write("entity.xsd", "<!DOCTYPE a [<!ENTITY b 'c'>]>" + schema("urn:e", ""));
    const auto again =
        folder.write("again.xsd", schema("urn:ietf:params:xml:ns:pidf", "<xs:element name='a'/>"));

    const auto schemas = Schemas::load(default_schema_dir(), {{good, "urn:app"}});
    INFO(why(schemas));
    REQUIRE(schemas);
    CHECK(schemas->knows("urn:app"));
    CHECK_FALSE(schemas->knows("urn:broken"));
    CHECK_FALSE(schemas->violation(*xml::Document::parse("<app xmlns='urn:app'>7</app>")));
    CHECK(schemas->violation(*xml::Document::parse("<app xmlns='urn:app'>x</app>")));

    for (const auto& [path, ns] :
         std::vector<std::pair<std::string, std::string>>{{broken, "urn:broken"},
                                                          {torn, "urn:torn"},
                                                          {fetching, "urn:fetching"},
                                                          {entity, "urn:e"},
                                                          {good, "urn:other"},
                                                          {again, "urn:ietf:params:xml:ns:pidf"},
                                                          {folder.path + "/none.xsd", "urn:n"}}) {
        INFO(path);
        const auto refused = Schemas::load(default_schema_dir(), {{path, ns}});
        REQUIRE_FALSE(refused);
        const auto file = std::filesystem::path{path}.filename().string();
        INFO(refused.error().text);
        CHECK(refused.error().text.find(file) != std::string::npos);
    }
    CHECK_FALSE(Schemas::load(folder.path + "/nowhere"));
}

TEST_CASE("a document cannot make validation expensive", "[xcap_server][schemas]")
{
    // Wide and repetitive within the limits of a body: every entry known, every name different, IDs by the
    // thousand.
    std::string wide = "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'><list>";
    for (int i = 0; i < 9'000; ++i)
        wide += "<entry uri='sip:u" + std::to_string(i) + "@example.com'/>";
    CHECK(violation(wide + "</list></resource-lists>") == "");
    std::string rules = "<ruleset xmlns='urn:ietf:params:xml:ns:common-policy'>";
    for (int i = 0; i < 9'000; ++i)
        rules += "<rule id='r" + std::to_string(i) + "'/>";
    CHECK(violation(rules + "</ruleset>") == "");
    CHECK(violation(rules + "<rule id='r7'/></ruleset>") != "");
}

TEST_CASE("many threads ask the same schemas", "[xcap_server][schemas]")
{
    const Schemas schemas = must(Schemas::load(default_schema_dir()));
    std::vector<std::string> wrong(4);
    std::vector<std::thread> threads;
    for (std::string& answer : wrong)
        threads.emplace_back([&] {
            for (int i = 0; i < 50 && answer.empty(); ++i)
                for (const auto& [name, text] : test_documents::all())
                    if (const auto found = schemas.violation(*xml::Document::parse(text)))
                        answer = name + ": " + *found;
        });
    for (auto& thread : threads)
        thread.join();
    for (const std::string& answer : wrong)
        CHECK(answer == "");
}
