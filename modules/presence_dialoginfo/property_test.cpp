// modules/presence_dialoginfo/property_test.cpp - random publishers, one valid document
#include "modules/presence_dialoginfo/test_support.h"

#include "core/xml/schema.h"
#include "test/support/catch.h"

#include <random>
#include <set>

namespace sipyard::presence_dialoginfo {

using namespace test;

namespace {

class Dice {
public:
    explicit Dice(unsigned seed) : engine_{seed} {}
    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(engine_); }
    template <class T, std::size_t n>
    const T& of(const T (&list)[n])
    {
        return list[below(n)];
    }

private:
    std::mt19937 engine_;
};

std::string random_dialog(Dice& dice)
{
    const char* const ids[] = {"1", "2", "3", "1~2", "&#34;&lt;", ""};
    const char* const call_ids[] = {"", "", "a", "b", "c&amp;&apos;", "&#9;"};
    const char* const states[] = {"trying", "proceeding", "early", "Confirmed", " terminated", "terminated"};
    const char* const extras[] = {"",
                                  "<x:e xmlns:x='urn:x' x:a='1'>t<x:b/></x:e>",
                                  "<e xmlns='urn:e'/>",
                                  "<duration>7</duration>",
                                  "<duration>long</duration>",
                                  "<privacy xmlns='urn:sipyard:dialog-ext'>remote</privacy>",
                                  "<replaces call-id='1' local-tag='2' remote-tag='3'/>",
                                  "<!-- c --><?p i?>",
                                  "<route-set><hop>h</hop></route-set>"};
    const char* const parties[] = {
        "",
        "<local/>",
        "<remote><identity display-name='&lt;A&gt;'>sip:a@b</identity></remote>",
        "<remote><target uri='sip:x@y'><param pname='p' "
        "pval='&quot;'/></target><identity>sip:a@b</identity></remote>",
        "<local><session-description "
        "type='application/sdp'>v=0&#13;\n]]&gt;</session-description><cseq>1</cseq></local>",
        "<remote><x:e xmlns:x='urn:x'><![CDATA[<&]]></x:e><cseq>many</cseq></remote>"};
    const char* const directions[] = {"", "direction='initiator'", "direction='Recipient '",
                                      "direction='up'"};
    const char* const state_attributes[] = {"", "code='486'", "code='99'", "event='Rejected' code='600'",
                                            "event='why'"};
    std::string out = "<dialog id='" + std::string{dice.of(ids)} + "' ";
    if (const std::string call_id = dice.of(call_ids); !call_id.empty())
        out += "call-id='" + call_id + "' ";
    out += std::string{dice.of(directions)} + ">" + dice.of(parties) + "<state " + dice.of(state_attributes) +
           ">" + dice.of(states) + "</state>" + dice.of(extras) + dice.of(parties) + dice.of(extras) +
           "</dialog>";
    return out;
}

std::string random_document(Dice& dice)
{
    const char* const roots[] = {"", "", "<x:r xmlns:x='urn:x'>1</x:r>", "<r xmlns='urn:x'>2</r>",
                                 "<q xmlns='urn:q'/>"};
    std::string elements = dice.of(roots);
    for (std::size_t n = dice.below(4); n > 0; --n)
        elements += random_dialog(dice) + dice.of(roots);
    return document(elements, dice.below(4) == 0 ? "partial" : "full");
}

// RFC 4235 4.4, as far as it does not import: our own documents fit into it.
constexpr std::string_view schema_text = R"(<xs:schema targetNamespace="urn:ietf:params:xml:ns:dialog-info"
 xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:ietf:params:xml:ns:dialog-info"
 elementFormDefault="qualified">
 <xs:element name="dialog-info"><xs:complexType><xs:sequence>
  <xs:element ref="t:dialog" minOccurs="0" maxOccurs="unbounded"/>
  <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
  <xs:attribute name="version" type="xs:nonNegativeInteger" use="required"/>
  <xs:attribute name="state" use="required"><xs:simpleType><xs:restriction base="xs:string">
   <xs:enumeration value="full"/><xs:enumeration value="partial"/></xs:restriction></xs:simpleType>
   </xs:attribute>
  <xs:attribute name="entity" type="xs:anyURI" use="required"/></xs:complexType></xs:element>
 <xs:element name="dialog"><xs:complexType><xs:sequence>
  <xs:element ref="t:state"/>
  <xs:element name="duration" type="xs:nonNegativeInteger" minOccurs="0"/>
  <xs:element name="replaces" minOccurs="0"><xs:complexType><xs:attribute name="call-id" type="xs:string"/>
   <xs:attribute name="local-tag" type="xs:string"/><xs:attribute name="remote-tag" type="xs:string"/>
   </xs:complexType></xs:element>
  <xs:element name="referred-by" type="t:nameaddr" minOccurs="0"/>
  <xs:element name="route-set" minOccurs="0"><xs:complexType><xs:sequence>
   <xs:element name="hop" type="xs:string" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
   </xs:element>
  <xs:element name="local" type="t:participant" minOccurs="0"/>
  <xs:element name="remote" type="t:participant" minOccurs="0"/>
  <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
  <xs:attribute name="id" type="xs:string" use="required"/><xs:attribute name="call-id" type="xs:string"/>
  <xs:attribute name="local-tag" type="xs:string"/><xs:attribute name="remote-tag" type="xs:string"/>
  <xs:attribute name="direction"><xs:simpleType><xs:restriction base="xs:string">
   <xs:enumeration value="initiator"/><xs:enumeration value="recipient"/></xs:restriction></xs:simpleType>
   </xs:attribute>
  </xs:complexType></xs:element>
 <xs:complexType name="participant"><xs:sequence>
  <xs:element name="identity" type="t:nameaddr" minOccurs="0"/>
  <xs:element name="target" minOccurs="0"><xs:complexType><xs:sequence>
   <xs:element name="param" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
    <xs:attribute name="pname" type="xs:string" use="required"/>
   <xs:attribute name="pval" type="xs:string" use="required"/>
    </xs:complexType></xs:element></xs:sequence><xs:attribute name="uri" type="xs:string" use="required"/>
   </xs:complexType></xs:element>
  <xs:element name="session-description" minOccurs="0"><xs:complexType><xs:simpleContent>
   <xs:extension base="xs:string">
   <xs:attribute name="type" type="xs:string" use="required"/></xs:extension></xs:simpleContent>
   </xs:complexType></xs:element>
  <xs:element name="cseq" type="xs:nonNegativeInteger" minOccurs="0"/>
  <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
   </xs:complexType>
 <xs:complexType name="nameaddr"><xs:simpleContent><xs:extension base="xs:anyURI">
  <xs:attribute name="display-name" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType>
 <xs:element name="state"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">
  <xs:attribute name="event"><xs:simpleType><xs:restriction base="xs:string">
   <xs:enumeration value="cancelled"/>
   <xs:enumeration value="rejected"/><xs:enumeration value="replaced"/><xs:enumeration value="local-bye"/>
   <xs:enumeration value="remote-bye"/><xs:enumeration value="error"/><xs:enumeration value="timeout"/>
   </xs:restriction></xs:simpleType></xs:attribute>
  <xs:attribute name="code"><xs:simpleType><xs:restriction base="xs:positiveInteger">
   <xs:minInclusive value="100"/>
   <xs:maxInclusive value="699"/></xs:restriction></xs:simpleType></xs:attribute>
  </xs:extension></xs:simpleContent></xs:complexType></xs:element>
</xs:schema>)";

