// core/sip/build_test.cpp - replies, forwarded messages, CANCEL and ACK as they leave
#include "core/sip/build.h"

#include "test/support/catch.h"

#include <string>

using namespace sipyard;
using namespace sipyard::sip;

namespace {

const std::string invite =
    "INVITE sip:bob@b.com SIP/2.0\r\n"
    "Record-Route: <sip:p1;lr>\r\n"
    "v: SIP/2.0/UDP pc.a.com:5062;branch=z9hG4bK1;rport, SIP/2.0/TCP other;branch=z9hG4bK0\r\n"
    "Max-Forwards: 69\r\n"
    "Via: SIP/2.0/UDP third\r\n"
    "f: <sip:al@a.com>;tag=f\r\n"
    "To: <sip:bob@b.com>\n"
    "Call-ID: c1\r\n"
    "CSeq: 7 INVITE\r\n"
    "Timestamp: 54\r\n"
    "Route: <sip:p2;lr>\r\n"
    "Content-Length: 2\r\n\r\nhi";

const Message& parsed(std::string_view text, Arena& arena)
{
    const auto result = Message::parse(arena.copy(text), arena);
    REQUIRE(result);
    return **result;
}

} // namespace

TEST_CASE("a reply carries what RFC 3261 8.2.6.2 asks for", "[sip]")
{
    Arena arena;
    const auto& m = parsed(invite, arena);
    CHECK(build_reply(m, 200, "OK",
                      {.to_tag = "t",
                       .headers = "Contact: <sip:me>\r\n",
                       .server = "Server: sipyard",
                       .content_type = "text/plain",
                       .body = "yo",
                       .source = {.address = "192.0.2.9", .port = 4000}},
                      arena) ==
          "SIP/2.0 200 OK\r\n"
          "Via: SIP/2.0/UDP pc.a.com:5062;branch=z9hG4bK1;received=192.0.2.9;rport=4000, SIP/2.0/TCP "
          "other;branch=z9hG4bK0\r\n"
          "Via: SIP/2.0/UDP third\r\n"
          "Record-Route: <sip:p1;lr>\r\n"
          "f: <sip:al@a.com>;tag=f\r\n"
          "To: <sip:bob@b.com>;tag=t\r\n"
          "Call-ID: c1\r\n"
          "CSeq: 7 INVITE\r\n"
          "Contact: <sip:me>\r\n"
          "Server: sipyard\r\n"
          "Content-Type: text/plain\r\n"
          "Content-Length: 2\r\n\r\nyo");
    const auto trying = build_reply(m, 100, "Trying\r\nX: y", {}, arena);
    CHECK(trying.starts_with(
        "SIP/2.0 100 Trying  X: y\r\nv: SIP/2.0/UDP pc.a.com:5062;branch=z9hG4bK1;rport, "));
    CHECK(trying.find("Timestamp: 54\r\n") != std::string_view::npos);
    CHECK(trying.find("Record-Route") == std::string_view::npos);
    CHECK(trying.find("To: <sip:bob@b.com>\r\n") != std::string_view::npos);
    CHECK(trying.ends_with("\r\nContent-Length: 0\r\n\r\n"));
    CHECK(build_reply(m, 404, default_reason(404), {}, arena).find("Record-Route") == std::string_view::npos);
}

TEST_CASE("a To tag that is there stays", "[sip]")
{
    Arena arena;
    const auto& m =
        parsed("BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nTo: <sip:a@b>;tag=old\r\nFrom: <sip:c@d>\r\n"
               "Call-ID: 1\r\nCSeq: 1 BYE\r\n\r\n",
               arena);
    const auto reply = build_reply(m, 200, "OK", {.to_tag = "new"}, arena);
    CHECK(reply.find("To: <sip:a@b>;tag=old\r\n") != std::string_view::npos);
    CHECK(reply.find("new") == std::string_view::npos);
}

