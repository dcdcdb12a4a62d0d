// modules/xcap_server/engine_node_test.cpp - elements and attributes over a store in memory, case by case of
// the test matrix
#include "modules/xcap_server/engine_test_support.h"
#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

const std::string ann = "<entry uri=\"sip:ann@example.com\"><display-name>Ann</display-name></entry>";
const std::string ben = "<entry uri=\"sip:ben@example.com\"/>";
const std::string inner = "<list name=\"inner\"/>";
const std::string family_tag = "<list name=\"family\">";
const std::string office = "<list name=\"office\"><entry uri=\"sip:cc@example.com\"/></list>";
const std::string root_tag = "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">";

// The document of the matrix with something else between its pieces.
struct Pieces {
    std::string before_ann = "", ann = ::ann, behind_ann = "", ben = ::ben, behind_ben = "", inner = ::inner,
                behind_inner = "", last = "", family_tag = ::family_tag, office = ::office;
};
std::string document(const Pieces& with = {})
{
    return root_tag + "\n " + with.family_tag + "\n  " + with.before_ann + with.ann + with.behind_ann +
           "\n  " + with.ben + with.behind_ben + "\n  <!-- keep -->\n  " + with.inner + with.behind_inner +
           "\n " + with.last + "</list>\n " + with.office + "\n</resource-lists>";
}

const std::string nodes = index_uri + "/~~/";
const std::string family = nodes + "resource-lists/list[@name=\"family\"]";
const std::string dd = "<entry uri=\"sip:dd@example.com\"/>";
const std::string dd_test = "[@uri=\"sip:dd@example.com\"]";
const Given as_element{"application/xcap-el+xml"};
const Given as_attribute{"application/xcap-att+xml"};

struct Row {
    const char* story; // with its number in the matrix
    Verb verb;
    std::string target, body;
    int code;
    std::string expected = {}; // of 200 to GET: the body; of 409: the error; of a change: the document then
    Given given = as_element;
};

void check(const std::string& before, const std::vector<Row>& rows)
{
    for (const Row& row : rows) {
        INFO(row.story << "\n" << row.target << "\n" << row.body);
        Server server;
        const auto created = server.ask(Verb::put, index_uri, before);
        REQUIRE(created.code == 201);
        server.changes.clear();
        const auto seen = server.ask(row.verb, row.target, row.body, row.given);
        INFO(seen.body);
        CHECK(seen.code == row.code);
        const auto now = server.ask(Verb::get, index_uri);
        const bool reading = row.verb == Verb::get || row.verb == Verb::head;
        if (!reading && row.code / 100 == 2) {
            CHECK(now.body == row.expected);
            CHECK(now.etag != created.etag);
            CHECK(seen.etag == now.etag);
            CHECK(seen.body.empty());
            REQUIRE(server.changes.size() == 1);
            CHECK(*server.changes[0].old_text == before);
            CHECK(*server.changes[0].new_text == now.body);
            CHECK(server.changes[0].kind != DocumentChanged::Kind::document);
            CHECK(nodes + server.changes[0].selector == row.target.substr(0, row.target.find("?xmlns")));
            // An idempotent method: the same again changes nothing but the tag.
            if (row.verb == Verb::put) {
                CHECK(server.ask(row.verb, row.target, row.body, row.given).code == 200);
                CHECK(server.ask(Verb::get, index_uri).body == row.expected);
            } else {
                CHECK(server.ask(row.verb, row.target).code == 404);
            }
            continue;
        }
        CHECK(now.body == before); // nothing happened
        CHECK(now.etag == created.etag);
        CHECK(server.changes.empty());
        if (row.code == 200) {
            CHECK(seen.body == row.expected);
            CHECK(seen.etag == now.etag);
        } else if (row.code == 409) {
            CHECK(conflict_in(seen) == row.expected);
        } else if (row.code == 405) {
            CHECK(seen.allow == row.expected);
        } else {
            CHECK(seen.etag.empty());
        }
    }
}

} // namespace

