// core/sip/edits_test.cpp - edits are noted, and made all at once
#include "core/sip/build.h"
#include "core/sip/edits.h"

#include "test/support/catch.h"

#include <functional>
#include <string>

using namespace sipyard;
using namespace sipyard::sip;

namespace {

const std::string invite = "INVITE sip:bob@b.com SIP/2.0\r\n"
                           "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
                           "From: \"Al\" <sip:al@a.com>;tag=f\r\n"
                           "To: sip:bob@b.com;x=y\r\n"
                           "X: 1\r\n"
                           "X: 2\r\n"
                           "Content-Type: text/plain\r\n"
                           "Content-Length: 5\r\n"
                           "\r\n"
                           "hello";

// invite with one text replaced by another; the texts must be there
std::string with(std::initializer_list<std::pair<std::string, std::string>> changes)
{
    std::string text = invite;
    for (const auto& [from, to] : changes) {
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        text.replace(at, from.size(), to);
    }
    return text;
}

} // namespace

TEST_CASE("edits show when they are applied", "[sip]")
{
    using Do = std::function<void(const Message&, Edits&)>;
    const struct {
        const char* story;
        Do note;
        std::string expected;
    } rows[] = {
        {"nothing", [](const Message&, Edits&) {}, invite},
        {"append twice adds two, in order",
         [](const Message& m, Edits& e) {
             e.append_header(m, "A: 1\r\n");
             e.append_header(m, "B: 2\r\n");
         },
         with({{"Length: 5\r\n", "Length: 5\r\nA: 1\r\nB: 2\r\n"}})},
        {"prepend", [](const Message& m, Edits& e) { e.prepend_header(m, "A: 1\r\n"); },
         with({{"Via", "A: 1\r\nVia"}})},
        {"before and after a header",
         [](const Message& m, Edits& e) {
             e.insert_before(m, *m.first("X"), "A: 1\r\n");
             e.insert_after(m, *m.last("X"), "B: 1\r\n");
         },
         with({{"X: 1\r\nX: 2\r\n", "A: 1\r\nX: 1\r\nX: 2\r\nB: 1\r\n"}})},
        {"remove twice is harmless",
         [](const Message& m, Edits& e) {
             e.remove(m, *m.first("X"));
             e.remove(m, *m.first("X"));
         },
         with({{"X: 1\r\n", ""}})},
        {"remove, and append one of that name",
         [](const Message& m, Edits& e) {
             e.remove(m, *m.nth("X", 0));
             e.remove(m, *m.nth("X", 1));
             e.append_header(m, "X: 3\r\n");
         },
         with({{"X: 1\r\nX: 2\r\n", ""}, {"Length: 5\r\n", "Length: 5\r\nX: 3\r\n"}})},
        {"insert next to what is removed",
         [](const Message& m, Edits& e) {
             e.remove(m, *m.first("X"));
             e.insert_before(m, *m.first("X"), "A: 1\r\n");
             e.insert_after(m, *m.first("X"), "B: 1\r\n");
         },
         with({{"X: 1\r\n", "A: 1\r\nB: 1\r\n"}})},
        {"the second From URI replaces the first",
         [](const Message& m, Edits& e) {
             e.replace_uri(m, HeaderName::from, "sip:one@a.com");
             e.replace_uri(m, HeaderName::from, "sip:two@a.com");
         },
         with({{"sip:al@a.com", "sip:two@a.com"}})},
        {"display name replaced, the URI too",
         [](const Message& m, Edits& e) {
             e.replace_display(m, HeaderName::from, "\"Bo\"");
             e.replace_uri(m, HeaderName::from, "sip:bo@a.com");
         },
         with({{"\"Al\" <sip:al@a.com>", "\"Bo\" <sip:bo@a.com>"}})},
        {"display name removed",
         [](const Message& m, Edits& e) { e.replace_display(m, HeaderName::from, ""); },
         with({{"\"Al\" <", "<"}})},
        {"a display name brings brackets",
         [](const Message& m, Edits& e) {
             e.replace_display(m, HeaderName::to, "Bob");
             e.replace_uri(m, HeaderName::to, "sip:bo@b.com");
             e.replace_display(m, HeaderName::to, "\"Bo\"");
         },
         with({{"sip:bob@b.com;x", "\"Bo\" <sip:bo@b.com>;x"}})},
        {"R-URI", [](const Message& m, Edits& e) { e.replace_request_uri(m, "sip:c@d"); },
         with({{"sip:bob@b.com", "sip:c@d"}})},
        {"a replacement within a removed header is lost with it",
         [](const Message& m, Edits& e) {
             e.replace_uri(m, HeaderName::from, "sip:x@y");
             e.remove(m, *m.first(HeaderName::from));
         },
         with({{"From: \"Al\" <sip:al@a.com>;tag=f\r\n", ""}})},
        {"so is a display name",
         [](const Message& m, Edits& e) {
             e.replace_display(m, HeaderName::to, "Bob");
             e.remove(m, *m.first(HeaderName::to));
         },
         with({{"To: sip:bob@b.com;x=y\r\n", ""}})},
        {"a new body corrects Content-Length",
         [](const Message& m, Edits& e) { e.replace_body(m, "good morning", "text/html"); },
         with({{"text/plain", "text/html"}, {"Length: 5", "Length: 12"}, {"hello", "good morning"}})},
        {"the second body replaces the first",
         [](const Message& m, Edits& e) {
             e.replace_body(m, "one");
             e.replace_body(m, "fortytwo");
         },
         with({{"Length: 5", "Length: 8"}, {"hello", "fortytwo"}})},
        {"no body, no Content-Type", [](const Message& m, Edits& e) { e.replace_body(m, ""); },
         with({{"Content-Type: text/plain\r\n", ""}, {"Length: 5", "Length: 0"}, {"hello", ""}})},
        {"text replaced within the body",
         [](const Message& m, Edits& e) { e.replace(m, m.body().substr(1, 3), "EEEEE"); },
         with({{"Length: 5", "Length: 7"}, {"hello", "hEEEEEo"}})},
        {"undone",
         [](const Message& m, Edits& e) {
             e.replace_request_uri(m, "x");
             e.undo(EditKey::request_uri);
         },
         invite},
        {"Content-Length removed and the body changed: it comes back",
         [](const Message& m, Edits& e) {
             e.remove(m, *m.first("l"));
             e.replace_body(m, "x");
         },
         with({{"Content-Length: 5\r\n", "Content-Length: 1\r\n"}, {"hello", "x"}})},
        {"overlapping ranges",
         [](const Message&, Edits& e) {
             e.remove_range(0, 10);
             e.remove_range(5, 12);
         },
         invite.substr(12)},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Arena arena;
        const auto& m = **Message::parse(invite, arena);
        Edits edits{arena};
        row.note(m, edits);
        CHECK(m.buffer() == invite);
        CHECK(apply(m, edits, arena) == row.expected);
        // a branch's copy says the same about a copy of the buffer
        Arena other;
        const auto text = std::string{m.buffer()};
        CHECK(apply(**Message::parse(text, other), edits.copy(other), other) == row.expected);
    }
}

