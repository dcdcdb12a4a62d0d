// modules/xcap_server/selector_test.cpp - node selectors: what they say, and why others are refused
#include "modules/xcap_server/selector.h"

#include "core/base/text.h"
#include "modules/xcap_server/xml_text.h"
#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

// What was understood, as one line: {namespace}name#position[{namespace}name=value] steps, then the terminal.
std::string meaning(const NodeSelectorView& selector)
{
    std::string all;
    const auto name = [](std::string_view ns, std::string_view local) {
        return ns.empty() ? std::string{local} : "{" + std::string{ns} + "}" + std::string{local};
    };
    for (const StepView& step : selector.steps) {
        all += all.empty() ? "" : " / ";
        all += step.any ? "*" : name(step.ns, step.name);
        if (step.has_position)
            all += "#" + (step.position == StepView::never ? "never" : std::to_string(step.position));
        if (step.has_test)
            all += "[" + name(step.test_ns, step.test_name) + "=" + std::string{step.test_value} + "]";
    }
    switch (selector.terminal) {
    case Terminal::element: break;
    case Terminal::attribute: all += " / @" + name(selector.attribute_ns, selector.attribute_name); break;
    case Terminal::namespaces: all += " / namespaces"; break;
    }
    return all;
}

} // namespace

TEST_CASE("node selectors that are understood", "[xcap_server]")
{
    const struct {
        const char* story;
        std::string raw, query, expected;
    } rows[] = {
        {"one step", "a", "", "{d}a"},
        {"steps", "a/b-1/_c.d", "", "{d}a / {d}b-1 / {d}_c.d"},
        {"any", "*/*", "", "* / *"},
        {"a position", "a[2]/*[10]", "", "{d}a#2 / *#10"},
        {"position zero is a position", "a[0]", "", "{d}a#0"},
        {"nine digits", "a[999999999]", "", "{d}a#999999999"},
        {"ten digits never match", "a[1000000000]", "", "{d}a#never"},
        {"leading zeros", "a[002]", "", "{d}a#2"},
        {"a test", "a[@b=\"c\"]", "", "{d}a[b=c]"},
        {"apostrophes", "a[@b='c']", "", "{d}a[b=c]"},
        {"a quote of the other kind", "a[@b='c\"d']", "", "{d}a[b=c\"d]"},
        {"an empty value", "a[@b=\"\"]", "", "{d}a[b=]"},
        {"position and test", "*[3][@b='c']", "", "*#3[b=c]"},
        {"brackets encoded in upper case", "a%5B2%5D%5B@b=%22c%22%5D", "", "{d}a#2[b=c]"},
        {"brackets encoded in lower case", "a%5b2%5d%5b%40b%3d%27c%27%5d", "", "{d}a#2[b=c]"},
        {"a slash in the value", "a[@b=\"c/d\"]/e", "", "{d}a[b=c/d] / {d}e"},
        {"a slash in an encoded quote", "a[@b=%22c/d%22]/e", "", "{d}a[b=c/d] / {d}e"},
        {"an encoded slash", "a[@b=%22c%2Fd%22]/e", "", "{d}a[b=c/d] / {d}e"},
        {"the separator in the value", "a[@b=\"/~~/\"]", "", "{d}a[b=/~~/]"},
        {"a bracket in the value", "a[@b=\"]\"]/c", "", "{d}a[b=]] / {d}c"},
        {"blank, plus, question mark, percent", "a[@b=\"c%20+%3F%25\"]", "", "{d}a[b=c +?%]"},
        {"decoded once", "a[@b=\"%2541\"]", "", "{d}a[b=%41]"},
        {"entities", "a[@b=\"&amp;&lt;&gt;&quot;&apos;\"]", "", "{d}a[b=&<>\"']"},
        {"character references", "a[@b=\"%26%23x41;%26%2366;\"]", "", "{d}a[b=AB]"},
        {"a bare ampersand", "a[@b=\"c & d\"]", "", "{d}a[b=c & d]"},
        {"an ampersand before a name without end", "a[@b=\"c&d\"]", "", "{d}a[b=c&d]"},
        {"the specification's example", "n[@name=%22a%2Fb%20%26quot;x%26quot;%20%26amp;%20c%22]", "",
         "{d}n[name=a/b \"x\" & c]"},
        {"the same in apostrophes", "n[@name='a/b%20%22x%22%20%26amp;%20c']", "", "{d}n[name=a/b \"x\" & c]"},
        {"beyond ASCII", "a[@b=\"%C3%A9\"]", "", "{d}a[b=\xc3\xa9]"},
        {"an attribute", "a/@b", "", "{d}a / @b"},
        {"an encoded one", "a/%40b", "", "{d}a / @b"},
        {"namespace bindings", "a/namespace::*", "", "{d}a / namespaces"},
        {"a bound prefix", "x:a/@x:b", "xmlns(x=urn:x)", "{urn:x}a / @{urn:x}b"},
        {"attributes have no default", "x:a[@b='c']", "xmlns(x=urn:x)", "{urn:x}a[b=c]"},
        {"a prefix in the test", "a[@x:b='c']", "xmlns(x=urn:x)", "{d}a[{urn:x}b=c]"},
        {"two bindings", "x:a/y:b", "xmlns(x=urn:x)xmlns(y=urn:y)", "{urn:x}a / {urn:y}b"},
        {"blanks around", "x:a", "xmlns( x = urn:x )%20xmlns(y=z)", "{urn:x}a"},
        {"the later binding", "x:a", "xmlns(x=urn:1)xmlns(x=urn:2)", "{urn:2}a"},
        {"other schemes", "x:a", "element(/1/2)foo(a(b)c)xmlns(x=urn:x)", "{urn:x}a"},
        {"parentheses in the URI", "x:a", "xmlns(x=urn:(1))", "{urn:(1)}a"},
        {"escaped parentheses", "x:a", "xmlns(x=urn:^)^(^^)", "{urn:)(^}a"},
        {"an encoded query", "x:a", "xmlns%28x%3Durn%3Ax%29", "{urn:x}a"},
        {"a prefix of the operator", "o:a", "", "{urn:o}a"},
        {"the query wins over the operator", "o:a", "xmlns(o=urn:query)", "{urn:query}a"},
        {"xml is bound", "a/@xml:lang", "", "{d}a / @{http://www.w3.org/XML/1998/namespace}lang"},
        {"xml stays bound", "a/@xml:lang", "xmlns(xml=urn:x)",
         "{d}a / @{http://www.w3.org/XML/1998/namespace}lang"},
        {"a query that is none", "a", "foo=bar", "{d}a"},
    };
    const std::vector<Prefix> prefixes = {{"o", "urn:o"}};
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.raw << " ? " << row.query);
        Arena arena;
        NodeSelectorView selector;
        const auto refusal = read_selector(row.raw, row.query, {"d", {}, prefixes}, arena, selector);
        CHECK(std::string{refusal.reason} == "");
        CHECK(meaning(selector) == row.expected);
        CHECK(selector.steps.back().raw_end <= row.raw.size());
    }
}