TEST_CASE("nodes are read", "[xcap_server]")
{
    const std::string family_bytes =
        document().substr(document().find(family_tag), document().find("</list>", document().find("keep")) +
                                                           7 - document().find(family_tag));
    const std::string lists_query = "?xmlns(x=urn:ietf:params:xml:ns:resource-lists)";
    const auto get = Verb::get;
    check(
        document(),
        {
            {"29: an element", get, family, "", 200, family_bytes},
            {"29: HEAD counts as GET does", Verb::head, family, "", 200, family_bytes},
            {"30: by position", get, family + "/entry[2]", "", 200, ben},
            {"30: by position among all", get, family + "/*[2]", "", 200, ben},
            {"30: an attribute of it", get, family + "/*[3]/@name", "", 200, "inner"},
            {"31: two match", get, family + "/entry", "", 404},
            {"31: two match in an inner step", get,
             nodes + "resource-lists/list/entry[@uri=\"sip:cc@example.com\"]", "", 404},
            {"32: too far", get, family + "/entry[9]", "", 404},
            {"32: zero", get, family + "/entry[0]", "", 404},
            {"32: no such name", get, family + "/none", "", 404},
            {"33: position and test", get, family + "/entry[2][@uri=\"sip:ben@example.com\"]", "", 200, ben},
            {"33: position, another's test", get, family + "/entry[1][@uri=\"sip:ben@example.com\"]", "",
             404},
            {"34: any", get, nodes + "*/list[2]/*", "", 200, "<entry uri=\"sip:cc@example.com\"/>"},
            {"35: an unbound prefix", get, nodes + "x:resource-lists", "", 400},
            {"36: a bound one", get, nodes + "x:resource-lists/x:list[2]" + lists_query, "", 200, office},
            {"38: a broken step", get, family + "/entry[", "", 404},
            {"38: empty brackets", get, family + "[]/@name", "", 404},
            {"38: a value without quotes", get, nodes + "resource-lists/list[@name=family]", "", 404},
            {"38: a function", get, nodes + "count(resource-lists)", "", 404},
            {"38: upwards", get, nodes + "resource-lists/../x", "", 404},
            {"38: text()", get, family + "/text()", "", 404},
            {"38: an axis", get, nodes + "child::list", "", 404},
            {"38: a broken step, PUT", Verb::put, family + "/entry[", dd, 404},
            {"38: an axis, PUT", Verb::put, nodes + "child::list", dd, 404},
            {"38a: nothing", get, index_uri + "/~~", "", 400},
            {"38a: nothing behind the slash", get, index_uri + "/~~/", "", 400},
            {"38a: an empty step", get, index_uri + "/~~//entry", "", 400},
            {"39: encoded brackets", get, nodes + "resource-lists/list%5b@name=%22family%22%5D", "", 200,
             family_bytes},
            {"39: encoded apostrophes", get, nodes + "resource-lists/list%5B%40name=%27family%27%5d", "", 200,
             family_bytes},
            {"39: raw apostrophes", get, nodes + "resource-lists/list[@name='family']", "", 200,
             family_bytes},
            {"the form of a python client", get, index_uri + "/~~resource-lists/list[2]", "", 200, office},
            {"41: an attribute", get, family + "/@name", "", 200, "family"},
            {"41: an attribute that is not there", get, family + "/@none", "", 404},
            {"41: of an element that is not there", get, nodes + "resource-lists/list[@name=\"x\"]/@name", "",
             404},
            {"a declaration is no attribute", get, nodes + "resource-lists/@xmlns", "", 404},
            {"42: bindings", get, family + "/namespace::*", "", 200,
             "<list xmlns=\"urn:ietf:params:xml:ns:resource-lists\"/>"},
            {"42: of nothing", get, nodes + "none/namespace::*", "", 404},
            {"43: PUT of bindings", Verb::put, family + "/namespace::*", "<a/>", 405, "GET, HEAD"},
            {"43: DELETE of bindings", Verb::del, family + "/namespace::*", "", 405, "GET, HEAD"},
            {"85: a selector beyond the limit", get, nodes + std::string(4200, 'x'), "", 414},
        });
    Server server;
    server.ask(Verb::put, index_uri, document());
    const auto type = [&](const std::string& target) { return server.ask(Verb::get, target).type; };
    CHECK(type(family) == "application/xcap-el+xml");
    CHECK(type(family + "/@name") == "application/xcap-att+xml");
    CHECK(type(family + "/namespace::*") == "application/xcap-ns+xml");

    // 71: every node has the document's tag.
    const auto tag = '"' + server.ask(Verb::get, index_uri).etag + '"';
    for (const std::string& target : {index_uri, family, family + "/@name", family + "/namespace::*"}) {
        INFO(target);
        for (const std::string& known : {tag, "\"x\", " + tag, "W/" + tag, std::string{"*"}}) {
            const auto seen = server.ask(Verb::get, target, "", {{}, {}, known});
            CHECK(seen.code == 304);
            CHECK('"' + seen.etag + '"' == tag);
            CHECK(seen.body.empty());
        }
        CHECK(server.ask(Verb::get, target, "", {{}, {}, "\"x\""}).code == 200);
        CHECK(server.ask(Verb::get, target, "", {{}, tag, {}}).code == 200); // 72
        CHECK(server.ask(Verb::get, target, "", {{}, "*", {}}).code == 200);
        CHECK(server.ask(Verb::get, target, "", {{}, "\"x\"", {}}).code == 412);
    }
    CHECK(server.ask(Verb::get, family + "/none", "", {{}, "\"x\"", {}}).code == 404);
    // 86: the same document, however its user is written.
    CHECK(
        server
            .ask(Verb::get, root + "/resource-lists/users/alice@example.com/index/~~/resource-lists/list[2]")
            .body == office);
    // Capabilities have nodes as well.
    CHECK(server.ask(Verb::get, root + "/xcap-caps/global/index/~~/xcap-caps/auids/auid[1]").code == 200);
    CHECK(server.ask(Verb::put, root + "/xcap-caps/global/index/~~/xcap-caps/auids/auid[1]").code == 405);
}