std::vector<View> views()
{
    std::vector<View> all;
    for (const Privacy privacy : {Privacy::full, Privacy::anonymous, Privacy::state})
        for (int bits = 0; bits < 8; ++bits) {
            View view;
            view.privacy = privacy;
            view.single = (bits & 1) != 0;
            view.session = (bits & 2) != 0;
            view.idle = (bits & 4) != 0 ? IdleBody::dummy : IdleBody::last;
            view.caller_confirmed = (bits & 1) == 0;
            all.push_back(view);
        }
    return all;
}

} // namespace

TEST_CASE("random publishers, every watcher's document", "[presence_dialoginfo]")
{
    const auto schema = xml::Schema::compile(schema_text);
    INFO(why(schema));
    REQUIRE(schema);
    const char* const publishers[] = {"p", "q", "r", "s"};
    const std::vector<View> all = views();
    for (unsigned seed = 1; seed <= 60; ++seed) {
        INFO("seed " << seed);
        Dice dice{seed};
        Settings settings;
        settings.partial_notify = true;
        Desk there{settings}, reversed{settings};
        reversed.reversed = true;
        presence::CompositePtr before;
        for (int step = 0; step < 12; ++step) {
            const std::string who = dice.of(publishers);
            if (dice.below(5) == 0) {
                there.remove(who);
                reversed.remove(who);
            } else {
                const std::string body = random_document(dice);
                INFO(body);
                REQUIRE(there.publish(who, body) == "");
                REQUIRE(reversed.publish(who, body) == "");
            }
            REQUIRE(there.composite->hash == reversed.composite->hash);
            reversed.merge(); // what was settled stays settled
            REQUIRE(there.composite->hash == reversed.composite->hash);
            for (const View& view : all) {
                const auto body = there.body(view), other = reversed.body(view);
                const std::string text = Desk::text_of(body, step);
                INFO(text);
                REQUIRE(text == Desk::text_of(other, step));
                const auto valid = schema->validate(text);
                INFO(why(valid));
                REQUIRE(valid);
                if (!before)
                    continue;
                const auto partial = there.package.partial(bob, *before, *there.composite, view.variant());
                if (partial) {
                    INFO(Desk::text_of(partial, step));
                    REQUIRE(schema->validate(Desk::text_of(partial, step)));
                    REQUIRE(partial->hash == body->hash);
                }
            }
            // Our document, published anew, says what it said.
            View plain;
            plain.session = true;
            const std::string text = there.text(plain);
            Desk again;
            REQUIRE(again.publish("p", text) == "");
            REQUIRE(again.text(plain) == text);
            before = there.composite;
        }
    }
}

TEST_CASE("equal documents have equal hashes, others do not", "[presence_dialoginfo]")
{
    Dice dice{7};
    std::map<std::string, presence::ContentHash> seen;
    View view;
    view.session = true;
    for (int i = 0; i < 400; ++i) {
        Desk desk;
        REQUIRE(desk.publish("p", document(random_dialog(dice))) == "");
        const auto body = desk.body(view);
        const auto place = seen.emplace(body->after, body->hash).first;
        CHECK(place->second == body->hash);
    }
    std::set<std::pair<std::uint64_t, std::uint64_t>> hashes;
    for (const auto& [text, hash] : seen)
        hashes.emplace(hash.high, hash.low);
    CHECK(hashes.size() == seen.size());
    CHECK(seen.size() > 200);
}

} // namespace sipyard::presence_dialoginfo
