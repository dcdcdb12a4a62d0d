// core/xml/document_test.cpp - reading trees, validating against schemas
#include "core/xml/document.h"
#include "core/xml/schema.h"

#include "test/support/catch.h"

#include <thread>
#include <vector>

using namespace sipyard;
using namespace sipyard::xml;

namespace {

constexpr std::string_view pidf = "urn:ietf:params:xml:ns:pidf";
constexpr std::string_view presence =
    "<?xml version='1.0'?>\n<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:x='urn:x' "
    "entity='pres:bob&amp;co@example.org'>"
    "<!-- c --><tuple id='t1' x:id='other'><status><basic>op<![CDATA[en]]></basic></status></tuple>text"
    "<tuple id='t2'/><x:note>a &lt; b</x:note></presence>";

constexpr std::string_view schema_text =
    "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='urn:t' targetNamespace='urn:t' "
    "elementFormDefault='qualified'>"
    "<xs:include schemaLocation='types.xsd'/>"
    "<xs:element name='list'><xs:complexType><xs:sequence>"
    "<xs:element name='entry' type='t:Age' maxOccurs='unbounded'/></xs:sequence>"
    "<xs:attribute name='id' type='xs:ID'/></xs:complexType></xs:element></xs:schema>";
const SchemaPart types{
    "types.xsd", "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:t'>"
                 "<xs:simpleType name='Age'><xs:restriction base='xs:int'><xs:maxInclusive value='150'/>"
                 "</xs:restriction></xs:simpleType></xs:schema>"};

} // namespace

TEST_CASE("a tree is read by name and namespace", "[xml]")
{
    const auto document = Document::parse(presence);
    INFO(why(document));
    REQUIRE(document);
    const auto root = document->root();
    CHECK(root.is("presence", pidf));
    CHECK(root.attribute("entity") == "pres:bob&co@example.org");
    CHECK_FALSE(root.attribute("xmlns"));
    CHECK(root.children().size() == 3);
    const auto tuple = root.child("tuple", pidf);
    CHECK(tuple.attribute("id") == "t1");
    CHECK(tuple.attribute("id", "urn:x") == "other");
    CHECK(tuple.child("status", pidf).child("basic", pidf).text() == "open");
    CHECK(tuple.next().attribute("id") == "t2");
    CHECK(tuple.next().next().text() == "a < b");
    CHECK(tuple.next().next().is("note", "urn:x"));
    CHECK_FALSE(tuple.next().next().next());
    CHECK(tuple.parent() == root);
    CHECK_FALSE(root.parent());
    CHECK(root.text() == "opentexta < b");
    CHECK(root.line() == 2);

    const auto absent = root.child("tuple", "urn:x").child("status", pidf);
    CHECK_FALSE(absent);
    CHECK(absent.text().empty());
    CHECK(absent.name().empty());
    CHECK_FALSE(absent.attribute("id"));
    CHECK(absent.children().empty());
}

TEST_CASE("an element's attributes and its content in order", "[xml]")
{
    const auto document =
        Document::parse("<r xmlns='urn:r' xmlns:x='urn:x' a='1 &#38; 2' x:b='' xml:lang='de'>"
                        "one<!-- c --><x:e/><?pi?><![CDATA[<two>]]>&lt;</r>");
    INFO(why(document));
    REQUIRE(document);
    const auto root = document->root();
    CHECK(root.prefix().empty());
    const auto attributes = root.attributes();
    REQUIRE(attributes.size() == 3);
    CHECK(attributes[0].name == "a");
    CHECK(attributes[0].ns.empty());
    CHECK(attributes[0].value == "1 & 2");
    CHECK(attributes[1].name == "b");
    CHECK(attributes[1].ns == "urn:x");
    CHECK(attributes[1].prefix == "x");
    CHECK(attributes[1].value.empty());
    CHECK(attributes[2].prefix == "xml");
    std::string seen;
    for (NodeView node = root.content(); node; node = node.next())
        seen += node.element() ? "[" + std::string{node.element().prefix()} + "]" : std::string{node.text()};
    CHECK(seen == "one[x]<two><");
    CHECK_FALSE(root.first().content());
    CHECK_FALSE(ElementView{}.content());
    CHECK(ElementView{}.attributes().empty());
    CHECK_FALSE(NodeView{}.next());
}

TEST_CASE("a tree is refused as check() refuses", "[xml]")
{
    const struct {
        const char* story;
        std::string text;
        Fault fault;
    } rows[] = {
        {"broken", "<a><b></a>", Fault::not_well_formed},
        {"unbound prefix", "<a><p:b/></a>", Fault::not_well_formed},
        {"DOCTYPE", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", Fault::doctype},
        {"deep",
         [] {
             std::string s;
             for (int i = 0; i < 20'000; ++i)
                 s += "<a>";
             return s;
         }(),
         Fault::too_deep},
        {"encoding", "<?xml version='1.0' encoding='latin1'?><a/>", Fault::not_utf8},
        {"elements", "<a><b/><c/><d/></a>", Fault::too_many_elements},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Fault fault{};
        const auto document = Document::parse(
            row.text, row.fault == Fault::too_many_elements ? Limits{.elements = 3} : Limits{}, &fault);
        CHECK_FALSE(document);
        CHECK(fault == row.fault);
    }
}

TEST_CASE("a schema accepts and refuses, with the first message", "[xml]")
{
    const auto schema = Schema::compile(schema_text, {&types, 1});
    INFO(why(schema));
    REQUIRE(schema);
    const struct {
        const char* story;
        std::string_view text;
        bool valid;
    } rows[] = {
        {"valid", "<list xmlns='urn:t' id='x'><entry>42</entry><entry>7</entry></list>", true},
        {"a value out of range", "<list xmlns='urn:t'><entry>151</entry></list>", false},
        {"not a number", "<list xmlns='urn:t'><entry>x</entry></list>", false},
        {"nothing in it", "<list xmlns='urn:t'/>", false},
        {"another namespace", "<list xmlns='urn:u'><entry>1</entry></list>", false},
        {"an unknown attribute", "<list xmlns='urn:t' a='b'><entry>1</entry></list>", false},
        {"hints where schemas are do not count",
         "<list xmlns='urn:t' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' "
         "i:schemaLocation='urn:t file:///etc/passwd'><entry "
         "i:noNamespaceSchemaLocation='x'>42</entry></list>",
         true},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto result = schema->validate(row.text);
        INFO(why(result));
        CHECK(static_cast<bool>(result) == row.valid);
        if (!result) {
            CHECK(result.error().kind == ErrorKind::constraint);
            CHECK_FALSE(result.error().text.empty());
            CHECK(result.error().text.size() <= 200);
        }
    }
    const auto broken = schema->validate("<list>");
    REQUIRE_FALSE(broken);
    CHECK(broken.error().kind == ErrorKind::invalid);

    std::vector<std::thread> threads;
    std::vector<int> good(4, 0);
    for (std::size_t t = 0; t < good.size(); ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 100; ++i)
                good[t] += schema->validate(rows[0].text) && !schema->validate(rows[1].text);
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(good == std::vector<int>(4, 100));
}

TEST_CASE("a schema that cannot work is refused", "[xml]")
{
    const struct {
        const char* story;
        std::string_view text;
    } rows[] = {
        {"its part is missing", schema_text},
        {"no schema", "<a/>"},
        {"no XML", "a"},
        {"an unknown type", "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='a' "
                            "type='b'/></xs:schema>"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto schema = Schema::compile(row.text);
        CHECK_FALSE(schema);
        if (!schema)
            CHECK_FALSE(schema.error().text.empty());
    }
}
