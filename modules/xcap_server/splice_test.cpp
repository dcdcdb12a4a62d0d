// modules/xcap_server/splice_test.cpp - the byte index, finding nodes in it, and what changes leave of a text
#include "modules/xcap_server/splice.h"

#include "modules/xcap_server/namespaces.h"
#include "modules/xcap_server/select.h"
#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

// A text with its index, and selectors in the default namespace "" read for it.
struct Doc {
    explicit Doc(std::string given) : text{std::move(given)}, index{TextIndex::of(text)} { REQUIRE(index); }
    IndexedView view() const { return {text, *index}; }
    NodeSelectorView read(std::string_view raw, std::string_view query = {}, std::string_view also = {})
    {
        NodeSelectorView selector;
        INFO(raw);
        REQUIRE_FALSE(read_selector(raw, query, {"", also, {}}, arena, selector));
        return selector;
    }
    // The bytes of the element, "none" or "several".
    std::string at(std::string_view raw, std::string_view query = {})
    {
        const Selection found = select(view(), read(raw, query).steps);
        return found.matches == Matches::one    ? std::string{view().element(found.element)}
               : found.matches == Matches::none ? "none"
                                                : "several";
    }
    // With the fragment put where the selector says, or "no place".
    std::string with(std::string_view raw, const std::string& fragment, std::string_view query = {})
    {
        const auto steps = read(raw, query).steps;
        const Selection parent = select(view(), steps.first(steps.size() - 1));
        REQUIRE(parent.matches == Matches::one);
        FragmentView piece;
        const IndexedView here = view();
        const auto problem = must(read_fragment(fragment, &here, parent.element, {}, {}, arena, piece));
        REQUIRE_FALSE(problem);
        return insert_element(here, parent.element, steps.back(), piece).value_or("no place");
    }

    std::string text;
    std::optional<TextIndex> index;
    Arena arena;
};

} // namespace