TEST_CASE("names without prefix are in the usage's namespace", "[xcap_server]")
{
    const std::string rules =
        "<c:ruleset xmlns:c=\"urn:ietf:params:xml:ns:common-policy\" "
        "xmlns=\"urn:ietf:params:xml:ns:pres-rules\">"
        "<c:rule id=\"r1\"><c:conditions/><c:actions><sub-handling>allow</sub-handling></c:actions>"
        "<c:transformations/></c:rule></c:ruleset>";
    Server server;
    const Given policy{"application/auth-policy+xml"};
    const std::string own = root + "/pres-rules/users/sip:alice@example.com/index";
    const std::string oma =
        root + "/org.openmobilealliance.pres-rules/users/sip:alice@example.com/pres-rules";
    const std::string query = "?xmlns(c=urn:ietf:params:xml:ns:common-policy)";
    REQUIRE(server.ask(Verb::put, own, rules, policy).code == 201);
    REQUIRE(server.ask(Verb::put, oma, rules, policy).code == 201);
    const auto code = [&](const std::string& target) { return server.ask(Verb::get, target).code; };
    CHECK(code(own + "/~~/ruleset") == 404); // 37
    CHECK(code(own + "/~~/c:ruleset" + query) == 200);
    CHECK(code(own + "/~~/c:ruleset/c:rule/c:actions/sub-handling" + query) == 200);
    // OMA: both namespaces.
    CHECK(code(oma + "/~~/ruleset/rule[@id=\"r1\"]/actions/sub-handling") == 200);
    const std::string block = "<sub-handling>block</sub-handling>";
    CHECK(server.ask(Verb::put, oma + "/~~/ruleset/rule/actions/sub-handling", block, as_element).code ==
          200);
    CHECK(server.ask(Verb::get, oma + "/~~/ruleset/rule/actions/sub-handling").body == block);
    const std::string provide = "<provide-persons><all-persons/></provide-persons>";
    CHECK(server.ask(Verb::put, oma + "/~~/ruleset/rule/transformations/provide-persons", provide, as_element)
              .code == 201);
    CHECK(server
              .ask(Verb::put, own + "/~~/c:ruleset/c:rule/c:transformations/provide-persons" + query, provide,
                   as_element)
              .code == 201);

    // Prefixes of the operator.
    Engine::Settings settings;
    settings.prefixes = {{"cp", "urn:ietf:params:xml:ns:common-policy"}};
    Server other{settings};
    REQUIRE(other.ask(Verb::put, own, rules, policy).code == 201);
    CHECK(other.ask(Verb::get, own + "/~~/cp:ruleset").code == 200);
    CHECK(other.ask(Verb::get, own + "/~~/cp:ruleset?xmlns(cp=urn:other)").code == 404);
}