TEST_CASE("received and rport follow the source", "[sip]")
{
    const struct {
        const char* story;
        const char* via;
        Source source;
        const char* expected;
    } rows[] = {
        {"the source is the sent-by: nothing to add",
         "SIP/2.0/UDP 192.0.2.1;branch=b",
         {.address = "192.0.2.1", .port = 5060},
         "SIP/2.0/UDP 192.0.2.1;branch=b"},
        {"another address",
         "SIP/2.0/UDP 192.0.2.1;branch=b",
         {.address = "192.0.2.2", .port = 1},
         "SIP/2.0/UDP "
         "192.0.2.1;branch=b;received=192.0.2.2"},
        {"a name",
         "SIP/2.0/UDP host",
         {.address = "192.0.2.2", .port = 1},
         "SIP/2.0/UDP host;received=192.0.2.2"},
        {"rport asked for: received even if equal (RFC 3581 4)",
         "SIP/2.0/UDP 192.0.2.1;rport;branch=b",
         {.address = "192.0.2.1", .port = 5070},
         "SIP/2.0/UDP 192.0.2.1;branch=b;received=192.0.2.1;rport=5070"},
        {"a pretended received is replaced",
         "SIP/2.0/UDP 192.0.2.1;received=6.6.6.6;branch=b",
         {.address = "192.0.2.2", .port = 1},
         "SIP/2.0/UDP 192.0.2.1;branch=b;received=192.0.2.2"},
        {"... and removed where none belongs",
         "SIP/2.0/UDP 192.0.2.1;received=6.6.6.6;branch=b",
         {.address = "192.0.2.1", .port = 1},
         "SIP/2.0/UDP 192.0.2.1;branch=b"},
        {"forced",
         "SIP/2.0/UDP 192.0.2.1",
         {.address = "192.0.2.1", .port = 9, .force_rport = true},
         "SIP/2.0/UDP 192.0.2.1;received=192.0.2.1;rport=9"},
        {"IPv6 sent-by has brackets, the address has none",
         "SIP/2.0/UDP [2001:DB8::1]:5060",
         {.address = "2001:db8::1", .port = 5060},
         "SIP/2.0/UDP [2001:DB8::1]:5060"},
        {"no source known", "SIP/2.0/UDP x;received=1.2.3.4", {}, "SIP/2.0/UDP x;received=1.2.3.4"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Arena arena;
        Via via;
        REQUIRE(read(row.via, via) == "");
        CHECK(with_source(via, row.source, arena) == row.expected);
    }
}

TEST_CASE("a forwarded request", "[sip]")
{
    Arena arena;
    const auto& m = parsed(invite, arena);
    Edits edits{arena};
    edits.prepend_header(m, "Record-Route: <sip:me;lr>\r\n");
    edits.remove(m, *m.first(HeaderName::route));
    edits.replace(m, m.value(HeaderName::max_forwards), "68");
    edits.replace_request_uri(m, "sip:ignored@x");
    const auto out = forward_request(m, edits,
                                     {.request_uri = "sip:bob@192.0.2.7",
                                      .via = "Via: SIP/2.0/UDP me;branch=z9hG4bKme",
                                      .source = {.address = "192.0.2.9", .port = 4000}},
                                     arena);
    CHECK(out == "INVITE sip:bob@192.0.2.7 SIP/2.0\r\n"
                 "Via: SIP/2.0/UDP me;branch=z9hG4bKme\r\n"
                 "Record-Route: <sip:me;lr>\r\n"
                 "Record-Route: <sip:p1;lr>\r\n"
                 "v: SIP/2.0/UDP pc.a.com:5062;branch=z9hG4bK1;received=192.0.2.9;rport=4000, SIP/2.0/TCP "
                 "other;branch=z9hG4bK0\r\n"
                 "Max-Forwards: 68\r\n"
                 "Via: SIP/2.0/UDP third\r\n"
                 "f: <sip:al@a.com>;tag=f\r\n"
                 "To: <sip:bob@b.com>\n"
                 "Call-ID: c1\r\n"
                 "CSeq: 7 INVITE\r\n"
                 "Timestamp: 54\r\n"
                 "Content-Length: 2\r\n\r\nhi");
    // the octets behind the body stay behind; a stream gets a Content-Length
    const auto& bare = parsed("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\nbody", arena);
    CHECK(forward_request(bare, Edits{arena}, {.content_length = true}, arena) ==
          "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nContent-Length: 4\r\n\r\nbody");
    CHECK(forward_request(bare, Edits{arena}, {}, arena) == bare.buffer());
}

TEST_CASE("a forwarded reply loses our Via", "[sip]")
{
    const struct {
        const char* story;
        const char* vias;
        const char* expected;
    } rows[] = {
        {"a line of its own", "Via: SIP/2.0/UDP me\r\nVia: SIP/2.0/UDP a\r\n", "Via: SIP/2.0/UDP a\r\n"},
        {"a shared line", "Via: SIP/2.0/UDP me ,  SIP/2.0/UDP a\r\n", "Via: SIP/2.0/UDP a\r\n"},
        {"folded", "Via: SIP/2.0/UDP me,\r\n SIP/2.0/UDP a\r\n", "Via: SIP/2.0/UDP a\r\n"},
        {"the last one", "Via: SIP/2.0/UDP me\r\n", ""},
        {"the last one and a stray comma", "Via: SIP/2.0/UDP me,\r\n", "Via: \r\n"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Arena arena;
        const auto text = std::string{"SIP/2.0 200 OK\r\n"} + row.vias + "CSeq: 1 INVITE\r\n\r\n";
        const auto& m = parsed(text, arena);
        Edits edits{arena};
        edits.append_header(m, "X: 1\r\n");
        CHECK(forward_reply(m, edits, {}, arena) ==
              std::string{"SIP/2.0 200 OK\r\n"} + row.expected + "CSeq: 1 INVITE\r\nX: 1\r\n\r\n");
        CHECK(forward_reply(m, Edits{arena}, {.keep_via = true}, arena) == text);
    }
}

TEST_CASE("a stateless branch is the same for all requests of a transaction", "[sip]")
{
    Arena arena;
    const auto branch = [&arena](std::string text, const char* salt = "s") {
        return std::string{stateless_branch(parsed(text, arena), salt, arena)};
    };
    const auto replaced = [](std::string text, const std::string& from, const std::string& to) {
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
            text.replace(at, from.size(), to);
        return text;
    };
    const auto first = branch(invite);
    CHECK(first.starts_with("z9hG4bK"));
    CHECK(first.size() == 31);
    CHECK(branch(replaced(invite, "INVITE", "CANCEL")) == first);
    CHECK(branch(replaced(replaced(invite, "INVITE", "ACK"), "<sip:bob@b.com>", "<sip:bob@b.com>;tag=x")) ==
          first);
    CHECK(branch(invite, "other") != first);
    CHECK(branch(replaced(invite, "z9hG4bK1", "z9hG4bK2")) != first);
    CHECK(branch(replaced(invite, "pc.a.com", "pd.a.com")) != first);
    const auto old = replaced(invite, "z9hG4bK1", "1");
    CHECK(branch(replaced(replaced(old, "INVITE", "ACK"), "<sip:bob@b.com>", "<sip:bob@b.com>;tag=x")) ==
          branch(old));
    CHECK(branch(replaced(old, "Call-ID: c1", "Call-ID: c2")) != branch(old));
    CHECK(branch(replaced(old, "CSeq: 7", "CSeq: 8")) != branch(old));
}

TEST_CASE("CANCEL and ACK repeat what the INVITE said", "[sip]")
{
    Arena arena;
    const auto& m = parsed(invite, arena);
    CHECK(build_cancel(m, "Reason: SIP;cause=200\r\n", arena) ==
          "CANCEL sip:bob@b.com SIP/2.0\r\n"
          "Via: SIP/2.0/UDP pc.a.com:5062;branch=z9hG4bK1;rport\r\n"
          "Route: <sip:p2;lr>\r\n"
          "f: <sip:al@a.com>;tag=f\r\n"
          "To: <sip:bob@b.com>\r\n"
          "Call-ID: c1\r\n"
          "CSeq: 7 CANCEL\r\n"
          "Max-Forwards: 70\r\n"
          "Reason: SIP;cause=200\r\n"
          "Content-Length: 0\r\n\r\n");
    const auto& reply = parsed(build_reply(m, 486, "Busy Here", {.to_tag = "tt"}, arena), arena);
    const auto& ack = parsed(build_ack(m, reply, arena), arena);
    CHECK(ack.method() == Method::ack);
    CHECK(ack.to_tag() == "tt");
    CHECK(ack.cseq()->number == 7);
    CHECK(ack.cseq()->method == Method::ack);
    CHECK(ack.vias().size() == 1);
    CHECK_FALSE(ack.check());
}
