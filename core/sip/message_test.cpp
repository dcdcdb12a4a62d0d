// core/sip/message_test.cpp - start line, header index, body, typed values, faults
#include "core/sip/message.h"

#include "core/base/format.h"

#include "test/support/catch.h"

#include <string>

using namespace sipyard;
using namespace sipyard::sip;

namespace {

const std::string options = "OPTIONS sip:bob@example.com SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1;rport\r\n"
                            "From: <sip:alice@example.com>;tag=a\r\n"
                            "To: <sip:bob@example.com>\r\n"
                            "Call-ID: c1\r\n"
                            "CSeq: 1 OPTIONS\r\n";

const Message& parsed(std::string_view text, Arena& arena)
{
    const auto result = Message::parse(arena.copy(text), arena);
    INFO(text);
    INFO(why(result));
    REQUIRE(result);
    return **result;
}

} // namespace

TEST_CASE("header names may hold what an operator allows beside a token's characters", "[sip]")
{
    const struct {
        const char* story;
        const char* line;
        const char* extra;
        bool good;
    } rows[] = {
        {"a token", "X-Good: 1", "", true},      {"none", "X@Bad: 1", "", false},
        {"another one", "X@Bad: 1", "/", false}, {"this one", "X@Bad: 1", "/@", true},
        {"no name at all", ": 1", "@", false},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Arena arena;
        const auto text = format("OPTIONS sip:a@b SIP/2.0\r\n{}\r\n\r\n", row.line);
        const auto message = Message::parse(text, arena, row.extra);
        REQUIRE(message);
        CHECK(!(*message)->fault() == row.good);
    }
}

TEST_CASE("a request is indexed", "[sip]")
{
    Arena arena;
    const auto text = "\r\n\r\n" + options +
                      "X-One: 1\r\nv: SIP/2.0/TCP b.example.com , SIP/2.0/TCP c\r\nx-one:\r\n"
                      "Subject: folded\r\n  twice\r\n\tover\r\nContent-Length: 4\r\n\r\nbodyEXTRA";
    const auto& m = parsed(text, arena);
    CHECK(m.is_request());
    CHECK(m.method() == Method::options);
    CHECK(m.uri_text() == "sip:bob@example.com");
    CHECK(m.version() == "SIP/2.0");
    CHECK(m.request_uri()->host == "example.com");
    CHECK(m.headers().size() == 10);
    CHECK(m.count(HeaderName::via) == 2);
    CHECK(m.vias().size() == 3);
    CHECK(m.vias()[2].host == "c");
    CHECK(m.nth(HeaderName::via, 1)->name == "v");
    CHECK(m.nth(HeaderName::via, 2) == nullptr);
    CHECK(m.last(HeaderName::via) == m.nth("VIA", 1));
    CHECK(m.first("V") == m.first(HeaderName::via));
    CHECK(m.count("X-ONE") == 2);
    CHECK(m.last("x-one")->value.empty());
    CHECK(m.value(HeaderName::subject) == "folded\r\n  twice\r\n\tover");
    CHECK(m.first("s")->whole == "Subject: folded\r\n  twice\r\n\tover\r\n");
    CHECK(m.first("nosuch") == nullptr);
    CHECK(m.body() == "body");
    CHECK(m.buffer().ends_with("\r\n\r\nbody"));
    CHECK(m.buffer().starts_with("OPTIONS"));
    CHECK(m.start_line() == "OPTIONS sip:bob@example.com SIP/2.0");
    CHECK(m.buffer().substr(m.end_of_headers(), 2) == "\r\n");
    CHECK(m.buffer().substr(m.body_offset()) == "body");
    CHECK(m.headers_text().starts_with("Via"));
    CHECK(m.headers_text().ends_with("Content-Length: 4\r\n"));
    CHECK(m.call_id() == "c1");
    CHECK(m.from_tag() == "a");
    CHECK(m.to_tag().empty());
    CHECK(m.cseq()->number == 1);
    CHECK_FALSE(m.check());
    CHECK(m.can_be_answered());
}

TEST_CASE("bare LF ends lines as well", "[sip]")
{
    Arena arena;
    const auto& m = parsed("SIP/2.0 180 Ringing\nVia: SIP/2.0/UDP a\nTo: <sip:b@c>;tag=x\n\nrest", arena);
    CHECK(m.is_reply());
    CHECK(m.status() == 180);
    CHECK(m.reason() == "Ringing");
    CHECK(m.to_tag() == "x");
    CHECK(m.body() == "rest");
    CHECK_FALSE(m.can_be_answered());
}

TEST_CASE("an HTTP request is shown through the same class", "[sip]")
{
    Arena arena;
    const auto& m =
        parsed("PUT /xcap-root/rls?x=1 HTTP/1.1\r\nHost: example.com\r\nIf-Match: \"e1\"\r\nContent-Type: "
               "application/xml\r\nContent-Length: 3\r\n\r\nabc",
               arena);
    CHECK(m.is_http());
    CHECK(m.method() == Method::put);
    CHECK(m.uri_text() == "/xcap-root/rls?x=1");
    CHECK(m.version() == "HTTP/1.1");
    CHECK(m.value(HeaderName::if_match) == "\"e1\"");
    CHECK(m.content_type()->is("application/xml"));
    CHECK(m.body() == "abc");
    CHECK(m.request_uri() == nullptr);
    CHECK_FALSE(m.check());
    CHECK_FALSE(m.can_be_answered());
}