TEST_CASE("any name can be selected", "[xcap_server]")
{
    Server server;
    const struct {
        const char* story;
        std::string written, selected;
    } rows[] = {
        {"a blank", "a b", "a%20b"},
        {"a plus", "a+b", "a+b"},
        {"a slash", "a/b", "a/b"},
        {"a slash, encoded", "a/b", "a%2Fb"},
        {"a bracket", "a]b", "a]b"},
        {"the separator", "a/~~/b", "a/~~/b"},
        {"a question mark", "a?b", "a%3Fb"},
        {"a percent sign", "a%b", "a%25b"},
        {"a quote", "a&quot;b", "a&quot;b"},
        {"an ampersand", "a&amp;b", "a&amp;b"},
        {"a bare ampersand", "a &amp; b", "a%20&%20b"},
        {"beyond ASCII", "\xc3\xa9", "%C3%A9"},
        {"beyond ASCII, raw", "\xc3\xa9", "\xc3\xa9"},
    };
    for (const auto& row : rows) { // 40
        INFO(row.story);
        const std::string list = "<list name=\"" + row.written + "\"/>";
        server.ask(Verb::put, index_uri, root_tag + "<list name=\"other\"/>" + list + "</resource-lists>");
        const std::string target = nodes + "resource-lists/list[@name=\"" + row.selected + "\"]";
        CHECK(server.ask(Verb::get, target).body == list);
        CHECK(server.ask(Verb::put, target, list, as_element).code == 200);
        CHECK(server.ask(Verb::del, target).code == 200);
        CHECK(server.ask(Verb::put, target, list, as_element).code == 201);
        CHECK(server.ask(Verb::get, target + "/@name").body == row.written);
    }
}