TEST_CASE("node selectors that are refused", "[xcap_server]")
{
    const auto repeated = [](std::string_view piece, int count) {
        std::string all;
        for (int i = 0; i < count; ++i)
            all += piece;
        return all;
    };
    const struct {
        const char* story;
        std::string raw, query;
        int code;
    } rows[] = {
        {"nothing", "", "", 400},
        {"an empty step", "a//b", "", 400},
        {"an empty first step", "/a", "", 400},
        {"a slash at the end", "a/", "", 400},
        {"a bad escape", "a%zz", "", 400},
        {"half an escape", "a%4", "", 400},
        {"a control character", "a[@b=\"%0d%0a\"]", "", 400},
        {"a NUL", "a[@b=\"%00\"]", "", 400},
        {"no UTF-8", "a[@b=\"%ff\"]", "", 400},
        {"an unbound prefix", "x:a", "", 400},
        {"an unbound prefix, another is bound", "x:a", "xmlns(y=urn:y)", 400},
        {"an unbound prefix of an attribute", "a/@x:b", "", 400},
        {"an unbound prefix in a test", "a[@x:b='c']", "", 400},
        {"a bad escape in the query", "a", "xmlns(x=%zz)", 400},
        {"an open bracket", "a[", "", 404},
        {"empty brackets", "a[]", "", 404},
        {"a value without quotes", "a[@b=c]", "", 404},
        {"a value that does not end", "a[@b=\"c]", "", 404},
        {"quotes that differ", "a[@b=\"c']", "", 404},
        {"no value", "a[@b]", "", 404},
        {"two positions", "a[1][2]", "", 404},
        {"two tests", "a[@b='c'][@d='e']", "", 404},
        {"the test first", "a[@b='c'][1]", "", 404},
        {"text behind", "a[1]x", "", 404},
        {"a negative position", "a[-1]", "", 404},
        {"a position with a blank", "a[1 ]", "", 404},
        {"an axis", "child::a", "", 404},
        {"the namespace axis with a name", "a/namespace::b", "", 404},
        {"a function", "count(a)", "", 404},
        {"last()", "a[last()]", "", 404},
        {"text()", "a/text()", "", 404},
        {"the parent", "a/../b", "", 404},
        {"here", "a/./b", "", 404},
        {"a union", "a|b", "", 404},
        {"a comparison", "a[@b='c' or 'd']", "", 404},
        {"a tag in the value", "a[@b=\"<\"]", "", 404},
        {"an unknown entity", "a[@b=\"&foo;\"]", "", 404},
        {"a reference to no character", "a[@b=\"%26%230;\"]", "", 404},
        {"an attribute in the middle", "a/@b/c", "", 404},
        {"an attribute alone", "@b", "", 404},
        {"bindings alone", "namespace::*", "", 404},
        {"any attribute", "a/@*", "", 404},
        {"a name that begins with a digit", "1a", "", 404},
        {"two colons", "x:y:z", "xmlns(x=urn:x)", 404},
        {"a prefix of any name", "x:*", "xmlns(x=urn:x)", 404},
        {"an extension is told before a fault", "x:a//b%zz/count(c)", "", 404},
        {"65 steps", repeated("a/", 64) + "a", "", 414},
        {"4097 bytes", "a[@b=\"" + std::string(4097, 'x') + "\"]", "", 414},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.raw << " ? " << row.query);
        Arena arena;
        NodeSelectorView selector;
        CHECK(read_selector(row.raw, row.query, {"d", {}, {}}, arena, selector).code == row.code);
    }
    Arena arena;
    NodeSelectorView selector;
    CHECK_FALSE(read_selector(repeated("a/", 63) + "a", "", {"d", {}, {}}, arena, selector));
}