TEST_CASE("a body where there was none", "[sip]")
{
    Arena arena;
    const std::string text = "MESSAGE sip:a SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n";
    const auto& m = **Message::parse(text, arena);
    Edits edits{arena};
    edits.replace_body(m, "hi", "text/plain");
    edits.append_header(m, "X: 1\r\n");
    CHECK(apply(m, edits, arena) == "MESSAGE sip:a SIP/2.0\r\nTo: <sip:a@b>\r\nContent-Type: "
                                    "text/plain\r\nX: 1\r\nContent-Length: 2\r\n\r\nhi");
    CHECK(edits.has(EditKey::body));
    CHECK(edits.find(EditKey::body)->text == "hi");
}

TEST_CASE("edits beyond the buffer are ignored", "[sip]")
{
    Arena arena;
    const auto& m = **Message::parse(invite, arena);
    Edits edits{arena};
    edits.insert(100000, "x");
    edits.remove_range(5, 100000);
    CHECK(apply(m, edits, arena) == invite);
}

TEST_CASE("what depends on the hop is settled when the request is written", "[sip]")
{
    Arena arena;
    const auto& m = **Message::parse(invite, arena);
    const auto at = m.headers_offset();
    const struct {
        const char* story;
        Hop hop;
        const char* expected;
    } rows[] = {
        {"the way it came", {"192.0.2.1", "udp", "", false, false}, "A: same\r\nC: 192.0.2.1\r\nVia"},
        {"another socket",
         {"192.0.2.1:5070", "udp", "", true, false},
         "B: 192.0.2.1:5070 udp\r\nC: 192.0.2.1:5070\r\nVia"},
        {"another protocol",
         {"[::1]", "tcp", "in", true, true},
         "B: [::1];transport=tcp;sn=in tcp\r\nC: [::1]\r\nD: tcp\r\nVia"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Edits noted{arena};
        noted.insert_when(When::same_socket, at, "A: same\r\n", EditKey::record_route);
        noted.insert_when(When::other_socket, at, "B: \x01\x02\x04 \x03\r\n", EditKey::record_route);
        noted.insert_when(When::always, at, "C: \x01\r\n", EditKey::record_route);
        noted.insert_when(When::other_protocol, at, "D: \x03\r\n", EditKey::record_route);
        const Edits edits = noted.copy(arena);
        ForwardParts parts;
        parts.hop = row.hop;
        const std::string sent{forward_request(m, edits, parts, arena)};
        CHECK(sent.find("\r\n" + std::string{row.expected}) != std::string::npos);
        INFO(sent);
        noted.undo(EditKey::record_route);
        CHECK(noted.empty());
    }
}