TEST_CASE("elements are put", "[xcap_server]")
{
    const auto put = Verb::put;
    const std::string new_ann = "<entry uri=\"sip:ann@example.com\"/>";
    const auto typed = [](std::optional<std::string> type) { return Given{std::move(type)}; };
    const std::string xx = "<entry uri=\"sip:x@e\"/>", yy = "<entry uri=\"sip:y@e\"/>";
    const std::string whole = root_tag + "<list/></resource-lists>";
    const std::string prefixed = "<p:note xmlns:p='urn:p'>x</p:note>";
    check(
        document(),
        {
            {"44: a new entry goes behind the last", put, family + "/entry" + dd_test, dd, 201,
             document({.behind_ben = dd})},
            {"44: white space around the body is none of it", put, family + "/entry" + dd_test,
             "\r\n " + dd + "\n", 201, document({.behind_ben = dd})},
            {"46: first", put, family + "/entry[1]" + dd_test, dd, 201, document({.before_ann = dd})},
            {"46: second", put, family + "/entry[2]" + dd_test, dd, 201, document({.behind_ann = dd})},
            {"46: third", put, family + "/entry[3]", dd, 201, document({.behind_ben = dd})},
            {"46: second of all", put, family + "/*[2]" + dd_test, dd, 201, document({.behind_ann = dd})},
            {"46: fourth of all", put, family + "/*[4]", dd, 201, document({.behind_inner = dd})},
            {"46: any with a test", put, family + "/*[@uri=\"sip:dd@example.com\"]", dd, 201,
             document({.behind_ben = dd})},
            {"47: too far", put, family + "/entry[7]", dd, 409, "cannot-insert"},
            {"48: the body fails the test", put, family + "/entry[@uri=\"sip:x@e\"]", yy, 409,
             "cannot-insert"},
            {"48: the new body fails the test", put, family + "/entry[@uri=\"sip:ben@example.com\"]", yy, 409,
             "cannot-insert"},
            {"48: another name", put, family + "/entry[@uri=\"sip:x@e\"]", "<list uri=\"sip:x@e\"/>", 409,
             "cannot-insert"},
            {"48: more match a wildcard then", put, family + "/*", xx, 409, "cannot-insert"},
            {"48: several match", put, family + "/entry", xx, 409, "cannot-insert"},
            {"49: an empty-tag parent", put, family + "/list[@name=\"inner\"]/entry" + dd_test, dd, 201,
             document({.inner = "<list name=\"inner\">" + dd + "</list>"})},
            {"49: any in a parent without elements", put, family + "/list/*", dd, 201,
             document({.inner = "<list name=\"inner\">" + dd + "</list>"})},
            {"50: no parent", put, nodes + "resource-lists/list[@name=\"zz\"]/entry" + dd_test, dd, 409,
             "no-parent"},
            {"50: two parents", put, nodes + "resource-lists/list/entry" + dd_test, dd, 409, "no-parent"},
            {"52: replaced in place", put, family + "/entry[1]", new_ann, 200, document({.ann = new_ann})},
            {"53: no Content-Type", put, family + "/entry[2]", dd, 415, "", typed({})},
            {"53: the document's", put, family + "/entry[2]", dd, 415, "", typed(lists_type)},
            {"53: the attribute's", put, family + "/entry[2]", dd, 415, "", as_attribute},
            {"53: another letter case and a parameter", put, family + "/entry[2]", dd, 200,
             document({.ben = dd}), typed("Application/XCAP-EL+xml;charset=\"UTF-8\"")},
            {"53: Latin-1", put, family + "/entry[2]", dd, 409, "not-utf-8",
             typed("application/xcap-el+xml;charset=latin1")},
            {"54: unclosed", put, family + "/entry[2]", "<entry>", 409, "not-xml-frag"},
            {"54: two elements", put, family + "/entry[2]", dd + dd, 409, "not-xml-frag"},
            {"54: text", put, family + "/entry[2]", "text", 409, "not-xml-frag"},
            {"54: nothing", put, family + "/entry[2]", "", 409, "not-xml-frag"},
            {"54: out of the parent", put, family + "/entry[2]", "</list><list>", 409, "not-xml-frag"},
            {"54: a DOCTYPE", put, family + "/entry[2]", "<!DOCTYPE a>" + dd, 409, "not-xml-frag"},
            {"54: an entity", put, family + "/entry[2]", "<entry>&foo;</entry>", 409, "not-xml-frag"},
            {"54: no UTF-8", put, family + "/entry[2]", "<entry a='\xff'/>", 409, "not-utf-8"},
            {"57: an own prefix", put, family + "/p:note?xmlns(p=urn:p)", prefixed, 201,
             document({.last = prefixed})},
            {"57: an unbound prefix", put, family + "/p:note?xmlns(p=urn:p)", "<p:note/>", 409,
             "not-xml-frag"},
            {"58: the root", put, nodes + "resource-lists", whole, 200, whole},
            {"58: the root by position", put, nodes + "*[1]", whole, 200, whole},
            {"58: a second root", put, nodes + "other", "<other/>", 409, "cannot-insert"},
            {"58: another root", put, nodes + "*", "<other xmlns='urn:x'/>", 409, "schema-validation-error"},
            {"413", put, family + "/entry[2]", "<entry>" + std::string(1024 * 1024, 'x') + "</entry>", 413},
            {"413: the result", put, family + "/entry[2]",
             "<entry>" + std::string(1024 * 1024 - 20, 'x') + "</entry>", 413},
        });
    check(root_tag.substr(0, root_tag.size() - 1) + " xmlns:p=\"urn:p\"><list/></resource-lists>",
          {{"57: a prefix of the root", put, nodes + "resource-lists/list/p:note?xmlns(p=urn:p)",
            "<p:note p:a='b'/>", 201,
            root_tag.substr(0, root_tag.size() - 1) +
                " xmlns:p=\"urn:p\"><list><p:note p:a='b'/></list></resource-lists>"}});

    SECTION("50: the error names the deepest ancestor there is")
    {
        Server server;
        server.ask(Verb::put, index_uri, document());
        const auto ancestor = [&](const std::string& target) {
            const auto seen = server.ask(put, target, dd, as_element);
            const auto error = xml::Document::parse(seen.body);
            REQUIRE(error);
            const auto named = error->root().first().first();
            return named.name() == "ancestor" ? named.text() : "none";
        };
        const std::string here = "http://xcap.example.com" + index_uri;
        CHECK(ancestor(nodes + "resource-lists/list[@name=\"zz\"]/entry") == here + "/~~/resource-lists");
        CHECK(ancestor(nodes + "other/list/entry") == here);
        CHECK(ancestor(family + "/x/y/z") == here + "/~~/resource-lists/list%5B@name=%22family%22%5D");
        CHECK(ancestor(nodes +
                       "x:resource-lists/x:list[9]/x:a?xmlns(x=urn:ietf:params:xml:ns:resource-lists)") ==
              here + "/~~/x:resource-lists?xmlns(x=urn:ietf:params:xml:ns:resource-lists)");
        CHECK(ancestor(index_uri + "2/~~/resource-lists/list") == "none"); // 51
    }
}

