// core/sip/torture_test.cpp - the torture messages of RFC 4475, each with what we make of it
#include "core/sip/build.h"
#include "core/sip/message.h"
#include "test/support/catch.h"

#include <fstream>
#include <iterator>
#include <string>

using namespace sipyard;
using namespace sipyard::sip;

namespace {

std::string corpus(const std::string& name)
{
    std::ifstream file{"test/corpus/rfc4475/" + name + ".dat", std::ios::binary};
    REQUIRE(file);
    return {std::istreambuf_iterator<char>{file}, {}};
}

enum class Fate { accepted, refused, dropped };
std::string_view to_text(Fate fate)
{
    return fate == Fate::accepted ? "accepted" : fate == Fate::refused ? "refused" : "dropped";
}

} // namespace

TEST_CASE("the torture messages of RFC 4475 meet the fate the RFC asks for", "[sip]")
{
    const struct {
        const char* section;
        const char* name;
        Fate fate;
        int code;
        const char* reason;
    } rows[] = {
        {"3.1.1.1 a short tortuous INVITE", "wsinv", Fate::accepted, 0, ""},
        {"3.1.1.2 wide range of valid characters", "intmeth", Fate::accepted, 0, ""},
        {"3.1.1.3 valid use of the % escaping mechanism", "esc01", Fate::accepted, 0, ""},
        {"3.1.1.4 escaped nulls in URIs", "escnull", Fate::accepted, 0, ""},
        {"3.1.1.5 use of % when it is not an escape", "esc02", Fate::accepted, 0, ""},
        {"3.1.1.6 no LWS between display name and <", "lwsdisp", Fate::accepted, 0, ""},
        {"3.1.1.7 long values in header fields", "longreq", Fate::accepted, 0, ""},
        {"3.1.1.8 extra trailing octets in a datagram", "dblreq", Fate::accepted, 0, ""},
        {"3.1.1.9 semicolons in the user part", "semiuri", Fate::accepted, 0, ""},
        {"3.1.1.10 varied and unknown transports", "transports", Fate::accepted, 0, ""},
        {"3.1.1.11 multipart MIME", "mpart01", Fate::accepted, 0, ""},
        {"3.1.1.12 unusual reason phrase", "unreason", Fate::accepted, 0, ""},
        {"3.1.1.13 empty reason phrase", "noreason", Fate::accepted, 0, ""},
        {"3.1.2.1 extraneous separators", "badinv01", Fate::refused, 400, "Bad Via header field"},
        {"3.1.2.2 Content-Length larger than the message", "clerr", Fate::refused, 400,
         "Content-Length larger than the message"},
        {"3.1.2.3 negative Content-Length", "ncl", Fate::refused, 400, "Content-Length is no number"},
        {"3.1.2.4 overlarge scalars in a request", "scalar02", Fate::refused, 400, "Bad CSeq header field"},
        {"3.1.2.5 overlarge scalars in a reply", "scalarlg", Fate::refused, 400, "Bad CSeq header field"},
        {"3.1.2.6 unterminated quoted string", "quotbal", Fate::refused, 400, "Bad To header field"},
        {"3.1.2.7 <> around the Request-URI", "ltgtruri", Fate::refused, 400, "Bad Request-URI"},
        {"3.1.2.8 LWS within the Request-URI", "lwsruri", Fate::refused, 400, "Blanks in the Request-URI"},
        {"3.1.2.9 several SP in the request line", "lwsstart", Fate::refused, 400,
         "Blanks in the Request-URI"},
        {"3.1.2.10 SP at the end of the request line", "trws", Fate::refused, 400,
         "Blanks at the end of the request line"},
        {"3.1.2.11 headers in the Request-URI", "escruri", Fate::refused, 400, "Request-URI with headers"},
        {"3.1.2.12 bad time zone: nobody here needs Date", "baddate", Fate::accepted, 0, ""},
        {"3.1.2.13 the registrar minds the Contact, not the proxy", "regbadct", Fate::accepted, 0, ""},
        {"3.1.2.14 spaces within addr-spec", "badaspec", Fate::refused, 400, "Bad To header field"},
        {"3.1.2.15 non-token characters in a display name", "baddn", Fate::refused, 400,
         "Bad From header field"},
        {"3.1.2.16 unknown version", "badvers", Fate::refused, 505, "Version not supported"},
        {"3.1.2.17 CSeq method mismatch", "mismatch01", Fate::refused, 400,
         "CSeq method differs from the request's"},
        {"3.1.2.18 unknown method with mismatch", "mismatch02", Fate::refused, 400,
         "CSeq method differs from the request's"},
        {"3.1.2.19 overlarge status code", "bigcode", Fate::dropped, 0,
         "status line without a status code of three digits"},
        {"3.2.1 a cookie and nothing behind it: RFC 2543 rules", "badbranch", Fate::accepted, 0, ""},
        {"3.3.1 missing header fields", "insuf", Fate::refused, 400, "Missing From header field"},
        {"3.3.2 unknown scheme: 416 is the script's", "unkscm", Fate::accepted, 0, ""},
        {"3.3.3 atypical scheme", "novelsc", Fate::accepted, 0, ""},
        {"3.3.4 unknown schemes in headers", "unksm2", Fate::accepted, 0, ""},
        {"3.3.5 Require and Proxy-Require", "bext01", Fate::accepted, 0, ""},
        {"3.3.6 unknown Content-Type", "invut", Fate::accepted, 0, ""},
        {"3.3.7 unknown authorization scheme", "regaut01", Fate::accepted, 0, ""},
        {"3.3.8 several values of single headers", "multi01", Fate::refused, 400,
         "Several From header fields"},
        {"3.3.9 two Content-Lengths", "mcl01", Fate::refused, 400, "Content-Length values differ"},
        {"3.3.10 broadcast Via: who forwards must look", "bcast", Fate::accepted, 0, ""},
        {"3.3.11 Max-Forwards of zero: 483 is the proxy's", "zeromf", Fate::accepted, 0, ""},
        {"3.3.12 contact parameter", "cparam01", Fate::accepted, 0, ""},
        {"3.3.13 URI parameter", "cparam02", Fate::accepted, 0, ""},
        {"3.3.14 escaped header in a Contact", "regescrt", Fate::accepted, 0, ""},
        {"3.3.15 unacceptable Accept", "sdp01", Fate::accepted, 0, ""},
        {"3.4.1 INVITE of RFC 2543", "inv2543", Fate::accepted, 0, ""},
    };
    for (const auto& row : rows) {
        INFO(row.section << " (" << row.name << ")");
        const auto text = corpus(row.name);
        Arena arena;
        const auto parsed = Message::parse(text, arena);
        if (!parsed) {
            CHECK(row.fate == Fate::dropped);
            CHECK(parsed.error().text == row.reason);
            continue;
        }
        const auto fault = (*parsed)->check();
        CHECK((fault ? Fate::refused : Fate::accepted) == row.fate);
        CHECK(fault.code == row.code);
        CHECK(fault.reason == row.reason);
    }
}

