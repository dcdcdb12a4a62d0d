// core/sip/framing_test.cpp - messages cut out of a stream
#include "core/sip/framing.h"

#include "test/support/catch.h"

#include <string>

using namespace sipyard;
using namespace sipyard::sip;

namespace {

const std::string message = "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nContent-Length: 4\r\n\r\nbody";

// What the framer makes of a stream that arrives in pieces of `step` bytes: "message ping message ..."
std::string frames(const std::string& stream, std::size_t step, const Framer::Limits& limits = {})
{
    Framer framer{limits};
    std::string seen;
    std::size_t begin = 0, end = 0;
    while (end < stream.size()) {
        end = std::min(end + step, stream.size());
        for (;;) {
            const auto frame = framer.next(std::string_view{stream}.substr(begin, end - begin));
            if (frame.kind == Framer::Kind::more)
                break;
            seen += std::string{to_text(frame.kind)} +
                    (frame.why.empty() ? "" : ": " + std::string{frame.why}) + "\n";
            if (frame.kind == Framer::Kind::garbage || frame.kind == Framer::Kind::too_large)
                return seen;
            REQUIRE(frame.size <= end - begin);
            begin += frame.size;
        }
    }
    return seen + (begin == end ? "" : "waiting");
}

} // namespace

TEST_CASE("a stream is cut into messages, however its bytes arrive", "[sip]")
{
    const auto with_length = [](const std::string& line) {
        return "OPTIONS sip:a SIP/2.0\r\n" + line + "\r\nTo: x\r\n\r\nbody";
    };
    const struct {
        const char* story;
        std::string stream;
        std::string expected;
    } rows[] = {
        {"one", message, "message\n"},
        {"three", message + message + message, "message\nmessage\nmessage\n"},
        {"keepalives between", "\r\n\r\n" + message + "\r\n\r\n\r\n\r\n" + message,
         "ping\nmessage\nping\nping\nmessage\n"},
        {"a reply", "SIP/2.0 200 OK\r\nl:0\r\n\r\n", "message\n"},
        {"bare LF", "SIP/2.0 200 OK\nl:2\n\nab", "message\n"},
        {"half a message", message.substr(0, message.size() - 1), "waiting"},
        {"half a ping", "\r\n", "waiting"},
        {"compact and spaced", with_length("l \t: 4 "), "message\n"},
        {"folded length", with_length("Content-Length:\r\n  4"), "message\n"},
        {"repeated and equal", with_length("Content-Length: 4\r\nl: 4"), "message\n"},
        {"another header that begins alike", with_length("Content-Lengthy: 9\r\nl: 4"), "message\n"},
        {"repeated and different", with_length("Content-Length: 4\r\nl: 5"),
         "garbage: Content-Length values differ\n"},
        {"negative", with_length("Content-Length: -4"), "garbage: Content-Length is no number\n"},
        {"empty", with_length("Content-Length:"), "garbage: Content-Length is no number\n"},
        {"continued", with_length("Content-Length: 4\r\n 4"), "garbage: Content-Length is no number\n"},
        {"missing", with_length("Subject: x"), "garbage: no Content-Length in a stream\n"},
        {"huge", with_length("l: 99999999999999999999999999"), "too large: message exceeds the limit\n"},
        {"another protocol", "GET / HTTP/1.1\r\n\r\n", "garbage: start line is not SIP\n"},
        {"binary", std::string("\x16\x03\x01", 3), "garbage: a message cannot begin with this byte\n"},
    };
    for (const auto& row : rows) {
        for (const std::size_t step : {1, 2, 3, 7, 1000}) {
            INFO(row.story << ", " << step << " bytes at a time");
            if (step > 1 && std::string_view{row.story} == "keepalives between" && step < 1000)
                continue; // the same bytes, but CRLF pairs may be seen together or apart
            CHECK(frames(row.stream, step) == row.expected);
        }
    }
}

TEST_CASE("a CRLF in front of a message is dropped", "[sip]")
{
    CHECK(frames("\r\n" + message, 1000) == "pong\nmessage\n");
    CHECK(frames("\r\n" + message, 1) == "pong\nmessage\n");
    CHECK(frames("\rX", 1) == "garbage: a lone CR before a message\n");
}

TEST_CASE("limits", "[sip]")
{
    CHECK(frames("OPTIONS sip:a SIP/2.0\r\nX: " + std::string(200, 'x'), 10, {.max_headers = 100}) ==
          "too large: headers exceed the limit\n");
    CHECK(frames(message, 1, {.max_message = message.size() - 1}) ==
          "too large: message exceeds the limit\n");
    CHECK(frames(message, 1, {.max_message = message.size()}) == "message\n");
    CHECK(frames("SIP/2.0 200 OK\r\n\r\n", 1, {.require_content_length = false}) == "message\n");
}

TEST_CASE("the least size is told once the headers are there", "[sip]")
{
    Framer framer;
    CHECK(framer.next(std::string_view{message}.substr(0, 30)).size == 0);
    const auto frame = framer.next(std::string_view{message}.substr(0, message.size() - 2));
    CHECK(frame.kind == Framer::Kind::more);
    CHECK(frame.size == message.size());
}
