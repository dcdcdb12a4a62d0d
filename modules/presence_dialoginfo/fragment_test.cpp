// modules/presence_dialoginfo/fragment_test.cpp - strangers' elements mean the same in our document
#include "modules/presence_dialoginfo/fragment.h"

#include "test/support/catch.h"

namespace sipyard::presence_dialoginfo {

namespace {

// The root's first child, as a fragment.
Fragment rewritten(const std::string& text, Home home = Home::dialog_info)
{
    const auto document = xml::Document::parse(text);
    INFO(why(document));
    REQUIRE(document);
    return element_fragment(document->root().first(), home, 1);
}

std::string around(std::string_view element, std::string_view declarations = {})
{
    return "<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' " + std::string{declarations} + ">" +
           std::string{element} + "</dialog-info>";
}

} // namespace

TEST_CASE("an element is written so that it may stand anywhere", "[presence_dialoginfo]")
{
    const struct {
        const char* story;
        std::string document;
        std::string expected;
    } rows[] = {
        {"ours", around("<identity>sip:a@b</identity>"), "  <identity>sip:a@b</identity>\n"},
        {"ours under a prefix",
         "<d:dialog-info "
         "xmlns:d='urn:ietf:params:xml:ns:dialog-info'><d:identity>x</d:identity></d:dialog-info>",
         "  <identity>x</identity>\n"},
        {"foreign, the prefix declared far above", around("<x:a/>", "xmlns:x='urn:x'"),
         "  <x:a xmlns:x=\"urn:x\"/>\n"},
        {"declared once for all below", around("<x:a><x:b/><x:c/></x:a>", "xmlns:x='urn:x'"),
         "  <x:a xmlns:x=\"urn:x\">\n    <x:b/>\n    <x:c/>\n  </x:a>\n"},
        {"declared for each that needs it", around("<local><x:b/><x:c/></local>", "xmlns:x='urn:x'"),
         "  <local>\n    <x:b xmlns:x=\"urn:x\"/>\n    <x:c xmlns:x=\"urn:x\"/>\n  </local>\n"},
        {"a foreign default namespace, ours inside",
         around("<a xmlns='urn:x'><d:b/></a>", "xmlns:d='urn:ietf:params:xml:ns:dialog-info'"),
         "  <a xmlns=\"urn:x\">\n    <b xmlns=\"urn:ietf:params:xml:ns:dialog-info\"/>\n  </a>\n"},
        {"no namespace at all", around("<a xmlns=''><b/></a>"), "  <a xmlns=\"\">\n    <b/>\n  </a>\n"},
        {"a prefix that means two things",
         around("<x:a><x:b xmlns:x='urn:y'/><x:c/></x:a>", "xmlns:x='urn:x'"),
         "  <x:a xmlns:x=\"urn:x\">\n    <x:b xmlns:x=\"urn:y\"/>\n    <x:c/>\n  </x:a>\n"},
        {"attributes in one order, foreign ones declared",
         around("<a z='1' x:q='3' b='2' xml:lang='de'/>", "xmlns:x='urn:x'"),
         "  <a b=\"2\" z=\"1\" xml:lang=\"de\" xmlns:x=\"urn:x\" x:q=\"3\"/>\n"},
        {"an attribute in our namespace keeps its prefix",
         "<d:dialog-info xmlns:d='urn:ietf:params:xml:ns:dialog-info'><d:a d:b='1'/></d:dialog-info>",
         "  <a xmlns:d=\"urn:ietf:params:xml:ns:dialog-info\" d:b=\"1\"/>\n"},
        {"CDATA and references", around("<a b='&#34;&lt;&#9;'><![CDATA[<&]]>&#233;]]&gt;</a>"),
         "  <a b=\"&quot;&lt;&#9;\">&lt;&amp;\xc3\xa9]]&gt;</a>\n"},
        {"comments and processing instructions are gone", around("<a>one<!-- c -->two<?p i?></a>"),
         "  <a>onetwo</a>\n"},
        {"white space between elements is ours", around("<local>\n\n   <identity>x</identity>\t</local>"),
         "  <local>\n    <identity>x</identity>\n  </local>\n"},
        {"mixed content is copied", around("<a>one <b> </b>\n two</a>"), "  <a>one <b> </b>\n two</a>\n"},
        {"space that is preserved", around("<a xml:space='preserve'> <b/> </a>"),
         "  <a xml:space=\"preserve\"> <b/> </a>\n"},
        {"line ends of a session description", around("<a>v=0&#13;\no=-&#13;\n</a>"),
         "  <a>v=0&#13;\no=-&#13;\n</a>\n"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const Fragment fragment = rewritten(row.document);
        CHECK(fragment.text == row.expected);
        // and again, as a part of our own document
        const Fragment again = rewritten(around(fragment.text));
        CHECK(again.text == fragment.text);
        CHECK(again.hash == fragment.hash);
    }
}

TEST_CASE("only what is said counts for the hash", "[presence_dialoginfo]")
{
    const auto hash = [](const std::string& element) {
        return rewritten(around(element, "xmlns:x='urn:x' xmlns:y='urn:x' xmlns:z='urn:z'")).hash;
    };
    const auto plain = hash("<x:a b='1' c='2'><x:d>t</x:d></x:a>");
    CHECK(hash("<y:a c='2' b='1'>\n <y:d>t</y:d></y:a>") == plain);
    CHECK(hash("<x:a b='1' c='2'><!-- c --><y:d><![CDATA[t]]></y:d></x:a>") == plain);
    for (const char* other : {"<z:a b='1' c='2'><x:d>t</x:d></z:a>", "<x:a b='1' c='3'><x:d>t</x:d></x:a>",
                              "<x:a b='1' c='2'><x:d>t </x:d></x:a>", "<x:a b='1' c='2'><x:d/>t</x:a>",
                              "<x:a b='1' c='2'>t<x:d/></x:a>", "<x:a b='12'><x:d>t</x:d></x:a>",
                              "<x:a b='1' x:c='2'><x:d>t</x:d></x:a>"}) {
        INFO(other);
        CHECK_FALSE(hash(other) == plain);
    }
}

TEST_CASE("a hash tells pieces from their joint", "[presence_dialoginfo]")
{
    CHECK_FALSE(Hasher{}.add("ab").add("c").finish() == Hasher{}.add("a").add("bc").finish());
    CHECK_FALSE(Hasher{}.add("").finish() == Hasher{}.finish());
    CHECK_FALSE(Hasher{}.add("12345678").finish() == Hasher{}.add("12345679").finish());
    CHECK(hex_of({0xab, 1}) == "00000000000000ab0000000000000001");
}

} // namespace sipyard::presence_dialoginfo