TEST_CASE("a refused torture request still gets its answer, unless it lacks what a reply needs", "[sip]")
{
    const struct {
        const char* name;
        bool answered;
    } rows[] = {{"clerr", true},   {"ncl", true},     {"quotbal", true}, {"badvers", true},
                {"multi01", true}, {"lwsruri", true}, {"insuf", false},  {"scalarlg", false}};
    for (const auto& row : rows) {
        INFO(row.name);
        const auto text = corpus(row.name);
        Arena arena;
        const auto parsed = Message::parse(text, arena);
        REQUIRE(parsed);
        CHECK((*parsed)->can_be_answered() == row.answered);
        if (row.answered) {
            const auto reply = build_reply(**parsed, 400, "Bad Request", {.to_tag = "t1"}, arena);
            Arena other;
            const auto again = Message::parse(reply, other);
            REQUIRE(again);
            CHECK((*again)->status() == 400);
            CHECK((*again)->call_id() == (*parsed)->call_id());
        }
    }
}

TEST_CASE("what the torture messages say is understood", "[sip]")
{
    Arena arena;
    SECTION("wsinv: folding, blanks and escapes everywhere")
    {
        const auto text = corpus("wsinv");
        const auto& m = **Message::parse(text, arena);
        CHECK(m.method() == Method::invite);
        CHECK(m.request_uri()->params.has("unknownparam"));
        CHECK(m.to_tag() == "1918181833n");
        CHECK(m.from()->display == "\"J Rosenberg \\\\\\\"\"");
        CHECK(m.from_tag() == "98asjd8");
        CHECK(m.from_uri()->host == "example.com");
        CHECK(m.max_forwards() == 68u);
        CHECK(m.cseq()->number == 9);
        CHECK(m.cseq()->method == Method::invite);
        REQUIRE(m.vias().size() == 3);
        CHECK(m.top_via()->host == "192.0.2.2");
        CHECK(m.top_via()->branch == "390skdjuw");
        CHECK_FALSE(m.top_via()->has_cookie());
        CHECK(m.vias()[1].host == "spindle.example.com");
        CHECK(m.vias()[1].transport == Transport::tcp);
        CHECK(m.vias()[2].branch == "z9hG4bK30239");
        CHECK(m.value(HeaderName::subject).empty());
        CHECK(m.has(HeaderName::subject));
        CHECK(m.contacts()[0].q() == 330);
        CHECK(m.contacts()[0].params.find("newparam") == "newvalue");
        CHECK(m.routes()[0].uri == "sip:services.example.com;lr;unknownwith=value;unknown-no-value");
        CHECK(m.body().size() == 150);
    }
    SECTION("intmeth: all the characters a token may have")
    {
        const auto text = corpus("intmeth");
        const auto& m = **Message::parse(text, arena);
        CHECK(m.method() == Method::other);
        CHECK(m.method_text() == "!interesting-Method0123456789_*+`.%indeed'~");
        CHECK(m.request_uri()->user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
        CHECK(m.request_uri()->password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
        CHECK(m.request_uri()->host == "example.com");
        CHECK(m.from_tag() == "_token~1'+`*%!-.");
        CHECK(m.call_id() == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    }
    SECTION("escnull: two different contacts")
    {
        const auto text = corpus("escnull");
        const auto& m = **Message::parse(text, arena);
        REQUIRE(m.contacts().size() == 2);
        const auto first = parse_uri(m.contacts()[0].uri), second = parse_uri(m.contacts()[1].uri);
        REQUIRE(first);
        REQUIRE(second);
        CHECK_FALSE(same_uri(*first, *second));
        CHECK(unescape(first->user) == std::string(1, '\0'));
        CHECK(unescape(m.to_uri()->user).size() == 11);
    }
    SECTION("esc01: escapes are undone once")
    {
        const auto text = corpus("esc01");
        const auto& m = **Message::parse(text, arena);
        const auto uri = parse_uri(m.contacts()[0].uri);
        REQUIRE(uri);
        CHECK(unescape(uri->user) == "caller");
        const auto plain = parse_uri("sip:caller@host5.example.net;lr;name=value%2541");
        CHECK(same_uri(*uri, *plain));
        const auto twice = parse_uri("sip:caller@host5.example.net;lr;name=valueA");
        CHECK_FALSE(same_uri(*uri, *twice));
    }
    SECTION("esc02: two contacts, the third header is another one")
    {
        const auto text = corpus("esc02");
        const auto& m = **Message::parse(text, arena);
        CHECK(m.contacts().size() == 2);
        CHECK(m.method() == Method::other);
        CHECK(m.first("C%6Fntact")->value == "<sip:alias2@host2.example.com>");
    }
    SECTION("longreq: 34 Via, in all spellings")
    {
        const auto text = corpus("longreq");
        const auto& m = **Message::parse(text, arena);
        CHECK(m.vias().size() == 34);
        CHECK(m.vias()[33].received == "192.0.2.5");
        CHECK(m.from_tag().size() == 155);
    }
    SECTION("dblreq: the octets behind the message are not part of it")
    {
        const auto text = corpus("dblreq");
        const auto& m = **Message::parse(text, arena);
        CHECK(m.body().empty());
        CHECK(m.buffer().ends_with("Content-Length: 0\r\n\r\n"));
    }
    SECTION("mpart01: a body with null bytes")
    {
        const auto text = corpus("mpart01");
        const auto& m = **Message::parse(text, arena);
        CHECK(m.body().size() == 553);
        CHECK(m.content_type()->is("multipart/mixed"));
        CHECK(m.content_type()->params.find("boundary") == "7a9cbec02ceef655");
        CHECK(m.top_via()->has_rport);
    }
    SECTION("semiuri and the contact parameters")
    {
        const auto text = corpus("semiuri");
        CHECK((*Message::parse(text, arena))->request_uri()->user == "user;par=u%40example.net");
        const auto header_param = corpus("cparam01");
        const auto contact = (*Message::parse(header_param, arena))->contacts()[0];
        CHECK(contact.uri == "sip:+19725552222@gw1.example.net");
        CHECK(contact.params.has("unknownparam"));
        const auto uri_param = corpus("cparam02");
        const auto other = (*Message::parse(uri_param, arena))->contacts()[0];
        CHECK_FALSE(other.params.has("unknownparam"));
        CHECK(parse_uri(other.uri)->params.has("unknownparam"));
        const auto bad = corpus("regbadct");
        CHECK((*Message::parse(bad, arena))->contacts().complaint == "URI with '?' or ',' must stand in <>");
    }
    SECTION("scalar02: an overlarge expiry is the largest one")
    {
        const auto text = corpus("scalar02");
        const auto& m = **Message::parse(text, arena);
        CHECK(m.expires() == 0xffff'ffffu);
        CHECK(m.contacts()[0].expires() == 0xffff'ffffu);
        CHECK(m.complaint_about(HeaderName::cseq) == "CSeq number is 2^31 or more");
    }
    SECTION("replies: reason phrases, and an unknown authorization scheme")
    {
        const auto text = corpus("unreason");
        CHECK((*Message::parse(text, arena))->reason().starts_with("= 2**3 * 5**2 "));
        const auto empty = corpus("noreason");
        CHECK((*Message::parse(empty, arena))->status() == 100);
        CHECK((*Message::parse(empty, arena))->reason().empty());
        const auto scheme = corpus("regaut01");
        const auto* credentials = (*Message::parse(scheme, arena))->authorization();
        REQUIRE(credentials);
        CHECK(credentials->scheme == "NoOneKnowsThisScheme");
        CHECK_FALSE(credentials->is_digest());
    }
}