TEST_CASE("elements are deleted", "[xcap_server]")
{
    const auto del = Verb::del;
    check(document(),
          {
              {"59: by test", del, family + "/entry[@uri=\"sip:ben@example.com\"]", "", 200,
               document({.ben = ""})},
              {"60: there is a next one", del, family + "/entry[1]", "", 409, "cannot-delete"},
              {"60: there is a next one of all", del, family + "/*[1]", "", 409, "cannot-delete"},
              {"61: the last", del, family + "/entry[2]", "", 200, document({.ben = ""})},
              {"61: the last of all", del, family + "/*[3]", "", 200, document({.inner = ""})},
              {"61: by position and test", del, family + "/entry[1][@uri=\"sip:ann@example.com\"]", "", 200,
               document({.ann = ""})},
              {"62: several", del, family + "/entry", "", 404},
              {"62: none", del, family + "/entry[@uri=\"none\"]", "", 404},
              {"63: the root", del, nodes + "resource-lists", "", 409, "cannot-delete"},
              {"no document", del, index_uri + "2/~~/resource-lists", "", 404},
          });
}

TEST_CASE("attributes are put and deleted", "[xcap_server]")
{
    const auto put = Verb::put, del = Verb::del;
    const std::string second = nodes + "resource-lists/list[2]";
    const auto with_name = [&](const std::string& written) {
        return document({.office = "<list name=" + written + "><entry uri=\"sip:cc@example.com\"/></list>"});
    };
    check(
        document(),
        {
            {"65: a value as it was put", put, second + "/@name", "a&amp;b", 200, with_name("\"a&amp;b\""),
             as_attribute},
            {"65a: with its quotes", put, second + "/@name", "\"q\"", 200, with_name("\"q\""), as_attribute},
            {"65a: with apostrophes", put, second + "/@name", "'q'", 200, with_name("\"q\""), as_attribute},
            {"a quote in it", put, second + "/@name", "a\"b", 200, with_name("'a\"b'"), as_attribute},
            {"empty", put, second + "/@name", "", 200, with_name("\"\""), as_attribute},
            {"66: a tag", put, second + "/@name", "a<b", 409, "not-xml-att-value", as_attribute},
            {"66: an ampersand", put, second + "/@name", "a&b", 409, "not-xml-att-value", as_attribute},
            {"66: both kinds of quotes", put, second + "/@name", "a\"b'c", 409, "not-xml-att-value",
             as_attribute},
            {"66: no UTF-8", put, second + "/@name", "\xff", 409, "not-utf-8", as_attribute},
            {"67: what the selector tests", put, family + "/@name", "other", 409, "cannot-insert",
             as_attribute},
            {"67: to the same value", put, family + "/@name", "family", 200, document(), as_attribute},
            {"a declaration", put, second + "/@xmlns", "urn:x", 409, "cannot-insert", as_attribute},
            {"a namespace that has no prefix there", put, second + "/@x:a?xmlns(x=urn:x)", "1", 409,
             "cannot-insert", as_attribute},
            {"no element", put, nodes + "resource-lists/list[3]/@name", "a", 409, "no-parent", as_attribute},
            {"several elements", put, nodes + "resource-lists/list/@name", "a", 409, "no-parent",
             as_attribute},
            {"no document", put, index_uri + "2/~~/resource-lists/@a", "a", 409, "no-parent", as_attribute},
            {"an element's type", put, second + "/@name", "a", 415, "", as_element},
            {"deleted", del, second + "/@name", "", 200,
             document({.office = "<list><entry uri=\"sip:cc@example.com\"/></list>"})},
            {"deleted, though the selector tests it", del, family + "/@name", "", 200,
             document({.family_tag = "<list>"})},
            {"an attribute that is not there", del, second + "/@none", "", 404},
            {"of an element that is not there", del, nodes + "resource-lists/list[3]/@name", "", 404},
            {"of several", del, nodes + "resource-lists/list/@name", "", 404},
        });
    // 69, 70
    Server server;
    const std::string presence =
        "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:a@b\"><tuple id=\"t\">"
        "<status><basic>open</basic></status><contact>sip:a@b</contact></tuple></presence>";
    const std::string pidf = root + "/pidf-manipulation/users/sip:alice@example.com/index";
    REQUIRE(server.ask(put, pidf, presence, {"application/pidf+xml"}).code == 201);
    const std::string priority = pidf + "/~~/presence/tuple/contact/@priority";
    CHECK(server.ask(put, priority, "0.5", as_attribute).code == 201);
    CHECK(server.ask(put, priority, "0.8", as_attribute).code == 200);
    CHECK(server.ask(Verb::get, priority).body == "0.8");
    CHECK(server.ask(del, priority).code == 200);
    CHECK(server.ask(del, priority).code == 404);
    CHECK(server.ask(Verb::get, pidf).body == presence);
    CHECK(server.ask(put, pidf + "/~~/presence/tuple/@xml:lang", "de", as_attribute).code == 201);
    CHECK(server.ask(Verb::get, pidf + "/~~/presence/tuple/@xml:lang").body == "de");
}