TEST_CASE("an index knows where everything is", "[xcap_server]")
{
    Doc doc{"<?xml version='1.0'?><!-- <x> --><r xmlns=\"urn:r\" a = '1>2' xmlns:p='urn:p' p:b=\"/>\" ><c/>"
            "<![CDATA[<d>]]><?pi <e>?><p:f   g='h'/> <i><j></j\n></i></r>\n<!-- end -->"};
    const IndexedView view = doc.view();
    const TextIndex& index = *doc.index;
    REQUIRE(index.size() == 5);
    CHECK(view.qualified_name(0) == "r");
    CHECK(view.element(1) == "<c/>");
    CHECK(view.element(2) == "<p:f   g='h'/>");
    CHECK(view.name(2) == "f");
    CHECK(view.uri(index[2].ns) == "urn:p");
    CHECK(view.uri(index[1].ns) == "urn:r");
    CHECK(view.element(3) == "<i><j></j\n></i>");
    CHECK(index[1].next == 2);
    CHECK(index[2].next == 3);
    CHECK(index[3].next == TextIndex::none);
    CHECK(index.first_child(3) == 4);
    CHECK(index.first_child(1) == TextIndex::none);
    CHECK(index[4].parent == 3);
    CHECK(view.is_empty_tag(1));
    CHECK_FALSE(view.is_empty_tag(4));
    CHECK(view.text().substr(index[0].attributes_end, 2) == " >");
    const auto value = [&](std::string_view ns, std::string_view name) {
        const auto at = view.find_attribute(0, ns, name);
        return at == TextIndex::none ? "none" : std::string{view.value(at)};
    };
    CHECK(value("", "a") == "1>2");
    CHECK(value("urn:p", "b") == "/>");
    CHECK(value("", "b") == "none");
    CHECK(value("urn:r", "a") == "none"); // the default namespace is not for attributes
    CHECK(value("", "xmlns") == "none");
    CHECK(index.bytes() < 1000);

    for (const char* const broken : {"",
                                     "text",
                                     "<a",
                                     "<a>",
                                     "<a></b>",
                                     "</a>",
                                     "<a/><b/>",
                                     "<a b></a>",
                                     "<a b=c/>",
                                     "<a b='c/>",
                                     "<a/ >",
                                     "<!DOCTYPE a><a/>",
                                     "<a><!-- </a>",
                                     "<a><![CDATA[</a>",
                                     "<p:a/>",
                                     "<a p:b=''/>",
                                     "<a b='1'c='2'/>",
                                     "<1/>",
                                     "<a:/>",
                                     "<:a/>",
                                     "<a xmlns:p=''><p:b/></a>"}) {
        INFO(broken);
        CHECK_FALSE(TextIndex::of(broken));
    }
    // A binding ends with its element; many of them cost no more than their bytes.
    Doc nested{
        "<r xmlns='0'><p:a xmlns:p='1'><p:b xmlns:p='2'/><p:b/></p:a><a xmlns=''><a xmlns='3'/><a/></a><a/>"
        "</r>"};
    std::string namespaces;
    for (std::uint32_t e = 0; e < nested.index->size(); ++e)
        namespaces += "[" + std::string{nested.view().uri((*nested.index)[e].ns)} + "]";
    CHECK(namespaces == "[0][1][2][1][][3][][0]");
    CHECK_FALSE(TextIndex::of("<r><p:a xmlns:p='1'/><p:a/></r>"));
    CHECK_FALSE(TextIndex::of("<r><b xmlns:p='1'></b><p:a/></r>"));
    std::string many{"<r"}, uses;
    for (int i = 0; i < 250; ++i)
        many += " xmlns:p" + std::to_string(i) + "='u'";
    for (int i = 0; i < 100'000; ++i)
        uses += "<p0:a/>";
    CHECK(TextIndex::of(many + ">" + uses + "</r>"));

    std::string deep;
    for (int i = 0; i < 100'000; ++i)
        deep += "<a>";
    CHECK_FALSE(TextIndex::of(deep));
    for (int i = 0; i < 100'000; ++i)
        deep += "</a>";
    const auto deep_index = TextIndex::of(deep); // no recursion
    REQUIRE(deep_index);
    CHECK(deep_index->size() == 100'000);
}

TEST_CASE("selectors find one element, none or several", "[xcap_server]")
{
    Doc doc{"<r><!-- <a n='0'/> --><a n='1'/>text<b n='2'/><a n='3'><c/></a><?p?><a n=\"3\"/>"
            "<x:a xmlns:x='urn:x' n='4' x:n='5'/><d xmlns='urn:x' n='6'/><a n='&lt;&#65;'/></r>"};
    const std::string query = "xmlns(q=urn:x)";
    const struct {
        const char* story;
        std::string raw, expected;
    } rows[] = {
        {"the root", "r/b", "<b n='2'/>"},
        {"another root", "s/b", "none"},
        {"any root", "*/b", "<b n='2'/>"},
        {"several", "r/a", "several"},
        {"a position counts the name", "r/a[2]", "<a n='3'><c/></a>"},
        {"a position counts elements only", "r/*[3]", "<a n='3'><c/></a>"},
        {"the fourth of a name; comments are none", "r/a[4]", "<a n='&lt;&#65;'/>"},
        {"too far", "r/a[5]", "none"},
        {"zero", "r/a[0]", "none"},
        {"a test", "r/a[@n='1']", "<a n='1'/>"},
        {"a test of any", "r/*[@n='2']", "<b n='2'/>"},
        {"a test that several pass", "r/a[@n='3']", "several"},
        {"a test that needs its namespace", "r/q:a[@q:n='5']", "<x:a xmlns:x='urn:x' n='4' x:n='5'/>"},
        {"a test without namespace", "r/q:a[@n='5']", "none"},
        {"position, then test", "r/a[2][@n='3']", "<a n='3'><c/></a>"},
        {"the position is before the test", "r/a[1][@n='3']", "none"},
        {"a value as XML reports it", "r/a[@n='&lt;A']", "<a n='&lt;&#65;'/>"},
        {"the prefix does not matter", "r/q:d", "<d xmlns='urn:x' n='6'/>"},
        {"the namespace does", "r/d", "none"},
        {"several in an inner step, though one has the child", "r/a/c", "several"},
        {"through one", "r/a[2]/c", "<c/>"},
        {"below nothing", "r/e/c", "none"},
        {"any of several", "r/*", "several"},
        {"any of one", "r/a[2]/*", "<c/>"},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.raw);
        CHECK(doc.at(row.raw, query) == row.expected);
    }
    CHECK(select(doc.view(), doc.read("r/a[2]/x/y").steps).matched == 2);
    CHECK(select(doc.view(), doc.read("x").steps).matched == 0);
    // Two namespaces for names without prefix: the second where the first has none of that name.
    CHECK(select(doc.view(), doc.read("r/d", "", "urn:x").steps).matches == Matches::one);
    CHECK(select(doc.view(), doc.read("r/a[3]", "", "urn:x").steps).matches == Matches::one);
    CHECK(select(doc.view(), doc.read("r/q:d", "xmlns(q=)", "urn:x").steps).matches == Matches::none);
}

TEST_CASE("a new element goes where RFC 4825 8.2.3 says", "[xcap_server]")
{
    const std::string a = "<el1 att='first'/>", b = "<el1 att='second'/>", c = "<!-- comment -->",
                      d = "<el2 att='first'/>";
    Doc doc{"<root>\n" + a + b + c + d + " </root>"};
    const std::string third = "<el1 att=\"third\"/>", two = "<el2 att='2'/>", three = "<el3/>";
    const auto expected = [&](const std::string& inside) { return "<root>\n" + inside + "</root>"; };
    const std::string none = "no place";
    const struct {
        const char* story;
        std::string raw, fragment, result;
    } rows[] = {
        {"by test", "el1[@att='third']", third, expected(a + b + third + c + d + " ")},
        {"by position and test", "el1[3][@att='third']", third, expected(a + b + third + c + d + " ")},
        {"by position among all", "*[3][@att='third']", third, expected(a + b + third + c + d + " ")},
        {"a name that is new", "el3", three, expected(a + b + c + d + " " + three)},
        {"behind its name", "el2[@att='2']", two, expected(a + b + c + d + two + " ")},
        {"second of its name", "el2[2][@att='2']", two, expected(a + b + c + d + two + " ")},
        {"second of all", "*[2][@att='2']", two, expected(a + two + b + c + d + " ")},
        {"first of its name", "el2[1][@att='2']", two, expected(a + b + c + two + d + " ")},
        {"first of all", "*[1][@att='2']", two, expected(two + a + b + c + d + " ")},
        {"first of a name that is new", "el3[1]", three, expected(a + b + c + d + " " + three)},
        {"any with a test goes behind its name", "*[@att='2']", two, expected(a + b + c + d + two + " ")},
        {"any with a test, a new name", "*[@x='y']", "<el3 x='y'/>",
         expected(a + b + c + d + " <el3 x='y'/>")},
        {"a position too far", "el1[4][@att='x']", third, none},
        {"a position too far among all", "*[5]", third, none},
        {"second of a name that is new", "el3[2]", three, none},
        {"position zero", "*[0][@att='x']", third, none},
        {"a position that never matches", "el1[9999999999]", third, none},
        {"any, where there are others", "*", third, none},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.raw);
        CHECK(doc.with("root/" + row.raw, row.fragment) == row.result);
    }
    CHECK(doc.with("other", three) == none); // a second root
    CHECK(Doc{"<root/>"}.with("root/*", three) == "<root><el3/></root>");
    CHECK(Doc{"<root> <!-- c --> </root>"}.with("root/*", three) == "<root> <!-- c --> <el3/></root>");
    CHECK(Doc{"<r><p:q a='b' xmlns:p='urn:p' /></r>"}.with("r/*/el3[1]", three) ==
          "<r><p:q a='b' xmlns:p='urn:p' ><el3/></p:q></r>");
    CHECK(Doc{"<r xmlns:p='urn:p'><p:a/><a/><p:a/></r>"}.with("r/x:a[2]", "<p:a b='c'/>", "xmlns(x=urn:p)") ==
          "<r xmlns:p='urn:p'><p:a/><p:a b='c'/><a/><p:a/></r>");
}

TEST_CASE("elements and attributes are cut out and put in byte by byte", "[xcap_server]")
{
    Doc doc{"<r  a='1'\tb = \"2\"  xmlns:p='urn:p'\n><c /> <d>x</d></r>"};
    const IndexedView view = doc.view();
    CHECK(remove_element(view, 1) == "<r  a='1'\tb = \"2\"  xmlns:p='urn:p'\n> <d>x</d></r>");
    CHECK(replace_element(view, 2, {"<e/>", "", "e"}) ==
          "<r  a='1'\tb = \"2\"  xmlns:p='urn:p'\n><c /> <e/></r>");
    const auto a = view.find_attribute(0, "", "a"), b = view.find_attribute(0, "", "b");
    CHECK(remove_attribute(view, a) == "<r \tb = \"2\"  xmlns:p='urn:p'\n><c /> <d>x</d></r>");
    CHECK(remove_attribute(view, b) == "<r  a='1'  xmlns:p='urn:p'\n><c /> <d>x</d></r>");
    CHECK(replace_value(view, a, {"x", '"'}) == "<r  a='x'\tb = \"2\"  xmlns:p='urn:p'\n><c /> <d>x</d></r>");
    CHECK(replace_value(view, a, {"it's", '"'}) ==
          "<r  a=\"it's\"\tb = \"2\"  xmlns:p='urn:p'\n><c /> <d>x</d></r>");
    CHECK(replace_value(view, b, {"\"", '\''}) ==
          "<r  a='1'\tb = '\"'  xmlns:p='urn:p'\n><c /> <d>x</d></r>");
    CHECK(insert_attribute(view, 0, "", "n", {"v", '"'}) ==
          "<r  a='1'\tb = \"2\"  xmlns:p='urn:p' n=\"v\"\n><c /> <d>x</d></r>");
    CHECK(insert_attribute(view, 1, "", "n", {"\"", '\''}) ==
          "<r  a='1'\tb = \"2\"  xmlns:p='urn:p'\n><c n='\"' /> <d>x</d></r>");
    CHECK(insert_attribute(view, 2, "urn:p", "n", {"v", '"'}) ==
          "<r  a='1'\tb = \"2\"  xmlns:p='urn:p'\n><c /> <d p:n=\"v\">x</d></r>");
    CHECK_FALSE(insert_attribute(view, 2, "urn:q", "n", {"v", '"'}));
    CHECK_FALSE(insert_attribute(view, 2, "", "xmlns", {"v", '"'}));
    CHECK(insert_attribute(view, 1, "http://www.w3.org/XML/1998/namespace", "lang", {"de", '"'}) ==
          "<r  a='1'\tb = \"2\"  xmlns:p='urn:p'\n><c xml:lang=\"de\" /> <d>x</d></r>");
    // A prefix that is bound to something else further in is of no use there.
    Doc hidden{"<r xmlns:p='urn:p'><s xmlns:p='urn:q'/></r>"};
    CHECK_FALSE(insert_attribute(hidden.view(), 1, "urn:p", "n", {"v", '"'}));
}

TEST_CASE("bindings in scope are told as declarations", "[xcap_server]")
{
    Doc doc{"<r xmlns='urn:r' xmlns:a=\"urn:a\" xmlns:b='urn:&quot;b'><a:s xmlns:a='urn:2' c='d'>"
            "<t xmlns=''/></a:s></r>"};
    CHECK(namespaces_document(doc.view(), 0) == "<r xmlns='urn:r' xmlns:a=\"urn:a\" xmlns:b='urn:&quot;b'/>");
    CHECK(namespaces_document(doc.view(), 1) == "<a:s xmlns='urn:r' xmlns:b='urn:&quot;b' xmlns:a='urn:2'/>");
    CHECK(namespaces_document(doc.view(), 2) == "<t xmlns:b='urn:&quot;b' xmlns:a='urn:2'/>");
    CHECK(namespaces_document(Doc{"<r/>"}.view(), 0) == "<r/>");
}

TEST_CASE("bodies that are one element, and others", "[xcap_server]")
{
    Doc doc{"<r xmlns='urn:r' xmlns:p='urn:p'><s/></r>"};
    const IndexedView view = doc.view();
    const auto frag = Conflict::not_xml_frag;
    const struct {
        const char* story;
        std::string body;
        std::optional<Conflict> expected;
    } rows[] = {
        {"an element", "<a/>", {}},
        {"white space around", " \r\n<a b='c'>d</a>\t", {}},
        {"the parent's prefix", "<p:a p:b='c'/>", {}},
        {"an own prefix", "<q:a xmlns:q='urn:q'/>", {}},
        {"content of all kinds", "<a><!-- b --><![CDATA[</a>]]><?c d?>&amp;&#65;</a>", {}},
        {"an unknown prefix", "<q:a/>", frag},
        {"nothing", "", frag},
        {"white space", "  ", frag},
        {"text", "abc", frag},
        {"text in front", "x<a/>", frag},
        {"text behind", "<a/>x", frag},
        {"two elements", "<a/><b/>", frag},
        {"unclosed", "<a>", frag},
        {"crossed", "<a><b></a></b>", frag},
        {"out of the parent", "</w><w>", frag},
        {"out of the parent, inside", "<a/></w><w><a/>", frag},
        {"out of the parent and no way back", "<a/></w>", frag},
        {"a comment in front", "<!-- c --><a/>", frag},
        {"a comment behind", "<a/><!-- c -->", frag},
        {"a PI behind", "<a/><?c?>", frag},
        {"CDATA behind", "<a/><![CDATA[]]>", frag},
        {"a reference behind", "<a/>&#65;", frag},
        {"an XML declaration", "<?xml version='1.0'?><a/>", frag},
        {"a DOCTYPE", "<!DOCTYPE a><a/>", frag},
        {"a DOCTYPE inside", "<a><!DOCTYPE a></a>", frag},
        {"an unknown entity", "<a>&foo;</a>", frag},
        {"a bare ampersand", "<a>&</a>", frag},
        {"an attribute twice", "<a b='1' b='2'/>", frag},
        {"an attribute twice by namespace", "<a p:b='1' q:b='2' xmlns:q='urn:p'/>", frag},
        {"Latin-1", "<a>\xe9</a>", Conflict::not_utf8},
        {"UTF-16", std::string{"\xff\xfe<\0a\0", 6}, Conflict::not_utf8},
        {"too many elements", "<a><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/></a>",
         Conflict::constraint_failure},
        {"too deep", "<a><a><a><a><a/></a></a></a></a>", Conflict::constraint_failure},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        FragmentView out;
        const auto problem = must(read_fragment(row.body, &view, 0, {4, 10, 8, 100}, {}, doc.arena, out));
        INFO((problem ? problem->phrase : "no problem"));
        CHECK(problem.has_value() == row.expected.has_value());
        if (problem && row.expected)
            CHECK(problem->conflict == *row.expected);
    }
    FragmentView out;
    CHECK_FALSE(must(read_fragment(" <p:a/> ", &view, 1, {}, {}, doc.arena, out)));
    CHECK(out.text == "<p:a/>");
    CHECK(out.name == "a");
    CHECK(out.ns == "urn:p");
    CHECK_FALSE(must(read_fragment("<a/>", &view, 0, {}, {}, doc.arena, out)));
    CHECK(out.ns == "urn:r");
    CHECK_FALSE(must(read_fragment("<a/>", nullptr, TextIndex::none, {}, {}, doc.arena, out)));
    CHECK(out.ns.empty());
}

TEST_CASE("bodies that are an attribute value, and others", "[xcap_server]")
{
    const auto bad = Conflict::not_xml_att_value;
    const struct {
        const char* story;
        std::string body, value;
        char quote;
        std::optional<Conflict> expected;
    } rows[] = {
        {"bare", "abc", "abc", '"', {}},
        {"empty", "", "", '"', {}},
        {"with its quotes", "\"abc\"", "abc", '"', {}},
        {"with apostrophes", "'abc'", "abc", '"', {}},
        {"empty with its quotes", "\"\"", "", '"', {}},
        {"white space is a part of it", " a\t", " a\t", '"', {}},
        {"a quote inside", "a\"b", "a\"b", '\'', {}},
        {"an apostrophe inside", "a'b", "a'b", '"', {}},
        {"quotes inside apostrophes", "'\"'", "\"", '\'', {}},
        {"one quote only", "\"", "\"", '\'', {}},
        {"three quotes", "\"a\"b\"", "\"a\"b\"", '\'', {}},
        {"references", "&amp;&#65;&#x41;&quot;", "&amp;&#65;&#x41;&quot;", '"', {}},
        {"a tag", "a<b", "", '"', bad},
        {"a bare ampersand", "a&b", "", '"', bad},
        {"an unknown entity", "&foo;", "", '"', bad},
        {"a reference to no character", "&#0;", "", '"', bad},
        {"both kinds of quotes", "a\"b'c", "", '"', bad},
        {"a control character", "a\x01", "", '"', bad},
        {"a NUL", std::string{"a\0", 2}, "", '"', bad},
        {"Latin-1", "\xe9", "", '"', Conflict::not_utf8},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        ValueView out;
        const auto problem = read_attribute_value(row.body, out);
        CHECK(problem.has_value() == row.expected.has_value());
        if (problem && row.expected)
            CHECK(problem->conflict == *row.expected);
        if (!problem) {
            CHECK(out.text == row.value);
            CHECK(out.quote == row.quote);
        }
    }
}
