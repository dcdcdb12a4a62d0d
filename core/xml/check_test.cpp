// core/xml/check_test.cpp - which documents come in, and that refusing is cheap
#include "core/xml/check.h"

#include "core/base/format.h"
#include "test/support/catch.h"

#include <chrono>
#include <thread>
#include <vector>

using namespace sipyard;
using namespace sipyard::xml;
using namespace std::string_literals;

namespace {

std::string repeated(std::size_t times, std::string_view text)
{
    std::string out;
    out.reserve(times * text.size());
    while (times-- > 0)
        out += text;
    return out;
}

std::string numbered(std::size_t times, std::string_view before, std::string_view after)
{
    std::string out;
    for (std::size_t i = 0; i < times; ++i)
        out += std::string{before} + std::to_string(i) + std::string{after};
    return out;
}

std::string utf16(std::string_view text, bool mark)
{
    std::string out = mark ? "\xff\xfe"s : ""s;
    for (const char c : text) {
        out += c;
        out += '\0';
    }
    return out;
}

} // namespace

TEST_CASE("good documents pass with their facts", "[xml]")
{
    const struct {
        const char* story;
        std::string text;
        std::string_view ns, name;
        std::size_t elements, depth;
    } rows[] = {
        {"the least", "<a/>", "", "a", 1, 1},
        {"default namespace", "<a xmlns='urn:x'><b/><b><c/></b></a>", "urn:x", "a", 4, 3},
        {"a prefix", "<p:a xmlns:p='urn:x' p:q='1'/>", "urn:x", "a", 1, 1},
        {"declaration", "<?xml version='1.0' encoding='UTF-8'?>\n<a/>", "", "a", 1, 1},
        {"declaration in small letters", "<?xml version=\"1.0\" encoding = \"utf-8\" standalone='yes'?><a/>",
         "", "a", 1, 1},
        {"US-ASCII is UTF-8", "<?xml version='1.0' encoding='us-ascii'?><a/>", "", "a", 1, 1},
        {"byte order mark", "\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><a/>", "", "a", 1, 1},
        {"the five entities and numbers", "<a b='&lt;&quot;'>&amp;&gt;&apos;&#228;&#x20AC;</a>", "", "a", 1,
         1},
        {"comment, PI, CDATA", "<!-- <x> --><?pi y?><a><![CDATA[<z>]]></a><!-- -->", "", "a", 1, 1},
        {"a namespace name that is no URI", "<a xmlns='not a uri %zz'/>", "not a uri %zz", "a", 1, 1},
        {"the word encoding in the text", "<a>encoding='UTF-16'</a>", "", "a", 1, 1},
        {"exactly as deep as allowed", repeated(64, "<a>") + repeated(64, "</a>"), "", "a", 64, 64},
        {"exactly as many elements", "<a>" + repeated(19'999, "<b/>") + "</a>", "", "a", 20'000, 2},
        {"exactly as many attributes", "<a " + numbered(256, "b", "='x=y>' ") + "/>", "", "a", 1, 1},
        {"exactly as long a name", "<" + std::string(256, 'n') + "/>", "", std::string_view{}, 1, 1},
        {"many equal signs in text", "<a>" + repeated(1000, "='x'") + "</a>", "", "a", 1, 1},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto checked = check(row.text);
        INFO(checked.text);
        CHECK(checked);
        if (!row.name.empty())
            CHECK(checked.facts.root_name == row.name);
        CHECK(checked.facts.root_namespace == row.ns);
        CHECK(checked.facts.elements == row.elements);
        CHECK(checked.facts.depth == row.depth);
    }
}

TEST_CASE("bad documents are refused, each for its own reason", "[xml]")
{
    const std::string latin = "<?xml version='1.0' encoding='ISO-8859-1'?><a/>";
    const struct {
        const char* story;
        std::string text;
        Fault fault;
    } rows[] = {
        {"nothing", "", Fault::not_well_formed},
        {"blanks only", " \n", Fault::not_well_formed},
        {"no XML", "hello", Fault::not_well_formed},
        {"not closed", "<a><b></a>", Fault::not_well_formed},
        {"cut off", "<a><b", Fault::not_well_formed},
        {"two roots", "<a/><b/>", Fault::not_well_formed},
        {"text behind", "<a/>x", Fault::not_well_formed},
        {"an attribute twice", "<a b='1' b='2'/>", Fault::not_well_formed},
        {"an attribute twice by namespace", "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
         Fault::not_well_formed},
        {"unbound prefix of an element", "<p:a/>", Fault::not_well_formed},
        {"unbound prefix of an attribute", "<a p:b='1'/>", Fault::not_well_formed},
        {"two colons", "<a xmlns:p='u'><p:b:c/></a>", Fault::not_well_formed},
        {"a prefix bound to nothing", "<a xmlns:p=''/>", Fault::not_well_formed},
        {"the prefix xmlns bound", "<a xmlns:xmlns='u'/>", Fault::not_well_formed},
        {"an unknown entity", "<a>&nbsp;</a>", Fault::not_well_formed},
        {"an unknown entity in an attribute", "<a b='&x;'/>", Fault::not_well_formed},
        {"a control character", "<a>\x01</a>", Fault::not_well_formed},
        {"a forbidden number", "<a>&#0;</a>", Fault::not_well_formed},
        {"NUL behind", "<a/>\0"s, Fault::not_well_formed},
        {"NUL within", "<a>x\0</a>"s, Fault::not_well_formed},
        {"UTF-16 with its mark", utf16("<a/>", true), Fault::not_utf8},
        {"UTF-16 without", utf16("<?xml version='1.0'?><a/>", false), Fault::not_utf8},
        {"UTF-16 the other way round", "\0<\0a\0/\0>"s, Fault::not_utf8},
        {"UTF-32", "\xff\xfe\0\0<\0\0\0"s, Fault::not_utf8},
        {"Latin-1 declared", latin, Fault::not_utf8},
        {"Latin-1 declared behind a mark", "\xef\xbb\xbf" + latin, Fault::not_utf8},
        {"UTF-16 declared only", "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>", Fault::not_utf8},
        {"UTF-7 declared", "<?xml version='1.0' encoding='UTF-7'?><a>+ADw-b+AD4-</a>", Fault::not_utf8},
        {"Latin-1 bytes", "<a>caf\xe9</a>", Fault::not_utf8},
        {"an overlong form", "<a>\xc0\xbc</a>", Fault::not_utf8},
        {"a DOCTYPE", "<!DOCTYPE a><a/>", Fault::doctype},
        {"a DOCTYPE of another place", "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a/>", Fault::doctype},
        {"a DOCTYPE that would read a file",
         "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", Fault::doctype},
        {"a public DOCTYPE", "<!DOCTYPE a PUBLIC '-//X' 'a.dtd'><a/>", Fault::doctype},
        {"one too deep", repeated(65, "<a>") + repeated(65, "</a>"), Fault::too_deep},
        {"one element too many", "<a>" + repeated(20'000, "<b/>") + "</a>", Fault::too_many_elements},
        {"one attribute too many", "<a " + numbered(257, "b", "='' ") + "/>", Fault::too_many_attributes},
        {"too many declarations", "<a " + numbered(257, "xmlns:b", "='u' ") + "/>",
         Fault::too_many_attributes},
        {"too many in scope",
         "<a " + numbered(200, "xmlns:b", "='u' ") + "><c " + numbered(57, "xmlns:d", "='u' ") + "/></a>",
         Fault::too_many_attributes},
        {"a name too long", "<" + std::string(257, 'n') + "/>", Fault::name_too_long},
        {"a name too long with its prefix",
         "<a xmlns:" + std::string(200, 'p') + "='u'><" + std::string(200, 'p') + ":" + std::string(56, 'n') +
             "/></a>",
         Fault::name_too_long},
        {"an attribute's name too long", "<a " + std::string(257, 'n') + "=''/>", Fault::name_too_long},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto checked = check(row.text);
        INFO(checked.text);
        REQUIRE(checked.fault);
        CHECK(*checked.fault == row.fault);
        CHECK_FALSE(checked.text.empty());
        CHECK(checked.text.size() <= 200);
        CHECK(checked.text.find('\n') == std::string::npos);
    }
    CHECK(check("<p:a/>").error().kind == ErrorKind::invalid);
    CHECK(check("<!DOCTYPE a><a/>").error().kind == ErrorKind::unsupported);
}

TEST_CASE("bombs cost next to nothing", "[xml]")
{
    std::string laughs = "<!DOCTYPE a [<!ENTITY l0 'ha'>";
    for (int i = 1; i < 20; ++i)
        laughs += format("<!ENTITY l{} '&l{};&l{};&l{};&l{};'>", i, i - 1, i - 1, i - 1, i - 1);
    laughs += "]><a>&l19;</a>";
    const struct {
        const char* story;
        std::string text;
        Fault fault;
    } rows[] = {
        {"billion laughs", laughs, Fault::doctype},
        {"one large entity, many uses",
         "<!DOCTYPE a [<!ENTITY e '" + std::string(100'000, 'x') + "'>]><a>" + repeated(100'000, "&e;") +
             "</a>",
         Fault::doctype},
        {"a million declarations", "<!DOCTYPE a [" + numbered(50'000, "<!ENTITY e", " 'x'>") + "]><a/>",
         Fault::doctype},
        {"20,000 levels", repeated(20'000, "<a>") + repeated(20'000, "</a>"), Fault::too_deep},
        {"20,000 levels, never closed", repeated(20'000, "<a>"), Fault::too_deep},
        {"100,000 attributes", "<a " + numbered(100'000, "b", "='' ") + "/>", Fault::too_many_attributes},
        {"100,000 attributes behind an error", "<a x\"y=''><c " + numbered(100'000, "b", "='' ") + "/></a>",
         Fault::too_many_attributes},
        {"100,000 attributes behind a false comment",
         "<a b='<!--'/><c " + numbered(100'000, "b", "='' ") + "/>", Fault::too_many_attributes},
        {"60,000 declarations", "<a " + numbered(60'000, "xmlns:b", "='u' ") + "/>",
         Fault::too_many_attributes},
        {"a name of a megabyte", "<" + std::string(1'000'000, 'n') + "/>", Fault::not_well_formed},
        {"only '<'", std::string(1'000'000, '<'), Fault::not_well_formed},
        {"only quotes in tags", "<a " + repeated(300'000, "\"' "), Fault::not_well_formed},
        {"open quotes", repeated(300'000, "<a \""), Fault::not_well_formed},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto start = std::chrono::steady_clock::now();
        const auto checked = check(row.text);
        const auto took = std::chrono::steady_clock::now() - start;
        INFO(checked.text);
        REQUIRE(checked.fault);
        CHECK(*checked.fault == row.fault);
        CHECK(std::chrono::duration_cast<std::chrono::milliseconds>(took).count() <
              500); // a few of them when alone
    }
}

TEST_CASE("threads check at once", "[xml]")
{
    std::vector<std::thread> threads;
    std::vector<int> good(4, 0);
    for (std::size_t t = 0; t < good.size(); ++t)
        threads.emplace_back([&good, t] {
            for (int i = 0; i < 200; ++i)
                good[t] +=
                    check("<a xmlns='u'><b>x</b></a>") && check("<!DOCTYPE a><a/>").fault == Fault::doctype;
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(good == std::vector<int>(4, 200));
}