TEST_CASE("what cannot be answered is an error", "[sip]")
{
    const struct {
        const char* story;
        std::string text;
        const char* reason;
    } rows[] = {
        {"nothing", "", "no start line"},
        {"a keepalive", "\r\n\r\n", "no start line"},
        {"one byte", "x", "no start line"},
        {"no protocol", "hello world\r\n\r\n", "start line is neither SIP nor HTTP"},
        {"a word", "hello\r\n\r\n", "start line is neither SIP nor HTTP"},
        {"another protocol", "GET / HTTP/2.0\r\n\r\n", "start line is neither SIP nor HTTP"},
        {"no method", " sip:a SIP/2.0\r\n\r\n", "start line is neither SIP nor HTTP"},
        {"a status of two digits", "SIP/2.0 20 OK\r\n\r\n",
         "status line without a status code of three digits"},
        {"a status of letters", "SIP/2.0 abc OK\r\n\r\n",
         "status line without a status code of three digits"},
        {"a status out of range", "SIP/2.0 700 OK\r\n\r\n", "status code is not from 100 to 699"},
        {"an endless start line", "INVITE sip:" + std::string(20000, 'a') + " SIP/2.0\r\n\r\n",
         "start line too long"},
        {"too many headers",
         "OPTIONS sip:a SIP/2.0\r\n" +
             [] {
                 std::string s;
                 for (int n = 0; n < 513; ++n)
                     s += "a: b\r\n";
                 return s;
             }() +
             "\r\n",
         "too many header fields"},
        {"a header without end", "OPTIONS sip:a SIP/2.0\r\nX: " + std::string(70000, 'a') + "\r\n\r\n",
         "header field too long"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Arena arena;
        const auto result = Message::parse(row.text, arena);
        REQUIRE_FALSE(result);
        CHECK(result.error().text == row.reason);
    }
}

TEST_CASE("a fault says what to answer", "[sip]")
{
    const auto without = [](std::string text, const std::string& line) {
        const auto at = text.find(line);
        return text.erase(at, text.find("\r\n", at) + 2 - at);
    };
    const struct {
        const char* story;
        std::string text;
        int code;
        const char* reason;
    } rows[] = {
        {"all is well", options + "\r\n", 0, ""},
        {"the datagram was cut within the headers", options + "Subj", 400,
         "Headers do not end with an empty line"},
        {"... or right behind them", options, 400, "Headers do not end with an empty line"},
        {"a line that is no header", options + "hello\r\n\r\n", 400, "Header line without a colon"},
        {"a header name with blanks", options + "a b: c\r\n\r\n", 400, "Header name is no token"},
        {"folding before the first header", "OPTIONS sip:a SIP/2.0\r\n x\r\n\r\n", 400,
         "Folded line without a header"},
        {"no Via", without(options, "Via") + "\r\n", 400, "Missing Via header field"},
        {"no Call-ID", without(options, "Call-ID") + "\r\n", 400, "Missing Call-ID header field"},
        {"an empty Call-ID", without(options, "Call-ID") + "i:\r\n\r\n", 400, "Empty Call-ID"},
        {"two To", options + "t: <sip:x@y>\r\n\r\n", 400, "Several To header fields"},
        {"Max-Forwards 256", options + "Max-Forwards: 256\r\n\r\n", 400, "Bad Max-Forwards header field"},
        {"Content-Length missing digits", options + "l:\r\n\r\n", 400, "Content-Length is no number"},
        {"a broken method", "OPT/ONS sip:a SIP/2.0\r\n\r\n", 400, "Method is no token"},
        {"another version", "OPTIONS sip:a SIP/3.0\r\n\r\n", 505, "Version not supported"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Arena arena;
        const auto fault = parsed(row.text, arena).check();
        CHECK(fault.code == row.code);
        CHECK(fault.reason == row.reason);
    }
}

TEST_CASE("lists keep what was good before the bad value", "[sip]")
{
    Arena arena;
    const auto& m = parsed(
        options + "Route: <sip:p1;lr>, <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\nContact: <sip:a@b>, \"x\r\n"
                  "Record-Route: <sip:r1;lr>\r\nExpires: 60\r\nEvent: dialog;id=1\r\n\r\n",
        arena);
    REQUIRE(m.routes().size() == 3);
    CHECK(m.routes()[1].uri == "sip:p2;lr");
    CHECK(m.routes().complaint.empty());
    CHECK(m.contacts().size() == 1);
    CHECK(m.contacts().complaint == "quoted display name is not closed");
    CHECK(m.complaint_about(HeaderName::contact) == "quoted display name is not closed");
    CHECK(m.complaint_about(HeaderName::route).empty());
    CHECK(m.record_routes()[0].uri == "sip:r1;lr");
    CHECK(m.expires() == 60u);
    CHECK(m.event()->package == "dialog");
    CHECK(m.values(HeaderName::to)[0].uri == "sip:bob@example.com");
    CHECK(m.from() == m.from());
    CHECK_FALSE(m.max_forwards());
    CHECK(m.content_type() == nullptr);
}

TEST_CASE("parsing the common message needs one block of the arena", "[sip]")
{
    Arena arena;
    parsed(options + "Content-Length: 0\r\n\r\n", arena);
    CHECK(arena.bytes_used() < 6000);
}