TEST_CASE("attribute values are compared as XML reports them", "[xcap_server]")
{
    const struct {
        const char* story;
        std::string raw, value;
    } rows[] = {
        {"plain", "abc", "abc"},
        {"empty", "", ""},
        {"entities", "&lt;&amp;&gt;&quot;&apos;", "<&>\"'"},
        {"references", "&#65;&#x42;&#xe9;&#x20ac;&#x1f600;", "AB\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"white space", "a\tb\nc\r\nd\re", "a b c d e"},
        {"white space by reference stays", "a&#9;b&#xA;c", "a\tb\nc"},
        {"an ampersand is no entity twice", "&amp;lt;", "&lt;"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Arena arena;
        CHECK(value_of(row.raw, arena) == row.value);
        CHECK(value_equals(row.raw, row.value));
        CHECK_FALSE(value_equals(row.raw, row.value + "x"));
        CHECK_FALSE(value_equals(row.raw + "x", row.value));
        if (row.raw != row.value)
            CHECK_FALSE(value_equals(row.raw, row.raw));
    }
    CHECK(is_xml_text("a\t\xc3\xa9"));
    CHECK_FALSE(is_xml_text(std::string_view{"a\0b", 3}));
    CHECK_FALSE(is_xml_text("\x01"));
    CHECK_FALSE(is_xml_text("\xef\xbf\xbf"));
    CHECK_FALSE(is_xml_text("\xff"));
}