TEST_CASE("conditions of a node are those of its document", "[xcap_server]")
{
    const std::string entry = family + "/entry" + dd_test, ben_entry = family + "/entry[2]";
    Server server;
    const auto tag = '"' + server.ask(Verb::put, index_uri, document()).etag + '"';
    const auto ask = [&](Verb verb, const std::string& target, std::optional<std::string> match,
                         std::optional<std::string> none_match) {
        return server
            .ask(verb, target, dd, {"application/xcap-el+xml", std::move(match), std::move(none_match)})
            .code;
    };
    CHECK(ask(Verb::put, entry, "\"stale\"", {}) == 412); // 75
    CHECK(ask(Verb::put, entry, "W/" + tag, {}) == 412);
    CHECK(ask(Verb::put, entry, {}, "*") == 412);
    CHECK(ask(Verb::put, ben_entry, {}, "*") == 412);
    CHECK(ask(Verb::put, entry, {}, tag) == 412);
    CHECK(ask(Verb::del, ben_entry, "\"stale\"", {}) == 412); // 76
    CHECK(ask(Verb::del, family + "/none", "\"stale\"", {}) == 404);
    CHECK(ask(Verb::put, index_uri + "2/~~/a", "\"stale\"", {}) == 412);
    CHECK(ask(Verb::put, index_uri + "2/~~/a", {}, "*") == 409);
    // before the body is looked at
    CHECK(server.ask(Verb::put, entry, "<", {"application/xcap-el+xml", "\"stale\""}).code == 412);
    CHECK(server.ask(Verb::get, index_uri).body == document());
    CHECK(ask(Verb::put, entry, tag, {}) == 201);
    CHECK(ask(Verb::put, entry, tag, {}) == 412); // the tag has changed
    CHECK(ask(Verb::put, entry, {}, "\"other\"") == 200);
    CHECK(ask(Verb::del, entry, "*", {}) == 200);
    CHECK(ask(Verb::del, entry, "*", {}) == 404);
    CHECK(server.ask(Verb::get, index_uri).body == document());
}

TEST_CASE("a node that others change meanwhile", "[xcap_server]")
{
    Server server;
    server.ask(Verb::put, index_uri, document());
    const std::string entry = family + "/entry" + dd_test;
    const std::string ee = "<entry uri=\"sip:ee@example.com\"/>";
    int left = 1; // somebody of another process is faster that often
    server.store.trouble = [&](std::string_view operation) -> Result<void> {
        if (operation == "replace" && left > 0) {
            --left;
            server.store.put_row({index_uri, "alice", "example.com", "theirs" + std::to_string(left),
                                  document({.behind_ben = ee}), 4});
        }
        return {};
    };
    SECTION("an insertion is made in the new text")
    {
        CHECK(server.ask(Verb::put, entry, dd, as_element).code == 201);
        CHECK(server.ask(Verb::get, index_uri).body == document({.behind_ben = ee + dd}));
        CHECK(server.changes.back().old_etag == "theirs0");
        CHECK(*server.changes.back().old_text == document({.behind_ben = ee}));
    }
    SECTION("three times")
    {
        left = 3;
        CHECK(server.ask(Verb::put, entry, dd, as_element).code == 201);
        CHECK(server.pauses == 2);
    }
    SECTION("a deletion of what is the last no more")
    {
        CHECK(server.ask(Verb::del, family + "/entry[2]").code == 409);
        CHECK(server.ask(Verb::get, index_uri).body == document({.behind_ben = ee}));
    }
    SECTION("one that meant the version before has lost")
    {
        const auto tag = '"' + server.ask(Verb::get, index_uri).etag + '"';
        CHECK(server.ask(Verb::put, entry, dd, {"application/xcap-el+xml", tag}).code == 412);
    }
    SECTION("sixteen rounds are enough")
    {
        left = 1000;
        CHECK(server.ask(Verb::put, entry, dd, as_element).code == 503);
    }
    SECTION("no refusal comes from memory")
    {
        server.store.trouble = {};
        server.store.put_row({index_uri, "alice", "example.com", "theirs", document({.behind_ben = ee}), 4});
        CHECK(server.ask(Verb::put, family + "/entry[4]", dd, as_element).code == 201);
        server.store.put_row({index_uri, "alice", "example.com", "theirs2", document({.behind_ben = ee}), 4});
        CHECK(server.ask(Verb::del, family + "/entry[3]").code == 200);
    }
}

TEST_CASE("a row that is no document", "[xcap_server]")
{
    Server server;
    server.store.put_row(
        {index_uri, "alice", "example.com", "t1", "<resource-lists><a></resource-lists>", 4});
    CHECK(server.ask(Verb::get, index_uri).code == 200);
    CHECK(server.ask(Verb::get, nodes + "resource-lists").code == 500);
    CHECK(server.ask(Verb::put, nodes + "resource-lists/a", "<a/>", as_element).code == 500);
    CHECK(server.ask(Verb::del, nodes + "resource-lists/a").code == 500);
    CHECK(server.ask(Verb::put, index_uri, document()).code == 200); // a whole document repairs it
    CHECK(server.ask(Verb::get, nodes + "resource-lists/list[2]").code == 200);
}

TEST_CASE("the index of a document is made once per version", "[xcap_server]")
{
    Server server;
    server.ask(Verb::put, index_uri, document());
    const auto text_only = server.engine.cache().stats().bytes;
    server.ask(Verb::get, family);
    const auto indexed = server.engine.cache().stats().bytes;
    CHECK(indexed > text_only);
    const auto index = server.engine.cache().find(index_uri)->index;
    REQUIRE(index);
    CHECK(indexed == text_only + index->bytes());
    server.ask(Verb::get, family + "/@name");
    CHECK(server.engine.cache().find(index_uri)->index == index);
    server.ask(Verb::put, family + "/entry" + dd_test, dd, as_element);
    const auto next = server.engine.cache().find(index_uri)->index; // of the change itself
    REQUIRE(next);
    CHECK(next != index);
    CHECK(next->size() == index->size() + 1);
    CHECK(server.store.loads == 0);
}

TEST_CASE("types of nodes when types are not checked", "[xcap_server]")
{
    Engine::Settings settings;
    settings.type_check = TypeCheck::none;
    Server any{settings};
    any.ask(Verb::put, index_uri, document());
    CHECK(any.ask(Verb::put, family + "/entry[2]", dd, {std::nullopt}).code == 200);
    settings.type_check = TypeCheck::tolerant; // of documents only
    Server tolerant{settings};
    tolerant.ask(Verb::put, index_uri, document());
    CHECK(tolerant.ask(Verb::put, family + "/entry[2]", dd, {std::nullopt}).code == 415);
    CHECK(tolerant.ask(Verb::put, family + "/entry[2]", dd, {"text/xml"}).code == 415);
}
